--- url_for: an endpoint and values become a URL.
--- Flow: views, redirects and templates call it; the path is the core's work (route/build.h), here
--- stand the rules of scheme, host, prefix and anchor.

local check = require "qlua.check"
local core = require "qlua.core"
local current = require "qlua.current"
local errors = require "qlua.errors"
local hooks = require "qlua.hooks"

local M = {}

local SPECIAL = {
  _external = "boolean", _scheme = "string", _anchor = "string", _method = "string",
}

--- The given values apart: those of the URL, and those that say how to build it.
local function split(values)
  local url_values, special = {}, {}
  for name, value in pairs(values or {}) do
    if type(name) ~= "string" then
      check.fail("url_for: values are by name, got the key %s", tostring(name))
    elseif SPECIAL[name] then
      special[name] = value
    else
      url_values[name] = value
    end
  end
  check.options("url_for", special, SPECIAL)
  if special._scheme and special._external == false then
    check.fail("url_for: _scheme needs an absolute URL, but _external is false")
  end
  return url_values, special
end

--- `.name` is an endpoint of the current blueprint, or of the app outside of one.
local function resolve(endpoint, request)
  if endpoint:sub(1, 1) ~= "." then
    return endpoint
  end
  local blueprint = request and request.blueprint
  return blueprint and blueprint .. endpoint or endpoint:sub(2)
end

--- The texts which custom converters make of the values, by name; nil when there are none.
local function convert(url_map, routes, endpoint, values, method, default_method, host)
  if next(url_map.converters) == nil then
    return nil
  end
  local index = routes:choose(endpoint, values, method, default_method, host)
  local rule = index and url_map.rules[index + 1]
  local converted
  for _, name in ipairs(rule and rule.variables or {}) do
    local converter = url_map:converter_of(rule, name)
    if converter and values[name] ~= nil then
      converted = converted or {}
      converted[name] = converter.to_url and tostring(converter:to_url(values[name]))
    end
  end
  return converted
end

local function server_name_of(app)
  return app.config.SERVER_NAME and (app.config.SERVER_NAME:lower():gsub(":80$", ""))
end

--- The host of the URL, and whether it is another than the request's.
local function host_of(app, request, host)
  local own = request and request.host
  if app.url_map.host_matching then
    local target = host ~= "" and host or own or server_name_of(app)
    return target, own ~= nil and target ~= own
  end
  local server_name = server_name_of(app)
  if not server_name then
    return own, false
  end
  local target = host ~= "" and host .. "." .. server_name or server_name
  return target, own ~= nil and target ~= own:lower()
end

--- The start of an absolute URL: scheme and host.
local function origin(app, request, special, host)
  if not host then
    check.fail("url_for: outside of a request the host is not known; set app.config.SERVER_NAME")
  end
  local scheme = special._scheme or (request and request.scheme)
    or app.config.PREFER_SECURE_URLS and "https" or app.config.PREFERRED_URL_SCHEME or "http"
  return scheme .. "://" .. host
end

local function current_request()
  if core.context() then
    return require("qlua.request")
  end
end

--- The path and host of an endpoint, or nil and what is wrong.
local function build(app, request, endpoint, values, special)
  local url_map = app.url_map
  local routes = url_map:routes()
  local method = special._method and special._method:upper()
  local default_method = request and request.method
  local host = request and url_map.host_matching and request.host or nil
  local converted = convert(url_map, routes, endpoint, values, method, default_method, host)
  return routes:build(endpoint, values, method, default_method, host, converted)
end

--- The url_defaults of the app and of the endpoint's blueprints fill in values.
local function apply_defaults(app, endpoint, values)
  if next(app._hooks.url_defaults) then
    local scopes = hooks.scopes_of(endpoint)
    for _, fn in ipairs(hooks.flat(app._hooks, "url_defaults", scopes) or {}) do
      fn(endpoint, values)
    end
  end
end

--- No rule fits: ask the app's url_build_error_handlers, else raise.
local function failed(app, message, endpoint, given)
  local err = errors.BuildError(message)
  local values = {}
  for name, value in pairs(given or {}) do
    values[name] = value
  end
  for _, handler in ipairs(app.url_build_error_handlers) do
    local url = handler(err, endpoint, values)
    if url ~= nil then
      return url
    end
  end
  error(err, 0)
end

--- The URL of an endpoint of this app. What the rule does not take becomes the query, by name.
---@param app qlua.App
---@param endpoint string `.name` is relative to the current blueprint
---@param given? table<string, any> with _external, _scheme, _anchor, _method
---@return string
function M.build(app, endpoint, given)
  check.type("url_for", "endpoint", endpoint, "string")
  check.type("url_for", "values", given, "table", true)
  local values, special = split(given)
  local request = current_request()
  endpoint = resolve(endpoint, request)
  apply_defaults(app, endpoint, values)
  local path, host = build(app, request, endpoint, values, special)
  if not path then
    return failed(app, host, endpoint, given)
  end
  local target, is_other = host_of(app, request, host)
  local external = special._external
  if external == nil then
    external = not request or special._scheme ~= nil
  end
  local prefix = request and request.root_path or ""
  local url = prefix .. path
  if external or is_other then
    url = origin(app, request, special, target) .. url
  end
  return special._anchor and url .. "#" .. core.quote_anchor(special._anchor) or url
end

--- The URL of an endpoint of the app at work. Raises errors.BuildError when no rule fits.
---@param endpoint string `.name` is relative to the current blueprint
---@param values? table<string, any> the rule's variables, `_external`, `_scheme`, `_anchor`,
---  `_method`; others become the query, by name
---@return string
function M.url_for(endpoint, values)
  local app = current.app()
  if not app then
    check.fail("url_for: no app is at work here; call it on one, as app:url_for(...)")
  end
  return M.build(app, endpoint, values)
end

return M
