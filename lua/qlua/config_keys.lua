--- The keys of app.config that qlua knows: default, what a value must be, effect.
--- Flow: config.lua begins with the defaults and checks what is set; README's table and
--- `qlua config` are made of the same list.

local check = require "qlua.check"

local M = {}

local KIB = 1024
local MIB = 1024 * KIB

---@class qlua.ConfigKey
---@field name string
---@field default any nil: absent
---@field kind "boolean"|"count"|"seconds"|"text"|"texts"|"function"
---@field effect string one line

-- name, kind, default, effect
local TABLE = {
  { "APPLICATION_ROOT", "text", "/",
    "path of the session cookie when `SESSION_COOKIE_PATH` is unset" },
  { "BACKGROUND_TASK_SHUTDOWN_TIMEOUT", "seconds", 5,
    "s that background tasks have at the end; then they are cancelled" },
  { "BODY_STALL_TIMEOUT", "seconds", 20, "s without a byte of a body: 408" },
  { "BODY_TIMEOUT", "seconds", 60,
    "s for a whole body in `get_data`, `json`, `form`, `files`: 408" },
  { "DEBUG", "boolean", false,
    "indented JSON, debug lines, errors propagate, templates reload; as the setting `debug`" },
  { "ENV", "text", "production", "for the app to read: `development` in debug mode" },
  { "EXPLAIN_TEMPLATE_LOADING", "boolean", false, "log where a template was looked for" },
  { "FILE_SPOOL_SIZE", "count", 512000,
    "bytes of an uploaded file that are kept in memory; larger ones go to disk" },
  { "JSONIFY_MIMETYPE", "text", "application/json", "`app.json.mimetype`: type of JSON answers" },
  { "JSONIFY_PRETTYPRINT_REGULAR", "boolean", false,
    "indented JSON outside of debug mode too; `app.json.compact` decides when set" },
  { "JSON_AS_ASCII", "boolean", true, "`app.json.ensure_ascii`: all but ASCII as `\\uXXXX`" },
  { "JSON_SORT_KEYS", "boolean", true, "`app.json.sort_keys`: keys in order" },
  { "MAX_CONTENT_LENGTH", "count", 16 * MIB, "bytes of a body: 413" },
  { "MAX_COOKIE_SIZE", "count", 4093,
    "bytes of a Set-Cookie above which a warning is logged; 0: never" },
  { "MAX_FORM_MEMORY_SIZE", "count", 500000, "bytes of a form's fields without files: 413" },
  { "MAX_FORM_PARTS", "count", 1000, "parts of a multipart form: 413" },
  { "PERMANENT_SESSION_LIFETIME", "seconds", 2678400, "s that a permanent session lasts" },
  { "PREFERRED_URL_SCHEME", "text", "http", "scheme of URLs that are built outside of a request" },
  { "PREFER_SECURE_URLS", "boolean", false,
    "https for those URLs, whatever `PREFERRED_URL_SCHEME` says" },
  { "PRESERVE_CONTEXT_ON_EXCEPTION", "boolean", nil,
    "none: the frames of a failed request are kept anyway" },
  { "PROPAGATE_EXCEPTIONS", "boolean", nil,
    "errors leave the app (the test client raises them); unset: as `TESTING` or `DEBUG`" },
  { "PROVIDE_AUTOMATIC_OPTIONS", "boolean", true, "rules answer OPTIONS by themselves" },
  { "RESPONSE_TIMEOUT", "seconds", 60,
    "s in which the peer takes nothing of an answer: the connection is reset" },
  { "SECRET_KEY", "text", nil,
    "signs session cookies; without it there are no sessions in cookies" },
  { "SECRET_KEY_FALLBACKS", "texts", nil,
    "former secret keys: cookies signed with them are still read" },
  { "SEND_FILE_MAX_AGE_DEFAULT", "seconds", 43200,
    "s for which files may be cached; unset: no max-age" },
  { "SERVER_NAME", "text", nil,
    "host[:port] of the app: for URLs outside of a request, subdomains, and no other host" },
  { "SESSION_COOKIE_DOMAIN", "text", nil, "Domain of the session cookie" },
  { "SESSION_COOKIE_HTTPONLY", "boolean", true, "HttpOnly of the session cookie" },
  { "SESSION_COOKIE_NAME", "text", "session", "name of the session cookie" },
  { "SESSION_COOKIE_PARTITIONED", "boolean", false, "Partitioned of the session cookie" },
  { "SESSION_COOKIE_PATH", "text", nil, "Path of the session cookie; unset: `APPLICATION_ROOT`" },
  { "SESSION_COOKIE_SAMESITE", "text", nil, "SameSite of the session cookie: Strict, Lax or None" },
  { "SESSION_COOKIE_SECURE", "boolean", false, "Secure of the session cookie" },
  { "SESSION_KEY_FUNCTION", "function", nil,
    "function(request): the store's key of the session, or nil for the cookie's id" },
  { "SESSION_KEY_PREFIX", "text", "session:", "before the keys of sessions in a store" },
  { "SESSION_LMDB_PATH", "text", "session.lmdb", "file of the sessions with `lmdb`" },
  { "SESSION_LMDB_SIZE", "count", 1024 * MIB, "bytes that this file may grow to" },
  { "SESSION_REDIS", "text", "redis://127.0.0.1:6379/0", "where the sessions are with `redis`" },
  { "SESSION_REFRESH_EACH_REQUEST", "boolean", true,
    "send the cookie of a permanent session with every answer" },
  { "SESSION_TYPE", "text", "cookie", "where sessions are kept: `cookie`, `lmdb` or `redis`" },
  { "TEMPLATES_AUTO_RELOAD", "boolean", nil,
    "read templates anew when their files change; unset: in debug mode" },
  { "TESTING", "boolean", false, "errors propagate to the test client" },
  { "TRAP_BAD_REQUEST_ERRORS", "boolean", nil, "400 errors count as errors of the app" },
  { "TRAP_HTTP_EXCEPTIONS", "boolean", false,
    "HTTP errors without a handler count as errors of the app" },
  { "TRUSTED_HOSTS", "texts", nil,
    "hosts that requests may name (`.example.com` with all below it), else 400; unset: any" },
  { "USE_X_SENDFILE", "boolean", false,
    "none, as in Quart" },
}

