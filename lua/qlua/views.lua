--- Class views: a table of functions named by method is a view too.
--- Flow: scaffold.lua has every view read here; a table becomes one function, which reaches the
--- right one of the table's by the request's method.

local check = require "qlua.check"
local core = require "qlua.core"
local request = require "qlua.request"

local M = {}

---@alias qlua.View function|table<string, function> a function, or functions by method

local USUAL = {
  get = true, post = true, put = true, delete = true, patch = true, head = true, options = true,
}

-- view table -> { call, by_method }: the same table is the same view, whatever rule it is for
local made = setmetatable({}, { __mode = "k" })

-- what a table was made to -> the first of its functions: the place that messages name
local origins = setmetatable({}, { __mode = "k" })

--- "get, post": the methods a table has, HEAD only when it is its own.
local function listed(by_method)
  local names = {}
  for method, fn in pairs(by_method) do
    if method ~= "HEAD" or fn ~= rawget(by_method, "GET") then
      names[#names + 1] = method:lower()
    end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

--- The method that an entry of a view table is for.
local function checked_entry(where, key, fn)
  if type(key) ~= "string" then
    check.fail("%s: a table as the view has functions by method, as { get = fn }; got the key %s",
      where, tostring(key))
  end
  local method = key:upper()
  if not core.method_known(method) then
    check.fail("%s: the view's table has %q, which is no method%s", where, key,
      check.hint(key:lower(), USUAL))
  elseif type(fn) ~= "function" then
    check.fail("%s: the view's %q must be a function, got %s", where, key, check.describe(fn))
  end
  return method
end

--- The functions of a view table by method, HEAD that of GET unless there is one.
local function read_table(where, view, into)
  local seen = {}
  for key, fn in pairs(view) do
    local method = checked_entry(where, key, fn)
    if seen[method] then
      check.fail("%s: the view's table has %s twice, in upper and lower case", where, method)
    end
    seen[method] = true
    into[method] = fn
  end
  if not next(seen) then
    check.fail("%s: the view's table is empty; it needs functions by method, as { get = fn }",
      where)
  end
  if not seen.HEAD then
    into.HEAD = rawget(into, "GET")
  end
  return into
end

--- Reached only when a rule was given its view by endpoint and has methods which that lacks.
local LACKS = {}
function LACKS.__index(by_method, method)
  error(("endpoint %q: its view has no function for %s, only %s"):format(request.endpoint, method,
    listed(by_method)), 0)
end

local function make(where, view)
  local by_method = setmetatable(read_table(where, view, {}), LACKS)
  local function call(...)
    return by_method[request.method](...)
  end
  local names = listed(by_method)
  origins[call] = rawget(by_method, names:match("^%a+"):upper())
  return { call = call, by_method = by_method }
end

--- The function for a view table.
---@param where string
---@param view table<string, function>
---@return function call, table<string, function> by_method
local function of_table(where, view)
  local known = made[view]
  if known then
    read_table(where, view, known.by_method) -- it may have got more functions
  else
    known = make(where, view)
    made[view] = known
  end
  return known.call, known.by_method
end

--- Is this what route takes as a view? A table of options has neither functions nor methods.
---@param value any
---@return boolean
function M.is_view(value)
  if type(value) ~= "table" then
    return type(value) == "function"
  end
  for key, entry in pairs(value) do
    if type(entry) == "function" or (type(key) == "string" and core.method_known(key:upper())) then
      return true
    end
  end
  return false
end

local function check_methods(where, methods, by_method)
  for _, method in pairs(methods) do
    local name = type(method) == "string" and method:upper()
    if name and core.method_known(name) and not rawget(by_method, name) then
      check.fail("%s: the option methods has %s, but the view has no function for it, only %s",
        where, name, listed(by_method))
    end
  end
end

local function with_methods(options, by_method)
  local all = { methods = {} }
  for name, value in pairs(options) do
    all[name] = value
  end
  for method in pairs(by_method) do
    all.methods[#all.methods + 1] = method
  end
  return all
end

--- A view as the function to call, and the rule's options with its methods.
---@param where string
---@param options qlua.RouteOptions
---@param view qlua.View
---@return function view, qlua.RouteOptions options
function M.read(where, options, view)
  if type(view) == "function" then
    return view, options
  elseif type(view) ~= "table" then
    check.fail("%s: the view, the last argument, must be a function or a table of functions by " ..
      "method; got %s", where, check.describe(view))
  end
  local call, by_method = of_table(where, view)
  if options.methods then
    check_methods(where, options.methods, by_method)
    return call, options
  end
  return call, with_methods(options, by_method)
end

--- The function a user wrote: itself, or one of the table's.
---@param view function
---@return function
function M.origin(view)
  return origins[view] or view
end

return M
