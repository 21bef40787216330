--- The cookies of a test client, set and read by hand.
--- Flow: test_client.lua takes the methods over; the jar is cookie_jar.lua's.

local check = require "qlua.check"
local core = require "qlua.core"

---@class qlua.TestClient
local methods = {}

local function jar_of(self, where)
  if not self.cookie_jar then
    check.fail("%s: this client keeps no cookies: it was made with use_cookies = false", where)
  end
  return self.cookie_jar
end

--- Where a cookie is set from when no answer sets it.
local function place_of(self, options)
  local host = options.domain or self.app.config.SERVER_NAME or "localhost"
  return { host = (host:gsub("^%.", "")), path = options.path or "/", scheme = "https" }
end

local COOKIE_OPTIONS = {
  max_age = "number", expires = "number", path = "string", domain = "string", secure = "boolean",
  httponly = "boolean", samesite = "string", partitioned = "boolean",
}

--- Keep a cookie as if an answer had set it; options as of response:set_cookie.
---@param key string
---@param value? string
---@param options? table
function methods:set_cookie(key, value, options)
  local jar = jar_of(self, "client:set_cookie")
  check.type("client:set_cookie", "key", key, "string")
  check.type("client:set_cookie", "value", value, "string", true)
  options = check.options("client:set_cookie", options, COOKIE_OPTIONS)
  local place = place_of(self, options)
  local with_path = { path = place.path }
  for name, given in pairs(options) do
    with_path[name] = given
  end
  local line, message = core.cookie_write(key, value or "", with_path)
  if not line then
    check.fail("client:set_cookie: %s", message)
  end
  jar:take(place, line)
end

--- Forget a cookie: domain and path must be those it was set with.
---@param key string
---@param options? { domain?: string, path?: string }
function methods:delete_cookie(key, options)
  local all = { max_age = 0, expires = 0 }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  jar_of(self, "client:delete_cookie")
  self:set_cookie(key, "", all)
end

--- The value of a cookie as a request to the path would carry it, or nil.
---@param key string
---@param options? { domain?: string, path?: string }
---@return string?
function methods:get_cookie(key, options)
  options = check.options("client:get_cookie", options, { domain = "string", path = "string" })
  for _, cookie in ipairs(jar_of(self, "client:get_cookie"):cookies_for(place_of(self, options))) do
    if cookie.name == key then
      return cookie.value
    end
  end
end

return methods
