--- app.config: the app's keys, their defaults, and reading and writing them like a table.
--- Flow: App makes one; whoever needs a setting reads it by name.

local check = require "qlua.check"

local M = {}

--- Keys that have a value before the app sets one. nil ones are absent.
local DEFAULTS = {
  APPLICATION_ROOT = "/",
  BACKGROUND_TASK_SHUTDOWN_TIMEOUT = 5,
  BODY_STALL_TIMEOUT = 20,
  BODY_TIMEOUT = 60,
  DEBUG = false,
  EXPLAIN_TEMPLATE_LOADING = false,
  FILE_SPOOL_SIZE = 512000,
  MAX_CONTENT_LENGTH = 16 * 1024 * 1024,
  MAX_COOKIE_SIZE = 4093,
  MAX_FORM_MEMORY_SIZE = 500000,
  MAX_FORM_PARTS = 1000,
  PERMANENT_SESSION_LIFETIME = 2678400,
  PREFER_SECURE_URLS = false,
  PREFERRED_URL_SCHEME = "http",
  PROVIDE_AUTOMATIC_OPTIONS = true,
  RESPONSE_TIMEOUT = 60,
  SEND_FILE_MAX_AGE_DEFAULT = 43200,
  SESSION_COOKIE_HTTPONLY = true,
  SESSION_COOKIE_NAME = "session",
  SESSION_COOKIE_PARTITIONED = false,
  SESSION_COOKIE_SECURE = false,
  SESSION_KEY_PREFIX = "session:",
  SESSION_LMDB_PATH = "session.lmdb",
  SESSION_LMDB_SIZE = 1024 * 1024 * 1024,
  SESSION_REDIS = "redis://127.0.0.1:6379/0",
  SESSION_REFRESH_EACH_REQUEST = true,
  SESSION_TYPE = "cookie",
  TESTING = false,
  TRAP_HTTP_EXCEPTIONS = false,
}

---@class qlua.Config userdata: read and written by key; a method's name is not a key
---@field [string] any
local Config = {}

-- the values and the change hook of each config, without keeping it alive
local values_of = setmetatable({}, { __mode = "k" })
local hook_of = setmetatable({}, { __mode = "k" })

local function put(config, key, value)
  check.type("config", "key", key, "string")
  values_of[config][key] = value
  hook_of[config](key, value)
end

--- The value of a key, or the default when it is absent.
---@param key string
---@param default? any
---@return any
function Config:get(key, default)
  local value = values_of[self][key]
  if value == nil then
    return default
  end
  return value
end

--- Set a key, also one that is called like a method.
---@param key string
---@param value any
function Config:set(key, value)
  put(self, key, value)
end

--- The value of a key, which is set to the default when it is absent.
---@param key string
---@param default any
---@return any
function Config:setdefault(key, default)
  if values_of[self][key] == nil then
    put(self, key, default)
  end
  return values_of[self][key]
end

--- Set every key of a table.
---@param table table<string, any>
function Config:update(table)
  check.type("config:update", "table", table, "table")
  for key, value in pairs(table) do
    put(self, key, value)
  end
end

--- Set the UPPER_CASE keys of a table; others are passed over, as in Quart.
---@param mapping table<string, any>
---@return true
function Config:from_mapping(mapping)
  check.type("config:from_mapping", "mapping", mapping, "table")
  for key, value in pairs(mapping) do
    if type(key) == "string" and key == key:upper() and key:find "%u" then
      put(self, key, value)
    end
  end
  return true
end

--- Take a key out and return its value, or the default.
---@param key string
---@param default? any
---@return any
function Config:pop(key, default)
  local value = values_of[self][key]
  if value == nil then
    return default
  end
  put(self, key, nil)
  return value
end

---@param key string
---@return boolean
function Config:contains(key)
  return values_of[self][key] ~= nil
end

--- The keys, sorted.
---@return string[]
function Config:keys()
  local keys = {}
  for key in pairs(values_of[self]) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- `for key, value in config:items() do`, sorted by key.
---@return fun(): string?, any
function Config:items()
  local keys, i = self:keys(), 0
  return function()
    i = i + 1
    return keys[i], values_of[self][keys[i]]
  end
end

--- A table with all keys.
---@return table<string, any>
function Config:to_dict()
  local copy = {}
  for key, value in pairs(values_of[self]) do
    copy[key] = value
  end
  return copy
end

---@param first table<string, any> laid over the defaults
---@param on_change fun(key: string, value: any) called for each key that is set later
---@return qlua.Config
function M.new(first, on_change)
  local config = newproxy(true)
  local values, meta = {}, getmetatable(config)
  for _, source in ipairs { DEFAULTS, first } do
    for key, value in pairs(source) do
      values[key] = value
    end
  end
  values_of[config], hook_of[config] = values, on_change
  meta.__name = "qlua.Config"
  function meta.__index(_, key)
    return Config[key] or values[key]
  end
  function meta.__newindex(self, key, value)
    if Config[key] then
      check.fail("config.%s is a method; config:set(%q, value) sets a key of that name", key, key)
    end
    put(self, key, value)
  end
  function meta.__tostring()
    return "<Config>"
  end
  return config
end

return M
