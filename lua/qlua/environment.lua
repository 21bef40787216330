--- Environment: how templates are written, what they may use, where they come from; and the cache
--- of those compiled.
--- Flow: templating.lua keeps one for the app, qlua.Environment makes others. Sources go through a
--- loader (template_loaders.lua) to the core's compiler, once for each name; the driver
--- (template_render.lua) comes back to load_program for what a template extends, includes or
--- imports, and to error for what it raises.

local check = require "qlua.check"
local core = require "qlua.core"
local environment_options = require "qlua.environment_options"
local errors = require "qlua.template_errors"
local templates = require "qlua.template"
local translations = require "qlua.template_translations"

local M = {}

---@class qlua.Environment: qlua.EnvironmentOptions its options may be read and set
---@field globals table<string, any> what all templates see; a render's own values come first
---@field filters table<string, function> beside the builtin ones, which they may take the place of
---@field tests table<string, function> likewise
---@field policies table<string, any> Jinja's, by Jinja's names
---@field package _state table options, the tables above, and what was made of them
local methods = {}

local meta = { __name = "qlua.Environment" }

for name, method in pairs(translations.methods) do
  methods[name] = method
end

-- what the compiler or the VM has been told: a change makes both anew
local TABLES = { globals = true, filters = true, tests = true, policies = true }

--- All that was compiled, and what the core has been told.
local function forget(state)
  state._core = nil
  state._young, state._old, state._count = {}, {}, 0 -- templates by name: see cached
  state._sources, state._source_count = {}, 0
end

function meta.__index(self, key)
  local method = methods[key]
  if method ~= nil then
    return method
  end
  return rawget(self, "_state")[key]
end

function meta.__newindex(self, key, value)
  if key == "join_path" then
    check.type("Environment", key, value, "function")
    return rawset(self, key, value)
  elseif TABLES[key] then
    check.type("Environment", key, value, "table")
  else
    environment_options.check_one(key, value)
  end
  local state = rawget(self, "_state")
  state[key] = value
  forget(state)
end

function meta.__tostring()
  return "<Environment>"
end

-- ---- making one -------------------------------------------------------------------------------

--- Jinja's policies and their values.
local function default_policies()
  return {
    ["urlize.rel"] = "noopener", ["truncate.leeway"] = 5,
    ["json.dumps_kwargs"] = { sort_keys = true }, ["ext.i18n.trimmed"] = false,
  }
end

--- An environment for templates outside of an app. Options have Jinja's names and defaults.
---@param options? qlua.EnvironmentOptions
---@return qlua.Environment
function M.Environment(options)
  local state = environment_options.read(options)
  state.globals, state.filters, state.tests = {}, {}, {}
  state.policies = default_policies()
  forget(state)
  local self = setmetatable({ _state = state }, meta)
  if environment_options.has_extension(state, "i18n") then
    translations.prepare(self)
  end
  return self
end

local plain -- the environment of templates made without options

--- A template of its source, without an app. Options are those of an Environment.
---@param source string
---@param options? qlua.EnvironmentOptions
---@return qlua.Template
function M.Template(source, options)
  check.type("Template", "source", source, "string")
  if options then
    return M.Environment(options):from_string(source)
  end
  plain = plain or M.Environment()
  return M.from_source(plain, source)
end

--- Set the option auto_reload; what was compiled stays.
---@param environment qlua.Environment
---@param value boolean
function M.set_auto_reload(environment, value)
  rawget(environment, "_state").auto_reload = value
end

---@param value any
---@return boolean
function M.is_environment(value)
  return type(value) == "table" and getmetatable(value) == meta
end

--- The core's half, made when it is first needed: options count up to then.
local function core_of(state)
  local made = state._core
  if not made then
    made = core.template_env(environment_options.for_core(state))
    state._core = made
  end
  return made
end

