--- Blueprint: a part of an app, written down now and registered later.
--- Flow: the methods here note rules, hooks and handlers; registration.lua carries them over to the
--- app when it registers the blueprint. Requests never pass through.

local Scaffold = require "qlua.scaffold"
local app_wide = require "qlua.blueprint_app_wide"
local check = require "qlua.check"
local current = require "qlua.current"
local handlers = require "qlua.handlers"
local hooks = require "qlua.hooks"
local registration = require "qlua.registration"
local rules = require "qlua.rules"
local static = require "qlua.static"
local registrations = require "qlua.template_registration"

---@class qlua.BlueprintOptions
---@field url_prefix? string put before every rule; may have variables
---@field url_defaults? table<string, any> values for every rule, as its `defaults`
---@field subdomain? string
---@field static_folder? string|false relative to the app's folder
---@field static_url_path? string "/" and the static folder's name unless given
---@field template_folder? string|false relative to the app's folder

---@class qlua.Blueprint: qlua.Scaffold
---@field name string unique in an app; what its endpoints begin with, and a dot
---@field import_name? string
---@field url_prefix? string
---@field url_values_defaults table<string, any> values for url_for and the views of its rules
---@field subdomain? string
---@field static_folder? string as given
---@field static_url_path? string
---@field template_folder? string
---@field error_handlers table see handlers.lua
---@field package _hooks qlua.Hooks
---@field package _deferred fun(state: qlua.SetupState)[] run at each registration, in order
---@field package _children { blueprint: qlua.Blueprint, options: qlua.RegisterOptions }[]
---@field package _is_registered boolean
local Blueprint = setmetatable({}, { __index = Scaffold })
Blueprint.__index = Blueprint
Blueprint.__name = "qlua.Blueprint"

for _, methods in ipairs { app_wide, registrations.blueprint_methods } do
  for name, method in pairs(methods) do
    Blueprint[name] = method
  end
end

local M = {}

local OPTIONS = {
  url_prefix = "string", url_defaults = "map", subdomain = "string",
  static_folder = "string|boolean", static_url_path = "string",
  template_folder = "string|boolean",
}

function Blueprint:__tostring()
  return ("<Blueprint %s>"):format(self.name)
end

-- ---- making one -------------------------------------------------------------------------------

--- A folder option: a path, or nothing.
local function folder_of(name, options, option)
  local folder = options[option]
  if folder == true then
    check.fail('Blueprint "%s": option %q must be a path, or false for none', name, option)
  end
  return folder or nil
end

local function static_url_path_of(options, folder)
  local path = options.static_url_path
  if not path and folder then
    path = "/" .. folder:gsub("/+$", ""):match "([^/]*)$"
  end
  return path and path:gsub("/+$", "")
end

--- A blueprint. `qlua.Blueprint("teams", ...)` in a module hands its name on.
---@param name string unique within the app; no dots
---@param import_name? string
---@param options? qlua.BlueprintOptions
---@return qlua.Blueprint
---@overload fun(name: string, options?: qlua.BlueprintOptions): qlua.Blueprint
function M.Blueprint(name, import_name, options)
  registration.check_name("Blueprint", name)
  if type(import_name) == "table" and options == nil then
    import_name, options = nil, import_name
  end
  local where = ("Blueprint %q"):format(name)
  check.type(where, "import_name", import_name, "string", true)
  options = check.options(where, options, OPTIONS)
  local self = setmetatable({
    name = name,
    import_name = import_name,
    url_prefix = options.url_prefix,
    url_values_defaults = options.url_defaults or {},
    subdomain = options.subdomain,
    static_folder = folder_of(name, options, "static_folder"),
    template_folder = folder_of(name, options, "template_folder"),
    error_handlers = {},
    _hooks = hooks.new(),
    _deferred = {},
    _children = {},
    _is_registered = false,
  }, Blueprint)
  self.static_url_path = static_url_path_of(options, self.static_folder)
  return self
