--- What becomes of an error, and the end of a request's contexts.
--- Flow: dispatch.failed comes here with what a view, hook or handler raised; the rules are Quart's
--- handle_user_exception, handle_http_exception and handle_exception.
---
--- A request's context says how far it is (ctx.phase): nil up to the view, "handler" while an error
--- handler answers, "finalize" in the hooks after it, "last" once the 500 is being answered.

local classes = require "qlua.class"
local context = require "qlua.context"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local current = require "qlua.current"
local errors = require "qlua.errors"
local handlers = require "qlua.handlers"
local request = require "qlua.request"
local signals = require "qlua.signals"

local got_exception, tearing_down = signals.got_request_exception, signals.request_tearing_down
local app_tearing_down, popped = signals.appcontext_tearing_down, signals.appcontext_popped

local M = {}

--- Called with an error that leaves the app because PROPAGATE_EXCEPTIONS (or TESTING, or DEBUG)
--- says so: the test client raises it where the request was made.
---@type (fun(err: any))?
M.on_propagate = nil

--- What shows errors in debug mode: lua/qlua/debugger sets it; nil without the server's switch.
M.debugger = nil

-- ---- telling ----------------------------------------------------------------------------------

local NO_MEMORY = "\nThe Lua memory of this worker is at its limit, and this request made it "
  .. "grow: let it hold less at a time, or raise the server setting lua_memory_limit"

local function log(told, out_of_memory)
  core.log("error", ("Exception on request %s %s"):format(request.method, request.path),
    current.served and current.served.name, told .. (out_of_memory and NO_MEMORY or ""))
end

--- Log an error with its traceback: "Exception on request GET /path".
---@param err any
---@param co? thread the coroutine that died of it, with its frames
---@param out_of_memory? boolean an allocation was refused to it
function M.log_exception(err, co, out_of_memory)
  local text = coroutines.traceback(err, co or nil)
  log(M.debugger and text .. "\n" .. M.debugger.keep(err, co, out_of_memory) or text, out_of_memory)
end

local told -- text and frames of what guard has just caught; not of a lack of memory

local function on_error(err)
  told = coroutines.traceback(err, coroutine.running(), debug.traceback("", 2):sub(2))
  return err
end

local function guarded(ok, result)
  -- whoever waits is cancelled when the client has gone, which is no news
  if not ok and not (classes.is_a(result, errors.Cancelled) and core.answer_gone()) then
    log(told or coroutines.text_of(result))
  end
  told = nil
  return ok, result
end

--- The same in debug mode, in a coroutine of its own: its frames are kept.
local function guarded_apart(ctx, co, ok, ...)
  local err = (...)
  if not ok and not (classes.is_a(err, errors.Cancelled) and core.answer_gone()) then
    M.log_exception(err, co)
    ctx.debug_torn = { err = err, co = co }
  end
  return ok, err
end

--- pcall for what must not keep others from running; logs what fn raises.
local function guard(fn, ...)
  return guarded(xpcall(fn, on_error, ...))
end

if core.debug_prefix() then
  function guard(fn, ...)
    local co = coroutine.create(fn)
    return guarded_apart(context.get(), co, coroutine.resume(co, ...))
  end
end

--- The page without detail that stands in where nothing else can answer.
---@return qlua.Response
function M.plain_500()
  return errors.InternalServerError():get_response()
end

--- The answer to an error that nothing handled: that page, or in debug mode one which tells why.
local function page_500(err, co)
  return M.debugger and M.debugger.page(err, co) or M.plain_500()
end

--- The answer where the end of the contexts failed.
---@return qlua.Response
function M.torn_500()
  local torn = M.debugger and context.get().debug_torn
  return torn and page_500(torn.err, torn.co) or M.plain_500()
end

-- ---- the end of the contexts ------------------------------------------------------------------

local function run_all(list, err)
  local well = true
  for i = 1, list and #list or 0 do
    well = guard(list[i], err) and well
  end
  return well
end

--- The hooks behind the view, for the answer to an error that nobody handled: what they raise is
--- only logged, and the answer stays as it is.
---@param postprocess fun(pipeline, response): qlua.Response
function M.attempt(postprocess, pipeline, response)
  local ok, result = guard(postprocess, pipeline, response)
  return ok and result or response
end

--- Send a signal of the end, to whom it may concern.
local function sent_well(signal, err)
  return not signal.receivers or (guard(signal._emit, signal, current.served, { exc = err }))
end

