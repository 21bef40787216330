--- app.jinja_env: the environment of an app's templates.
--- Flow: made when it is first asked for, by app.jinja_env or a render; templating.lua renders
--- with it. Templates lie in the app's folder, then in those of its blueprints in the order in
--- which they were registered.

local check = require "qlua.check"
local core = require "qlua.core"
local environments = require "qlua.environment"
local flash = require "qlua.flash"
local loaders = require "qlua.template_loaders"
local url_for = require "qlua.url_for"

local M = {}

-- ---- the loader -------------------------------------------------------------------------------

---@class qlua.AppLoader: qlua.Loader
---@field app qlua.App
local AppLoader = { __name = "qlua.AppLoader" }
AppLoader.__index = AppLoader

--- The folders that are looked into, each once, with whose they are.
---@return { path: string, owner: string }[]
function AppLoader:folders()
  local app, list, seen = self.app, {}, {}
  local function add(folder, owner)
    local path = folder and app:_path(folder)
    if path and not seen[path] then
      seen[path] = true
      list[#list + 1] = { path = path, owner = owner }
    end
  end
  if app.template_folder ~= false then
    add(app.template_folder or "templates", ("app %q"):format(app.name))
  end
  for blueprint, name in app:iter_blueprints() do
    add(blueprint.template_folder, ("blueprint %q"):format(name))
  end
  return list
end

--- One loader a folder, made anew when a blueprint was registered since.
function AppLoader:loaders()
  local count = #self.app._blueprint_names
  if self.made_for ~= count then
    self.made, self.made_for = {}, count
    for i, folder in ipairs(self:folders()) do
      self.made[i] = loaders.FileSystemLoader(folder.path)
      self.made[i].owner = folder.owner
    end
  end
  return self.made
end

--- EXPLAIN_TEMPLATE_LOADING: where a template was looked for.
local function explain(app, name, list, found, filename)
  local lines = { ("Locating template %q:"):format(name) }
  for i, loader in ipairs(list) do
    local outcome = "no match"
    if found then
      outcome = i == found and "found (" .. filename .. ")" or i > found and "not asked" or outcome
    end
    lines[#lines + 1] = ("  %d: %s, folder %s: %s"):format(i, loader.owner, loader.searchpath[1],
      outcome)
  end
  if #list == 0 then
    lines[#lines + 1] = "  neither the app nor a blueprint has a template folder"
  elseif not found then
    lines[#lines + 1] = "Error: the template could not be found"
  end
  app.logger:info("%s", table.concat(lines, "\n"))
end

function AppLoader:get_source(environment, name)
  local list, app = self:loaders(), self.app
  local source, filename, is_current, found
  for i = 1, #list do
    source, filename, is_current = list[i]:get_source(environment, name)
    if source then
      found = i
      break
    end
  end
  if app.config.EXPLAIN_TEMPLATE_LOADING then
    explain(app, name, list, found, filename)
  end
  return source, filename, is_current
end

function AppLoader:list_templates()
  return loaders.ChoiceLoader(self:loaders()):list_templates()
end

---@param value any
---@return boolean
function M.is_app_loader(value)
  return type(value) == "table" and getmetatable(value) == AppLoader
end

-- ---- globals ----------------------------------------------------------------------------------

--- url_for as templates call it: none is as if it were not given, a Markup is its text.
local function template_url_for(endpoint, values)
  local given = {}
  for name, value in pairs(values or {}) do
    if value ~= core.null then
      given[name] = type(value) == "table" and tostring(value) or value
    end
  end
  return url_for.url_for(type(endpoint) == "table" and tostring(endpoint) or endpoint, given)
end

--- get_flashed_messages as templates call it: its arguments by position too, as in Quart.
local function template_flashed_messages(with_categories, category_filter, options)
  if options == nil and type(with_categories) == "table" then
    options = with_categories
  end
  options = options or { with_categories = with_categories, category_filter = category_filter }
  return flash.get_flashed_messages {
    with_categories = options.with_categories and options.with_categories ~= core.null or false,
    category_filter = options.category_filter ~= core.null and options.category_filter or nil,
  }
end

-- ---- the environment --------------------------------------------------------------------------

local ESCAPED = { "%.html$", "%.htm$", "%.xml$", "%.xhtml$", "%.svg$" }

--- Is autoescape on in a template of this name? In one made of a string it is.
---@param name? string
---@return boolean
function M.select_autoescape(name)
  if name == nil then
    return true
  end
  for _, ending in ipairs(ESCAPED) do
    if name:find(ending) then
      return true
    end
  end
  return false
end

--- Templates are looked at again when TEMPLATES_AUTO_RELOAD says so; unset, in debug mode.
local function is_to_reload(app)
  local reload = app.config.TEMPLATES_AUTO_RELOAD
  if reload == nil then
    reload = app.debug
  end
  return reload and true or false
end

--- One of the two keys was set.
---@param app qlua.App
function M.configure(app)
  local environment = rawget(app, "jinja_env")
  if environment and app.jinja_options.auto_reload == nil then
    environments.set_auto_reload(environment, is_to_reload(app))
  end
end

local function make(app)
  local options = {
    autoescape = M.select_autoescape, auto_reload = is_to_reload(app),
    loader = setmetatable({ app = app }, AppLoader),
  }
  check.type("jinja_env", "app.jinja_options", app.jinja_options, "table")
  for name, value in pairs(app.jinja_options) do
    options[name] = value
  end
  local environment = environments.Environment(options)
  local globals = environment.globals
  globals.config, globals.url_for = app.config, template_url_for
  globals.get_flashed_messages = template_flashed_messages
  environment.policies["json.dumps_kwargs"] = app.json -- its sort_keys and ensure_ascii
  return environment
end

--- The app's environment.
---@param app qlua.App
---@return qlua.Environment
function M.of(app)
  local environment = rawget(app, "jinja_env")
  if not environment then
    environment = make(app)
    rawset(app, "jinja_env", environment)
  end
  return environment
end

return M
