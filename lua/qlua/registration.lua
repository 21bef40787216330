--- Registration: what a blueprint has written down is carried over to an app.
--- Flow: app:register_blueprint enters here; rules get the blueprint's prefix, subdomain, defaults
--- and name, hooks and handlers its scope; then the blueprints below it follow.

local Scaffold = require "qlua.scaffold"
local check = require "qlua.check"
local handlers = require "qlua.handlers"
local hooks = require "qlua.hooks"
local rules = require "qlua.rules"
local static = require "qlua.static"

local M = {}

---@class qlua.RegisterOptions
---@field url_prefix? string in place of the blueprint's own; "" for none
---@field name? string in place of the blueprint's own
---@field subdomain? string in place of the blueprint's own
---@field url_defaults? table<string, any> laid over the blueprint's own

local OPTIONS = {
  url_prefix = "string", name = "string", subdomain = "string", url_defaults = "map",
}

-- ---- checks -----------------------------------------------------------------------------------

--- A blueprint's name: some text without dots.
---@param where string
---@param name any
function M.check_name(where, name)
  check.type(where, "name", name, "string")
  if name == "" then
    check.fail("%s: name must not be empty", where)
  elseif name:find(".", 1, true) then
    check.fail("%s: name %q has a dot; dots are made by nesting, with register_blueprint of a " ..
      "blueprint", where, name)
  end
end

--- The arguments of register_blueprint.
---@param blueprint any
---@param options? qlua.RegisterOptions
---@return qlua.RegisterOptions
function M.check(where, blueprint, options)
  local meta = type(blueprint) == "table" and getmetatable(blueprint)
  if not meta or meta.__name ~= "qlua.Blueprint" then
    local hint = blueprint == true
      and "; a module that makes one must end with `return` and the blueprint" or ""
    check.fail("%s: the first argument must be a qlua.Blueprint, got %s%s", where,
      check.describe(blueprint), hint)
  end
  options = check.options(where, options, OPTIONS)
  if options.name then
    M.check_name(where, options.name)
  end
  return options
end

local function contains(blueprint, other)
  for _, child in ipairs(blueprint._children) do
    if child.blueprint == other or contains(child.blueprint, other) then
      return true
    end
  end
  return false
end

--- No blueprint may be registered below itself.
---@param parent qlua.Blueprint
---@param child qlua.Blueprint
function M.check_no_cycle(parent, child)
  if parent == child then
    check.fail("register_blueprint: blueprint %q cannot be registered on itself", parent.name)
  elseif contains(child, parent) then
    check.fail("register_blueprint: blueprint %q is registered below %q already, so it cannot " ..
      "contain it", parent.name, child.name)
  end
end

--- The name with the dots must be free on the app.
local function check_free(app, blueprint, name, own)
  local taken = app.blueprints[name]
  if taken then
    check.fail("register_blueprint: the name %q is taken: %s is registered under it already; " ..
      "give another with { name = %q }", name,
      taken == blueprint and "this blueprint" or "another blueprint", own .. "_2")
  end
end

-- ---- one registration -------------------------------------------------------------------------

---@class qlua.SetupState one registration of a blueprint on an app
---@field app qlua.App
---@field blueprint qlua.Blueprint
---@field options qlua.RegisterOptions
---@field first_registration boolean the blueprint was not on this app before, under any name
---@field name string without the names of blueprints above
---@field name_prefix string the dotted name of the blueprint above, or ""
---@field url_prefix? string
---@field subdomain? string
---@field url_defaults table<string, any>
---@field add_url_rule fun(self, rule: string, endpoint?: string, options?: qlua.RouteOptions,
---  view?: function) as of the app, with the blueprint's prefix, name, subdomain and defaults
local SetupState = { add_url_rule = Scaffold.add_url_rule }
SetupState.__index = SetupState
SetupState.__name = "qlua.SetupState"

local function either(first, second)
  if first ~= nil then
    return first
  end
  return second
end

local function merged(first, second)
  local all = {}
  for _, values in ipairs { first or {}, second or {} } do
    for name, value in pairs(values) do
      all[name] = value
    end
  end
  return all
end

