--- What lies behind a session: its table of values, and what has been done to it.
--- Flow: session.lua reads and writes sessions through this; session_interface.lua opens and saves
--- states.

local check = require "qlua.check"

local M = {}

---@class qlua.SessionState
---@field values table<string, any>
---@field accessed boolean it was read: the answer depends on the cookie
---@field modified boolean it is to be saved
---@field new boolean no request has brought it
---@field null? boolean no secret key: it cannot be written
---@field regenerated? boolean a store gives it a new id

local NULL = "The session is unavailable because no secret key was set: session.%s cannot be "
  .. "written. Set app.secret_key, or the config key SECRET_KEY, to a long random text"

--- The running request's state, opened when there is none; session_interface.lua sets it.
---@type fun(name: string): qlua.SessionState
M.current = nil

--- The state of each session but the proxy. A state must not hold its session: Lua 5.1 would keep
--- both for ever.
---@type table<qlua.Session, qlua.SessionState>
M.of = setmetatable({}, { __mode = "k" })

--- The values of a state that is about to be changed.
---@param state qlua.SessionState
---@param name string for the message
---@return table<string, any>
function M.written(state, name)
  if state.null then
    check.fail(NULL, tostring(name))
  end
  state.accessed, state.modified = true, true
  return state.values
end

---@param state qlua.SessionState
---@param key any
---@param value any
function M.put(state, key, value)
  if type(key) ~= "string" then
    check.fail("session: keys are strings, got %s", check.describe(key))
  end
  local kind = type(value)
  if kind == "function" or kind == "thread" then
    check.fail("session.%s: a %s cannot be kept in a session; strings, numbers, booleans, tables "
      .. "of them and qlua.null can", key, kind)
  elseif value == nil and state.values[key] == nil then
    state.accessed = true
    return
  end
  M.written(state, key)[key] = value
end

---@param values table<string, any>
---@param null? boolean
---@return qlua.SessionState
function M.new(values, null)
  local own = { values = values, accessed = false, modified = false, new = false }
  if null then
    own.null = true -- not above: with a fifth key the table would have room for eight
  end
  return own
end

return M