--- The templates that a source names by constants: see core.template_references.
---@param environment qlua.Environment
---@param source string
---@return { names: string[], lineno: integer, optional: boolean }[]
function M.references(environment, source)
  return core.template_references(core_of(rawget(environment, "_state")), source)
end

-- ---- errors -----------------------------------------------------------------------------------

local CLASSES = {
  syntax = errors.TemplateSyntaxError, assertion = errors.TemplateAssertionError,
  undefined = errors.UndefinedError, runtime = errors.TemplateRuntimeError,
  filterarg = errors.FilterArgumentError, security = errors.SecurityError,
  limit = errors.TemplateLimitError,
}

--- The error that the core reports, as an instance of its class; the caller raises it.
---@param kind string a key of CLASSES, or "notfound"
---@param message string
---@param lineno? integer
---@param name? string of the template it is in
---@param source? string the text of that line
---@param chain? qlua.TemplatePlace[] how it was reached, innermost first
---@return qlua.TemplateError
function methods:error(kind, message, lineno, name, source, chain)
  local state = rawget(self, "_state")
  local entry = name and (state._young[name] or state._old[name])
  local place = {
    lineno = lineno and lineno > 0 and lineno or nil, name = name ~= "" and name or nil,
    filename = entry and entry.template.filename, source = source,
  }
  if kind == "notfound" then -- the place is where it was wanted
    local err = errors.TemplateNotFound(message)
    err.chain = { place, unpack(chain or {}) }
    return err
  end
  place.chain = chain
  return (CLASSES[kind] or errors.TemplateRuntimeError)(message, place)
end

-- ---- compiling --------------------------------------------------------------------------------

local function autoescape_of(state, name)
  local autoescape = state.autoescape
  if type(autoescape) == "function" then
    autoescape = autoescape(name)
  end
  return autoescape and true or false
end

--- A template of its source, known under a name; it is not kept.
---@param source string
---@param name? string
---@param filename? string for messages
---@return qlua.Template
local function compile(self, source, name, filename)
  local state = rawget(self, "_state")
  local program, failure = core.template_compile(core_of(state), source, name,
    autoescape_of(state, name))
  if not program then
    local err = self:error(failure.kind, failure.message, failure.lineno, name, failure.source)
    err.filename = filename
    error(err, 0)
  end
  return templates.new(self, program, name, filename)
end

methods.compile = compile

--- A template of its source.
---@param source string
---@return qlua.Template
function methods:from_string(source)
  check.type("from_string", "source", source, "string")
  return compile(self, source)
end

-- sources of templates made of strings that are kept compiled, and how long they may be
local MOST_SOURCES, LONGEST_SOURCE = 100, 65536

--- from_string that knows the sources it was given before.
---@param environment qlua.Environment
---@param source string
---@return qlua.Template
function M.from_source(environment, source)
  local state = rawget(environment, "_state")
  local template = state._sources[source]
  if not template then
    template = compile(environment, source)
    if #source <= LONGEST_SOURCE then
      if state._source_count >= MOST_SOURCES then
        state._sources, state._source_count = {}, 0
      end
      state._sources[source], state._source_count = template, state._source_count + 1
    end
  end
  return template
end

-- ---- the cache --------------------------------------------------------------------------------

-- Entries are { template, is_current }, in two tables: a lookup moves an old one to the young ones,
-- and when there are as many young ones as cache_size allows, the old ones go.

local function keep(state, name, entry)
  if state.cache_size == 0 then
    return
  elseif state._count >= state.cache_size and state.cache_size > 0 then
    state._old, state._young, state._count = state._young, {}, 0
  end
  state._young[name] = entry
  state._count = state._count + 1
end

local function reloads(state)
  local auto_reload = state.auto_reload
  if type(auto_reload) == "function" then
    return auto_reload()
  end
  return auto_reload
end

--- The entry of a name, unless there is none or its source has changed.
local function cached(state, name)
  local entry = state._young[name]
  if not entry then
    entry = state._old[name]
    if not entry then
      return nil
    end
    state._old[name] = nil
    keep(state, name, entry)
  end
  if entry.is_current and reloads(state) and not entry.is_current() then
    return nil
  end
  return entry
