--- The life of an app around its requests: before_serving, while_serving, after_serving, and tasks
--- in the background.
--- Flow: loader.lua starts an app up before the worker accepts (or beside the one that serves, when
--- the code is loaded anew), and shuts it down after its last answer. Each phase has an app
--- context, with a g, of its own.

local check = require "qlua.check"
local classes = require "qlua.class"
local context = require "qlua.context"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local errors = require "qlua.errors"
local signals = require "qlua.signals"
local task = require "qlua.task"

local M = {}

---@class qlua.Lifespan
---@field before function[]
---@field after function[]
---@field around function[] while_serving
---@field running thread[] the coroutines of `around`, between their halves
---@field waiting { fn: function, args: table }[] background tasks added before the app serves
---@field tasks qlua.Task[] background tasks that may still run
---@field serving boolean requests come here: a background task begins when it is added
function M.new()
  return {
    before = {}, after = {}, around = {}, running = {}, waiting = {}, tasks = {}, serving = false,
  }
end

---@class qlua.App
local methods = {}
M.methods = methods

local function adder(kind, list)
  return function(app, fn)
    check.type(kind, "the function", fn, "function")
    table.insert(app._lifespan[list], fn)
    return fn
  end
end

--- Run before the worker serves, in order of registration; may wait. An error ends the start.
methods.before_serving = adder("before_serving", "before")
--- Run after the last answer, in order of registration; may wait.
methods.after_serving = adder("after_serving", "after")
--- A function with exactly one coroutine.yield(): what is before it runs at the start, the rest
--- at the end.
methods.while_serving = adder("while_serving", "around")

-- ---- background tasks -------------------------------------------------------------------------

--- Debug mode: where the error of a background task can be looked at, for the log.
---@type (fun(err: any, co: thread): string)?
M.on_background_error = nil

--- Run fn; what it raises is told and never leaves.
local function guarded(app, fn, ...)
  local co = coroutine.create(fn)
  local ok, err = coroutine.resume(co, ...)
  if ok or classes.is_a(err, errors.Cancelled) then
    return
  end
  local text = coroutines.traceback(err, co)
  if M.on_background_error then
    text = text .. "\n" .. M.on_background_error(err, co)
  end
  core.log("error", "Exception in a background task", app.name, text)
  if signals.got_background_exception.receivers then
    signals.got_background_exception:send(app, { exception = err })
  end
end

local function begin(app, fn, args)
  local life = app._lifespan
  local alive = {}
  for _, one in ipairs(life.tasks) do
    if core.task_state(one) == "running" then
      alive[#alive + 1] = one
    end
  end
  life.tasks = alive
  alive[#alive + 1] = context.with_app(function()
    return task.spawn(guarded, app, fn, unpack(args, 1, args.n))
  end)
end

local function join(tasks)
  for _, one in ipairs(tasks) do
    task.await(core.task_join(false, one))
  end
end

--- Until none of the background tasks runs; they may have begun others.
local function join_tasks(life)
  local tasks
  repeat
    tasks = life.tasks
    join(tasks)
  until tasks == life.tasks
end

--- What background tasks have once their app serves no more.
local function patience_of(app)
  return app.config.BACKGROUND_TASK_SHUTDOWN_TIMEOUT or 5
end

--- Wait for the background tasks, then cancel those that are left and wait for their clean-up.
local function end_tasks(app)
  local life = app._lifespan
  if pcall(task.timeout, patience_of(app), join_tasks, life) then
    return
  end
  life.serving = false -- nothing begins any more
  for _, one in ipairs(life.tasks) do
    core.task_cancel(one)
  end
  join_tasks(life)
end

--- Run fn(...) beside the requests, in an app context of its own. Added before the app serves, it
--- begins when the app does. At shutdown it has BACKGROUND_TASK_SHUTDOWN_TIMEOUT seconds.
---@param fn function
function methods:add_background_task(fn, ...)
  check.type("add_background_task", "the function", fn, "function")
  local args, life = { n = select("#", ...), ... }, self._lifespan
  if life.serving then
    begin(self, fn, args)
  else
    life.waiting[#life.waiting + 1] = { fn = fn, args = args }
  end
end

-- ---- start and end ----------------------------------------------------------------------------

local ONCE = "a while_serving function must yield exactly once: coroutine.yield() where the " ..
  "app serves; this one "

--- Up to the yield.
local function first_half(fn)
  local co = coroutine.create(fn)
  local ok, err = coroutine.resume(co)
  if not ok then
    error(err, 0)
  elseif coroutine.status(co) == "dead" then
    local info = debug.getinfo(fn, "S")
    error(("%s:%d: %sdoes not yield"):format(info.short_src, info.linedefined, ONCE), 0)
  end
  return co
end

local function tell(app, err)
  if signals.got_serving_exception.receivers then
    signals.got_serving_exception:send(app, { exception = err })
  end
end

local function start_up(life)
  for _, fn in ipairs(life.before) do
    fn()
  end
  for i, fn in ipairs(life.around) do
    life.running[i] = first_half(fn)
  end
end

--- before_serving and the first halves of while_serving. Raises what they raise. They run in a task
--- of their own: while others serve, one that computes is taken back now and then, which cannot be
--- done inside a coroutine.
---@async
---@private
function methods:_startup()
  local one = context.with_app(task.spawn, start_up, self._lifespan)
  core.hand_on_loading(one)
  local ok, err = pcall(one.wait, one)
  if not ok then
    tell(self, err)
    error(err, 0)
  end
end

--- The app serves from now on: a background task that a request adds begins at once.
---@private
function methods:_commit()
  self._lifespan.serving = true
end

--- Background tasks that waited for the app to serve begin.
---@private
function methods:_begin()
  local life = self._lifespan
  local waiting = life.waiting
  life.waiting = {}
  for _, one in ipairs(waiting) do
    begin(self, one.fn, one.args)
  end
end

--- Both, where no other app's tasks have to end first.
---@private
function methods:_serve()
  self:_commit()
  self:_begin()
end

--- Newer code serves: the background tasks of this one get their time, and are then cancelled.
--- Those that its last requests add are left to its shutdown.
---@async
---@private
function methods:_retire()
  local life = self._lifespan
  local tasks = life.tasks
  life.waiting = {}
  if pcall(task.timeout, patience_of(self), join, tasks) then
    return
  end
  for _, one in ipairs(tasks) do
    core.task_cancel(one)
  end
  join(tasks)
end

--- One function of the end, or what is left of it; an error is told and keeps none of the others
--- from running.
local function at_end(app, what, co)
  local ok, err = coroutine.resume(co)
  if ok and what == "while_serving" and coroutine.status(co) ~= "dead" then
    ok, err = false, ONCE .. "yields again"
  end
  if not ok then
    core.log("error", "Exception in " .. what, app.name, coroutines.traceback(err, co))
    tell(app, err)
  end
end

--- Background tasks, after_serving, and the second halves of while_serving.
---@async
---@private
function methods:_shutdown()
  local app, life = self, self._lifespan
  if #life.tasks > 0 then
    end_tasks(app)
  end
  context.with_app(function()
    for _, fn in ipairs(life.after) do
      at_end(app, "after_serving", coroutine.create(fn))
    end
    for _, co in ipairs(life.running) do
      at_end(app, "while_serving", co)
    end
  end)
end

return M
