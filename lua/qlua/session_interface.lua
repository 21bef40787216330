--- Session interfaces: where sessions come from and go to. The one here keeps them in a signed
--- cookie, as Flask and Quart do and for both to read; app.session_interface takes others.
--- Flow: sessions.lua opens a session through one when a request touches it, and saves it
--- behind the hooks.

local classes = require "qlua.class"
local core = require "qlua.core"
local session = require "qlua.session"
local state = require "qlua.session_state"

local M = {}

-- codes (base/err.h) of a cookie that is refused; any other is of one that cannot be read
local UNTRUSTED = { [-10001] = true, [-10002] = true }

-- ---- what all have ----------------------------------------------------------------------------

---@class qlua.SessionInterface: qlua.Class for interfaces of one's own: redefine what differs
---@field lazy boolean a request that does not touch its session needs no open_session
local SessionInterface = classes.class "qlua.SessionInterface"
SessionInterface.lazy = false

--- What stands in where open_session gives nil: it reads as empty and cannot be written.
---@return qlua.Session
function SessionInterface:make_null_session() -- luacheck: no self
  return session.object(state.new({}, true))
end

---@param object qlua.Session
---@return boolean
function SessionInterface:is_null_session(object) -- luacheck: no self
  return state.of[object].null or false
end

for name, key in pairs {
  get_cookie_name = "SESSION_COOKIE_NAME", get_cookie_domain = "SESSION_COOKIE_DOMAIN",
  get_cookie_httponly = "SESSION_COOKIE_HTTPONLY", get_cookie_secure = "SESSION_COOKIE_SECURE",
  get_cookie_samesite = "SESSION_COOKIE_SAMESITE",
  get_cookie_partitioned = "SESSION_COOKIE_PARTITIONED",
} do
  SessionInterface[name] = function(_, app)
    return app.config[key] or nil
  end
end

---@param app qlua.App
---@return string
function SessionInterface:get_cookie_path(app) -- luacheck: no self
  return app.config.SESSION_COOKIE_PATH or app.config.APPLICATION_ROOT or "/"
end

--- When the cookie ends, in seconds since 1970; nil: with the browser's session.
---@param app qlua.App
---@param object qlua.Session
---@return number?
function SessionInterface:get_expiration_time(app, object) -- luacheck: no self
  return state.of[object].values._permanent
    and os.time() + app.config.PERMANENT_SESSION_LIFETIME or nil
end

---@param app qlua.App
---@param object qlua.Session
---@return boolean
function SessionInterface:should_set_cookie(app, object) -- luacheck: no self
  local own = state.of[object]
  return own.modified
    or (own.values._permanent and app.config.SESSION_REFRESH_EACH_REQUEST) or false
end

local NONE = {}

--- Lists are compared by what they hold: the app may change one in place.
local function is_same_list(a, b)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then
      return false
    end
  end
  return true
end

