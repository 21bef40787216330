--- Sessions kept on the server: in an LMDB file of this machine or in Redis. The cookie holds a
--- signed random id, unless SESSION_KEY_FUNCTION says what a request's session is called.
--- Flow: sessions.lua opens, saves and refreshes through one of the two classes at the end, and
--- has it open its store when an app is served; the stores are the core's (src/bind/store.c).
---
--- What the cookie signs is the id or, for a permanent session, "ID.SECONDS": when its record was
--- last written. So a request that does not touch its session needs no look into the store: its
--- cookie says whether to refresh it.

local check = require "qlua.check"
local classes = require "qlua.class"
local core = require "qlua.core"
local interfaces = require "qlua.session_interface"
local session = require "qlua.session"
local state = require "qlua.session_state"
local task = require "qlua.task"

local M = {}

local ID_BYTES = 32
local ID_LENGTH = 43 -- as url-safe base64
-- A record is refreshed when this part of its lifetime has gone by since it was written.
local REFRESH_PART = 0.01

---@class qlua.StoreSessionInterface: qlua.SessionInterface
---@field lifetime number seconds that a session is kept which is not permanent; a day
---@field salt string
---@field digest_method "sha1"|"sha256"|"sha384"|"sha512"
---@field key_derivation "hmac"|"concat"|"django-concat"|"none"
---@field place fun(self, app: qlua.App): string, string, number? config key, place, bytes
local Store = classes.class("qlua.StoreSessionInterface", interfaces.SessionInterface)
Store.lazy, Store.salt, Store.digest_method = true, "qlua.session-id", "sha1"
Store.key_derivation, Store.lifetime = "hmac", 86400

-- ---- the store --------------------------------------------------------------------------------

--- The store that the config names, opened when it is not open yet.
---@param app qlua.App
---@return qlua.core.Store
function Store:store(app)
  local key, place, size = self:place(app)
  if self._place ~= place or self._size ~= size then
    local store, message = core.store_open(self.kind, place, size)
    if not store then
      check.fail("config.%s: the session store %s", key, message)
    end
    self._store, self._place, self._size = store, place, size
  end
  return self._store
end

--- A wrong path or URL ends the start.
---@param app qlua.App
function Store:configure(app)
  self:store(app)
end

--- The results of a store's method; its failure raised.
local function ask(what, good, value)
  if not good then
    error(("the session cannot be %s: %s"):format(what, value), 0)
  end
  return value
end

-- ---- which session ----------------------------------------------------------------------------

---@class qlua.StorePlace where a session is kept
---@field key? string in the store; nil: there is no record
---@field id? string the key without prefix, which the cookie names
---@field given? string what SESSION_KEY_FUNCTION gave: there is no cookie
---@field written? number when the record of a permanent session was written, by its cookie

--- What SESSION_KEY_FUNCTION says of a request, or nil.
---@async
---@param app qlua.App
---@param incoming qlua.Request
---@return string?
function Store:given_name(app, incoming) -- luacheck: no self
  local fn = app.config.SESSION_KEY_FUNCTION
  local name = fn and fn(incoming)
  if name ~= nil and name ~= false and (type(name) ~= "string" or name == "") then
    check.fail("config.SESSION_KEY_FUNCTION must return the key of the request's session, which is "
      .. "a string, or nil for the cookie's; got %s", name == "" and "an empty one"
      or check.describe(name))
  end
  return name or nil
end

---@param app qlua.App
---@param name string
---@return string
function Store:key(app, name) -- luacheck: no self
  return (app.config.SESSION_KEY_PREFIX or "") .. name
end

local function make_signer(self, keys)
  return core.signer(keys, self.salt, self.key_derivation, self.digest_method, ".")
end

--- What signs ids for this app; nil without a secret key.
---@param app qlua.App
---@return qlua.core.Signer?
function Store:signer(app)
  return self:made_of_keys(app, make_signer)
end

--- How long a session lives, in seconds.
local function lifetime_of(self, app, is_permanent)
  return is_permanent and app.config.PERMANENT_SESSION_LIFETIME or self.lifetime
end

--- The id that a request's cookie names and, of a permanent session, when it was last written. nil
--- for a cookie which is not ours or too old.
---@param app qlua.App
---@param incoming qlua.Request
---@return string? id
---@return number? written
function Store:brought(app, incoming)
  local token, signer = incoming.cookies:get(self:get_cookie_name(app)), self:signer(app)
  if not token or not signer then
    return nil
  end
  local good, text = signer:open(token)
  if not good then
    return nil
  end
  local payload, seconds = signer:part(text)
  if not payload or not seconds then
    return nil
  end
  local written = #payload > ID_LENGTH and tonumber(payload:sub(ID_LENGTH + 2)) or nil
  if os.time() - seconds > lifetime_of(self, app, written) then
    return nil
  end
  return payload:sub(1, ID_LENGTH), written
end

-- ---- opening ----------------------------------------------------------------------------------

--- The values under a key; nil when there are none that can be read.
---@async
local function fetch(self, app, key)
  local text = ask("read", task.await(self:store(app):get(key)))
  if not text then
    return nil
  end
  local values, message = core.session_decode(text)
  if not values then
    core.log("warning", ("what the session store holds as %q is no session (%s); an empty one "
      .. "takes its place"):format(key, message))
  end
  return values
