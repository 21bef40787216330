--- `app.asgi_app`: the whole app as one function that middleware wraps.
--- Flow: when an app's asgi_app was assigned, dispatch.lua has the core call M.run for every
--- request; the middleware ends up in the innermost callable (M.base), which takes over what was
--- changed in the scope, routes again if need be, and sends what the app answers as messages.
--- An app that nobody wrapped never comes here. Start and end of the app: asgi_lifespan.lua.

local check = require "qlua.check"
local classes = require "qlua.class"
local context = require "qlua.context"
local core = require "qlua.core"
local current = require "qlua.current"
local errors = require "qlua.errors"
local failures = require "qlua.failures"
local lifespan = require "qlua.asgi_lifespan"
local messages = require "qlua.asgi_messages"
local responses = require "qlua.response"

local M = {}

---@class qlua.Scope what is asked; changes count when it is passed on
---@field type "http"|"lifespan"
---@field asgi { version: string }
---@field http_version string
---@field method string
---@field scheme string
---@field path string decoded, with one leading "/", without root_path
---@field raw_path string as received
---@field query_string string
---@field root_path string where the app is mounted: "" or "/prefix"
---@field headers qlua.Headers
---@field client { [1]: string, [2]: integer } host, port
---@field server { [1]: string, [2]: integer? }

---@alias qlua.AsgiApp async fun(scope: qlua.Scope, receive: (async fun(): table), send: async fun(
---  message: table))