--- What `make` makes of the app's keys (oldest first: the last signs, all verify), made anew when
--- they have changed; nil without a secret key.
---@generic T
---@param app qlua.App
---@param make fun(self: qlua.SessionInterface, keys: string[]): T
---@return T?
function SessionInterface:made_of_keys(app, make)
  local secret, former = app.config.SECRET_KEY, app.config.SECRET_KEY_FALLBACKS or NONE
  if not secret or secret == "" then
    return nil
  end
  self._made = self._made or setmetatable({}, { __mode = "k" }) -- by app
  local made = self._made[app]
  if not made or made.secret ~= secret or not is_same_list(made.former, former) then
    local keys = { unpack(former) }
    keys[#keys + 1] = secret
    made = { secret = secret, former = { unpack(former) }, value = make(self, keys) }
    self._made[app] = made
  end
  return made.value
end

--- The attributes for response:set_cookie.
---@param app qlua.App
---@return table
function SessionInterface:cookie_options(app)
  return {
    domain = self:get_cookie_domain(app), path = self:get_cookie_path(app),
    httponly = self:get_cookie_httponly(app), secure = self:get_cookie_secure(app),
    samesite = self:get_cookie_samesite(app), partitioned = self:get_cookie_partitioned(app),
  }
end

--- Add Cookie to the response's Vary header.
---@param response qlua.Response
function SessionInterface:vary(response) -- luacheck: no self
  local headers = response.headers
  local present = table.concat(headers:getlist "Vary", ", ")
  for name in present:gmatch "[^,%s]+" do
    if name == "*" or name:lower() == "cookie" then
      return
    end
  end
  headers:set("Vary", present == "" and "Cookie" or present .. ", Cookie")
end

--- Save a session whose value is the cookie `text`; nil when it is empty and its cookie goes.
---@param app qlua.App
---@param object qlua.Session
---@param response qlua.Response
---@param text fun(values: table): string
function SessionInterface:save_cookie(app, object, response, text)
  local own, name = state.of[object], self:get_cookie_name(app)
  local is_empty = next(own.values) == nil
  local is_set = not is_empty and self:should_set_cookie(app, object)
  if is_set then
    local options = self:cookie_options(app)
    options.expires = self:get_expiration_time(app, object)
    response:set_cookie(name, text(own.values), options)
  elseif is_empty and own.modified then
    response:delete_cookie(name, self:cookie_options(app))
  end
  if own.accessed or own.modified or is_set then
    self:vary(response)
  end
end

-- ---- the one in the cookie --------------------------------------------------------------------

---@class qlua.SecureCookieSessionInterface: qlua.SessionInterface
---@field salt string
---@field digest_method "sha1"|"sha256"|"sha384"|"sha512"
---@field key_derivation "hmac"|"concat"|"django-concat"|"none"
---@field max_text? integer bytes that a cookie may be inflated to; 65536 unless given
local Cookie = classes.class("qlua.SecureCookieSessionInterface", SessionInterface)
Cookie.lazy, Cookie.salt, Cookie.digest_method = true, "cookie-session", "sha1"
Cookie.key_derivation = "hmac"

local function make_codec(self, keys)
  return core.session_codec {
    keys = keys, salt = self.salt, digest = self.digest_method,
    key_derivation = self.key_derivation, max_text = self.max_text,
  }
end

--- What signs for this app; nil without a secret key.
---@param app qlua.App
---@return table? codec
function Cookie:codec(app)
  return self:made_of_keys(app, make_codec)
end

---@param app qlua.App
---@param incoming qlua.Request
---@return qlua.Session?
function Cookie:open_session(app, incoming)
  local codec = self:codec(app)
  if not codec then
    return nil
  end
  local text, values = incoming.cookies:get(self:get_cookie_name(app)), nil
  if text then
    local message, code
    values, message, code = codec:load(text, app.config.PERMANENT_SESSION_LIFETIME)
    if not values and not UNTRUSTED[code] then
      M.log_unreadable(message)
    end
  end
  return session.object(state.new(values or {}))
end

---@param app qlua.App
---@param object qlua.Session
---@param response qlua.Response
function Cookie:save_session(app, object, response)
  self:save_cookie(app, object, response, function(values)
    local text, message = self:codec(app):dump(values)
    if not text then
      error(("the session cannot be saved: %s"):format(message), 0)
    end
    return text
  end)
end

-- ---- what of it the core can do ---------------------------------------------------------------

--- What core.session_keep needs to open and save the sessions of an app as Cookie does, faster;
--- nil when it cannot: without a secret key, or a lifetime.
---@param app qlua.App
---@return table?
function Cookie:core_options(app)
  local codec, config = self:codec(app), app.config
  return codec and (config.PERMANENT_SESSION_LIFETIME or -1) >= 0 and {
    codec = codec, former = config.SECRET_KEY_FALLBACKS or nil, name = self:get_cookie_name(app),
    lifetime = config.PERMANENT_SESSION_LIFETIME, refresh = config.SESSION_REFRESH_EACH_REQUEST,
    max_cookie = config.MAX_COOKIE_SIZE or 4093,
    domain = self:get_cookie_domain(app), path = self:get_cookie_path(app),
    httponly = self:get_cookie_httponly(app), secure = self:get_cookie_secure(app),
    samesite = self:get_cookie_samesite(app), partitioned = self:get_cookie_partitioned(app),
  }
end

--- A session of the app whose cookie is signed well but cannot be read.
---@param message string
function M.log_unreadable(message)
  core.log("warning", ("the session cookie is signed with a key of this app but cannot be "
    .. "read (%s); an empty session takes its place"):format(message))
end

M.SessionInterface, M.SecureCookieSessionInterface = SessionInterface, Cookie

return M
