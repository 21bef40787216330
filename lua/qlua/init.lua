--- qlua: everything that `require "qlua"` gives.
--- Flow: app files require this and nothing else of qlua; a part is loaded when it is first named.

local app = require "qlua.app"
local blueprint = require "qlua.blueprint"
local classes = require "qlua.class"
local context = require "qlua.context"
local core = require "qlua.core"
local errors = require "qlua.errors"
local flash = require "qlua.flash"
local g = require "qlua.g"
local json = require "qlua.json"
local logging = require "qlua.logging"
local multidict_headers = core.headers
local proxy_fix = require "qlua.proxy_fix"
local request = require "qlua.request"
local response = require "qlua.response"
local returned = require "qlua.returned"
local session = require "qlua.session"
local signals = require "qlua.signals"
local signing = require "qlua.signing"
local static = require "qlua.static"
local task = require "qlua.task"
local url_for = require "qlua.url_for"

---@class qlua
---@field testing table see testing.lua
local qlua = {
  -- making
  App = app.App,
  Blueprint = blueprint.Blueprint,
  Response = response.Response,
  Headers = multidict_headers,
  ProxyFix = proxy_fix.ProxyFix,
  class = classes.class,
  array = json.array,
  null = json.null,
  -- context
  request = request,
  session = session.session,
  g = g,
  current_app = context.current_app,
  has_request_context = context.has_request_context,
  has_app_context = context.has_app_context,
  after_this_request = context.after_this_request,
  copy_current_request_context = context.copy_current_request_context,
  -- answering
  jsonify = json.jsonify,
  make_response = returned.make_response,
  redirect = returned.redirect,
  abort = errors.abort,
  url_for = url_for.url_for,
  flash = flash.flash,
  get_flashed_messages = flash.get_flashed_messages,
  send_file = static.send_file,
  send_from_directory = static.send_from_directory,
  stream_with_context = returned.stream_with_context,
  -- modules
  errors = errors,
  json = json,
  log = logging.new "qlua",
  signals = signals,
  signing = signing,
  -- waiting
  sleep = task.sleep,
  spawn = task.spawn,
  gather = task.gather,
  timeout = task.timeout,
  -- the rest
  read_file = static.read_file,
  http_date = core.http_date,
  worker = core.worker,
  version = core.version,
}

-- what only tests name is loaded when they do
return setmetatable(qlua, {
  __index = function(_, name)
    if name == "testing" then
      return require "qlua.testing"
    end
  end,
})
