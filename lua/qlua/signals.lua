--- qlua.signals: the moments in the life of requests and of the app, and signals of one's own.
--- Flow: dispatch.lua and what tells of other things send the core signals below, and do so only
--- when somebody listens, with the app as sender unless it says otherwise:
---
---   if signals.request_started.receivers then signals.request_started:send(app) end

local check = require "qlua.check"
local signal = require "qlua.signal"

--- The moments in the life of requests and of the app, and signals of one's own.
---@class qlua.signals
---@field appcontext_pushed qlua.Signal an app context begins
---@field appcontext_popped qlua.Signal an app context is over
---@field appcontext_tearing_down qlua.Signal after the teardown_appcontext functions; extra.exc:
---  the error that escaped, or nil
---@field request_started qlua.Signal before the first hook
---@field request_finished qlua.Signal after the last hook and the session; extra.response: what
---  is about to be sent
---@field request_tearing_down qlua.Signal after the teardown_request functions; extra.exc: the
---  error that escaped, or nil
---@field got_request_exception qlua.Signal before the handler for 500; extra.exception: the error
---  that no other handler took
---@field before_render_template qlua.Signal extra.template, extra.context
---@field template_rendered qlua.Signal extra.template, extra.context; for a stream after its last
---  piece
---@field message_flashed qlua.Signal extra.message, extra.category
---@field websocket_started qlua.Signal before the first hook of a websocket
---@field websocket_finished qlua.Signal after the last hook and the session; extra.response: an
---  answer instead of a websocket, or nil
---@field websocket_tearing_down qlua.Signal after the teardown_websocket functions; extra.exc:
---  the error that escaped, or nil
---@field got_websocket_exception qlua.Signal extra.exception: the error that no handler took
---@field websocket_received qlua.Signal a message has come; it is the sender
---@field websocket_sent qlua.Signal a message was sent; it is the sender
---@field got_background_exception qlua.Signal a background task failed; extra.exception: its error
---@field got_serving_exception qlua.Signal a before_serving, while_serving or after_serving
---  function failed; extra.exception: its error
local M = {}

---@package
--- Called after each change of a core signal's connections; dispatch.lua sets it.
---@type fun(signal: qlua.Signal)?
M.on_change = nil

-- ---- namespaces -------------------------------------------------------------------------------

---@class qlua.Namespace
---@field private _signals table<string, qlua.Signal>
local Namespace = { __name = "qlua.Namespace" }
Namespace.__index = Namespace

local function get(self, name, doc)
  check.type("signal", "name", name, "string")
  check.type("signal", "doc", doc, "string", true)
  local found = self._signals[name] or signal.new(name, doc)
  self._signals[name] = found
  return found
end

--- The signal of this name, made when it is first asked for.
---@param name string as in "report-ready"
---@param doc? string
---@return qlua.Signal
function Namespace:signal(name, doc)
  if getmetatable(self) ~= Namespace then
    check.fail("namespace.signal was called on %s: call it with a colon, namespace:signal(name)",
      check.describe(self))
  end
  return get(self, name, doc)
end

--- A set of signals: the same name in two of them is two signals.
---@return qlua.Namespace
function M.Namespace()
  return setmetatable({ _signals = {} }, Namespace)
end

local default = M.Namespace()

--- The signal of this name in the namespace which all code shares.
---@param name string
---@param doc? string
---@return qlua.Signal
function M.signal(name, doc)
  return get(default, name, doc)
end

-- ---- the core signals -------------------------------------------------------------------------

local function changed(which)
  if M.on_change then
    M.on_change(which)
  end
end

local function core_signal(name, doc)
  return signal.new(name, doc, changed)
end

M.appcontext_pushed = core_signal("appcontext-pushed",
  "an app context begins")
M.appcontext_popped = core_signal("appcontext-popped",
  "an app context is over")
M.appcontext_tearing_down = core_signal("appcontext-tearing-down",
  "after the teardown_appcontext functions; extra.exc: the error that escaped, or nil")
M.request_started = core_signal("request-started",
  "before the first hook")
M.request_finished = core_signal("request-finished",
  "after the last hook and the session; extra.response: what is about to be sent")
M.request_tearing_down = core_signal("request-tearing-down",
  "after the teardown_request functions; extra.exc: the error that escaped, or nil")
M.got_request_exception = core_signal("got-request-exception",
  "before the handler for 500; extra.exception: the error that no other handler took")
M.before_render_template = core_signal("before-render-template",
  "extra.template, extra.context")
M.template_rendered = core_signal("template-rendered",
  "extra.template, extra.context; for a stream after its last piece")
M.message_flashed = core_signal("message-flashed",
  "extra.message, extra.category")
M.websocket_started = core_signal("websocket-started",
  "before the first hook of a websocket")
M.websocket_finished = core_signal("websocket-finished",
  "after the last hook and the session; extra.response: an answer instead of a websocket, or nil")
M.websocket_tearing_down = core_signal("websocket-tearing-down",
  "after the teardown_websocket functions; extra.exc: the error that escaped, or nil")
M.got_websocket_exception = core_signal("got-websocket-exception",
  "extra.exception: the error that no handler took")
M.websocket_received = core_signal("websocket-received",
  "a message has come; it is the sender")
M.websocket_sent = core_signal("websocket-sent",
  "a message was sent; it is the sender")
M.got_background_exception = core_signal("got-background-exception",
  "a background task failed; extra.exception: its error")
M.got_serving_exception = core_signal("got-serving-exception",
  "a before_serving, while_serving or after_serving function failed; extra.exception: its error")

return M
