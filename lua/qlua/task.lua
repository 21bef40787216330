--- Waiting: sleep, spawn, gather, timeout.
--- Flow: `qlua.sleep` and the rest come here; the scheduler is the core's (src/script/task.h).

local check = require "qlua.check"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local errors = require "qlua.errors"

local M = {}

--- The results of a waiting core function, or its error raised.
--- What a parked call returns is (true, results...) or (nil, error).
---@async
local function await(ok, first, ...)
  if ok == nil then
    error(first, 0)
  end
  return first, ...
end
M.await = await

local function check_function(name, position, fn)
  if type(fn) ~= "function" then
    check.fail("%s: argument %d must be a function, got %s", name, position, check.describe(fn))
  end
end

local function check_seconds(name, seconds)
  if type(seconds) ~= "number" or seconds ~= seconds then
    check.fail("%s: seconds must be a number, got %s", name, check.describe(seconds))
  end
end

--- Let other tasks run for a while. Raises errors.Cancelled when the client has gone or the task
--- was cancelled.
---@async
---@param seconds number fractions count, to the millisecond; 0 and below: one turn
function M.sleep(seconds)
  check_seconds("sleep", seconds)
  await(core.sleep(seconds))
end

---@class qlua.Task
local Task = {}

--- Raise what a task died of; its frames go into the traceback.
local function raise_from(task)
  local results = core.task_results(task)
  coroutines.note_death(results.thread, results[1], coroutine.running())
  error(results[1], 0)
end

local function results_of(task)
  if core.task_state(task) ~= "returned" then
    raise_from(task)
  end
  local results = core.task_results(task)
  return unpack(results, 1, results.n)
end

--- The results of the task's function, once it has returned; its error is raised.
---@async
---@return any ...
function Task:wait()
  await(core.task_join(false, self))
  return results_of(self)
end

--- Stop the task: its next wait (the present one, when it waits) raises errors.Cancelled.
---@return boolean was it still running
function Task:cancel()
  return core.task_cancel(self)
end

local meta = core.task_metatable
meta.__index = Task
meta.__name = "qlua.Task"
function meta.__tostring(task)
  return ("<Task %s>"):format(core.task_state(task))
end

--- Run fn(...) beside the present task, in the same context, from the end of this turn on. An
--- error with nobody waiting for the task is logged.
---@param fn function
---@return qlua.Task
function M.spawn(fn, ...)
  check_function("spawn", 1, fn)
  return core.spawn(fn, ...)
end

--- Cancel the tasks and wait until each has ended, its clean-up done.
local function cancel_all(tasks)
  for i = 1, #tasks do
    core.task_cancel(tasks[i])
  end
  for i = 1, #tasks do
    await(core.task_join(false, tasks[i]))
  end
end

--- Wait for all of tasks; the first to fail, or being cancelled oneself, cancels the rest.
local function join(tasks)
  local ok, err = core.task_join(false, unpack(tasks))
  if ok == nil then
    cancel_all(tasks) -- whose wait raises err again
    error(err, 0)
  end
  for i = 1, #tasks do
    local state = core.task_state(tasks[i])
    if state == "failed" or state == "cancelled" then
      cancel_all(tasks)
      raise_from(tasks[i])
    end
  end
end

--- Run functions beside each other; the first result of each, in order. The first error cancels
--- the rest and is raised.
---@async
---@param ... function
---@return any ...
function M.gather(...)
  local functions, count = { ... }, select("#", ...)
  for i = 1, count do
    check_function("gather", i, functions[i])
  end
  local tasks = {}
  for i = 1, count do
    tasks[i] = core.spawn(functions[i])
  end
  if count > 0 then
    join(tasks)
  end
  local results = {}
  for i = 1, count do
    results[i] = core.task_results(tasks[i])[1]
  end
  return unpack(results, 1, count)
end

--- The results of fn(...), or errors.Timeout raised when it takes longer; fn is then cancelled,
--- and its clean-up has run before the error is raised.
---@async
---@param seconds number
---@param fn function
---@return any ...
function M.timeout(seconds, fn, ...)
  check_seconds("timeout", seconds)
  check_function("timeout", 2, fn)
  local task = core.spawn(fn, ...)
  local ok, over = core.task_join(seconds, task)
  if ok == nil then
    core.task_cancel(task)
    error(over, 0)
  elseif not over then
    cancel_all { task }
    if core.task_state(task) == "failed" then
      raise_from(task) -- its clean-up went wrong
    end
    error(errors.Timeout(("timed out after %s seconds"):format(seconds)), 0)
  end
  return results_of(task)
end

return M
