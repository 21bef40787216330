--- app.config: the app's keys, read and written like a table.
--- Flow: App makes one; whoever needs a setting reads it by name.

local check = require "qlua.check"
local config_environment = require "qlua.config_environment"
local config_keys = require "qlua.config_keys"
local config_loaders = require "qlua.config_loaders"
local store = require "qlua.config_store"

local M = {}

---@class qlua.Config userdata: read and written by key; a method's name is not a key
---@field [string] any
local Config = {}

for _, methods in ipairs { config_loaders.methods, config_environment.methods } do
  for name, method in pairs(methods) do
    Config[name] = method
  end
end

local put = store.put

local function values_of(config)
  return store.of[config].values
end

--- The value of a key, or the default when it is absent.
---@param key string
---@param default? any
---@return any
function Config:get(key, default)
  local value = values_of(self)[key]
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
  if values_of(self)[key] == nil then
    put(self, key, default)
  end
  return values_of(self)[key]
end

--- Set every key of a table.
---@param table table<string, any>
function Config:update(table)
  check.type("config:update", "table", table, "table")
  for key, value in pairs(table) do
    put(self, key, value)
  end
end

--- Take a key out and return its value, or the default.
---@param key string
---@param default? any
---@return any
function Config:pop(key, default)
  local value = values_of(self)[key]
  if value == nil then
    return default
  end
  put(self, key, nil)
  return value
end

--- Is the key set?
---@param key string
---@return boolean
function Config:contains(key)
  return values_of(self)[key] ~= nil
end

--- The keys, sorted.
---@return string[]
function Config:keys()
  local keys = {}
  for key in pairs(values_of(self)) do
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
    return keys[i], values_of(self)[keys[i]]
  end
end

--- A table with all keys.
---@return table<string, any>
function Config:to_dict()
  local copy = {}
  for key, value in pairs(values_of(self)) do
    copy[key] = value
  end
  return copy
end

---@param first table<string, any> laid over the defaults
---@param on_change fun(key: string, value: any) called for each key that is set later
---@param resolve? fun(path: string): string makes paths of the user's absolute
---@return qlua.Config
function M.new(first, on_change, resolve)
  local config = newproxy(true)
  local values, meta = {}, getmetatable(config)
  for _, key in ipairs(config_keys.list) do
    values[key.name] = key.default
  end
  for key, value in pairs(first) do
    values[key] = value or values[key]
  end
  store.of[config] = {
    values = values, origins = {}, on_change = on_change,
    resolve = resolve or function(path) return path end,
  }
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
