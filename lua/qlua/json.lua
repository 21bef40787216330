--- qlua.json: JSON in and out, for the app and for qlua's own answers.
--- Flow: jsonify, tables returned by handlers and request.json come here through `app.json`, a
--- provider; the work is the core's (src/value/json.h has the rules).

local check = require "qlua.check"
local core = require "qlua.core"
local current = require "qlua.current"

--- JSON in and out, by the rules of the app at work.
---@class qlua.json
---@field null lightuserdata JSON's null
---@field array fun(list: table): table marks a table as an array, so that an empty one is `[]`
---@field is_array fun(value: any): boolean has it that mark?
---@field encode fun(value: any): string dumps by another name
---@field decode fun(text: string): any loads by another name
---@field package CONFIG_KEYS table
local M = {
  null = core.null,
  array = core.array,
  is_array = core.is_array,
}

---@class qlua.json.Options nil stands for true
---@field compact? boolean no spaces; false: indented by 2
---@field sort_keys? boolean by bytes; numbers as keys by number
---@field ensure_ascii? boolean all but ASCII as \uXXXX

---@param value any
---@param options? qlua.json.Options
---@return string
local function encode(value, options)
  local text, message = core.json_encode(value, options)
  if not text then
    check.fail("json: %s", message)
  end
  return text
end

--- The value as JSON text. Raises for what has no JSON form (functions, nan, both kinds of key in
--- a table, a cycle), with the path: `a.b[3]`.
---@param value any nil and qlua.null are null
---@return string
function M.dumps(value)
  return encode(value)
end

--- The value of a JSON text. Arrays are marked as such, null is qlua.null. Raises, with line and
--- column, when the text is not JSON.
---@param text string
---@return any
function M.loads(text)
  if type(text) ~= "string" then
    check.fail("json: loads takes a string, got %s", check.describe(text))
  end
  local value, message = core.json_decode(text)
  if value == nil then
    check.fail("json: %s", message)
  end
  return value
end

M.encode = M.dumps
M.decode = M.loads

---@class qlua.json.Provider
---@field compact? boolean nil: compact unless app.debug; false: indented by 2
---@field sort_keys boolean keys in order
---@field ensure_ascii boolean all but ASCII as \uXXXX
---@field mimetype string of JSON answers
---@field dumps fun(value: any): string as qlua.json.dumps, by these settings
---@field loads fun(text: string): any as qlua.json.loads
local SETTINGS = { compact = true, sort_keys = true, ensure_ascii = true, mimetype = true }

local Provider = { __name = "qlua.json.Provider" }

-- only names that have no value come here: compact, and mistakes
function Provider.__newindex(provider, name, value)
  if not SETTINGS[name] then
    check.fail(
      "json: a provider has no setting %s; it has compact, sort_keys, ensure_ascii, mimetype",
      tostring(name)
    )
  end
  rawset(provider, name, value)
end

-- the provider as options, but for the debug mode's indenting
local function options_of(provider, app)
  if provider.compact ~= nil or not (app and app.debug) then
    return provider
  end
  return {
    compact = false,
    sort_keys = provider.sort_keys,
    ensure_ascii = provider.ensure_ascii,
  }
end

---@package
--- What encodes and decodes for an app: `app.json`. Settings count from the next call on.
---@param app? qlua.App whose `debug` decides while compact is nil
---@return qlua.json.Provider
function M.provider(app)
  local provider = {
    sort_keys = true,
    ensure_ascii = true,
    mimetype = "application/json",
    loads = M.loads,
  }
  function provider.dumps(value)
    return encode(value, options_of(provider, app))
  end
  return setmetatable(provider, Provider)
end

--- Keys of app.config, Quart's until 0.18, that are settings of a provider: by what of it.
---@package
M.CONFIG_KEYS = {
  JSON_AS_ASCII = "ensure_ascii", JSON_SORT_KEYS = "sort_keys", JSONIFY_MIMETYPE = "mimetype",
  JSONIFY_PRETTYPRINT_REGULAR = "compact",
}

---@package
--- One of them was set; what is nil is the default again.
---@param provider qlua.json.Provider
---@param key string
---@param value any
function M.configure(provider, key, value)
  if key == "JSONIFY_PRETTYPRINT_REGULAR" then
    local compact = nil -- as app.debug says
    if value then
      compact = false
    end
    rawset(provider, "compact", compact)
  elseif key == "JSONIFY_MIMETYPE" then
    provider.mimetype = value or "application/json"
  else
    provider[M.CONFIG_KEYS[key]] = value ~= false
  end
end

---@package
--- The body of a JSON answer: the text, ended by a newline.
---@param value any
---@param provider qlua.json.Provider or anything with a `dumps`
---@return string
function M.body(value, provider)
  return provider.dumps(value) .. "\n"
end

-- jsonify's outside of an app
local default = M.provider()

-- one argument is the value itself, several are an array; nil is null
local function value_of(count, ...)
  if count < 2 then
    return (...)
  end
  local list = { ... }
  for i = 1, count do
    if list[i] == nil then
      list[i] = M.null
    end
  end
  return M.array(list)
end

--- A JSON Response of the value, by the app's `app.json`. Without an argument: null; with several:
--- an array of them.
---@param ... any
---@return qlua.Response
function M.jsonify(...)
  -- late, for response.lua reads JSON through this module
  local responses = require "qlua.response"
  local app = current.app()
  local provider = app and app.json or default
  return responses.new(M.body(value_of(select("#", ...), ...), provider), 200, provider.mimetype)
end

return M