end

---@param value any
---@return boolean
function M.is_blueprint(value)
  return type(value) == "table" and getmetatable(value) == Blueprint
end

-- ---- writing down -----------------------------------------------------------------------------

--- Raise when it is too late for a change.
---@private
function Blueprint:_check_open(where)
  if self._is_registered then
    check.fail("%s: blueprint %q has been registered already, and a change to it would reach no " ..
      "app; finish it before app:register_blueprint", where, self.name)
  end
end

--- The function runs at each registration; `where` names the method in messages.
---@private
function Blueprint:_defer(where, fn)
  self:_check_open(where)
  self._deferred[#self._deferred + 1] = fn
end

--- The same, only the first time that this blueprint is registered on an app.
---@private
function Blueprint:_defer_once(where, fn)
  self:_defer(where, function(state)
    if state.first_registration then
      fn(state)
    end
  end)
end

---@private
function Blueprint:_check_endpoint(where, endpoint)
  if endpoint and endpoint:find(".", 1, true) then
    check.fail("%s: endpoint %q has a dot; the blueprint's name %q is put before it when it is " ..
      "registered", where, endpoint, self.name)
  end
end

---@private
function Blueprint:_register_rule(where, rule, endpoint, options, view)
  self:_check_open(where)
  where = ("%s %q"):format(where, rule)
  self:_check_endpoint(where, endpoint)
  rules.new(where, rule, endpoint, options, true) -- what is wrong shows here, not when registered
  local place = check.place()
  where = ("%s of blueprint %q%s"):format(where, self.name, place and " (" .. place .. ")" or "")
  self:_defer(where, function(state)
    state:_carry_over(where, rule, endpoint, options, view)
  end)
end

--- Quart's endpoints of a blueprint are given with its name; here either will do.
---@private
function Blueprint:_register_endpoint(where, name, view)
  local own = self.name .. "."
  local bare = name:sub(1, #own) == own and name:sub(#own + 1) or name
  self:_check_endpoint(where, bare)
  self:_defer(where, function(state)
    state.app:_register_endpoint(where, state:endpoint_of(bare), view)
  end)
end

---@private
function Blueprint:_add_hook(kind, fn)
  self:_check_open(kind)
  hooks.add(self._hooks, kind, "", fn)
  return fn
end

---@private
function Blueprint:_add_handler(where, what, fn)
  self:_check_open(where)
  handlers.add(self.error_handlers, where, "", what, fn)
  return fn
end

--- Run a function at each registration, with what is known then.
---@param fn fun(state: qlua.SetupState)
function Blueprint:record(fn)
  check.type("record", "the function", fn, "function")
  self:_defer("record", fn)
end

--- Run a function when the blueprint is first registered on an app, but not when it is registered
--- on it again under another name.
---@param fn fun(state: qlua.SetupState)
function Blueprint:record_once(fn)
  check.type("record_once", "the function", fn, "function")
  self:_defer_once("record_once", fn)
end

--- Register another blueprint below this one: its prefix and name are appended to this one's.
---@param blueprint qlua.Blueprint
---@param options? qlua.RegisterOptions
function Blueprint:register_blueprint(blueprint, options)
  self:_check_open "register_blueprint"
  options = registration.check("register_blueprint", blueprint, options)
  registration.check_no_cycle(self, blueprint)
  self._children[#self._children + 1] = { blueprint = blueprint, options = options }
end

--- A file of the static folder as a response; 404 when there is none of that name.
---@param filename string
---@return qlua.Response
function Blueprint:send_static_file(filename)
  local app = current.app()
  if not self.static_folder then
    check.fail("send_static_file: blueprint %q has no static folder", self.name)
  elseif not app then
    check.fail("send_static_file: no app is at work here; call it in a view")
  end
  return static.send_from_directory(app:_path(self.static_folder), filename)
end

return M
