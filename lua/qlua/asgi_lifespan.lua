--- Start and end of a wrapped app: middleware sees them as a scope of type "lifespan".
--- Flow: loader.lua calls startup before the app serves and shutdown after its last answer. The
--- middleware runs in one coroutine from the first to the last message: its second receive stops
--- there until shutdown. An app that nobody wrapped is started and shut down directly.

local check = require "qlua.check"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"

local M = {}

-- yielded by receive while the app serves
local SERVING = {}

-- ---- innermost: the app itself ----------------------------------------------------------------

--- Do what a message asks, and say how it went.
local function obey(send, what, fn, app)
  local ok, err = pcall(fn, app)
  if ok then
    send { type = "lifespan." .. what .. ".complete" }
  else
    send { type = "lifespan." .. what .. ".failed", message = coroutines.text_of(err), error = err }
  end
  return ok
end

--- The innermost callable of a lifespan scope.
---@async
---@param app qlua.App
---@param receive async fun(): table
---@param send async fun(message: table)
function M.base(app, receive, send)
  while true do
    local message = receive()
    if message.type == "lifespan.startup" then
      if not obey(send, "startup", app._startup, app) then
        return
      end
    elseif message.type == "lifespan.shutdown" then
      obey(send, "shutdown", app._shutdown, app)
      return
    else
      check.fail("asgi_app: receive gave %s, where lifespan.startup or lifespan.shutdown belongs",
        check.describe(message.type))
    end
  end
end

-- ---- outermost --------------------------------------------------------------------------------

---@class qlua.AsgiLifespan
---@field thread thread the middleware's
---@field received integer messages received so far
---@field said table<string, table> messages sent, by type

local MESSAGES = { "startup", "shutdown" }

local function receive(state)
  if state.received == 1 then
    coroutine.yield(SERVING)
  end
  state.received = state.received + 1
  local what = MESSAGES[state.received]
  if not what then
    check.fail("receive: there is nothing after lifespan.shutdown")
  end
  return { type = "lifespan." .. what }
end

local KNOWN = {
  ["lifespan.startup.complete"] = true, ["lifespan.startup.failed"] = true,
  ["lifespan.shutdown.complete"] = true, ["lifespan.shutdown.failed"] = true,
}

local function send(state, message)
  check.type("send", "the message", message, "table")
  if not KNOWN[message.type] then
    check.fail("send: unknown message type %s in a scope of type \"lifespan\"%s",
      check.describe(message.type), check.hint(tostring(message.type), KNOWN))
  end
  state.said[message.type] = message
end

--- Let the middleware go on to its next stop; raises what it raises.
local function go_on(state, ...)
  local ok, err = coroutine.resume(state.thread, ...)
  if not ok then
    error(err, 0)
  end
end

--- Run the start through the middleware. Raises what it raises, or what the app's start raised.
---@async
---@param app qlua.App
local function start(app)
  local state = { received = 0, said = {} }
  state.thread = coroutine.create(app.asgi_app)
  rawset(app, "_asgi_lifespan", state)
  local scope = { type = "lifespan", asgi = { version = "3.0" }, headers = core.headers() }
  go_on(state, scope, function()
    return receive(state)
  end, function(message)
    return send(state, message)
  end)
  local failed = state.said["lifespan.startup.failed"]
  if failed then
    error(failed.error or failed.message or "lifespan.startup.failed", 0)
  elseif not state.said["lifespan.startup.complete"] then
    error("app.asgi_app did not answer lifespan.startup: a middleware must pass on a scope of "
      .. 'type "lifespan" (return asgi_app(scope, receive, send)), or before_serving never runs', 0)
  end
end

--- Start the app up, before it serves.
---@async
---@param app qlua.App
function M.startup(app)
  if rawget(app, "_asgi_app") then
    start(app)
  else
    app:_startup()
  end
end

--- Shut it down, after its last answer.
---@async
---@param app qlua.App
function M.shutdown(app)
  local state = rawget(app, "_asgi_lifespan")
  if not state then
    app:_shutdown()
  elseif coroutine.status(state.thread) == "suspended" then
    go_on(state)
    local failed = state.said["lifespan.shutdown.failed"]
    if failed then
      error(failed.error or failed.message or "lifespan.shutdown.failed", 0)
    end
  end
end

return M
