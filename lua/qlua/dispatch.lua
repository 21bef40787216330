--- The way of a request in Lua, from the first hook to the last.
---
---   the core matched a rule   -> its target: the view where nothing surrounds it, else M.run
---   no view for the request   -> M.refused: 404, 405, redirects, automatic OPTIONS, ...
---   the view returned         -> the core sends strings, plain tables, Responses; else M.value
---   something raised          -> M.failed, in a coroutine of its own with the same context
---   app.asgi_app is wrapped   -> asgi.lua's run for each of these, which comes back here
---
--- Order and rules are Quart's full_dispatch_request and what it calls.

local asgi = require "qlua.asgi"
local check = require "qlua.check"
local classes = require "qlua.class"
local context = require "qlua.context"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local current = require "qlua.current"
local errors = require "qlua.errors"
local failures = require "qlua.failures"
local pipelines = require "qlua.pipeline"
local request = require "qlua.request"
local responses = require "qlua.response"
local returned = require "qlua.returned"
local sessions = require "qlua.sessions"
local signals = require "qlua.signals"

local getinfo = debug.getinfo
local get_context, to_response = context.get, returned.to_response
local running = core.current -- [1] is the running task's context, once somebody has touched it
local pushed, started = signals.appcontext_pushed, signals.request_started
local finished = signals.request_finished

local M = {}

-- by the rule's index in the core; [-1] is that of requests without a rule
---@type table<integer, qlua.Pipeline>
local served = {}

-- ---- the road ---------------------------------------------------------------------------------

--- What stands before the view: the first hook that has an answer, and that answer.
local function preprocess(pipeline)
  if pushed.receivers then
    pushed:_emit(current.served, {})
  end
  if started.receivers then
    started:_emit(current.served, {})
  end
  local preprocessors, before = pipeline.preprocessors, pipeline.before
  for i = 1, preprocessors and #preprocessors or 0 do
    preprocessors[i](pipeline.endpoint, pipeline.endpoint and request.view_args)
  end
  for i = 1, before and #before or 0 do
    local body, status, headers = before[i]()
    if body ~= nil then
      return before[i], body, status, headers
    end
  end
end

--- What stands behind it: after_this_request, after_request, the session, the signal.
local function postprocess(pipeline, response)
  local ctx, after = running[1], pipeline.after
  local once = ctx and ctx.after_this_request
  for i = 1, once and #once or 0 do
    response = returned.replaced("after_this_request", once[i], once[i](response), response)
  end
  for i = 1, after and #after or 0 do
    response = returned.replaced("after_request", after[i], after[i](response), response)
  end
  if sessions.eager or (ctx and ctx.session) then
    sessions.save(ctx or get_context(), response)
  end
  if finished.receivers then
    finished:_emit(current.served, { response = response })
  end
  return response
end

--- From what a view or hook (who) returned to the response, and the end of the contexts.
local function finish(pipeline, who, ...)
  local response = postprocess(pipeline, to_response(who, ...))
  return failures.tear_down(pipeline, running[1]) and response or failures.torn_500()
end

--- One request, with all that surrounds its view.
---@async
---@param pipeline qlua.Pipeline
---@param ... any the rule's variables
function M.run(pipeline, ...)
  local hook, body, status, headers = preprocess(pipeline)
  if hook then
    return finish(pipeline, hook, body, status, headers)
  elseif pipeline.preprocessors then
    return finish(pipeline, pipeline.name, pipelines.call(pipeline, request.view_args))
  end
  return finish(pipeline, pipeline.name, pipeline.view(...))
end

--- The same behind an error handler (who): "last" is the 500's, whose hooks' errors are only
--- logged.
local function finish_error(pipeline, ctx, phase, who, ...)
  ctx.phase = phase
  local response = to_response(who, ...)
  if phase == "last" then
    response = failures.attempt(postprocess, pipeline, response)
  else
    response = postprocess(pipeline, response)
  end
  return failures.tear_down(pipeline, ctx) and response or failures.torn_500()
end

-- below finish there are only the frames of middleware
local MOST_BELOW = 100

--- Is fn at work in co? Looked for from its outer end on.
local function is_at_work(fn, co)
  local depth = coroutines.outermost(co)
  for level = depth, math.max(0, depth - MOST_BELOW), -1 do
    local frame = getinfo(co, level, "f")
    if frame and frame.func == fn then
      return true
    end
  end
  return false
end

--- How far a request was that failed: "finalize" when it was on its way through finish, or past
--- it. Asked of the frames of its coroutine, so that a request which is well pays nothing for it.
local function phase_of(ctx, co)
  if ctx.phase then
    return ctx.phase
  elseif co == false then
    ctx.torn_down = true -- it went through, and what it returned cannot be sent
    return "finalize"
  end
  return co and is_at_work(finish, co) and "finalize" or nil
end

-- ---- what else the core asks ------------------------------------------------------------------

local REFUSALS = {
  [400] = errors.BadRequest, [404] = errors.NotFound, [408] = errors.RequestTimeout,
  [413] = errors.RequestEntityTooLarge,
}

local function refusal(kind, detail)
  if kind == 405 then
    return errors.MethodNotAllowed(nil, { valid_methods = detail })
  end
  return (REFUSALS[kind] or errors.BadRequest)()
end