--- Teardown: hooks and signals, each of which runs whatever the others do.
---@param pipeline qlua.Pipeline
---@param ctx? qlua.Context nil when nobody has touched it
---@param err any the error that leaves the request, nil when it was answered
---@return boolean well did none of them raise?
function M.tear_down(pipeline, ctx, err)
  if ctx then
    if ctx.torn_down then
      return true
    end
    ctx.torn_down = true
  end
  local well = run_all(pipeline.teardown, err)
  well = sent_well(tearing_down, err) and well
  well = run_all(pipeline.teardown_appcontext, err) and well
  well = sent_well(app_tearing_down, err) and well
  return sent_well(popped) and well
end

-- ---- finding an answer ------------------------------------------------------------------------

local function propagates(app)
  local configured = app.config.PROPAGATE_EXCEPTIONS
  if configured ~= nil then
    return configured and true or false
  end
  return (app.testing or app.debug) and true or false
end

--- The error leaves the app: no hook after it, only the end of the contexts.
local function leave(pipeline, ctx, err, raised)
  local page = page_500(err, raised.co) -- before the teardown changes what it shows
  M.tear_down(pipeline, ctx, err)
  if M.on_propagate then
    M.on_propagate(err)
  end
  return page
end

--- Nothing handled it: log, signal, and the handlers of 500.
---@param finish function
local function unhandled(pipeline, ctx, err, raised, finish)
  local app = current.served
  ctx.phase = "last"
  M.log_exception(err, raised.co, raised.out_of_memory)
  if got_exception.receivers then
    got_exception:_emit(app, { exception = err })
  end
  if propagates(app) then
    return leave(pipeline, ctx, err, raised)
  end
  local wrapped = errors.InternalServerError(nil, { original_exception = err })
  local handler = handlers.find(app.error_handlers, pipeline.scopes, wrapped)
  if handler then
    return finish(pipeline, ctx, "last", handler, handler(wrapped))
  end
  local page = M.debugger and M.debugger.page(err, raised.co) or wrapped:get_response()
  return finish(pipeline, ctx, "last", pipeline.name, page)
end

--- Is an HTTP error to be treated like any other, which without a handler becomes a 500?
local function is_trapped(app, err)
  local config = app.config
  if config.TRAP_HTTP_EXCEPTIONS then
    return true
  end
  return config.TRAP_BAD_REQUEST_ERRORS and classes.is_a(err, errors.BadRequest) or false
end

--- The answer to an HTTP error that a handler may turn into another.
local function http_exception(pipeline, ctx, err, raised, finish)
  if not err.code or classes.is_a(err, errors.RequestRedirect) then
    return finish(pipeline, ctx, "finalize", pipeline.name, err:get_response())
  end
  local handler = handlers.find(current.served.error_handlers, pipeline.scopes, err)
  if handler then
    ctx.phase = "handler"
    return finish(pipeline, ctx, "finalize", handler, handler(err))
  end
  local response = M.debugger and M.debugger.refused(err, raised) or err:get_response()
  return finish(pipeline, ctx, "finalize", pipeline.name, response)
end

--- The request was stopped: logged, and answered as a 503. When that was while an error was being
--- answered there are no more handlers.
local function stopped(pipeline, ctx, err, raised, finish)
  M.log_exception(err, raised.co)
  if ctx.phase then
    M.tear_down(pipeline, ctx, err)
    return err:get_response()
  end
  return http_exception(pipeline, ctx, err, raised, finish)
end

--- An answer to an error. Raises what the handlers and hooks on the way raise.
---@async
---@param pipeline qlua.Pipeline
---@param ctx qlua.Context
---@param err any
---@param raised { co?: thread, out_of_memory?: boolean, by_router?: boolean } how
---@param finish fun(pipeline, ctx, phase, who, ...): qlua.Response through the hooks after the view
---@return qlua.Response
function M.answer(pipeline, ctx, err, raised, finish)
  local phase = ctx.phase
  if classes.is_a(err, errors.CpuLimitExceeded) then
    return stopped(pipeline, ctx, err, raised, finish)
  elseif phase == "last" then
    -- an error while the 500 was answered: nobody is left to ask
    M.log_exception(err, raised.co, raised.out_of_memory)
    return leave(pipeline, ctx, err, raised)
  elseif phase then
    return unhandled(pipeline, ctx, err, raised, finish)
  elseif classes.is_a(err, errors.HTTPException) and not is_trapped(current.served, err) then
    return http_exception(pipeline, ctx, err, raised, finish)
  end
  local handler = handlers.find(current.served.error_handlers, pipeline.scopes, err)
  if handler then
    ctx.phase = "handler"
    return finish(pipeline, ctx, "finalize", handler, handler(err))
  end
  return unhandled(pipeline, ctx, err, raised, finish)
end

return M
