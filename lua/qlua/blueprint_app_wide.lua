--- What a blueprint registers for the whole app: hooks and error handlers that do not ask whose
--- view it is.
--- Flow: blueprint.lua takes these methods over; what they register lands at the end of the app's
--- own lists, once, however often the blueprint is registered.

local check = require "qlua.check"
local handlers = require "qlua.handlers"

-- method -> the kind of hook it adds to the app
local HOOKS = {
  before_app_request = "before_request",
  after_app_request = "after_request",
  teardown_app_request = "teardown_request",
  app_url_value_preprocessor = "url_value_preprocessor",
  app_url_defaults = "url_defaults",
  app_context_processor = "context_processor",
}

-- method -> the app's method it calls
local SERVING = {
  before_app_serving = "before_serving",
  after_app_serving = "after_serving",
  while_app_serving = "while_serving",
}

---@class qlua.Blueprint
---@field before_app_request fun(self, fn: function): function before_request for every request
---@field after_app_request fun(self, fn: function): function after_request for every request
---@field teardown_app_request fun(self, fn: function): function teardown_request for every request
---@field app_url_value_preprocessor fun(self, fn: function): function for every request
---@field app_url_defaults fun(self, fn: function): function for every url_for
---@field app_context_processor fun(self, fn: function): function for every template
---@field before_app_serving fun(self, fn: function): function before_serving of the app
---@field after_app_serving fun(self, fn: function): function after_serving of the app
---@field while_app_serving fun(self, fn: function): function while_serving of the app
local AppWide = {}

for name, kind in pairs(HOOKS) do
  AppWide[name] = function(self, fn)
    check.type(name, "the hook", fn, "function")
    self:_defer_once(name, function(state)
      state.app:_add_hook(kind, fn, "")
    end)
    return fn
  end
end

for name, method in pairs(SERVING) do
  AppWide[name] = function(self, fn)
    check.type(name, "the hook", fn, "function")
    self:_defer_once(name, function(state)
      state.app[method](state.app, fn)
    end)
    return fn
  end
end

--- An error handler for the whole app.
---@generic F: fun(err: any): any
---@param what integer|qlua.Class
---@param fn F
---@return F
function AppWide:app_errorhandler(what, fn)
  handlers.add({}, "app_errorhandler", "", what, fn) -- what is wrong shows here
  self:_defer_once("app_errorhandler", function(state)
    state.app:_add_handler("app_errorhandler", what, fn, "")
  end)
  return fn
end

return AppWide
