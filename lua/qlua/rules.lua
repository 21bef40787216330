--- Rules: what app:route wrote down, checked, with endpoint and methods settled.
--- Flow: scaffold.lua makes one a call; url_map.lua keeps them and feeds the core's router.

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

---@class qlua.Rule
---@field rule string "/users/<int:id>"
---@field endpoint string
---@field derived boolean the endpoint was made from the rule: it gives way to an explicit one
---@field methods string[] sorted, HEAD and OPTIONS included
---@field automatic_options boolean OPTIONS is answered without the view
---@field defaults? table<string, any>
---@field host? string
---@field subdomain? string
---@field strict_slashes? boolean
---@field merge_slashes? boolean
---@field limits? { max_content_length?: integer, body_timeout?: number, cpu_limit?: number }
---@field variables string[] names, in the order of the view's arguments

--- Options of route and add_url_rule.
M.OPTIONS = {
  methods = "list", endpoint = "string", defaults = "map", strict_slashes = "boolean",
  merge_slashes = "boolean", provide_automatic_options = "boolean", host = "string",
  subdomain = "string", max_content_length = "integer", body_timeout = "number",
  cpu_limit = "number",
}

--- An endpoint's name made from the rule's fixed pieces.
---@param rule string
---@return string
function M.endpoint_of(rule)
  local pieces = {}
  for piece in rule:gsub("%b<>", "/"):gmatch "[^/]+" do
    pieces[#pieces + 1] = piece:gsub("[^%w_]", "_")
  end
  return #pieces > 0 and table.concat(pieces, "_") or "index"
end

local function checked_method(where, method)
  if type(method) ~= "string" then
    check.fail("%s: methods must be a list of names such as { \"GET\", \"POST\" }, got %s in it",
      where, check.describe(method))
  end
  local name = method:upper()
  if not core.method_known(name) then
    check.fail("%s: unknown method %q; requests with it are answered 501 before they get here",
      where, method)
  end
  return name
end

--- The methods of a rule, sorted; and whether OPTIONS is automatic.
---@param where string
---@param options table checked
---@param default_automatic boolean the config's PROVIDE_AUTOMATIC_OPTIONS
---@return string[] methods, boolean automatic_options
function M.methods_of(where, options, default_automatic)
  local given, set = options.methods or { "GET" }, {}
  if next(given) == nil then
    check.fail("%s: methods must name at least one, got an empty table", where)
  end
  for key, method in pairs(given) do
    set[checked_method(where, type(key) == "number" and method or nil)] = true
  end
  local automatic = options.provide_automatic_options
  if automatic == nil then
    automatic = not set.OPTIONS and default_automatic
  end
  set.OPTIONS = set.OPTIONS or automatic or nil
  set.HEAD = set.HEAD or set.GET
  local methods = {}
  for method in pairs(set) do
    methods[#methods + 1] = method
  end
  table.sort(methods)
  return methods, automatic
end

local function limits_of(where, options)
  local seconds = options.cpu_limit
  if seconds and not (seconds >= 0 and seconds < math.huge) then
    check.fail("%s: cpu_limit must be seconds from 0 on (0: no limit), got %s", where, seconds)
  end
  if options.max_content_length or options.body_timeout or options.cpu_limit then
    return {
      max_content_length = options.max_content_length,
      body_timeout = options.body_timeout,
      cpu_limit = options.cpu_limit,
    }
  end
end

local function check_defaults(where, defaults)
  for name in pairs(defaults or {}) do
    if type(name) ~= "string" then
      check.fail("%s: defaults must be by name, got the key %s", where, tostring(name))
    end
  end
end

--- A rule of what was given to route; its endpoint may still be renamed while it is derived.
---@param where string
---@param rule string
---@param endpoint? string
---@param options table checked
---@param default_automatic boolean
---@return qlua.Rule
function M.new(where, rule, endpoint, options, default_automatic)
  check_defaults(where, options.defaults)
  local methods, automatic = M.methods_of(where, options, default_automatic)
  return {
    rule = rule,
    endpoint = endpoint or M.endpoint_of(rule),
    derived = endpoint == nil,
    methods = methods,
    automatic_options = automatic,
    defaults = options.defaults,
    host = options.host,
    subdomain = options.subdomain,
    strict_slashes = options.strict_slashes,
    merge_slashes = options.merge_slashes,
    limits = limits_of(where, options),
    variables = {},
  }
end

--- The names of `defaults` which the rule has no variable for, sorted: further arguments of the
--- view.
---@param rule qlua.Rule
---@return string[]
function M.extra_names(rule)
  local is_variable, names = {}, {}
  for _, name in ipairs(rule.variables) do
    is_variable[name] = true
  end
  for name in pairs(rule.defaults or {}) do
    if not is_variable[name] then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

local function numbered(prefix, first, last)
  local names = {}
  for i = first, last do
    names[#names + 1] = prefix .. i
  end
  return table.concat(names, ", ")
end

--- The function called for a match: the view itself, or one that appends the extra values. It is
--- compiled for its number of arguments, so that a call makes no table.
---@param rule qlua.Rule
---@param view function
---@return function
function M.target(rule, view)
  local names, values = M.extra_names(rule), {}
  local count = #names
  if count == 0 then
    return view
  end
  for i, name in ipairs(names) do
    values[i] = rule.defaults[name]
  end
  local given, extra = numbered("a", 1, #rule.variables), numbered("d", 1, count)
  local all = given == "" and extra or given .. ", " .. extra
  local make = loadstring(([[
    local view, %s = ...
    return function(%s)
      return view(%s)
    end]]):format(extra, given, all), "=(defaults of " .. rule.rule .. ")")
  return make(view, unpack(values, 1, count))
end

return M
