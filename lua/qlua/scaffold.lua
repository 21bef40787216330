--- Scaffold: what App and Blueprint share: the methods that register views, hooks and handlers.
--- Flow: they read their arguments here and hand a rule to self:_register_rule, a hook to
--- self:_add_hook, a handler to self:_add_handler.

local check = require "qlua.check"
local rules = require "qlua.rules"
local views = require "qlua.views"

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

---@alias qlua.Register fun(self, rule: string, options?: qlua.RouteOptions|qlua.View,
---  view?: qlua.View): qlua.View

---@class qlua.Scaffold
---@field get qlua.Register route with the one method GET
---@field post qlua.Register route with the one method POST
---@field put qlua.Register route with the one method PUT
---@field delete qlua.Register route with the one method DELETE
---@field patch qlua.Register route with the one method PATCH
local Scaffold = {}

--- The options and the view of `(rule, options?, view)`, the options checked.
local function read_arguments(where, rule, options, view)
  check.type(where, "rule", rule, "string")
  if view == nil and views.is_view(options) then
    options, view = nil, options
  end
  return check.options(("%s %q"):format(where, rule), options, rules.OPTIONS), view
end

--- Hand a rule on; a class view's methods are the rule's, unless options name some.
local function register(self, where, rule, endpoint, options, view)
  local call
  call, options = views.read(("%s %q"):format(where, rule), options, view)
  self:_register_rule(where, rule, endpoint, options, call)
  return view
end

--- Register a view for a rule.
---@generic F: qlua.View
---@param rule string "/users/<int:id>"
---@param options? qlua.RouteOptions
---@param view F called with the rule's variables
---@return F view
---@overload fun(self, rule: string, view: qlua.View): qlua.View
function Scaffold:route(rule, options, view)
  options, view = read_arguments("route", rule, options, view)
  return register(self, "route", rule, options.endpoint, options, view)
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
    return register(self, method, rule, options.endpoint, with_method, view)
  end
end

--- Register a rule; without a view, `endpoint` gives it one.
---@param rule string
---@param endpoint? string
---@param options? qlua.RouteOptions
---@param view? qlua.View
---@overload fun(self, rule: string, endpoint?: string, view?: qlua.View)
function Scaffold:add_url_rule(rule, endpoint, options, view)
  check.type("add_url_rule", "endpoint", endpoint, "string", true)
  options, view = read_arguments("add_url_rule", rule, options, view)
  endpoint = endpoint or options.endpoint
  if view == nil then
    self:_register_rule("add_url_rule", rule, endpoint, options)
  else
    register(self, "add_url_rule", rule, endpoint, options, view)
  end
end

--- Give an endpoint its view.
---@generic F: qlua.View
---@param name string
---@param view F
---@return F view
function Scaffold:endpoint(name, view)
  check.type("endpoint", "name", name, "string")
  self:_register_endpoint("endpoint", name, (views.read(("endpoint %q"):format(name), {}, view)))
  return view
end

-- ---- hooks ------------------------------------------------------------------------------------

--- Run before the view of a request; the first to return something answers in its place.
---@generic F: function
---@param fn F
---@return F
function Scaffold:before_request(fn)
  return self:_add_hook("before_request", fn)
end

--- Run with the response, last registered first; what is returned takes its place, nil keeps it.
---@generic F: fun(response: qlua.Response): qlua.Response?
---@param fn F
---@return F
function Scaffold:after_request(fn)
  return self:_add_hook("after_request", fn)
end

--- Run when the request is over, last registered first, whatever happened; `err` is nil unless an
--- error escaped.
---@generic F: fun(err: any)
---@param fn F
---@return F
function Scaffold:teardown_request(fn)
  return self:_add_hook("teardown_request", fn)
end

--- Run before all other hooks with the endpoint and the rule's values, which it may change in
--- place; both are nil when no rule matched.
---@generic F: fun(endpoint?: string, values?: table<string, any>)
---@param fn F
---@return F
function Scaffold:url_value_preprocessor(fn)
  return self:_add_hook("url_value_preprocessor", fn)
end

--- Run inside url_for with the endpoint and the values, which it may change in place.
---@generic F: fun(endpoint: string, values: table<string, any>)
---@param fn F
---@return F
function Scaffold:url_defaults(fn)
  return self:_add_hook("url_defaults", fn)
end

--- Run before a template is rendered; the table it returns adds to the template's values.
---@generic F: fun(): table<string, any>
---@param fn F
---@return F
function Scaffold:context_processor(fn)
  return self:_add_hook("context_processor", fn)
end

--- Register what answers an error, by status code or class; a subclass' own handler comes first.
---@generic F: fun(err: any): any
---@param what integer|qlua.Class
---@param fn F
---@return F
function Scaffold:errorhandler(what, fn)
  return self:_add_handler("errorhandler", what, fn)
end

--- As errorhandler; gives nothing back.
---@param what integer|qlua.Class
---@param fn fun(err: any): any
function Scaffold:register_error_handler(what, fn)
  self:_add_handler("register_error_handler", what, fn)
end

return Scaffold
