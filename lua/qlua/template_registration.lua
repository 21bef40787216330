--- Filters, tests and globals of templates, as App and Blueprint take them in.
--- Flow: app_registration.lua and blueprint_app_wide.lua take these methods over; what they
--- register lands in the tables of app.jinja_env.

local check = require "qlua.check"

local M = {}

-- kind -> the environment's table, the word in messages
local KINDS = {
  filter = { "filters", "filter" }, test = { "tests", "test" }, global = { "globals", "global" },
}

local function checked(where, name, fn)
  check.type(where, "name", name, "string")
  local meta = debug.getmetatable(fn)
  local is_callable = type(fn) == "function" or (type(meta) == "table" and meta.__call)
  if not is_callable then
    check.fail("%s %q: the second argument must be a function, got %s", where, name,
      check.describe(fn))
  end
end

---@class qlua.App
---@field template_filter fun(self, name: string, fn: function): function a filter for templates
---@field template_test fun(self, name: string, fn: function): function what `is name` asks
---@field template_global fun(self, name: string, fn: function): function a function they may call
---@field add_template_filter fun(self, name: string, fn: function): function the same as
---  template_filter
---@field add_template_test fun(self, name: string, fn: function): function the same as
---  template_test
---@field add_template_global fun(self, name: string, fn: function): function the same as
---  template_global
M.app_methods = {}

---@class qlua.Blueprint
---@field app_template_filter fun(self, name: string, fn: function): function for all templates
---@field app_template_test fun(self, name: string, fn: function): function for all templates
---@field app_template_global fun(self, name: string, fn: function): function for all templates
---@field add_app_template_filter fun(self, name: string, fn: function): function as
---  app_template_filter
---@field add_app_template_test fun(self, name: string, fn: function): function as app_template_test
---@field add_app_template_global fun(self, name: string, fn: function): function as
---  app_template_global
M.blueprint_methods = {}

for kind, of_kind in pairs(KINDS) do
  local into = of_kind[1]
  for _, name in ipairs { "template_" .. kind, "add_template_" .. kind } do
    M.app_methods[name] = function(self, called, fn)
      checked(name, called, fn)
      self.jinja_env[into][called] = fn
      return fn
    end
  end
  for _, name in ipairs { "app_template_" .. kind, "add_app_template_" .. kind } do
    M.blueprint_methods[name] = function(self, called, fn)
      checked(name, called, fn)
      self:_defer_once(name, function(state)
        state.app.jinja_env[into][called] = fn
      end)
      return fn
    end
  end
end

return M
