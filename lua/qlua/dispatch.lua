--- The way of a request in Lua.
---
---   the core matched a rule   -> its target: the view itself (rules.target)
---   the view returned         -> the core sends strings, plain tables, Responses; else M.value
---   no view for the request   -> M.refused: 404, 405, redirects, automatic OPTIONS, ...
---   the view raised           -> M.failed, in a coroutine of its own with the same context

local classes = require "qlua.class"
local core = require "qlua.core"
local current = require "qlua.current"
local errors = require "qlua.errors"
local returned = require "qlua.returned"
local responses = require "qlua.response"
local rules = require "qlua.rules"

local M = {}

-- what the core calls a function or rule by, to the name it has in messages
local names = {}

local function name_of(which)
  return names[which] or "the handler"
end

-- ---- the core's hooks -------------------------------------------------------------------------

--- A view's results which the core does not send by itself.
---@async
---@param which integer|function the rule's index, or the function that returned
---@param ... any
function M.value(which, ...)
  return returned.answer(name_of(which), ...)
end

local REFUSALS = {
  [400] = errors.BadRequest, [404] = errors.NotFound, [408] = errors.RequestTimeout,
  [413] = errors.RequestEntityTooLarge,
}

--- The answer to a request that no view gets.
---@param kind integer|string
---@param detail? any the allowed methods, or the URL to go to
---@return qlua.Response
function M.refused(kind, detail)
  if kind == "options" then
    local response = responses.new ""
    response.headers:set("Allow", table.concat(detail, ", "))
    return response
  elseif kind == "redirect" then
    return errors.RequestRedirect(detail):get_response()
  elseif kind == 405 then
    return errors.MethodNotAllowed(nil, { valid_methods = detail }):get_response()
  end
  return (REFUSALS[kind] or errors.BadRequest)():get_response()
end

--- An error's text, whatever was raised.
local function text_of(err)
  local ok, text = pcall(tostring, err)
  return ok and text or "an error of type " .. type(err)
end

local function log_exception(err, traceback)
  local request = require "qlua.request"
  local text = text_of(err)
  if not traceback:find(text, 1, true) then
    traceback = text .. "\n" .. traceback
  end
  core.log_error(("Exception on request %s %s\n%s"):format(request.method, request.path,
    traceback))
end

--- The answer to an error that a view, or what was made of its results, raised. Not called once
--- the client is gone.
---@param err any
---@param traceback string
function M.failed(err, traceback)
  local has_begun = core.answer_started()
  if not has_begun and classes.is_a(err, errors.HTTPException) then
    return err:get_response()
  end
  log_exception(err, traceback or "")
  if has_begun then
    core.answer_abort()
    return core.ANSWERED
  end
  return errors.InternalServerError(nil, { original_exception = err }):get_response()
end

-- ---- serving an app ---------------------------------------------------------------------------

--- A view as messages name it: `view "index" (app.lua:12)`.
local function view_name(app, endpoint, view)
  local info = debug.getinfo(view, "S")
  local source, root = info.source:gsub("^@", ""), app.root_path .. "/"
  if source:sub(1, #root) == root then
    source = source:sub(#root + 1)
  end
  return ("view %q (%s:%d)"):format(endpoint, source, info.linedefined)
end

--- What is called for a rule whose endpoint nobody gave a view.
local function without_view(rule)
  return function()
    error(("endpoint %q of rule %q has no view; app:endpoint(%q, fn) gives it one"):format(
      rule.endpoint, rule.rule, rule.endpoint), 0)
  end
end

local function set_targets(app)
  for i, rule in ipairs(app.url_map.rules) do
    local view = app.view_functions[rule.endpoint]
    local target = rules.target(rule, view or without_view(rule))
    names[i - 1] = view_name(app, rule.endpoint, view or target)
    core.route_target(i - 1, target)
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
  core.set_hooks { refused = M.refused, failed = M.failed, value = M.value }
end

return M
