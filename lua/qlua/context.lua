--- Contexts: which request and which `g` the running code belongs to.
--- Flow: the scheduler sets core.current[1] at each resume of a task; core.context() makes the
--- table on its first touch. A request's table holds its handle and, made when asked for,
--- `request` (the fields read so far) and `g`. Handlers that touch none of it pay nothing.

local check = require "qlua.check"
local core = require "qlua.core"

local current, context = core.current, core.context

---@class qlua.Context what the tasks of one request share
---@field handle? qlua.Handle nil in an app context without a request
---@field request? table fields of `request` read so far
---@field g? table
---@field root? qlua.Context of a context within a request's: the request's own
---@field session? qlua.SessionState
---@field session_object? qlua.Session
---@field flashes? table[] what get_flashed_messages has taken out
---@field after_this_request? function[]

local M = {}

--- The running task's context, or nil outside of one.
---@return qlua.Context?
function M.get()
  return current[1] or context()
end

--- Is a request being answered here? Then `request` may be used.
---@return boolean
function M.has_request_context()
  local ctx = current[1] or context()
  return ctx ~= nil and ctx.handle ~= nil
end

--- Is there an app context, of a request or without one? Then `g` may be used.
---@return boolean
function M.has_app_context()
  return (current[1] or context()) ~= nil
end

--- Run fn with this request's response, before the after_request hooks; what it returns takes the
--- response's place, nil keeps it.
---@generic F: fun(response: qlua.Response): qlua.Response?
---@param fn F
---@return F
function M.after_this_request(fn)
  check.type("after_this_request", "the function", fn, "function")
  local ctx = current[1] or context()
  if not ctx or not ctx.handle then
    check.fail("Not within a request context: after_this_request belongs into a view, a hook or a "
      .. "function they call")
  end
  local list = ctx.after_this_request or {}
  ctx.after_this_request = list
  list[#list + 1] = fn
  core.answer_in_lua()
  return fn
end

local go_on

local function stepped_out(inner, co, ok, ...)
  core.leave_context()
  if not ok then
    error((...), 0)
  elseif coroutine.status(co) == "dead" then
    return ...
  end
  return go_on(inner, co, coroutine.yield(...))
end

--- Run co in another context. What it yields is yielded outside of that, so that code which never
--- resumes it is not left there.
---@param inner table|userdata a context of its own, or one that is held
function go_on(inner, co, ...)
  core.enter_context(inner)
  return stepped_out(inner, co, coroutine.resume(co, ...))
end

--- Run fn(...) in an app context of its own, with a fresh g. Inside a request the request stays
--- visible.
---@param fn function
---@return any ...
function M.with_app(fn, ...)
  local outer = current[1] or context()
  local inner = {
    handle = outer and outer.handle, request = outer and outer.request,
    root = outer and (outer.root or outer),
  }
  return go_on(inner, coroutine.create(fn), ...)
end

--- Run fn(...) in a context that core.hold_context gave.
---@param held userdata
---@param fn function
---@return any ...
function M.within(held, fn, ...)
  return go_on(held, coroutine.create(fn), ...)
end

--- A function that runs fn in this request's context, wherever and whenever it is called; the
--- request is kept for it.
---@param fn function
---@return function
function M.copy_current_request_context(fn)
  check.type("copy_current_request_context", "the function", fn, "function")
  if not M.has_request_context() then
    check.fail("Not within a request context: copy_current_request_context belongs into a view, a "
      .. "hook or a function they call")
  end
  local held = core.hold_context()
  return function(...)
    return go_on(held, coroutine.create(fn), ...)
  end
end

-- ---- current_app ------------------------------------------------------------------------------

-- a method of the app, called with current_app as self, gets the app itself
local wrapped = setmetatable({}, { __mode = "k" })

local function app_of(name)
  local app = core.app()
  if not app then
    check.fail("Not within an app context: current_app.%s was used while no app is serving. Use "
      .. "it in a view, a hook or a function they call, or use the app itself", tostring(name))
  end
  return app
end

---@type qlua.App
M.current_app = newproxy(true)

local function wrap(method)
  local function call(self, ...)
    if self == M.current_app then
      return method(app_of "method", ...)
    end
    return method(self, ...)
  end
  wrapped[method] = call
  return call
end

--- The app itself; with arguments, app:get (a route).
local function get(_, ...)
  local app = app_of "get"
  if select("#", ...) == 0 then
    return app
  end
  return app:get(...)
end

local meta = getmetatable(M.current_app)
meta.__name = "qlua.current_app"

function meta.__index(_, name)
  if name == "get" then
    return get
  end
  local value = app_of(name)[name]
  if type(value) == "function" then
    return wrapped[value] or wrap(value)
  end
  return value
end

function meta.__newindex(_, name, value)
  app_of(name)[name] = value
end

function meta.__tostring()
  return tostring(core.app() or "<qlua.current_app>")
end

return M