local function new_state(app, blueprint, options, name_prefix)
  local prefix = either(options.url_prefix, blueprint.url_prefix)
  if prefix and prefix ~= "" and prefix:sub(1, 1) ~= "/" then
    check.fail('register_blueprint: url_prefix %q of blueprint %q must begin with "/"', prefix,
      blueprint.name)
  end
  local is_first = true
  for _, other in pairs(app.blueprints) do
    is_first = is_first and other ~= blueprint
  end
  return setmetatable({
    app = app,
    blueprint = blueprint,
    options = options,
    first_registration = is_first,
    name = options.name or blueprint.name,
    name_prefix = name_prefix,
    url_prefix = prefix,
    subdomain = either(options.subdomain, blueprint.subdomain),
    url_defaults = merged(blueprint.url_values_defaults, options.url_defaults),
  }, SetupState)
end

--- An endpoint of the blueprint (its own dotted name without one) as the app knows it.
---@param endpoint? string
---@return string
function SetupState:endpoint_of(endpoint)
  local name = self.name_prefix == "" and self.name or self.name_prefix .. "." .. self.name
  return endpoint and name .. "." .. endpoint or name
end

--- `/p/` and `/x` as `/p/x`.
local function join(prefix, rest)
  return (prefix:gsub("/+$", "")) .. "/" .. (rest:gsub("^/+", ""))
end

--- A rule reaches the app. `where` names it in messages.
---@package
function SetupState:_carry_over(where, rule, endpoint, options, view)
  local app, full = self.app, rule
  if self.url_prefix then
    full = rule == "" and self.url_prefix or join(self.url_prefix, rule)
  end
  local all = merged(options)
  all.subdomain = either(options.subdomain, self.subdomain)
  all.defaults = merged(self.url_defaults, options.defaults)
  if next(all.defaults) == nil then
    all.defaults = nil
  end
  local name = self:endpoint_of(endpoint or rules.endpoint_of(rule))
  local made = rules.new(where, full, name, all, app.config.PROVIDE_AUTOMATIC_OPTIONS)
  made.derived = endpoint == nil
  app:_add_rule(where, made, view)
end

---@private
function SetupState:_register_rule(where, rule, endpoint, options, view)
  self:_carry_over(("%s %q"):format(where, rule), rule, endpoint, options, view)
end

local function add_static_rule(state)
  local blueprint, app = state.blueprint, state.app
  if blueprint.static_folder then
    local folder = app:_path(blueprint.static_folder)
    local where = ("static folder of blueprint %q"):format(blueprint.name)
    state:_carry_over(where, blueprint.static_url_path .. "/<path:filename>", "static", {},
      function(filename)
        return static.send_from_directory(folder, filename)
      end)
  end
end

--- What a blueprint below gets from the one above: prefixes concatenate, subdomains too.
local function inherited(state, child)
  local options, blueprint = merged(child.options), child.blueprint
  local subdomain = either(options.subdomain, blueprint.subdomain)
  local prefix = either(options.url_prefix, blueprint.url_prefix)
  options.subdomain = subdomain and state.subdomain and subdomain .. "." .. state.subdomain
    or either(subdomain, state.subdomain)
  options.url_prefix = prefix and state.url_prefix and join(state.url_prefix, prefix)
    or either(prefix, state.url_prefix)
  return options
end

--- Carry over hooks and handlers, then what was deferred, then the blueprints below.
local function register(app, blueprint, options, name_prefix)
  local state = new_state(app, blueprint, options, name_prefix)
  local name = state:endpoint_of()
  check_free(app, blueprint, name, state.name)
  app.blueprints[name] = blueprint
  app._blueprint_names[#app._blueprint_names + 1] = name
  blueprint._is_registered = true
  add_static_rule(state)
  hooks.merge(app._hooks, name, blueprint._hooks)
  handlers.merge(app.error_handlers, name, blueprint.error_handlers)
  for _, deferred in ipairs(blueprint._deferred) do
    deferred(state)
  end
  for _, child in ipairs(blueprint._children) do
    register(app, child.blueprint, inherited(state, child), name)
  end
end

-- ---- methods of the app -----------------------------------------------------------------------

--- Register a blueprint: its rules, hooks and handlers, and those of the blueprints below it.
---@param app qlua.App
---@param blueprint qlua.Blueprint
---@param options? qlua.RegisterOptions
function M.register_blueprint(app, blueprint, options)
  register(app, blueprint, M.check("register_blueprint", blueprint, options), "")
  app:_changed()
end

--- Iterate over the blueprints in order of registration: `for blueprint, name in ...`.
---@param app qlua.App
---@return fun(): qlua.Blueprint?, string?
function M.iter_blueprints(app)
  local at = 0
  return function()
    at = at + 1
    local name = app._blueprint_names[at]
    return name and app.blueprints[name], name
  end
end

return M