M.list = {} ---@type qlua.ConfigKey[] sorted by name
M.by_name = {} ---@type table<string, qlua.ConfigKey>

for i, row in ipairs(TABLE) do
  local key = { name = row[1], kind = row[2], default = row[3], effect = row[4] }
  M.list[i], M.by_name[key.name] = key, key
end

-- ---- values -----------------------------------------------------------------------------------

local WORDS = {
  ["1"] = true, yes = true, on = true, ["true"] = true,
  ["0"] = false, no = false, off = false, ["false"] = false,
}

--- What a kind makes of a value, nil when it refuses it. Loaders of INI files give texts only, and
--- variables hold 1 for true; to Lua both 0 and "false" are true, which nobody means.
local READ = {
  boolean = function(value)
    if type(value) == "boolean" then
      return value
    end
    return WORDS[tostring(value):lower():match "^%s*(.-)%s*$"]
  end,
  count = function(value)
    value = tonumber(value)
    return value and value >= 0 and value % 1 == 0 and value or nil
  end,
  seconds = function(value)
    value = tonumber(value)
    return value and value >= 0 and value < math.huge and value or nil
  end,
  text = function(value)
    return type(value) == "string" and value or nil
  end,
  texts = function(value)
    if type(value) ~= "table" then
      return nil
    end
    local count = 0
    for _, text in pairs(value) do
      count = count + 1
      if type(text) ~= "string" then
        return nil
      end
    end
    return #value == count and value or nil
  end,
  ["function"] = function(value)
    return type(value) == "function" and value or nil
  end,
}

local WANTED = {
  boolean = "true or false", count = "a whole number of at least 0, or nil for none",
  seconds = "seconds as a number of at least 0, or nil for none", text = "a text, or nil for none",
  texts = "a list of texts, or nil for none", ["function"] = "a function, or nil for none",
}

--- The value as a key takes it, or nil and what it must be. A key that is not known takes all.
---@param name string
---@param value any not nil
---@return any value
---@return string? wanted `must be true or false, got the number 5`
function M.read(name, value)
  local key = M.by_name[name]
  if not key or (value == false and key.kind ~= "boolean") then
    return value
  end
  local result = READ[key.kind](value)
  if result == nil then
    return nil, ("must be %s, got %s"):format(WANTED[key.kind], check.describe(value))
  end
  return result
end

-- ---- names ------------------------------------------------------------------------------------

--- The known key that an unknown one is nearly the name of, or nil: one mistake in six letters.
---@param name string
---@return string?
function M.near_miss(name)
  if M.by_name[name] then
    return nil
  end
  local best, least = nil, math.min(math.floor(#name / 5), 2) + 1
  for _, key in ipairs(M.list) do
    if math.abs(#key.name - #name) < least then
      local d = check.distance(name, key.name)
      if d < least then
        best, least = key.name, d
      end
    end
  end
  return best
end

return M
