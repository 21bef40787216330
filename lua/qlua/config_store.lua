--- What lies behind app.config: its values, and where each came from.
--- Flow: config.lua and config_loaders.lua read and put here; `qlua config` asks for origins.

local check = require "qlua.check"
local config_keys = require "qlua.config_keys"
local core = require "qlua.core"
local current = require "qlua.current"

local M = {}

---@class qlua.ConfigOrigin
---@field from "default"|"file"|"environment"|"option"|"code"
---@field where? string the file, variable, option, or the line of code
---@field in_app? boolean it is the `app` object of the config file, or --set

---@class qlua.ConfigStore
---@field values table<string, any>
---@field origins table<string, qlua.ConfigOrigin> of what is not a default
---@field on_change fun(key: string, value: any)
---@field resolve fun(path: string): string a path of the user's as an absolute one

--- By config, without keeping it alive.
---@type table<qlua.Config, qlua.ConfigStore>
M.of = setmetatable({}, { __mode = "k" })

local CODE = { from = "code" }

--- Where the user's code stands. Not looked for once the app answers requests: it takes its time.
local function here()
  local place = not current.served and check.place()
  return place and { from = "code", where = place } or CODE
end

-- JSON's null and YAML's are no values: to Lua both would be true
local function is_null(value)
  if value == core.null then
    return true
  end
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and rawget(meta, "_type") == "LYAML null"
end

--- The start of a message about a key: who gave it, and its name.
local function name_of(key, origin)
  if origin.from == "file" and origin.in_app then
    return ("%s: app.%s"):format(origin.where, key)
  elseif origin.from == "option" then
    return origin.where
  elseif origin.from == "code" then
    return "config." .. key
  end
  return ("%s: config.%s"):format(origin.where, key)
end

local function refuse(key, origin, wanted)
  local message = name_of(key, origin) .. " " .. wanted
  if origin.from == "option" or origin.in_app then
    error(message, 0) -- the code is not to blame
  end
  check.fail("%s", message)
end

--- The value as its key takes it; raises when it is none for it.
---@param key string
---@param value any
---@param origin qlua.ConfigOrigin
---@return any
function M.check(key, value, origin)
  if value == nil or is_null(value) then
    return nil
  end
  local taken, wanted = config_keys.read(key, value)
  if wanted then
    refuse(key, origin, wanted)
  end
  return taken
end

--- Tell of a key that nobody reads and that is nearly one which qlua does.
local function warn_of_near_miss(key, origin)
  local near = core.worker.id == 1 and config_keys.near_miss(key)
  if near then
    core.log("warning", ("%s%s is no key that qlua knows; did you mean %s?"):format(
      origin.from == "code" and origin.where and origin.where .. ": " or "",
      name_of(key, origin), near))
  end
end

--- Set a key. Raises when it is a known one and the value is none for it.
---@param config qlua.Config
---@param key string
---@param value any nil and null: absent
---@param origin? qlua.ConfigOrigin the user's code when it is not given
function M.put(config, key, value, origin)
  check.type("config", "key", key, "string")
  local store = M.of[config]
  origin = origin or here()
  value = M.check(key, value, origin)
  if value ~= nil and store.values[key] == nil and not current.served then
    warn_of_near_miss(key, origin)
  end
  store.values[key] = value
  store.origins[key] = origin
  store.on_change(key, value)
end

--- Is it a name that the loaders take: upper case, as Python's str.isupper says?
---@param key any
---@return boolean
function M.is_upper(key)
  return type(key) == "string" and key == key:upper() and key:find "%u" ~= nil
end

--- Set the UPPER_CASE keys of a table, in order.
---@param config qlua.Config
---@param mapping table<any, any>
---@param origin? qlua.ConfigOrigin
function M.put_all(config, mapping, origin)
  local keys = {}
  for key in pairs(mapping) do
    if M.is_upper(key) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    M.put(config, key, mapping[key], origin)
  end
end

--- Where the value of a key came from.
---@param config qlua.Config
---@param key string
---@return qlua.ConfigOrigin
function M.origin(config, key)
  return M.of[config].origins[key] or { from = "default" }
end

return M
