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
local markup = require "qlua.markup"
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

---@class qlua.worker the process that runs this code
---@field pid integer its process id
---@field id integer 1 and on; a worker that replaces another keeps its number
---@field generation integer counts the loads of the app's code, from 1

---@class qlua
---@field request qlua.Request the request that is being answered
---@field session qlua.Session what the app remembers of its visitor
---@field g qlua.G values for the time of this request
---@field current_app qlua.App the app at work; `current_app:get()` is the app itself
---@field null lightuserdata JSON's null, and none in templates
---@field errors qlua.errors HTTPException, a class for each status, and what qlua itself raises
---@field json qlua.json JSON in and out
---@field signals qlua.signals the moments in the life of requests and of the app
---@field signing qlua.signing values and texts that a client may keep but not change
---@field testing qlua.testing an app under test, in process
---@field log qlua.Logger log lines of code without an app
---@field worker qlua.worker the process that runs this code
---@field version string of qlua: "0.1.0"
---@field Environment fun(options?: qlua.EnvironmentOptions): qlua.Environment how templates are
---  written and where they come from, for use without an app
---@field Template fun(source: string, options?: qlua.EnvironmentOptions): qlua.Template a template
---  of a text
---@field DictLoader fun(mapping: table<string, string>): qlua.DictLoader templates of a table
---@field FileSystemLoader fun(paths: string|string[]): qlua.FileSystemLoader templates of folders
---@field FunctionLoader fun(fn: function): qlua.FunctionLoader templates that a function gives
---@field PrefixLoader fun(mapping: table, delimiter?: string): qlua.PrefixLoader a loader for each
---  prefix of the name
---@field ChoiceLoader fun(loaders: qlua.Loader[]): qlua.ChoiceLoader the first that has it
---@field render_template async fun(name: string|string[], values?: table): string a template of the
---  app's, rendered; of several names the first that there is
---@field render_template_string async fun(source: string, values?: table): string the same of
---  a text
---@field stream_template async fun(name: string|string[], values?: table): (fun(): string?) a
---  template in pieces, while it is made: for a view to return
---@field stream_template_string async fun(source: string, values?: table): (fun(): string?) the
---  same of a text
---@field get_template_attribute async fun(template_name: string, attribute: string): any what a
---  template exports: a macro as a function, a variable
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
  -- templates; the rest of them below
  Markup = markup.Markup,
  escape = markup.escape,
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

-- what not every app needs is loaded when it is first named: name to module
local LATE = {
  Environment = "qlua.environment", Template = "qlua.environment",
  DictLoader = "qlua.template_loaders", FileSystemLoader = "qlua.template_loaders",
  FunctionLoader = "qlua.template_loaders", PrefixLoader = "qlua.template_loaders",
  ChoiceLoader = "qlua.template_loaders",
  render_template = "qlua.templating", render_template_string = "qlua.templating",
  stream_template = "qlua.templating", stream_template_string = "qlua.templating",
  get_template_attribute = "qlua.templating",
}

return setmetatable(qlua, {
  __index = function(_, name)
    if name == "testing" then
      return require "qlua.testing"
    elseif LATE[name] then
      local value = require(LATE[name])[name]
      qlua[name] = value
      return value
    end
  end,
})