end

--- The template of a name; nil when the loader has none.
---@async
---@return qlua.Template?
local function load(self, name)
  local state = rawget(self, "_state")
  local entry = cached(state, name)
  if entry then
    return entry.template
  elseif not state.loader then
    check.fail("no loader for this environment: it cannot find the template %q; give it one with "
      .. "{ loader = qlua.FileSystemLoader(path) }", name)
  end
  local source, filename, is_current = state.loader:get_source(self, name)
  if source == nil then
    return nil
  end
  local template = compile(self, source, name, filename)
  if state._young[name] then
    state._young[name] = { template = template, is_current = is_current }
  else
    keep(state, name, { template = template, is_current = is_current })
  end
  return template
end

-- ---- finding templates ------------------------------------------------------------------------

--- How a name in a template is understood; an environment may have a join_path of its own, to have
--- names relative to the template that `parent` names.
---@param name string
---@param parent? string
---@return string
function methods:join_path(name, parent) -- luacheck: no unused args
  return name
end

local function is_name(name)
  if type(name) == "string" then
    return true
  elseif not templates.is_template(name) then
    check.fail("get_template: a template's name must be a string, got %s", check.describe(name))
  end
end

--- The template of this name, compiled when it is first asked for. Raises TemplateNotFound.
---@async
---@param name string|qlua.Template
---@param parent? string the name of the template that wants it
---@return qlua.Template
function methods:get_template(name, parent)
  if not is_name(name) then
    return name
  end
  local full = parent and self:join_path(name, parent) or name
  local template = load(self, full)
  if not template then
    error(errors.TemplateNotFound(full), 0)
  end
  return template
end

--- The first of several that is there. Raises TemplatesNotFound.
---@async
---@param names (string|qlua.Template)[]
---@param parent? string
---@return qlua.Template
function methods:select_template(names, parent)
  check.type("select_template", "the names", names, "table")
  if #names == 0 then
    error(errors.TemplatesNotFound({}, "Tried to select from an empty list of templates"), 0)
  end
  local tried = {}
  for i, name in ipairs(names) do
    if not is_name(name) then
      return name
    end
    tried[i] = parent and self:join_path(name, parent) or name
    local template = load(self, tried[i])
    if template then
      return template
    end
  end
  error(errors.TemplatesNotFound(tried), 0)
end

--- Either of the two.
---@async
---@param names string|qlua.Template|(string|qlua.Template)[]
---@param parent? string
---@return qlua.Template
local function get_or_select_template(self, names, parent)
  if parent == nil and type(names) == "string" then -- the usual way is short
    local state = rawget(self, "_state")
    local entry = state._young[names]
    if entry and not (entry.is_current and state.auto_reload) then
      return entry.template
    end
  elseif type(names) == "table" and not templates.is_template(names) then
    return methods.select_template(self, names, parent)
  end
  return methods.get_template(self, names, parent)
end
methods.get_or_select_template = get_or_select_template
M.find = get_or_select_template

--- The program of what a template extends, includes or imports.
---@async
---@param names string|qlua.Template|(string|qlua.Template)[]
---@param parent? string the name of the template that wants it
---@return userdata program
function methods:load_program(names, parent)
  return get_or_select_template(self, names, parent).program
end

--- All names that the loader knows, sorted.
---@param filter? fun(name: string): boolean
---@return string[]
function methods:list_templates(filter)
  check.type("list_templates", "filter", filter, "function", true)
  local loader = rawget(self, "_state").loader
  if not loader or not loader.list_templates then
    check.fail("list_templates: the environment's loader cannot tell all its names")
  end
  local names = {}
  for _, name in ipairs(loader:list_templates()) do
    if not filter or filter(name) then
      names[#names + 1] = name
    end
  end
  return names
end

return M
