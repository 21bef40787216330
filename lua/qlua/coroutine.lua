--- Coroutines of the user's own: waiting works inside them.
--- Flow: loaded before the app. A call that waits (sleep, a body, another task) yields the core's
--- mark; resume and wrap pass it outward to the task, and what the task is woken with back in, so
--- that the code around a coroutine never sees the wait. What the user's code yields stays theirs.
---
--- When a coroutine dies with an error its frames are kept as text, so that the traceback of an
--- error which went through it does not end at the resume.

local core = require "qlua.core"

local getinfo, traceback = debug.getinfo, debug.traceback
local raw_resume, raw_yield, raw_create = coroutine.resume, coroutine.yield, coroutine.create
local raw_status, raw_running = coroutine.status, coroutine.running
local WAIT = core.WAIT
local WAITS = "cannot resume a coroutine whose inner code waits; it goes on by itself"
local NESTED = "C stack overflow: too many coroutines are resumed within each other"
local is_stack_used_up = core.is_stack_used_up

local M = {}

--- Coroutines whose inner code waits: nobody else may resume them meanwhile.
local waiting = setmetatable({}, { __mode = "k" })

--- The latest error that killed a coroutine, and the coroutine that was told of it.
local last = setmetatable({}, { __mode = "v" })
--- The frames it died with, and of how many coroutines they are.
local last_frames, depth
--- Those coroutines, innermost first, in debug mode.
local last_threads

--- The level of a coroutine's outermost frame; 0 where it has one or none. Few are asked for on the
--- way: a frame takes the longer to find the further out it is, and a recursion may have made
--- thousands.
---@param co thread not the running one
---@return integer
function M.outermost(co)
  local level, step = 0, 1
  while getinfo(co, level + step, "l") do
    level, step = level + step, step * 2
  end
  while step >= 1 do
    if getinfo(co, level + step, "l") then
      level = level + step
    end
    step = step / 2
  end
  return level
end

--- Debug mode: the coroutines that die are kept with the error, for who wants to look into them.
M.keeps_threads = false

-- generators within generators: the innermost tell enough
local MOST = 8

--- Note what killed co, which `parent` resumes or waits for: when the same error then kills the
--- parent too, its frames are those of both.
---@param co thread
---@param err any
---@param parent thread
function M.note_death(co, err, parent)
  local frames = traceback(co)
  if not frames:find "\n" then
    return -- it never began
  end
  frames = frames:gsub("^stack traceback:", "stack traceback of a coroutine:")
  local count, threads = 1, M.keeps_threads and { co } or nil
  if last_frames and last.parent == co and rawequal(last.error, err) then
    count = depth + 1
    if threads and last_threads then
      threads = last_threads
      threads[#threads + 1] = count < MOST and co or nil
    end
    frames = last_frames .. (count < MOST and "\n" .. frames
      or count == MOST and "\n(and of those around them)" or "")
  end
  last.error, last.parent, last_frames, depth = err, parent, frames, count
  last_threads = threads
end

--- The coroutines that died of the error before co did, innermost first.
---@param co thread
---@param err any
---@return thread[]
function M.deaths_before(co, err)
  local list = {}
  if last_threads and last.parent == co and rawequal(last.error, err) then
    for i = 1, #last_threads do
      list[i] = last_threads[i]
    end
  end
  return list
end

-- of a table that was raised: so many fields are told
local MOST_FIELDS = 8

--- A table without a text of its own: `table: 0x7f... { code = 5, text = "why" }`.
local function text_of_table(err)
  local list = {}
  for name, value in pairs(err) do
    local text = type(value) == "string" and ("%q"):format(value) or tostring(value)
    list[#list + 1] = ("%s = %s"):format(tostring(name), text)
  end
  table.sort(list)
  for i = #list, MOST_FIELDS + 1, -1 do
    list[i] = nil
    list[MOST_FIELDS] = "..."
  end
  return ("%s { %s }"):format(tostring(err), table.concat(list, ", "))
end

--- An error's text, whatever was raised.
---@param err any
---@return string
function M.text_of(err)
  if err == nil then
    return "nil: error was called without a message"
  elseif type(err) == "table" and not getmetatable(err) and next(err) ~= nil then
    return text_of_table(err)
  end
  local ok, text = pcall(tostring, err)
  return ok and type(text) == "string" and text
    or ("(an error value of type %s, whose __tostring fails)"):format(type(err))
end

local function told(err, co, frames)
  if type(err) == "table" and rawget(err, "frames") then
    -- errors.CpuLimitExceeded: from before the unwinding
    return err.message .. (rawget(err, "places") or "") .. "\n" .. err.frames
  end
  local text = M.text_of(err)
  if not co then
    return text
  end
  if package.loaded["qlua.template_render"] then
    text = text .. require("qlua.template_places").text(co, err)
  end
  frames = frames or traceback(co)
  if last_frames and last.parent == co and rawequal(last.error, err) then
    frames = last_frames .. "\n" .. frames
  end
  return text .. "\n" .. frames
end

--- Debug mode: where the error of a task that nobody waits for can be looked at, for the log.
---@type (fun(err: any, co: thread): string)?
M.on_unseen = nil

--- What is logged of an error that killed co: its text, the frames of the coroutines that died
--- of it before, and those of co.
---@param err any
---@param co? thread nil: it has no frames
---@param frames? string those of co, where it was kept from dying
---@param unseen? boolean nobody but the log hears of it
---@return string
function M.traceback(err, co, frames, unseen)
  local text = told(err, co, frames)
  if unseen and M.on_unseen then
    text = text .. "\n" .. M.on_unseen(err, co)
  end
  return text
end

core.set_traceback(M.traceback)

local pass

--- Wait on behalf of co, then go on in it with what the wait gave. Where a C function is in the
--- way the wait is undone, and fails at its own place.
local function wait_for(co)
  local message = core.wait_barrier()
  if message then
    return pass(co, raw_resume(co, nil, message))
  end
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
    M.note_death(co, first, raw_running())
  end
  return ok, first, ...
end

---@async
function coroutine.resume(co, ...)
  if waiting[co] then
    return false, WAITS
  elseif is_stack_used_up() then
    return false, NESTED
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
      error(WAITS, 2)
    elseif is_stack_used_up() then
      error(NESTED, 2)
    end
    return unwrap(pass(co, raw_resume(co, ...)))
  end
end

--- A coroutine that waits is "normal" to others: it is not theirs to resume.
function coroutine.status(co)
  local status = raw_status(co)
  return status == "suspended" and waiting[co] and "normal" or status
end

return M
