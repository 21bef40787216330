--- Scaffold: what App and (in time) Blueprint share: the methods that register views.
--- Flow: they read their arguments here and hand a rule to self:_register_rule.

local check = require "qlua.check"
local rules = require "qlua.rules"

---@class qlua.RouteOptions
---@field methods? string[] any letter case; { "GET" } unless given
---@field endpoint? string derived from the rule unless given
---@field defaults? table<string, any> further values for the view
---@field strict_slashes? boolean
---@field merge_slashes? boolean
---@field provide_automatic_options? boolean
---@field host? string
---@field subdomain? string
---@field max_content_length? integer
---@field body_timeout? number

---@alias qlua.Register fun(self, rule: string, options?: qlua.RouteOptions|function,
---  view?: function): function

---@class qlua.Scaffold
---@field get qlua.Register route with the one method GET
---@field post qlua.Register
---@field put qlua.Register
---@field delete qlua.Register
---@field patch qlua.Register
local Scaffold = {}

--- The options and the view of `(rule, options?, view)`.
local function read_arguments(where, rule, options, view)
  check.type(where, "rule", rule, "string")
  if view == nil and type(options) == "function" then
    options, view = nil, options
  end
  if type(view) ~= "function" then
    check.fail("%s %q: the view must be a function, the last argument; got %s", where, rule,
      check.describe(view))
  end
  return check.options(("%s %q"):format(where, rule), options, rules.OPTIONS), view
end

--- Register a view for a rule.
---@generic F: function
---@param rule string "/users/<int:id>"
---@param options? qlua.RouteOptions
---@param view F called with the rule's variables
---@return F view
---@overload fun(self, rule: string, view: function): function
function Scaffold:route(rule, options, view)
  options, view = read_arguments("route", rule, options, view)
  self:_register_rule("route", rule, options.endpoint, options, view)
  return view
end

for _, method in ipairs { "get", "post", "put", "delete", "patch" } do
  --- route with this one method.
  Scaffold[method] = function(self, rule, options, view)
    options, view = read_arguments(method, rule, options, view)
    if options.methods then
      check.fail("%s %q: the method is in the name; give methods to app:route", method, rule)
    end
    local with_method = { methods = { method } }
    for name, value in pairs(options) do
      with_method[name] = value
    end
    self:_register_rule(method, rule, options.endpoint, with_method, view)
    return view
  end
end

--- Register a rule; without a view, `endpoint` gives it one.
---@param rule string
---@param endpoint? string
---@param options? qlua.RouteOptions
---@param view? function
---@overload fun(self, rule: string, endpoint?: string, view?: function)
function Scaffold:add_url_rule(rule, endpoint, options, view)
  check.type("add_url_rule", "rule", rule, "string")
  check.type("add_url_rule", "endpoint", endpoint, "string", true)
  if view == nil and type(options) == "function" then
    options, view = nil, options
  end
  check.type("add_url_rule", "view", view, "function", true)
  options = check.options(("add_url_rule %q"):format(rule), options, rules.OPTIONS)
  endpoint = endpoint or options.endpoint
  self:_register_rule("add_url_rule", rule, endpoint, options, view)
end

--- Give an endpoint its view.
---@generic F: function
---@param name string
---@param view F
---@return F view
function Scaffold:endpoint(name, view)
  check.type("endpoint", "name", name, "string")
  check.type("endpoint", "view", view, "function")
  self:_register_endpoint("endpoint", name, view)
  return view
end

return Scaffold
