--- The debugger: pages for errors, a console in their frames, and requests run again.
--- Flow: loader.lua starts it in debug mode (the server's switch) and only there; failures.lua then
--- shows errors through it, and the core hands it the requests whose path begins with its prefix
--- (src/server/debug_dispatch.c), past all hooks and middleware of the app:
---
---   GET  PREFIX                        the errors that are kept
---   GET  PREFIX loaded                 does the app load, and which generation serves?
---   GET  PREFIX profile                where processor time goes   POST: begin, or end
---   GET  PREFIX pin                    has this browser given the PIN?   POST: here it is
---   GET  PREFIX errors/ID              the page again
---   POST PREFIX errors/ID/console/N    Lua for the Nth frame
---   POST PREFIX errors/ID/again        the request once more, on the present code

local asgi = require "qlua.asgi"
local classes = require "qlua.class"
local context = require "qlua.context"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local current = require "qlua.current"
local errors = require "qlua.errors"
local failures = require "qlua.failures"
local form = require "qlua.form"
local lifespan = require "qlua.lifespan"
local request = require "qlua.request"
local responses = require "qlua.response"

-- what follows is loaded with the first page
local function part(name)
  return require("qlua.debugger." .. name)
end

local M = {}

-- ---- errors -----------------------------------------------------------------------------------

--- Keep an error that is being logged. What the log says of it: where it can be looked at.
---@param err any
---@param co? thread|false that died of it
---@param out_of_memory? boolean an allocation was refused to it
---@return string
function M.keep(err, co, out_of_memory)
  local ok, kept = pcall(part("kept").keep, err, co, out_of_memory)
  if not ok then
    return "The debug page could not be made: " .. coroutines.text_of(kept)
  end
  local origin = context.has_request_context() and request.host_url:gsub("/$", "") or ""
  return ("Debug page: %s%serrors/%s"):format(origin, core.debug_prefix(), kept.id)
end

--- All of the body, so that the request can be run again; a client may be slow with it.
local function await_body(ctx)
  local _, why = core.debug_body(ctx.handle)
  if why == "incomplete" then
    pcall(form.read, ctx.request or { _handle = ctx.handle })
  end
end

local function page_of(err, co)
  local ctx = context.get()
  if not ctx.debug_again and part("guard").refusal() then
    return nil
  end
  local kept = part("kept").keep(err, co)
  if classes.is_a(err, errors.CpuLimitExceeded) then
    kept.status = 503
  elseif co == false then
    kept.no_frames = "There are none: the view returned, and what it returned cannot be sent."
  end
  await_body(ctx)
  part("kept").complete(kept)
  return part("page").error(kept)
end

--- The page of an error that nothing handled; nil when the client may not see it.
---@async
---@param err any
---@param co? thread|false
---@return qlua.Response?
function M.page(err, co)
  local ok, response = pcall(page_of, err, co)
  if ok then
    return response
  end
  core.log("error", "The debug page could not be made: " .. coroutines.text_of(response))
end

--- The rules near a request that matches none, in the response it gets.
local function routing_help(err)
  local response = err:get_response()
  if part("guard").refusal() then
    return response
  end
  local rules = part("facts").rules(current.served)
  local why = "No rule matches this path."
  if err.code == 405 then
    why = ("The path is there, but not for %s: allowed are %s."):format(request.method,
      table.concat(err.valid_methods or {}, ", "))
  end
  return part("page").routing(response, {
    code = err.code, name = err.name, why = why, rules = rules,
    near = part("routing").near(rules, request.path),
  })
end

--- The answer to an HTTP error that nothing handled, where debug mode has more to say.
---@param err qlua.HTTPException
---@param raised { co?: thread, by_router?: boolean }
---@return qlua.Response?
function M.refused(err, raised)
  if classes.is_a(err, errors.CpuLimitExceeded) then
    return M.page(err, raised.co)
  elseif raised.by_router and (err.code == 404 or err.code == 405) then
    local ok, response = pcall(routing_help, err)
    return ok and response or nil
  end
end

-- ---- URLs of the debugger ---------------------------------------------------------------------

local function gone(id)
  local page = part "page"
  local url = core.debug_prefix() .. "errors/" .. id .. "/again"
  if part("kept").request_of(id) then
    return page.message(410, {
      name = "Newer code serves", button = "Run again", action = url,
      text = "This error is of code that has been replaced, and its frames are gone. Its request "
        .. "was kept.",
    })
  end
  return page.message(404, {
    name = "No such error", text = "It is not kept any more: only the latest errors are, for half "
      .. "an hour, by the worker they happened in.",
  })
end

local function list_errors()
  local rows = {}
  for i, kept in ipairs(part("kept").all()) do
    rows[i] = {
      link = core.debug_prefix() .. "errors/" .. kept.id, kind = kept.kind,
      message = kept.message:match "^[^\n]*", time = os.date("%H:%M:%S", kept.time),
      request = kept.method and kept.method .. " " .. kept.path or "no request",
    }
  end
  return part("page").message(200, {
    name = "qlua debugger", profile = core.debug_prefix() .. "profile",
    errors = #rows > 0 and rows or nil,
    text = #rows > 0 and "The latest errors" or "No error is kept",
  })
end

local function answer_pin()
  local guard, page = part "guard", part "page"
  if request.method ~= "POST" then
    return page.json { unlocked = guard.is_unlocked() }
  end
  local answer, cookie = guard.try(request.form.pin or "")
  local response = page.json(answer, answer.ok and 200 or 403)
  if cookie then
    response.headers:set("Set-Cookie", cookie.headers:get "Set-Cookie")
  end
  return response
end

local function run_console(ctx, id, number)
  local page = part "page"
  if not part("guard").is_unlocked() then
    return page.json({ ok = false, locked = true, error = "The console wants the PIN first" }, 403)
  end
  local kept = part("kept").find(id)
  local frame = kept and kept.frames[tonumber(number)]
  if not kept then
    return page.json({ ok = false, error = "This error is not kept any more, or newer code serves: "
      .. "run the request again" }, 410)
  elseif not frame and number ~= "0" then
    return page.json({ ok = false, error = "There is no such frame" }, 404)
  end
  ctx.debug_console = true
  return page.console(part("console").run(kept, frame, request.form.code or ""))
end

local SAFE = { GET = true, HEAD = true, OPTIONS = true, TRACE = true }

--- May the request be run again? A page that asks, when that is not settled.
local function ask_again(id, record)
  local guard, page = part "guard", part "page"
  local answer, cookie
  if not guard.is_unlocked() and request.form.pin then
    answer, cookie = guard.try(request.form.pin)
  end
  local unlocked = guard.is_unlocked() or cookie ~= nil
  local safe = SAFE[record.method] or request.form.sure == "1"
  if unlocked and safe then
    return nil
  end
  local text = ("%s %s is not safe by its method: running it again may change data once more.")
    :format(record.method, record.path)
  local response = page.message(unlocked and 200 or 403, {
    name = unlocked and "Run it again?" or "Run again", pin = not unlocked or nil,
    action = core.debug_prefix() .. "errors/" .. id .. "/again",
    text = unlocked and text or answer and answer.error
      or "Running a request again needs the PIN that the server printed when it started.",
    button = ("Run %s again"):format(record.method),
  })
  if cookie then
    response.headers:set("Set-Cookie", cookie.headers:get "Set-Cookie")
  end
  return response
end

local function headers_of(record)
  local headers = core.headers {}
  for _, line in ipairs(record.headers) do
    headers:add(line[1], line[2])
  end
  return headers
end

--- The answer of what core.reroute found, as of any request.
local function dispatch(which, kind, ...)
  if asgi.is_wrapped(current.served) then
    return asgi.run()
  elseif which == nil and kind == "raised" then
    error((...), 0)
  end
  return asgi.answer(which, kind, ...)
end

--- The request that this one stands for takes its place.
---@async
local function run_again(ctx, record)
  form.read(ctx.request or { _handle = ctx.handle })
  core.debug_set_body(ctx.handle, record.body)
  for key in pairs(ctx) do
    if key ~= "handle" then
      ctx[key] = nil
    end
  end
  ctx.debug_again = true
  return dispatch(core.reroute(ctx.handle, record.method, record.path, record.query,
    headers_of(record), record.scheme, record.root_path, record.peer, record.port))
end

-- ---- what the core calls ----------------------------------------------------------------------

local function not_allowed(method)
  local response = part("page").message(405, {
    name = "Method not allowed", text = "This URL of the debugger is for " .. method,
  })
  response.headers:set("Allow", method)
  return response
end

--- The answer to a URL below the prefix; or nil and the request to run again.
local function route(ctx, path, load_error)
  local method = request.method
  local id, rest = path:match "^errors/([%w_-]+)/?(.*)$"
  if method == "POST" and not part("guard").is_same_origin() then
    return part("page").message(403, {
      name = "Forbidden", text = "This request comes from a page of another origin",
    })
  elseif path == "" then
    return list_errors()
  elseif path == "loaded" then
    return part("page").json {
      loads = load_error == nil, generation = core.worker.generation,
      changes = load_error and core.md5(load_error) or "",
    }
  elseif path == "pin" then
    return answer_pin()
  elseif path == "profile" then
    return method == "POST" and part("profile").act() or part("profile").show()
  elseif id and rest == "" then
    local kept = part("kept").find(id)
    return kept and part("page").error(kept) or gone(id)
  elseif id and rest:find "^console/%d+$" then
    return method ~= "POST" and not_allowed "POST" or run_console(ctx, id, rest:match "%d+$")
  elseif id and rest == "again" then
    local record = part("kept").request_of(id)
    if method ~= "POST" then
      return not_allowed "POST"
    elseif not record then
      return gone(id)
    elseif load_error then
      return part("page").load_error(load_error)
    end
    local response = ask_again(id, record)
    return response, not response and record or nil
  end
  return part("page").message(404, { name = "Not found", text = "The debugger has no such page" })
end

local function answer(ctx, path, load_error)
  local refusal = part("guard").refusal()
  if refusal and path then
    return part("page").message(403, { name = "Forbidden", text = refusal })
  elseif refusal then
    return failures.plain_500()
  elseif path then
    return route(ctx, path, load_error)
  end
  return part("page").load_error(load_error)
end

--- One request for the debugger.
---@async
---@param path? string what follows the prefix; nil: any request, while the app does not load
---@param load_error? string why it does not
---@return any what the core is to send
function M.serve(path, load_error)
  local ctx = context.get()
  ctx.torn_down = true -- no hook of the app runs for this
  local co = coroutine.create(answer)
  local ok, response, record = coroutine.resume(co, ctx, path, load_error)
  if not ok and classes.is_a(response, errors.HTTPException) then
    return response:get_response() -- what was sent is too large, or never came
  elseif not ok then
    core.log("error", "The debugger failed", nil, coroutines.traceback(response, co))
    response = responses.new("The debugger failed: " .. coroutines.text_of(response) .. "\n", 500)
    response.content_type = "text/plain; charset=utf-8"
    return response
  elseif record then
    return run_again(ctx, record)
  end
  return response
end

--- What was typed used up its processor time, or the memory: the answer to that.
---@param err any
---@return qlua.Response
function M.stopped(err)
  part("console").release()
  return part("page").console { ok = false, output = "", error = part("kept").text_of(err) }
end

--- Begin: errors are shown from now on.
function M.start()
  failures.debugger = M
  coroutines.on_unseen, lifespan.on_background_error = M.keep, M.keep
  coroutines.keeps_threads = true
end

--- Newer code serves: requests and coroutines of this generation are let go.
function M.stop()
  part("profile").keep()
  part("kept").clear()
end

return M
