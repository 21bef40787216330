--- session: what an app remembers of a visitor, between requests.
--- Flow: a proxy for the session that the running request's context holds, opened on first touch by
--- the app's session interface (session_interface.lua); dispatch.lua has it saved after the hooks.
---
--- A session is a userdata with the methods below; what lies behind it is in session_state.lua.

local check = require "qlua.check"
local core = require "qlua.core"
local state = require "qlua.session_state"

local M = {}

---@class qlua.Session values of one visitor; userdata
---@field permanent boolean it outlives the browser's session, for PERMANENT_SESSION_LIFETIME
---@field modified boolean set it after a change within a value: `session.cart.n = 2`
---@field accessed boolean has this request looked at it?
---@field new boolean did the client bring none?
---@field [string] any
local methods = {}

local states, written, put = state.of, state.written, state.put
local running = core.current -- [1] is the running task's context

---@type qlua.Session
M.session = newproxy(true)

local proxy = M.session

local function state_of(self, name)
  if self == proxy then
    local ctx = running[1]
    return ctx and ctx.session or state.current(name)
  end
  return states[self] or state.current(name)
end

local function read(self, name)
  local own = state_of(self, name)
  own.accessed = true
  return own.values
end

-- ---- methods ----------------------------------------------------------------------------------

--- The value of a key, or the default.
---@param key string
---@param default? any
---@return any
function methods:get(key, default)
  local value = read(self, key)[key]
  if value == nil then
    return default
  end
  return value
end

--- Set a key, also one that is called like a method.
---@param key string
---@param value any
function methods:set(key, value)
  put(state_of(self, key), key, value)
end

--- The value of a key, which is set to the default when it is absent.
---@param key string
---@param default any
---@return any
function methods:setdefault(key, default)
  local value = read(self, key)[key]
  if value == nil then
    put(state_of(self, key), key, default)
    return default
  end
  return value
end

--- Take a key out and return its value, or the default.
---@param key string
---@param default? any
---@return any
function methods:pop(key, default)
  local value = read(self, key)[key]
  if value == nil then
    return default
  end
  put(state_of(self, key), key, nil)
  return value
end

--- Take a key out.
---@param key string
function methods:remove(key)
  put(state_of(self, key), key, nil)
end

--- Set every key of a table.
---@param values table<string, any>
function methods:update(values)
  check.type("session:update", "values", values, "table")
  local own = state_of(self, "update")
  for key, value in pairs(values) do
    put(own, key, value)
  end
end

--- Forget everything.
function methods:clear()
  local values = written(state_of(self, "clear"), "clear")
  for key in pairs(values) do
    values[key] = nil
  end
end

--- Is the key set?
---@param key string
---@return boolean
function methods:contains(key)
  return read(self, key)[key] ~= nil
end

--- The keys, sorted.
---@return string[]
function methods:keys()
  local keys = {}
  for key in pairs(read(self, "keys")) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return core.array(keys)
end

--- `for key, value in session:items() do`, sorted by key.
---@return fun(): string?, any
function methods:items()
  local values, keys, i = read(self, "items"), methods.keys(self), 0
  return function()
    i = i + 1
    return keys[i], values[keys[i]]
  end
end

--- A table with all keys.
---@return table<string, any>
function methods:to_dict()
  local copy = {}
  for key, value in pairs(read(self, "to_dict")) do
    copy[key] = value
  end
  return copy
end

--- Give the session a new id, against its fixation: call it when somebody logs in. A cookie
--- session has none; its cookie is written anew.
function methods:regenerate()
  local own = state_of(self, "regenerate")
  written(own, "regenerate")
  own.regenerated = true
end

-- ---- attributes -------------------------------------------------------------------------------

local getters, setters = {}, {}

function getters.permanent(own)
  own.accessed = true
  return own.values._permanent and true or false
end

function setters.permanent(own, value)
  put(own, "_permanent", value and true or false)
end

for _, name in ipairs { "accessed", "modified" } do
  getters[name] = function(own)
    return own[name]
  end
  setters[name] = function(own, value)
    own[name] = value and true or false
  end
end

function getters.new(own)
  return own.new
end

local meta = getmetatable(proxy)
meta.__name = "qlua.Session"

function meta.__index(self, key)
  local method = methods[key]
  if method then
    return method
  end
  local own, get = state_of(self, key), getters[key]
  if get then
    return get(own)
  end
  own.accessed = true
  return own.values[key]
end

function meta.__newindex(self, key, value)
  if methods[key] then
    check.fail("session.%s is a method; session:set(%q, value) sets a key of that name", key, key)
  end
  local own, set = state_of(self, key), setters[key]
  if set then
    set(own, value)
  elseif key == "new" then
    check.fail "session.new cannot be assigned"
  else
    put(own, key, value)
  end
end

function meta.__tostring(self)
  return states[self] and "<Session>" or "<qlua.session>"
end

-- ---- making one -------------------------------------------------------------------------------

--- A session with this state, as interfaces and tests are handed it.
---@param own qlua.SessionState
---@return qlua.Session
function M.object(own)
  local object = newproxy(proxy)
  states[object] = own
  return object
end

return M