local function options_response(methods)
  local response = responses.new ""
  response.headers:set("Allow", table.concat(methods, ", "))
  return response
end

local function pipeline_of(ctx)
  local _, index = core.request_rule(ctx.handle)
  return served[index or -1] or served[-1]
end

function check.view_at_work()
  local pipeline = core.context() and pipeline_of(get_context())
  return pipeline and pipeline.endpoint and pipeline.name
end

--- The answer to a request that no view gets; the hooks of the app (and of the rule's blueprints,
--- when there is a rule) run as for any other.
---@async
---@param kind integer|string a status, "options" or "redirect"
---@param detail? any the allowed methods, or the URL to go to
---@return qlua.Response
function M.refused(kind, detail)
  local ctx = get_context()
  local pipeline = pipeline_of(ctx)
  local hook, body, status, headers = preprocess(pipeline)
  if hook then
    return finish(pipeline, hook, body, status, headers)
  elseif kind == "options" then
    return finish(pipeline, pipeline.name, options_response(detail))
  elseif kind == "redirect" then
    return finish(pipeline, pipeline.name, errors.RequestRedirect(detail):get_response())
  end
  return failures.answer(pipeline, ctx, refusal(kind, detail), { by_router = true }, finish_error)
end

--- Is there more to do for a plain view's answer than to send it?
local function is_to_finish(ctx)
  if not ctx then
    return sessions.eager
  end
  return (ctx.after_this_request or ctx.session or sessions.eager)
    and not (ctx.phase or ctx.torn_down or ctx.asgi)
end

--- A view's results which the core does not send by itself.
---@async
---@param which integer the rule's index
---@param ... any
function M.value(which, ...)
  local pipeline, ctx = served[which] or served[-1], running[1]
  if pipeline.plain and is_to_finish(ctx) then
    return returned.answer(pipeline.name, finish(pipeline, pipeline.name, ...))
  end
  return returned.answer(pipeline.name, ...)
end

--- The answer to an error that a view, a hook or a handler raised. When the client is gone there
--- is none to give, and only the contexts end.
---@async
---@param err any
---@param co? thread|false the coroutine that died of it, with its frames; false: it returned
---  what cannot be sent
---@param out_of_memory? boolean an allocation was refused to it
local function failed(err, co, out_of_memory)
  local ctx = get_context()
  if ctx.debug_console then
    return failures.debugger.stopped(err)
  end
  local pipeline = pipeline_of(ctx)
  ctx.phase = phase_of(ctx, co)
  if co == false and type(err) == "string" then
    err = ("%s returned what cannot be sent: %s"):format(pipeline.name, err)
  end
  if core.answer_gone() then
    if not classes.is_a(err, errors.Cancelled) then
      failures.log_exception(err, co, out_of_memory)
    end
    failures.tear_down(pipeline, ctx, err)
    return core.ANSWERED
  elseif core.answer_started() then
    failures.log_exception(err, co, out_of_memory)
    core.answer_abort()
    return core.ANSWERED
  end
  return failures.answer(pipeline, ctx, err, { co = co, out_of_memory = out_of_memory },
    finish_error)
end

--- The same, of a request that went through middleware: what left that is not for the app.
---@async
function M.failed(err, co, out_of_memory)
  if not asgi.is_wrapped(current.served) or get_context().debug_console then
    return failed(err, co, out_of_memory)
  end
  local state = get_context().asgi
  if not state then
    return asgi.run() -- a converter raised: the app inside answers that
  end
  if classes.is_a(err, errors.CpuLimitExceeded) then
    return failed(err, co) -- it was not raised: the middleware is gone, and the app with it
  end
  return asgi.failed(state, err, co, out_of_memory)
end

-- ---- within middleware ------------------------------------------------------------------------

asgi.failed_inside = failed

--- What core.reroute found is answered: a rule's view, or a refusal.
---@async
function asgi.answer(which, ...)
  get_context().pipeline = served[which or -1]
  if which then
    return M.run(served[which], ...)
  end
  return M.refused(...)
end

-- ---- serving an app ---------------------------------------------------------------------------

local function set_targets(app)
  local wrapped = asgi.is_wrapped(app)
  served = { [-1] = pipelines.new(app, "the handler") }
  for i, rule in ipairs(app.url_map.rules) do
    local pipeline = pipelines.of_rule(app, rule)
    served[i - 1] = pipeline
    core.route_target(i - 1, wrapped and asgi.run or pipeline.plain and pipeline.view
      or function(...)
        return M.run(pipeline, ...)
      end)
    if rule.limits then
      core.route_limits(i - 1, rule.limits)
    end
  end
end

--- Serve this app, or take up what was registered since.
---@param app qlua.App
function M.start(app)
  local routes = app.url_map:routes()
  current.served = app
  core.set_limits(app:_limits())
  core.set_debug(app.debug and true or false)
  set_targets(app)
  core.serve_routes(routes)
  core.serve(app, app.json, routes)
  sessions.configure(app)
  core.set_hooks {
    refused = asgi.is_wrapped(app) and asgi.run or M.refused, failed = M.failed, value = M.value,
    debug = failures.debugger and failures.debugger.serve,
  }
end

--- A receiver came or went: rules that were plain may be so no more, and the reverse.
function signals.on_change()
  if current.served then
    set_targets(current.served)
  end
end

return M
