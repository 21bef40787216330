--- Contexts: which request and which `g` the running code belongs to.
--- Flow: the scheduler sets core.current[1] at each resume of a task; core.context() makes the
--- table on its first touch. A request's table holds its handle and, made when asked for,
--- `request` (the fields read so far) and `g`. Handlers that touch none of it pay nothing.

local check = require "qlua.check"
local core = require "qlua.core"

local current, context = core.current, core.context

---@class qlua.Context what the tasks of one request share
---@field handle? qlua.Handle nil in an app context without a request
---@field request? table fields of `request` read so far
---@field g? table
---@field after_this_request? function[]

local M = {}

--- The running task's context, or nil outside of one.
---@return qlua.Context?
function M.get()
  return current[1] or context()
end

---@return boolean
function M.has_request_context()
  local ctx = current[1] or context()
  return ctx ~= nil and ctx.handle ~= nil
end

---@return boolean
function M.has_app_context()
  return (current[1] or context()) ~= nil
end

--- Run fn with this request's response, before the after_request hooks; what it returns takes the
--- response's place, nil keeps it.
---@generic F: fun(response: qlua.Response): qlua.Response?
---@param fn F
---@return F
function M.after_this_request(fn)
  check.type("after_this_request", "the function", fn, "function")
  local ctx = current[1] or context()
  if not ctx or not ctx.handle then
    check.fail("Not within a request context: after_this_request belongs into a view, a hook or a "
      .. "function they call")
  end
  local list = ctx.after_this_request or {}
  ctx.after_this_request = list
  list[#list + 1] = fn
  core.answer_in_lua()
  return fn
end

local function leave(ok, ...)
  core.leave_context()
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Run fn(...) in an app context of its own, with a fresh g. Inside a request the request stays
--- visible.
---@param fn function
---@return any ...
function M.with_app(fn, ...)
  local outer = current[1] or context()
  core.enter_context { handle = outer and outer.handle, request = outer and outer.request }
  return leave(pcall(fn, ...))
end

--- A function that runs fn in this request's context, wherever and whenever it is called; the
--- request is kept for it.
---@param fn function
---@return function
function M.copy_current_request_context(fn)
  check.type("copy_current_request_context", "the function", fn, "function")
  if not M.has_request_context() then
    check.fail("Not within a request context: copy_current_request_context belongs into a view, a "
      .. "hook or a function they call")
  end
  local held = core.hold_context()
  return function(...)
    core.enter_context(held)
    return leave(pcall(fn, ...))
  end
end

-- ---- g ----------------------------------------------------------------------------------------

---@class qlua.G values of one request: an object of its own for each
---@field [string] any
local methods = {}

--- The table behind g; `name` is for the message.
local function values_of(name)
  local ctx = current[1] or context()
  if not ctx then
    check.fail("Not within an app context: g.%s was used outside of a request. Use it in a view, "
      .. "a hook or a function they call; values for all requests belong in app.config",
      tostring(name))
  end
  local values = ctx.g
  if not values then
    values = {}
    ctx.g = values
  end
  return values
end

--- The value of a name, or the default.
---@param name string
---@param default? any
---@return any
function methods.get(_, name, default)
  local value = values_of("get")[name]
  if value == nil then
    return default
  end
  return value
end

--- Store a value; for names that are methods' too.
---@param name string
---@param value any
function methods.set(_, name, value)
  values_of("set")[name] = value
end

--- Take a value out.
---@param name string
---@param default? any
---@return any
function methods.pop(_, name, default)
  local values = values_of("pop")
  local value = values[name]
  values[name] = nil
  if value == nil then
    return default
  end
  return value
end

--- The value of a name, which becomes the default when there is none.
---@param name string
---@param default any
---@return any
function methods.setdefault(_, name, default)
  local values = values_of("setdefault")
  if values[name] == nil then
    values[name] = default
  end
  return values[name]
end

---@param name string
---@return boolean
function methods.contains(_, name)
  return values_of("contains")[name] ~= nil
end

--- Iterate: `for name, value in g:items() do`.
function methods.items(_)
  return next, values_of("items"), nil
end

--- The names, sorted.
---@return string[]
function methods.keys(_)
  local names = {}
  for name in next, values_of("keys") do
    names[#names + 1] = name
  end
  table.sort(names)
  return core.array(names)
end

--- A copy as a plain table.
---@return table<string, any>
function methods.to_dict(_)
  local copy = {}
  for name, value in next, values_of("to_dict") do
    copy[name] = value
  end
  return copy
end

--- Store all values of a table.
---@param values table<string, any>
function methods.update(_, values)
  check.type("g:update", "values", values, "table")
  local own = values_of("update")
  for name, value in pairs(values) do
    own[name] = value
  end
end

---@param name string
function methods.remove(_, name)
  values_of("remove")[name] = nil
end

function methods.clear(_)
  local values = values_of("clear")
  for name in next, values do
    values[name] = nil
  end
end

---@type qlua.G
M.g = newproxy(true)

local meta = getmetatable(M.g)
meta.__name = "qlua.G"

function meta.__index(_, name)
  local method = methods[name]
  if method then
    return method
  end
  local ctx = current[1]
  local values = ctx and ctx.g or values_of(name)
  return values[name]
end

function meta.__newindex(_, name, value)
  if methods[name] then
    check.fail("g.%s is a method; use g:set(%q, value)", name, name)
  end
  values_of(name)[name] = value
end

function meta.__tostring()
  return "<qlua.g>"
end

-- ---- current_app ------------------------------------------------------------------------------

-- a method of the app, called with current_app as self, gets the app itself
local wrapped = setmetatable({}, { __mode = "k" })

local function app_of(name)
  local app = core.app()
  if not app then
    check.fail("Not within an app context: current_app.%s was used while no app is serving. Use "
      .. "it in a view, a hook or a function they call, or use the app itself", tostring(name))
  end
  return app
end

---@type qlua.App
M.current_app = newproxy(true)

local function wrap(method)
  local function call(self, ...)
    if self == M.current_app then
      return method(app_of "method", ...)
    end
    return method(self, ...)
  end
  wrapped[method] = call
  return call
end

--- The app itself; with arguments, app:get (a route).
local function get(_, ...)
  local app = app_of "get"
  if select("#", ...) == 0 then
    return app
  end
  return app:get(...)
end

meta = getmetatable(M.current_app)
meta.__name = "qlua.current_app"

function meta.__index(_, name)
  if name == "get" then
    return get
  end
  local value = app_of(name)[name]
  if type(value) == "function" then
    return wrapped[value] or wrap(value)
  end
  return value
end

function meta.__newindex(_, name, value)
  app_of(name)[name] = value
end

function meta.__tostring()
  return tostring(core.app() or "<qlua.current_app>")
end

return M
