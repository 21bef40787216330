--- Contexts for code outside of requests: that of a request which is not answered, and that of an
--- app alone.
--- Flow: testing.lua serves the app and comes here; the core lends the context of a request that it
--- has routed (core.test_open).

local check = require "qlua.check"
local context = require "qlua.context"
local core = require "qlua.core"
local failures = require "qlua.failures"
local pipelines = require "qlua.pipeline"
local signals = require "qlua.signals"
local task = require "qlua.task"
local test_request = require "qlua.test_request"

local M = {}

--- What a pcall gave, once undo(err) has been called.
---@param undo fun(err: any)
---@param ok boolean
---@param ... any
---@return any ...
function M.settle(undo, ok, ...)
  undo(not ok and (...) or nil)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- The end of an app context outside of requests.
local function end_app_context(app, err)
  for i = #app._teardown_appcontext, 1, -1 do
    app._teardown_appcontext[i](err)
  end
  if signals.appcontext_tearing_down.receivers then
    signals.appcontext_tearing_down:send(app, { exc = err })
  end
  if signals.appcontext_popped.receivers then
    signals.appcontext_popped:send(app)
  end
end

local function push(app)
  if signals.appcontext_pushed.receivers then
    signals.appcontext_pushed:send(app)
  end
end

--- The pipeline of the request that the running context is of, for its teardown.
local function pipeline_of(app, ctx)
  local _, index = core.request_rule(ctx.handle)
  local rule = index and app.url_map.rules[index + 1]
  return pipelines.new(app, "test_request_context", rule, rule and app.view_functions[rule.endpoint]
    or function() end)
end

--- Enter the context of the request that these bytes are.
---@async
---@return qlua.TestConn conn its context lasts until the connection is closed
local function enter_request(bytes, what)
  local conn = core.test_open(bytes, true)
  task.await(core.test_wait(conn))
  if not core.test_enter(conn) then
    local status = (core.test_read(conn) or ""):match "^HTTP/%S+ (%d+)"
    core.test_close(conn)
    check.fail("test_request_context: %s is refused with status %s", what, status or "unknown")
  end
  return conn
end

--- Run fn in the context of a request.
---@async
---@param app qlua.App
---@param begin fun(app: qlua.App, what: string): function serves the app; see testing.lua
---@param path string
---@param options qlua.RequestOptions
---@param fn fun(): any
---@return any ... what fn returns
function M.of_request(app, begin, path, options, fn)
  local url = test_request.url(app, "test_request_context", path, options)
  local bytes, method = test_request.build(app, "test_request_context", url, options)
  local done = begin(app, method .. " " .. url.path)
  local ok, conn = pcall(enter_request, bytes, method .. " " .. path)
  if not ok then
    done()
    error(conn, 0)
  end
  local ctx = context.get()
  ctx.pipeline = pipeline_of(app, ctx)
  push(app)
  return M.settle(function(err)
    failures.tear_down(ctx.pipeline, ctx, err)
    core.leave_context()
    core.test_close(conn)
    done()
  end, pcall(fn))
end

--- Run fn in an app context.
---@async
---@param app qlua.App
---@param fn fun(): any
---@return any ... what fn returns
function M.of_app(app, fn)
  return context.with_app(function()
    push(app)
    return M.settle(function(err)
      end_app_context(app, err)
    end, pcall(fn))
  end)
end

return M
