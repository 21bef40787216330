--- The running request's session: opened on first touch, saved when the answer is ready.
--- Flow: session.lua opens through state.current below; dispatch.lua configures when an app is
--- served, and saves. What a session is and where it is kept is session_interface.lua's.

local asgi = require "qlua.asgi"
local check = require "qlua.check"
local context = require "qlua.context"
local core = require "qlua.core"
local current = require "qlua.current"
local interfaces = require "qlua.session_interface"
local request = require "qlua.request"
local responses = require "qlua.response"
local session = require "qlua.session"
local state = require "qlua.session_state"
local stores = require "qlua.store_session"

local M = {}

--- May a request need its session saved that nobody touched? Then core.brings_session tells.
M.eager = false

--- Does the core open and save the sessions of the app that is served?
local in_core = false

--- What SESSION_TYPE may be: the class of its interface.
---@type table<string, qlua.SessionInterface>
M.types = {
  cookie = interfaces.SecureCookieSessionInterface, lmdb = stores.LMDBSessionInterface,
  redis = stores.RedisSessionInterface,
}

-- ---- an app's interface -----------------------------------------------------------------------

--- What the app's sessions come from: what it was given, else what SESSION_TYPE says.
---@param app qlua.App
---@return qlua.SessionInterface
function M.interface(app)
  local interface = rawget(app, "_session_interface")
  local kind = app.config.SESSION_TYPE or "cookie"
  if interface and (interface.given or interface.kind == kind) then
    return interface.object
  end
  local class = M.types[kind]
  if not class then
    check.fail("SESSION_TYPE is %s, and there is no such kind of session%s", check.describe(kind),
      check.hint(tostring(kind), M.types))
  end
  interface = { object = class(), kind = kind }
  rawset(app, "_session_interface", interface)
  return interface.object
end

--- What `app.session_interface` reads as. Who has it may change it at any time, so that it is asked
--- from then on.
---@param app qlua.App
---@return qlua.SessionInterface
function M.shown_interface(app)
  local object = M.interface(app)
  local record = rawget(app, "_session_interface")
  if not record.shown then
    record.shown = true
    if current.served == app then
      M.configure(app)
    end
  end
  return object
end

--- `app.session_interface = mine`: an instance of a class made of SessionInterface, or a table with
--- open_session and save_session; nil: that of SESSION_TYPE again.
---@param app qlua.App
---@param object any
function M.set_interface(app, object)
  if object == nil then
    rawset(app, "_session_interface", nil)
  else
    if type(object) == "table" and not getmetatable(object) then
      setmetatable(object, { __index = interfaces.SessionInterface })
    end
    local usable = type(object) == "table"
    for _, method in ipairs { "open_session", "save_session" } do
      if not usable or type(object[method]) ~= "function" then
        check.fail("app.session_interface must have the method %s(self, app, %s), got %s", method,
          method == "open_session" and "request" or "session, response", check.describe(object))
      end
    end
    rawset(app, "_session_interface", { object = object, given = true })
  end
  if current.served == app then
    M.configure(app)
  end
end

-- ---- the keys ---------------------------------------------------------------------------------

--- Config keys that sessions depend on.
---@type table<string, true>
M.KEYS = {}

for _, key in ipairs {
  "SECRET_KEY", "SECRET_KEY_FALLBACKS", "PERMANENT_SESSION_LIFETIME", "SESSION_TYPE",
  "SESSION_COOKIE_NAME", "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH", "SESSION_COOKIE_SAMESITE",
  "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_PARTITIONED",
  "SESSION_REFRESH_EACH_REQUEST", "SESSION_LMDB_PATH", "SESSION_LMDB_SIZE", "SESSION_REDIS",
  "SESSION_KEY_PREFIX", "SESSION_KEY_FUNCTION", "APPLICATION_ROOT", "MAX_COOKIE_SIZE",
} do
  M.KEYS[key] = true
end

--- May the core open and save this app's sessions? Not when somebody could have changed how they
--- are kept, nor when middleware stands between the app and the answer.
local function is_for_core(app, interface)
  local record = rawget(app, "_session_interface")
  return getmetatable(interface) == interfaces.SecureCookieSessionInterface and not record.given
    and not record.shown and not asgi.is_wrapped(app)