end

---@async
---@param app qlua.App
---@param incoming qlua.Request
---@return qlua.Session?
function Store:open_session(app, incoming)
  local place = {}
  local name = self:given_name(app, incoming)
  if name then
    place.given = name
  elseif not self:signer(app) then
    return nil
  else
    name, place.written = self:brought(app, incoming)
  end
  local values = name and fetch(self, app, self:key(app, name))
  if values then
    place.key, place.id = self:key(app, name), name
  else
    place.written = nil -- an id that nobody knows is not taken over
  end
  local own = state.new(values or {})
  own.new, own.place = not values, place
  return session.object(own)
end

-- ---- saving -----------------------------------------------------------------------------------

local function delete(self, app, own, response)
  local place = own.place
  if place.key then
    ask("deleted", task.await(self:store(app):remove(place.key)))
    place.key = nil
  end
  if not place.given then
    response:delete_cookie(self:get_cookie_name(app), self:cookie_options(app))
  end
end

--- Write the record, under a new id when there is none yet or it was asked for.
local function write(self, app, own)
  local place, store = own.place, self:store(app)
  local text, message = core.session_encode(own.values)
  if not text then
    error(("the session cannot be saved: %s"):format(message), 0)
  end
  local old = place.key
  if place.given then
    place.key = self:key(app, place.given)
  elseif not old or own.regenerated then
    place.id = core.random_token(ID_BYTES)
    place.key = self:key(app, place.id)
  end
  local seconds = lifetime_of(self, app, own.values._permanent)
  ask("saved", task.await(store:set(place.key, text, seconds)))
  if old and old ~= place.key then
    ask("saved", task.await(store:remove(old)))
  end
  own.regenerated = nil
end

local function is_refresh_due(self, app, written)
  local age = os.time() - (written or 0)
  return age < 0 or age > lifetime_of(self, app, true) * REFRESH_PART
end

--- Have an unchanged record live on; it is written when it has gone meanwhile.
local function refresh(self, app, own)
  local place = own.place
  if place.key and not is_refresh_due(self, app, place.written) then
    return
  end
  local found = place.key
    and ask("saved", task.await(self:store(app):touch(place.key, lifetime_of(self, app, true))))
  if not found then
    write(self, app, own)
  end
  place.written = os.time()
end

--- The cookie of an id; written: of a permanent session, when its record was.
local function set_cookie(self, app, response, id, written)
  local options, now = self:cookie_options(app), os.time()
  options.expires = written and now + lifetime_of(self, app, true) or nil
  local text = written and ("%s.%d"):format(id, written) or id
  response:set_cookie(self:get_cookie_name(app), self:signer(app):sign(text, now), options)
end

---@async
---@param app qlua.App
---@param object qlua.Session
---@param response qlua.Response
function Store:save_session(app, object, response)
  local own = state.of[object]
  local place = own.place
  local is_set = next(own.values) ~= nil and self:should_set_cookie(app, object)
  if is_set then
    if own.modified then
      write(self, app, own)
      place.written = os.time()
    else
      refresh(self, app, own)
    end
    if not place.given then
      set_cookie(self, app, response, place.id, own.values._permanent and place.written or nil)
    end
  elseif own.modified and next(own.values) == nil then
    delete(self, app, own, response)
  end
  if not place.given and (own.accessed or own.modified or is_set) then
    self:vary(response)
  end
end

--- A request brought a session and did not touch it: a permanent one lives on, and so does its
--- cookie. The request goes on when the store is away.
---@async
---@param app qlua.App
---@param incoming qlua.Request
---@param response qlua.Response
function Store:refresh_session(app, incoming, response)
  local id, written = self:brought(app, incoming)
  if not written or self:given_name(app, incoming) then
    return
  end
  if is_refresh_due(self, app, written) then
    local good, found = task.await(self:store(app):touch(self:key(app, id),
      lifetime_of(self, app, true)))
    if not good or not found then
      return
    end
    written = os.time()
  end
  set_cookie(self, app, response, id, written)
  self:vary(response)
end

-- ---- the two ----------------------------------------------------------------------------------

---@class qlua.LMDBSessionInterface: qlua.StoreSessionInterface
M.LMDBSessionInterface = classes.class("qlua.LMDBSessionInterface", Store)
M.LMDBSessionInterface.kind = "lmdb"

function M.LMDBSessionInterface:place(app) -- luacheck: no self
  local path, size = app.config.SESSION_LMDB_PATH, app.config.SESSION_LMDB_SIZE
  return "SESSION_LMDB_PATH", app:_path(path or ""), size or nil
end

---@class qlua.RedisSessionInterface: qlua.StoreSessionInterface
M.RedisSessionInterface = classes.class("qlua.RedisSessionInterface", Store)
M.RedisSessionInterface.kind = "redis"

function M.RedisSessionInterface:place(app) -- luacheck: no self
  return "SESSION_REDIS", app.config.SESSION_REDIS or ""
end

M.StoreSessionInterface = Store

return M
