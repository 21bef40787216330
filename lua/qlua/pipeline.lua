--- Pipelines: all that runs for an endpoint, as flat lists.
--- Flow: dispatch.lua has one made per rule when the app is served, and all made anew when
--- something is registered later. A rule whose pipeline is plain is served by its view alone.

local hooks = require "qlua.hooks"
local rules = require "qlua.rules"
local signals = require "qlua.signals"
local views = require "qlua.views"

local M = {}

---@class qlua.Pipeline
---@field name string names the view in messages: `view "index" (app.lua:12)`
---@field endpoint? string nil: no rule matched
---@field scopes string[] from the app inward: whose error handlers count
---@field view? function called with the rule's variables
---@field plain boolean there is nothing but the view
---@field preprocessors? function[] url_value_preprocessor
---@field before? function[]
---@field after? function[] in the order in which they run
---@field teardown? function[] likewise
---@field teardown_appcontext? function[] likewise
---@field bare_view? function called with variables and extras
---@field variables string[]
---@field extras string[] names of defaults which the rule has no variable for, sorted

--- Sent around every request: a receiver makes every pipeline a full one.
local AROUND = {
  "appcontext_pushed", "request_started", "request_finished", "request_tearing_down",
  "appcontext_tearing_down", "appcontext_popped",
}

local function anyone_listens()
  for _, name in ipairs(AROUND) do
    if signals[name].receivers then
      return true
    end
  end
  return false
end

local function reversed(list)
  local out = {}
  for i = #list, 1, -1 do
    out[#out + 1] = list[i]
  end
  return #out > 0 and out or nil
end

--- The pipeline of a rule; without one, that of requests for which there is none.
---@param app qlua.App
---@param name string
---@param rule? qlua.Rule
---@param view? function
---@return qlua.Pipeline
function M.new(app, name, rule, view)
  local scopes = hooks.scopes_of(rule and rule.endpoint)
  local self = {
    name = name,
    endpoint = rule and rule.endpoint,
    scopes = scopes,
    view = rule and rules.target(rule, view),
    bare_view = view,
    preprocessors = hooks.flat(app._hooks, "url_value_preprocessor", scopes),
    before = hooks.flat(app._hooks, "before_request", scopes),
    after = hooks.flat(app._hooks, "after_request", scopes, true),
    teardown = hooks.flat(app._hooks, "teardown_request", scopes, true),
    teardown_appcontext = reversed(app._teardown_appcontext),
    variables = rule and rule.variables or {},
    extras = rule and rules.extra_names(rule) or {},
  }
  self.plain = not (self.preprocessors or self.before or self.after or self.teardown or
    self.teardown_appcontext or anyone_listens())
  return self
end

--- A view as messages name it: `view "index" (app.lua:12)`.
local function view_name(app, endpoint, view)
  local info = debug.getinfo(views.origin(view), "S")
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

--- The pipeline of one of the app's rules.
---@param app qlua.App
---@param rule qlua.Rule
---@return qlua.Pipeline
function M.of_rule(app, rule)
  local view = app.view_functions[rule.endpoint] or without_view(rule)
  return M.new(app, view_name(app, rule.endpoint, view), rule, view)
end

--- Call the view with arguments by name, as preprocessors have left them: one set to nil is left
--- out.
---@async
---@param pipeline qlua.Pipeline
---@param values table<string, any>
---@return any ...
function M.call(pipeline, values)
  local arguments, count = {}, 0
  for _, name in ipairs(pipeline.variables) do
    if values[name] ~= nil then
      count = count + 1
      arguments[count] = values[name]
    end
  end
  for _, name in ipairs(pipeline.extras) do
    count = count + 1
    arguments[count] = values[name]
  end
  return pipeline.bare_view(unpack(arguments, 1, count))
end

return M
