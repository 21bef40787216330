--- App: what a user's file makes; it holds rules, config and all that is registered.
--- Flow: the file fills it, dispatch.lua serves it.

local Scaffold = require "qlua.scaffold"
local app_registration = require "qlua.app_registration"
local asgi = require "qlua.asgi"
local check = require "qlua.check"
local config = require "qlua.config"
local config_layers = require "qlua.config_layers"
local core = require "qlua.core"
local current = require "qlua.current"
local hooks = require "qlua.hooks"
local json = require "qlua.json"
local lifespan = require "qlua.lifespan"
local logging = require "qlua.logging"
local registrations = require "qlua.template_registration"
local returned = require "qlua.returned"
local sessions = require "qlua.sessions"
local static = require "qlua.static"
local url_for = require "qlua.url_for"
local url_map = require "qlua.url_map"

local M = {}

---@class qlua.App: qlua.Scaffold
---@field name string given, or the stem of the app file
---@field root_path string the app file's folder, absolute, without a last slash
---@field config qlua.Config its settings, by UPPER_CASE key
---@field debug boolean config.DEBUG
---@field testing boolean config.TESTING
---@field secret_key? string config.SECRET_KEY
---@field permanent_session_lifetime number config.PERMANENT_SESSION_LIFETIME
---@field session_interface qlua.SessionInterface
---@field json qlua.json.Provider how it reads and writes JSON
---@field logger qlua.Logger its log lines
---@field url_map qlua.UrlMap its rules and converters
---@field url_build_error_handlers (fun(err: any, endpoint: string, values: table): string?)[]
---  asked in turn when url_for finds no URL; the first that returns one is taken
---@field extensions table what extensions keep, by their names
---@field view_functions table<string, function> by endpoint
---@field error_handlers table see handlers.lua
---@field blueprints table<string, qlua.Blueprint> by dotted name
---@field jinja_env qlua.Environment made when it is first asked for
---@field jinja_options qlua.EnvironmentOptions for it, to be set before
---@field asgi_app qlua.AsgiApp the whole app as a function; assigned, it is wrapped
---@field static_folder? string absolute
---@field static_url_path? string
local App = setmetatable({}, { __index = Scaffold })
local meta = { __name = "qlua.App" }

for _, methods in ipairs { app_registration.methods, registrations.app_methods,
  lifespan.methods } do
  for name, method in pairs(methods) do
    App[name] = method
  end
end

-- what tests want is loaded when it is first called
for _, name in ipairs { "test_client", "test_request_context", "app_context", "test_app" } do
  App[name] = function(self, ...)
    return require("qlua.testing").methods[name](self, ...)
  end
end

-- attributes that are keys of the config
local CONFIG_KEYS = {
  debug = "DEBUG", testing = "TESTING", secret_key = "SECRET_KEY",
  permanent_session_lifetime = "PERMANENT_SESSION_LIFETIME",
}

-- config keys that the core has copies of: its name for them
local LIMIT_KEYS = {
  MAX_CONTENT_LENGTH = "max_content_length", BODY_TIMEOUT = "body_timeout",
  BODY_STALL_TIMEOUT = "body_stall_timeout", RESPONSE_TIMEOUT = "response_timeout",
}

local OPTIONS = {
  static_folder = "string|boolean", static_url_path = "string", template_folder = "string|boolean",
  root_path = "string", host_matching = "boolean", subdomain_matching = "boolean",
  instance_path = "string", static_host = "string",
}

function meta.__index(self, key)
  local method = App[key]
  if method ~= nil then
    return method
  end
  if key == "asgi_app" then
    return asgi.get(self)
  elseif key == "session_interface" then
    return sessions.shown_interface(self)
  elseif key == "jinja_env" then
    return require("qlua.app_environment").of(self) -- late: most apps have no template
  end
  local config_key = CONFIG_KEYS[key]
  return config_key and self.config[config_key]
end

function meta.__newindex(self, key, value)
  local config_key = CONFIG_KEYS[key]
  if config_key then
    self.config[config_key] = value
  elseif key == "asgi_app" then
    asgi.set(self, value)
  elseif key == "session_interface" then
    sessions.set_interface(self, value)
  else
    rawset(self, key, value)
  end
end

function meta.__tostring(self)
  return ("<App %s>"):format(self.name)
end

--- A path relative to the app's folder, as an absolute one without a last slash.
---@param path string
---@return string
function App:_path(path)
  local full = path:sub(1, 1) == "/" and path or self.root_path .. "/" .. path
  return #full > 1 and full:gsub("/+$", "") or full
end

-- ---- making one -------------------------------------------------------------------------------