end

--- An app is served, or one of the keys above has changed: open the store, if there is one, and say
--- which answers pass through Lua even when their view did not touch the session.
---@param app qlua.App
function M.configure(app)
  local interface, which = M.interface(app), false
  if interface.configure then
    interface:configure(app)
  end
  if not interface.lazy then
    which = true
  elseif app.config.SESSION_REFRESH_EACH_REQUEST and app.config.SECRET_KEY then
    which = interface:get_cookie_name(app) or false
  end
  core.session_cookie(which)
  M.eager = which ~= false
  local options = is_for_core(app, interface) and interface:core_options(app)
  in_core = core.session_keep(options or nil) or false
end

-- ---- a request's session ----------------------------------------------------------------------

--- The context that holds the session: contexts within a request share it.
local function holder(ctx)
  return ctx.root or ctx
end

--- The core opens it; false when it must be told of keys first.
local function open_in_core(ctx)
  local values, message = core.session_open(ctx.handle)
  if not values then
    return false
  elseif message then
    interfaces.log_unreadable(message)
  end
  local own = state.new(values)
  ctx.session = own
  return own
end

local function open(ctx)
  local app = current.app()
  if in_core then
    local own = open_in_core(ctx)
    if own then
      return own
    end
    M.configure(app)
    return open(ctx)
  end
  local interface = M.interface(app)
  local object = interface:open_session(app, request)
  if object == nil then
    object = interface:make_null_session(app)
  elseif type(object) == "table" then
    object = session.object(state.new(object))
  end
  local own = state.of[object]
  if not own then
    error(("open_session of app.session_interface must return a table of values, a session or nil,"
      .. " got %s"):format(check.describe(object)), 0)
  end
  if ctx.session then
    return ctx.session -- another task of the request opened it while this one waited
  end
  ctx.session, ctx.session_object = own, object
  core.answer_in_lua()
  return own
end

--- The session as interfaces are handed it.
local function object_of(ctx)
  local object = ctx.session_object
  if not object then
    object = session.object(ctx.session)
    ctx.session_object = object
  end
  return object
end

---@async
---@param name string what of it is used
---@return qlua.SessionState
function state.current(name)
  local ctx = context.get()
  ctx = ctx and holder(ctx)
  if not ctx or not ctx.handle then
    check.fail("Not within a request context: session.%s was used outside of a request. Use it in "
      .. "a view, a hook or a function they call", tostring(name))
  end
  return ctx.session or open(ctx)
end

--- For tests: fn changes the running request's session, which is then saved as if it had answered.
---@async
---@param fn fun(session: qlua.Session): any
---@param keep fun(line: string) called with each Set-Cookie
---@return any ... what fn returns
function M.transaction(fn, keep)
  local ctx, app = holder(context.get()), current.app()
  open(ctx)
  local object = object_of(ctx)
  if M.interface(app):is_null_session(object) then
    check.fail("client:session_transaction: there are no sessions without a secret key; set "
      .. "app.secret_key")
  end
  local results = { n = 0 }
  local function note(...)
    results = { n = select("#", ...), ... }
  end
  note(fn(object))
  local response = responses.new ""
  M.interface(app):save_session(app, object, response)
  for _, line in ipairs(response.headers:getlist "Set-Cookie") do
    keep(line)
  end
  return unpack(results, 1, results.n)
end

--- Save the session into the response, when it was opened or must be refreshed.
---@async
---@param ctx qlua.Context
---@param response qlua.Response
function M.save(ctx, response)
  ctx = holder(ctx)
  local interface = M.interface(current.served)
  if not ctx.session then
    if not core.brings_session() then
      return
    elseif interface.refresh_session then
      return interface:refresh_session(current.served, request, response)
    end
    open(ctx)
  end
  if in_core then
    local line, depends = core.session_save(ctx.handle, ctx.session)
    if line ~= nil then
      if line then
        response.headers:add("Set-Cookie", line)
      end
      return depends and interface:vary(response)
    end
  end
  local object = object_of(ctx)
  if not interface:is_null_session(object) then
    interface:save_session(current.served, object, response)
  end
end

return M
