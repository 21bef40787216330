--- app.config from variables of the environment: from_prefixed_env.
--- Flow: config.lua adds the method to its own.

local check = require "qlua.check"
local core = require "qlua.core"
local store = require "qlua.config_store"

local put = store.put

---@class qlua.Config
local methods = {}

local M = { methods = methods }

local LOADS = { loads = "function" }

--- Variables of qlua's own.
local function is_own(name)
  return name:find "^QLUA_SERVER__" or name == "QLUA_LUA_DIR" or name == "QLUA_APP"
    or name == "QLUA_DEBUG" or name == "QLUA_SKIP_DOTENV"
end

local function split(key)
  local parts, from = {}, 1
  while true do
    local at, last = key:find("__", from, true)
    parts[#parts + 1] = key:sub(from, at and at - 1)
    if not at then
      return parts
    end
    from = last + 1
  end
end

--- Put a value into nested tables, which are made where they are missing.
local function put_nested(config, variable, parts, value)
  local root = parts[1]
  local whole = store.of[config].values[root]
  if whole == nil then
    whole = {}
  end
  local at = whole
  for i = 2, #parts do
    if type(at) ~= "table" then
      check.fail("config:from_prefixed_env: %s: %s is %s, which can hold no %s", variable,
        table.concat(parts, ".", 1, i - 1), check.describe(at), parts[i])
    elseif i == #parts then
      at[parts[i]] = value
    else
      if at[parts[i]] == nil or at[parts[i]] == core.null then
        at[parts[i]] = {}
      end
      at = at[parts[i]]
    end
  end
  put(config, root, whole, { from = "environment", where = variable })
end

local function decode(text)
  local value = core.json_decode(text)
  return value
end

--- Set a key for each variable that begins with the prefix and `_`, in order of their names. What
--- parses as JSON is that value, else it is text; `__` leads into nested tables:
--- `QLUA_DB__HOST=x` sets `config.DB.HOST`. qlua's own variables (QLUA_SERVER__*, QLUA_DEBUG,
--- QLUA_APP, QLUA_LUA_DIR, QLUA_SKIP_DOTENV) are not taken.
---@param prefix? string without `_` at its end; QLUA unless given
---@param options? { loads?: fun(text: string): any } in place of JSON; raises or gives nil for text
---@return true
function methods:from_prefixed_env(prefix, options)
  check.type("config:from_prefixed_env", "prefix", prefix, "string", true)
  options = check.options("config:from_prefixed_env", options, LOADS)
  local loads = options.loads or decode
  prefix = (prefix or "QLUA") .. "_"
  for _, variable in ipairs(core.environment(prefix)) do
    local name, text = variable[1], variable[2]
    if not is_own(name) then
      local ok, value = pcall(loads, text)
      if not ok or value == nil then
        value = text
      end
      local parts = split(name:sub(#prefix + 1))
      if #parts == 1 then
        put(self, parts[1], value, { from = "environment", where = name })
      else
        put_nested(self, name, parts, value)
      end
    end
  end
  return true
end

return M