local function root_of(options)
  local root = core.app_root() or "."
  local given = options.root_path
  if not given then
    return root
  end
  given = given:gsub("/+$", "")
  return given:sub(1, 1) == "/" and given or root .. "/" .. given
end

local function name_of(name)
  local path = core.app_path()
  return name or (path and path:match "([^/]*)%.lua$") or path or "app"
end

--- An app. `qlua.App(...)` in an app file names it after the file.
---@param name? string
---@param options? { static_folder?: string|false, static_url_path?: string,
---  template_folder?: string|false, root_path?: string, host_matching?: boolean,
---  subdomain_matching?: boolean, instance_path?: string, static_host?: string }
---@return qlua.App
function M.App(name, options)
  if type(name) == "table" and options == nil then
    name, options = nil, name
  end
  check.type("App", "name", name, "string", true)
  options = check.options("App", options, OPTIONS)
  if options.template_folder == true then
    check.fail('App: option "template_folder" must be a path, or false for none')
  end
  local self = setmetatable({
    name = name_of(name),
    root_path = root_of(options),
    extensions = {},
    url_build_error_handlers = {},
    view_functions = {},
    error_handlers = {},
    blueprints = {},
    _blueprint_names = {},
    _hooks = hooks.new(),
    _teardown_appcontext = {},
    _lifespan = lifespan.new(),
    subdomain_matching = options.subdomain_matching or false,
    template_folder = options.template_folder,
    jinja_options = {},
    _processors = {},
  }, meta)
  self.config = config.new({ DEBUG = core.debug or false, ENV = core.debug and "development" },
    function(key, value)
      self:_config_changed(key, value)
    end, function(path)
      return self:_path(path)
    end)
  self.json = json.provider(self)
  config_layers.begin(self.config)
  self.logger = logging.new(self.name)
  self.url_map = url_map.new(self, options)
  current.made[#current.made + 1] = self
  static.add_rule(self, options)
  return self
end

---@param value any
---@return boolean
function M.is_app(value)
  return type(value) == "table" and getmetatable(value) == meta
end

-- ---- what the core keeps copies of -------------------------------------------------------------

--- The core has copies of some keys, and app.json of others.
function App:_config_changed(key, value)
  if (key == "DEBUG" or key == "TEMPLATES_AUTO_RELOAD") and rawget(self, "jinja_env") then
    require("qlua.app_environment").configure(self)
  end
  if json.CONFIG_KEYS[key] then
    json.configure(self.json, key, value)
  elseif key == "TRUSTED_HOSTS" and value and not rawget(self, "_checks_hosts") then
    self._checks_hosts = true
    require("qlua.trusted_hosts").install(self)
    self:_changed()
  elseif current.served ~= self then
    return
  elseif key == "DEBUG" then
    core.set_debug(value and true or false)
  elseif LIMIT_KEYS[key] then
    core.set_limits { [LIMIT_KEYS[key]] = value or false }
  elseif sessions.KEYS[key] then
    sessions.configure(self)
  end
end

--- The limits that the core keeps for this app; false: none.
---@return table<string, number|false>
function App:_limits()
  local limits = {}
  for key, name in pairs(LIMIT_KEYS) do
    limits[name] = self.config[key] or false
  end
  return limits
end

-- ---- answering --------------------------------------------------------------------------------

--- The URL of an endpoint of this app.
---@param endpoint string
---@param values? table<string, any>
---@return string
function App:url_for(endpoint, values)
  return url_for.build(self, endpoint, values)
end

--- A file of the static folder as a response; 404 when there is none of that name.
---@param filename string
---@return qlua.Response
function App:send_static_file(filename)
  if not self.static_folder then
    check.fail("send_static_file: this app has no static folder")
  end
  return static.send_from_directory(self.static_folder, filename)
end

--- Lay the context processors' values under those of a template's context.
---@async
---@param values table<string, any> is changed
function App:update_template_context(values)
  require("qlua.templating").update_template_context(self, values)
end

--- A Response of what a view might return.
---@param ... any body, status, headers
---@return qlua.Response
function App:make_response(...) -- luacheck: no self
  return returned.make_response(...)
end

--- An answer that sends the client elsewhere.
---@param location string
---@param code? integer 302 unless given
---@return qlua.Response
function App:redirect(location, code) -- luacheck: no self
  return returned.redirect(location, code)
end

local RUN_OPTIONS = { host = "string", port = "integer", debug = "boolean", workers = "integer" }

--- Serve this app: `qlua app.lua` becomes `qlua run` of the file. Where the file is loaded to be
--- served anyway, it only says that this is the app.
---@param options? { host?: string, port?: integer, debug?: boolean, workers?: integer }
function App:run(options)
  options = check.options("run", options, RUN_OPTIONS)
  current.run = self
  core.run_called(options)
end

return M
