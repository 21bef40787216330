--- What waits for a request's body: get_data, get_json, form, files, values, body; and the limits
--- that may be set before.
--- Flow: lua/qlua/request.lua looks names up here; form.lua reads forms.

local check = require "qlua.check"
local core = require "qlua.core"
local errors = require "qlua.errors"
local form = require "qlua.form"
local json = require "qlua.json"

local M = {
  fields = {}, ---@type table<string, fun(state: table): any> read as request.name
  settings = {}, ---@type table<string, fun(state: table, value: any)> assigned to
}

--- Called as request:name(...).
---@class qlua.Request
M.methods = {}

local state_of ---@type fun(name: string): table

--- request.lua tells how to find the running request's table.
---@param fn fun(name: string): table
function M.set_state_of(fn)
  state_of = fn
end

-- ---- raw --------------------------------------------------------------------------------------

local DATA_OPTIONS = { cache = "boolean", parse_form_data = "boolean" }

--- The whole body as received. Waits for it; 413 and 408 are raised.
---@async
---@param options? { cache?: boolean, parse_form_data?: boolean } cache = false: not kept;
---  parse_form_data: a form is parsed first, of a multipart one nothing is left
---@return string
function M.methods.get_data(_, options)
  local state = state_of "get_data"
  if options then
    check.options("request:get_data", options, DATA_OPTIONS)
  end
  if options and options.parse_form_data then
    form.load(state)
  end
  local data = form.read(state)
  if options and options.cache == false then
    state._data = ""
  end
  return data
end

function M.fields.data(state)
  form.load(state)
  return form.read(state)
end

--- The next chunk of the body, or nil at its end. A body that was read whole before comes as one.
local function next_chunk()
  local state = state_of "body"
  if state._data then
    local given = state._data_given
    state._data_given = not given
    return not given and state._data ~= "" and state._data or nil
  end
  return form.next_chunk(state)
end

function M.fields.body()
  return next_chunk
end

-- ---- forms ------------------------------------------------------------------------------------

function M.fields.form(state)
  form.load(state)
  return state.form
end

function M.fields.files(state)
  form.load(state)
  return state.files
end

function M.fields.values(state)
  local args = state.args or core.request_args(state._handle)
  local method = core.request_method(state._handle)
  local own = core.multidict_empty "form"
  if method ~= "GET" and method ~= "HEAD" then
    form.load(state)
    own = state.form
  end
  state.values = core.multidict_join(args, own)
  return state.values
end

-- ---- JSON -------------------------------------------------------------------------------------

local JSON_OPTIONS = { force = "boolean", silent = "boolean", cache = "boolean" }

--- The value, or nil and what is wrong with the text.
local function decode(text, app)
  local loads = app and app.json and app.json.loads
  if loads == nil or loads == json.loads then
    return core.json_decode(text)
  end
  local ok, value = pcall(loads, text) -- a provider of the app's
  if ok then
    return value
  end
  return nil, tostring(value)
end

local function parse_json(state, options, is_json)
  if not (is_json or options.force) then
    return nil
  end
  local app = core.app()
  local value, message = decode(form.read(state), app)
  if value ~= nil then
    if options.cache ~= false then
      state._json = { value }
    end
    return value
  elseif options.silent then
    return nil
  end
  local shown = app and app.debug and ("Failed to decode JSON: %s"):format(message) or nil
  error(errors.BadRequest(shown), 0)
end

--- The body as JSON: nil when its type is no JSON (unless `force`); 400 when it cannot be decoded
--- (nil with `silent`). JSON null is qlua.null. Waits for the body.
---@async
---@param options? { force?: boolean, silent?: boolean, cache?: boolean }
---@return any
function M.methods.get_json(request, options)
  options = check.options("request:get_json", options, JSON_OPTIONS)
  local state = state_of "get_json"
  if state._json and options.cache ~= false then
    return state._json[1]
  end
  return parse_json(state, options, request.is_json)
end

local NONE = {}

function M.fields.json(state)
  if state._json then
    return state._json[1]
  end
  local is_json = state.is_json
  if is_json == nil then
    local mimetype = core.request_mimetype(state._handle)
    is_json = mimetype == "application/json" or mimetype:find "^application/.*%+json$" ~= nil
  end
  return parse_json(state, NONE, is_json)
end

-- ---- limits -----------------------------------------------------------------------------------

local function setting(name, apply)
  M.fields[name] = function(state)
    local app = not (state._unlimited and state._unlimited[name]) and core.app()
    return app and app.config[apply.key] or nil
  end
  M.settings[name] = function(state, value)
    if value ~= nil and (type(value) ~= "number" or value ~= value or value < 0) then
      check.fail("request.%s must be a number of %s, or nil for none, got %s", name, apply.unit,
        check.describe(value))
    end
    state[name] = value
    state._unlimited = state._unlimited or {}
    state._unlimited[name] = value == nil
    if apply.core then
      apply.core(state._handle, value)
    end
  end
end

setting("max_content_length", {
  key = "MAX_CONTENT_LENGTH", unit = "bytes", core = core.request_set_max_body,
})
setting("body_timeout", {
  key = "BODY_TIMEOUT", unit = "seconds", core = core.request_set_body_timeout,
})
setting("max_form_memory_size", { key = "MAX_FORM_MEMORY_SIZE", unit = "bytes" })
setting("max_form_parts", { key = "MAX_FORM_PARTS", unit = "parts" })

return M
