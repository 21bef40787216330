--- Serializers: values as signed texts, plain or fit for a URL, without and with a time.
--- Flow: apps call them through qlua.signing; a value becomes JSON (src/value/json.h), is packed
--- for URLs (src/session/codec.h) and signed by signer.lua.

local check = require "qlua.check"
local classes = require "qlua.class"
local core = require "qlua.core"
local errors = require "qlua.signing_errors"
local signers = require "qlua.signer"

local M = {}

local OPTIONS = {
  salt = "string",
  key_derivation = "string",
  digest_method = "string",
  serializer = "table",
  fallback_signers = "list",
}
local FALLBACK_OPTIONS = { key_derivation = "string", digest_method = "string" }
local DUMPS_OPTIONS = { salt = "string" }
local LOADS_OPTIONS = { salt = "string", max_age = "number", return_timestamp = "boolean" }

---@class qlua.signing.SerializerOptions
---@field salt? string tells tokens for different purposes apart
---@field key_derivation? "django-concat"|"concat"|"hmac"|"none"
---@field digest_method? "sha1"|"sha256"|"sha384"|"sha512"
---@field serializer? { dumps: (fun(value: any): string), loads: (fun(text: string): any) } not JSON
---@field fallback_signers? { key_derivation?: string, digest_method?: string }[] verify, too

--- Signs values as JSON.
---@class qlua.Serializer
---@overload fun(secret: string|string[], o?: qlua.signing.SerializerOptions): qlua.Serializer
---@field salt string tells tokens for different purposes apart
local Serializer = classes.class "Serializer"
M.Serializer = Serializer

Serializer._Signer = signers.Signer
Serializer._loads_options = DUMPS_OPTIONS
Serializer._json_options = { compact = true, sort_keys = true, ensure_ascii = true }

-- the payload is the text itself; those for URLs pack it
local function same(text)
  return text
end
Serializer._pack, Serializer._unpack = same, same

---@param secret string|string[] or a list, oldest first: the last signs, all verify
---@param options? qlua.signing.SerializerOptions
function Serializer:init(secret, options)
  local where = getmetatable(self).__name
  options = check.options(where, options, OPTIONS)
  self.salt = options.salt or "itsdangerous"
  self._secret = secret
  self._serializer = options.serializer
  self._ways = {
    { key_derivation = options.key_derivation, digest_method = options.digest_method },
  }
  for _, way in ipairs(options.fallback_signers or {}) do
    check.options(where .. ": fallback_signers", way, FALLBACK_OPTIONS)
    table.insert(self._ways, way)
  end
  self._signers = self:_make_signers(self.salt)
end

-- the signer, and after it the fallbacks
function Serializer:_make_signers(salt)
  local list = {}
  for i, way in ipairs(self._ways) do
    list[i] = self._Signer(self._secret, {
      salt = salt,
      key_derivation = way.key_derivation,
      digest_method = way.digest_method,
    })
  end
  return list
end

-- those of the salt given with a call, or the serializer's own
function Serializer:_signers_of(salt)
  return salt and salt ~= self.salt and self:_make_signers(salt) or self._signers
end

--- The value as a signed text.
---@param value any what has a JSON form
---@param options? { salt?: string }
---@return string token
function Serializer:dumps(value, options)
  options = check.options("dumps", options, DUMPS_OPTIONS)
  local text, message
  if self._serializer then
    text = self._serializer.dumps(value)
  else
    text, message = core.json_encode(value, self._json_options)
  end
  if not text then
    check.fail("dumps: %s", message or "the serializer gave no text")
  end
  return self:_signers_of(options.salt)[1]:sign(self._pack(text))
end

---@private
function Serializer:_load_payload(payload, date)
  local text, message = self._unpack(payload)
  local value
  if not text then
    error(errors.BadPayload("Could not base64 decode or zlib decompress the payload",
      { payload = payload, date_signed = date, original_error = message }))
  elseif self._serializer then
    local ok, result = pcall(self._serializer.loads, text)
    if ok then
      return result
    end
    message = result
  else
    value, message = core.json_decode(text)
  end
  if value == nil then
    error(errors.BadPayload("Could not load the payload: " .. tostring(message),
      { payload = payload, date_signed = date, original_error = message }))
  end
  return value
end

--- The value of a token. Raises BadSignature (SignatureExpired, BadTimeSignature of those with a
--- time), or BadPayload when what was signed is no value.
---@param token string
---@param options? { salt?: string, max_age?: number, return_timestamp?: boolean } the latter two
---  of those with a time: in seconds; give the time of signing as a second result
---@return any value
---@return integer? date_signed seconds since 1970
function Serializer:loads(token, options)
  options = check.options("loads", options, self._loads_options)
  check.type("loads", "token", token, "string")
  local unsign = self._loads_options == LOADS_OPTIONS
      and { max_age = options.max_age, return_timestamp = true } or nil
  local failure
  for _, signer in ipairs(self:_signers_of(options.salt)) do
    local ok, payload, date = pcall(signer.unsign, signer, token, unsign)
    if ok then
      return self:_load_payload(payload, date), options.return_timestamp and date or nil
    end
    failure = payload
    if not classes.is_a(failure, errors.BadSignature)
        or classes.is_a(failure, errors.SignatureExpired) then
      break -- this signer's, but too old: no other can do better
    end
  end
  error(failure, 0)
end

--- Signs values as JSON, and when that was.
---@class qlua.TimedSerializer: qlua.Serializer
---@overload fun(secret: string|string[], o?: qlua.signing.SerializerOptions): qlua.TimedSerializer
local TimedSerializer = classes.class("TimedSerializer", Serializer)
M.TimedSerializer = TimedSerializer

TimedSerializer._Signer = signers.TimestampSigner
TimedSerializer._loads_options = LOADS_OPTIONS

-- itsdangerous' JSON for URLs is UTF-8, which base64 hides
local URL_JSON = { compact = true, sort_keys = true, ensure_ascii = false }

--- A class whose tokens have nothing but letters, digits, "-", "_" and "."; compressed when that
--- saves bytes.
local function url_safe(name, parent)
  local class = classes.class(name, parent)
  class._json_options = URL_JSON
  class._pack, class._unpack = core.token_pack, core.token_unpack
  return class
end

--- A Serializer whose tokens may stand in a URL.
---@class qlua.URLSafeSerializer: qlua.Serializer
---@overload fun(s: string|string[], o?: qlua.signing.SerializerOptions): qlua.URLSafeSerializer
M.URLSafeSerializer = url_safe("URLSafeSerializer", Serializer)

--- A TimedSerializer whose tokens may stand in a URL.
---@class qlua.URLSafeTimedSerializer: qlua.TimedSerializer
---@overload fun(s: string|string[], o?: table): qlua.URLSafeTimedSerializer
M.URLSafeTimedSerializer = url_safe("URLSafeTimedSerializer", TimedSerializer)

return M