--- What dispatch.lua does with a request: (rule's index, variables...) or (nil, refusal, detail).
---@type fun(which: integer?, ...): any
M.answer = nil
--- And with an error.
---@type fun(err: any, co: thread): any
M.failed_inside = nil

-- ---- the app's attribute ----------------------------------------------------------------------

---@param app qlua.App
---@return boolean
function M.is_wrapped(app)
  return rawget(app, "_asgi_app") ~= nil
end

--- What `app.asgi_app` reads as.
---@param app qlua.App
---@return qlua.AsgiApp
function M.get(app)
  local base = rawget(app, "_asgi_base")
  if not base then
    function base(scope, receive, send)
      return M.base(app, scope, receive, send)
    end
    rawset(app, "_asgi_base", base)
  end
  return rawget(app, "_asgi_app") or base
end

--- `app.asgi_app = middleware`.
---@param app qlua.App
---@param value qlua.AsgiApp
function M.set(app, value)
  local meta = type(value) == "table" and getmetatable(value)
  if type(value) ~= "function" and not (meta and meta.__call) then
    check.fail("app.asgi_app must be a function(scope, receive, send), got %s; a middleware "
      .. "returns one that calls the asgi_app it was given", check.describe(value))
  end
  rawset(app, "_asgi_app", not rawequal(value, rawget(app, "_asgi_base")) and value or nil)
  app:_changed()
end

-- ---- innermost: the app itself ----------------------------------------------------------------

local SCOPE = {
  method = "string", path = "string", query_string = "string", scheme = "string",
  root_path = "string", client = "table",
}

--- Take over what middleware changed, and look the request up again: as of core.reroute.
local function reroute(handle, scope)
  for name, kind in pairs(SCOPE) do
    if type(scope[name]) ~= kind then
      check.fail("asgi_app: scope.%s must be a %s, got %s", name, kind,
        check.describe(scope[name]))
    end
  end
  local ok, headers = pcall(core.headers, scope.headers)
  if not ok then
    check.fail("asgi_app: scope.headers: %s", headers)
  end
  local host, port = scope.client[1], scope.client[2]
  return core.reroute(handle, scope.method:upper(), scope.path, scope.query_string, headers,
    scope.scheme, scope.root_path, type(host) == "string" and host or "", tonumber(port) or 0)
end

--- The request's context as the app expects it: a request of its own each time.
local function renew(ctx, state)
  if state.calls > 0 then
    for key in pairs(ctx) do
      if key ~= "handle" and key ~= "asgi" then
        ctx[key] = nil
      end
    end
  end
  state.calls = state.calls + 1
  ctx.request = { _handle = ctx.handle }
end

--- Is the running task itself cancelled, and not one it waited for?
local function is_cancelled(err)
  return classes.is_a(err, errors.Cancelled) and core.sleep(0) == nil
end

--- Within a coroutine: the view, or what a custom converter raised.
local function enter(which, kind, ...)
  if which == nil and kind == "raised" then
    error((...), 0)
  end
  return M.answer(which, kind, ...)
end

-- the error of a view, of its handler, of the 500's handler: no more is to be expected
local FAILURES_MAX = 3

--- The Response of the app. Each attempt runs in a coroutine of its own, whose frames are there
--- for the traceback, as the core has it without middleware.
local function respond(ctx, ...)
  local co = coroutine.create(enter)
  local ok, result = coroutine.resume(co, ...)
  local failed = 0
  while not ok do
    local err = result
    if core.answer_gone() or is_cancelled(err) then
      failures.tear_down(ctx.pipeline or {}, ctx, err)
      error(err, 0)
    elseif failed == FAILURES_MAX then
      error(err, 0)
    end
    failed = failed + 1
    local handler = coroutine.create(M.failed_inside)
    ok, result = coroutine.resume(handler, err, co)
    co = handler
  end
  return result
end

--- The innermost callable.
---@async
---@param app qlua.App
---@param scope qlua.Scope
---@param receive async fun(): table
---@param send async fun(message: table)
function M.base(app, scope, receive, send)
  if type(scope) ~= "table" or type(receive) ~= "function" or type(send) ~= "function" then
    check.fail("asgi_app: (scope, receive, send) expected, got (%s, %s, %s)",
      check.describe(scope), check.describe(receive), check.describe(send))
  elseif scope.type == "lifespan" then
    return lifespan.base(app, receive, send)
  elseif scope.type ~= "http" then
    check.fail("asgi_app: unknown scope.type %s", check.describe(scope.type))
  end
  local ctx = context.get()
  local state = ctx and ctx.asgi
  if not state then
    check.fail("asgi_app: called outside of a request; app:test_client() asks an app by hand")
  end
  renew(ctx, state)
  if not rawequal(receive, state.receive) then
    ctx.request._receive = receive
  end
  local response = respond(ctx, reroute(ctx.handle, scope))
  if responses.is_response(response) then
    messages.send_response(state, response, send, ctx.pipeline and ctx.pipeline.name or "a view")
  end
end

-- ---- outermost: what the core calls -----------------------------------------------------------

--- One request through the middleware.
---@async
---@return any what the core is to send
function M.run()
  local ctx = context.get()
  local state = messages.new(ctx.handle)
  ctx.asgi = state
  M.get(current.served)(messages.scope(ctx.handle), state.receive, state.send)
  if state.whole then
    return state.whole
  elseif state.complete then
    return core.ANSWERED
  elseif state.start then
    error("the middleware returned in the middle of an answer: the last message of type "
      .. '"http.response.body" must not have more_body = true', 0)
  end
  error("the middleware returned without an answer: it must call the asgi_app it wraps, or send "
    .. '{ type = "http.response.start", status = } and { type = "http.response.body", body = }', 0)
end

--- The answer to an error that left the middleware: nothing of the app handles it.
---@async
---@param state table
---@param err any
---@param co? thread
---@param out_of_memory? boolean
---@return any
function M.failed(state, err, co, out_of_memory)
  if core.answer_gone() then
    if not classes.is_a(err, errors.Cancelled) then
      failures.log_exception(err, co, out_of_memory)
    end
    return core.ANSWERED
  elseif not (state.refused and rawequal(err, state.refused)) then
    failures.log_exception(err, co, out_of_memory)
  end
  if state.whole then
    return state.whole -- the client has its answer; what came after it failed
  elseif core.answer_started() then
    if not state.complete then
      core.answer_abort()
    end
    return core.ANSWERED
  end
  if failures.debugger and not state.refused then
    local page = failures.debugger.page(err, co)
    if page then
      return page
    end
  end
  local response = responses.new("", state.refused and state.refused.code or 500)
  response.content_type = nil
  return response
end

return M
