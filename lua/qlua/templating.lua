--- Templates of an app: render_template and the like.
--- Flow: a view calls them; they find the template in the app's environment (app_environment.lua),
--- gather its values and hand both to the driver (template_render.lua).

local app_environment = require "qlua.app_environment"
local check = require "qlua.check"
local context = require "qlua.context"
local core = require "qlua.core"
local current = require "qlua.current"
local driver = require "qlua.template_render"
local environments = require "qlua.environment"
local g = require "qlua.g"
local hooks = require "qlua.hooks"
local request = require "qlua.request"
local session = require("qlua.session").session
local signals = require "qlua.signals"
local templates = require "qlua.template"

local find, from_source = environments.find, environments.from_source
local get_context, in_request = context.get, core.in_request
local running = core.current -- [1] is the running task's context, once somebody has touched it
local before, rendered = signals.before_render_template, signals.template_rendered

local M = {}

local function app_at_work(where)
  local app = current.app()
  if not app then
    check.fail("Not within an app context: %s was called while no app is at work. Call it in a "
      .. "view or a function it calls; without an app there is qlua.Environment", where)
  end
  return app
end

-- ---- the values -------------------------------------------------------------------------------

-- what every template sees beside the environment's globals, by the kind of context
local IN_REQUEST = { request = request, session = session, g = g }
local IN_APP = { g = g }
local OUTSIDE = {}

local function standard_values()
  local ctx = running[1]
  if ctx then
    return ctx.handle and IN_REQUEST or IN_APP
  end
  return in_request() and IN_REQUEST or OUTSIDE
end

--- The processors for the running request: the app's, then those of its blueprints, the inner ones
--- last.
local function processors_of(app)
  if next(app._hooks.context_processor) == nil then
    return false
  end
  local ctx = running[1] or get_context()
  local endpoint = ctx and ctx.handle
    and (ctx.pipeline and ctx.pipeline.endpoint or core.request_endpoint(ctx.handle)) or nil
  local all = app._processors
  local list = all[endpoint or false]
  if list == nil then
    list = hooks.flat(app._hooks, "context_processor", hooks.scopes_of(endpoint)) or false
    all[endpoint or false] = list
  end
  return list
end

local function values_from(processor)
  local values = processor()
  if type(values) ~= "table" then
    local info = debug.getinfo(processor, "S")
    error(("context processor (%s:%d) returned %s: return a table of values, {} for none"):format(
      info.short_src, info.linedefined, check.describe(values)), 0)
  end
  return values
end

--- Lay the context processors' values under those of a context, which win. (The functions below
--- do.)
---@async
---@param app qlua.App
---@param values table<string, any> is changed
function M.update_template_context(app, values)
  check.type("update_template_context", "the context", values, "table")
  local merged = {}
  for _, processor in ipairs(processors_of(app) or {}) do
    for name, value in pairs(values_from(processor)) do
      merged[name] = value
    end
  end
  for name, value in pairs(merged) do
    if values[name] == nil then
      values[name] = value
    end
  end
end

--- What a template is rendered with: a table of its own where processors or receivers may add to
--- what was given.
local function gather(app, where, given)
  if given ~= nil and type(given) ~= "table" then
    check.fail("%s: the context must be a table of values by name, got %s", where,
      check.describe(given))
  elseif not (before.receivers or processors_of(app)) then
    return given or {}
  end
  local values = {}
  for name, value in pairs(given or {}) do
    values[name] = value
  end
  M.update_template_context(app, values)
  return values
end

-- ---- rendering --------------------------------------------------------------------------------

local function render(app, where, template, given)
  local values = gather(app, where, given)
  if before.receivers then
    before:_emit(app, { template = template, context = values })
  end
  local text = driver.render(template.environment, template.program, values, standard_values())
  if rendered.receivers then
    rendered:_emit(app, { template = template, context = values })
  end
  return text
end

local function stream(app, where, template, given)
  local values, is_over = gather(app, where, given), false
  if before.receivers then
    before:_emit(app, { template = template, context = values })
  end
  local next_piece = driver.stream(template.environment, template.program, values,
    templates.FLUSH_SIZE, standard_values())
  return function()
    local piece = next_piece()
    if piece == nil and not is_over then
      is_over = true
      if rendered.receivers then
        rendered:_emit(app, { template = template, context = values })
      end
    end
    return piece
  end
end

local function of_name(where, app, name)
  if type(name) ~= "string" and type(name) ~= "table" then
    check.fail("%s: the template must be a name or a list of names, got %s", where,
      check.describe(name))
  end
  return find(app_environment.of(app), name)
end

local function of_source(where, app, source)
  check.type(where, "source", source, "string")
  return from_source(app_environment.of(app), source)
end

--- The text of a template of the app: of its name, or of the first of several that is there.
---@async
---@param name string|string[]
---@param values? table<string, any> what the template sees beside the standard values
---@return string
function M.render_template(name, values)
  local app = app_at_work "render_template"
  return render(app, "render_template", of_name("render_template", app, name), values)
end

--- The text of a template that is given as its source; autoescape is on.
---@async
---@param source string
---@param values? table<string, any>
---@return string
function M.render_template_string(source, values)
  local app = app_at_work "render_template_string"
  local template = of_source("render_template_string", app, source)
  return render(app, "render_template_string", template, values)
end

--- The same piece by piece: an iterator, which a view may return. The request's context stays
--- while the body is sent; what the template asks for is worked out when its place is reached.
---@param name string|string[]
---@param values? table<string, any>
---@return fun(): string?
function M.stream_template(name, values)
  local app = app_at_work "stream_template"
  return stream(app, "stream_template", of_name("stream_template", app, name), values)
end

---@param source string
---@param values? table<string, any>
---@return fun(): string?
function M.stream_template_string(source, values)
  local app = app_at_work "stream_template_string"
  local template = of_source("stream_template_string", app, source)
  return stream(app, "stream_template_string", template, values)
end

--- What a template exports under a name: a macro (a function) or a value set at its top level.
---@async
---@param template_name string
---@param attribute string
---@return any
function M.get_template_attribute(template_name, attribute)
  local where = "get_template_attribute"
  local app = app_at_work(where)
  check.type(where, "attribute", attribute, "string")
  local template = of_name(where, app, template_name)
  local exported = driver.module(template.environment, template.program, {}, standard_values())
  if exported[attribute] == nil then
    check.fail("%s: the template %q exports no %q%s", where, tostring(template.name), attribute,
      next(exported) and check.hint(attribute, exported) or "; it exports nothing")
  end
  return exported[attribute]
end

return M
