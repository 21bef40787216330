--- Coroutines of the user's own: waiting works inside them.
--- Flow: loaded before the app. A call that waits (sleep, a body, another task) yields the core's
--- mark; resume and wrap pass it outward to the task, and what the task is woken with back in, so
--- that the code around a coroutine never sees the wait. What the user's code yields stays theirs.
---
--- When a coroutine dies with an error its frames are kept as text, so that the traceback of an
--- error which went through it does not end at the resume.

local core = require "qlua.core"

local raw_resume, raw_yield, raw_create = coroutine.resume, coroutine.yield, coroutine.create
local raw_status, raw_running = coroutine.status, coroutine.running
local WAIT = core.WAIT

local M = {}

--- Coroutines whose inner code waits: nobody else may resume them meanwhile.
local waiting = setmetatable({}, { __mode = "k" })

--- The latest error that killed a coroutine, with the frames it died with.
local last_error, last_frames

local function note_death(co, err)
  local frames = debug.traceback(co)
  if last_frames and rawequal(last_error, err) then
    last_frames = last_frames .. "\n" .. frames
  else
    last_error, last_frames = err, frames
  end
end

--- The frames of the coroutines that an error has killed on its way, or nil.
---@param err any the error as it was caught
---@return string?
function M.frames_of(err)
  local frames = last_frames
  if frames and (rawequal(last_error, err) or (type(err) == "string" and
      type(last_error) == "string" and err:sub(-#last_error) == last_error)) then
    return (frames:gsub("stack traceback:", "in a coroutine:"))
  end
end

local pass

--- Wait on behalf of co, then go on in it with what the wait gave.
local function wait_for(co)
  waiting[co] = true
  return pass(co, raw_resume(co, M.end_wait(co, raw_yield(WAIT))))
end

function M.end_wait(co, ...)
  waiting[co] = nil
  return ...
end

function pass(co, ok, first, ...)
  if ok then
    if first == WAIT then
      return wait_for(co)
    end
  else
    note_death(co, first)
  end
  return ok, first, ...
end

---@async
function coroutine.resume(co, ...)
  if waiting[co] then
    return false, "cannot resume a coroutine whose inner code waits"
  end
  return pass(co, raw_resume(co, ...))
end

local function unwrap(ok, first, ...)
  if ok then
    return first, ...
  end
  error(first, 0)
end

---@async
function coroutine.wrap(fn)
  local co = raw_create(fn)
  return function(...)
    if waiting[co] then
      error("cannot resume a coroutine whose inner code waits", 2)
    end
    return unwrap(pass(co, raw_resume(co, ...)))
  end
end

--- A coroutine that waits is "normal" to others: it is not theirs to resume.
function coroutine.status(co)
  local status = raw_status(co)
  return status == "suspended" and waiting[co] and "normal" or status
end

M.running = raw_running

return M
