--- Waiting in specs: for a condition, with a deadline; never for a time.

local time = require "posix.time"

local M = {}

local STEP = { tv_sec = 0, tv_nsec = 2000000 }

--- Seconds of the monotonic clock.
---@return number
function M.now()
  local now = time.clock_gettime(time.CLOCK_MONOTONIC)
  return now.tv_sec + now.tv_nsec / 1e9
end

--- Call `condition` until it gives something true, and return that; nil after `seconds`.
---@generic T
---@param condition fun(): T
---@param seconds number
---@return T?
function M.until_true(condition, seconds)
  local deadline = M.now() + seconds
  repeat
    local result = condition()
    if result then
      return result
    end
    time.nanosleep(STEP)
  until M.now() > deadline
  return condition() or nil
end

return M
