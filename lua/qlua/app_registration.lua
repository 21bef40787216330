--- What an app takes in: the methods of App that Scaffold's, and its own, end in.
--- Flow: scaffold.lua has read the arguments; a rule goes to url_map.lua, a hook to hooks.lua, a
--- handler to handlers.lua, and what is served takes it up at once. registration.lua carries
--- blueprints here.

local check = require "qlua.check"
local current = require "qlua.current"
local handlers = require "qlua.handlers"
local hooks = require "qlua.hooks"
local registration = require "qlua.registration"
local rules = require "qlua.rules"

local M = {}

---@class qlua.App
local methods = {}
M.methods = methods

--- Something was registered: what is served takes it up at once.
function methods:_changed()
  self._processors = {} -- templating.lua's lists of context processors
  if current.served == self then
    require("qlua.dispatch").start(self)
  end
end

-- ---- rules ------------------------------------------------------------------------------------

---@private
---@return string endpoint
function methods:_claim_endpoint(where, name, view, derived)
  local endpoint, displaced = self.url_map:claim(where, name, view, derived)
  if displaced then
    self.view_functions[displaced] = self.view_functions[name]
    self.view_functions[name] = nil
  end
  self.view_functions[endpoint] = view or self.view_functions[endpoint]
  return endpoint
end

---@private
function methods:_register_endpoint(where, name, view)
  self:_claim_endpoint(where, name, view)
  self:_changed()
end

---@private
function methods:_register_rule(where, rule, endpoint, options, view)
  local automatic = self.config.PROVIDE_AUTOMATIC_OPTIONS
  local made = rules.new(("%s %q"):format(where, rule), rule, endpoint, options, automatic)
  self:_add_rule(where, made, view)
end

---@private
function methods:_add_rule(where, made, view)
  made.endpoint = self:_claim_endpoint(where, made.endpoint, view, made.derived)
  self.url_map:add(where, made)
  self:_changed()
end

-- ---- hooks, handlers, blueprints --------------------------------------------------------------

---@private
function methods:_add_hook(kind, fn, scope)
  hooks.add(self._hooks, kind, scope or "", fn)
  self:_changed()
  return fn
end

---@private
function methods:_add_handler(where, what, fn, scope)
  handlers.add(self.error_handlers, where, scope or "", what, fn)
  return fn
end

--- Run when an app context ends, after teardown_request; last registered first.
---@generic F: fun(err: any)
---@param fn F
---@return F
function methods:teardown_appcontext(fn)
  check.type("teardown_appcontext", "the hook", fn, "function")
  table.insert(self._teardown_appcontext, fn)
  self:_changed()
  return fn
end

methods.register_blueprint = registration.register_blueprint
methods.iter_blueprints = registration.iter_blueprints

return M
