--- Signers: texts that a client may keep but not change, without and with the time of signing.
--- Flow: serializers.lua signs with them, apps do through qlua.signing; the macs are the core's
--- (src/crypto/signer.h).

local check = require "qlua.check"
local classes = require "qlua.class"
local core = require "qlua.core"
local errors = require "qlua.signing_errors"

local M = {}

local OPTIONS = {
  salt = "string",
  sep = "string",
  key_derivation = "string",
  digest_method = "string",
}
local DERIVATIONS = { concat = true, ["django-concat"] = true, hmac = true, none = true }
local DIGESTS = { sha1 = true, sha256 = true, sha384 = true, sha512 = true }
local TIMED = { max_age = "number", return_timestamp = "boolean" }

-- the secrets as a list, oldest first
local function secrets_of(where, secret)
  local list = type(secret) == "table" and secret or { secret }
  if #list == 0 then
    check.fail("%s: secret must be a string or a list of strings, got %s", where,
      type(secret) == "table" and "an empty list" or "nil")
  end
  local secrets = {}
  for i, item in ipairs(list) do
    check.type(where, "secret", item, "string")
    if item == "" then
      check.fail("%s: secret must not be empty: everybody could sign", where)
    end
    secrets[i] = item
  end
  return secrets
end

local function check_known(where, what, value, known)
  if value ~= nil and not known[value] then
    check.fail("%s: unknown %s %q%s", where, what, value, check.hint(value, known))
  end
end

local function check_text(where, what, value)
  check.type(where, what, value, "string")
  return value
end

---@class qlua.signing.SignerOptions
---@field salt? string tells signatures for different purposes apart
---@field sep? string "."
---@field key_derivation? "django-concat"|"concat"|"hmac"|"none"
---@field digest_method? "sha1"|"sha256"|"sha384"|"sha512"

--- Signs texts.
---@class qlua.Signer
---@overload fun(secret: string|string[], options?: qlua.signing.SignerOptions): qlua.Signer
---@field salt string tells signatures for different purposes apart
---@field sep string between text and signature
local Signer = classes.class "Signer"
M.Signer = Signer

---@param secret string|string[] or a list, oldest first: the last signs, all verify
---@param options? qlua.signing.SignerOptions
function Signer:init(secret, options)
  local where = getmetatable(self).__name
  local secrets = secrets_of(where, secret)
  options = check.options(where, options, OPTIONS)
  check_known(where, "key_derivation", options.key_derivation, DERIVATIONS)
  check_known(where, "digest_method", options.digest_method, DIGESTS)
  self.salt = options.salt or "itsdangerous.Signer"
  self.sep = options.sep or "."
  if self.sep == "" or self.sep:find "[%w%-_=]" then
    check.fail("%s: sep must not have letters, digits, -, _ or =: a signature has them", where)
  end
  self._core = core.signer(secrets, self.salt, options.key_derivation or "django-concat",
    options.digest_method or "sha1", self.sep)
end

--- The text with its signature.
---@param text string
---@return string token
function Signer:sign(text)
  return self._core:seal(check_text("sign", "text", text))
end

--- What stands before the signature, whether it is good, and the error when it is not.
---@private
function Signer:_open(token)
  local good, text, mac = self._core:open(check_text("unsign", "token", token))
  if good then
    return text
  elseif not text then
    return nil, ("No %q found in value"):format(self.sep)
  end
  return text, ("Signature %q does not match"):format(mac)
end

--- The text of a token. Raises BadSignature.
---@param token string
---@return string text
function Signer:unsign(token, options)
  check.options("unsign", options, {})
  local text, problem = self:_open(token)
  if problem then
    error(errors.BadSignature(problem, { payload = text }))
  end
  return text
end

--- Is the token's signature good?
---@param token string
---@param options? { max_age?: number } of a TimestampSigner
---@return boolean
function Signer:validate(token, options)
  local ok, err = pcall(self.unsign, self, token, options)
  if not ok and not classes.is_a(err, errors.BadSignature) then
    error(err, 0)
  end
  return ok
end

--- Signs texts and when that was.
---@class qlua.TimestampSigner: qlua.Signer
---@overload fun(s: string|string[], o?: qlua.signing.SignerOptions): qlua.TimestampSigner
local TimestampSigner = classes.class("TimestampSigner", Signer)
M.TimestampSigner = TimestampSigner

--- Now, in whole seconds since 1970. May be replaced.
---@return integer
function TimestampSigner.get_timestamp()
  return core.token_time()
end

--- The text as a token, signed now.
---@param text string
---@return string token
function TimestampSigner:sign(text)
  return self._core:sign(check_text("sign", "text", text), self:get_timestamp())
end

--- The text of a token. Raises BadTimeSignature, or SignatureExpired when it is older than
--- max_age seconds or, with a max_age, from the future.
---@param token string
---@param options? { max_age?: number, return_timestamp?: boolean }
---@return string text
---@return integer? date_signed with return_timestamp: seconds since 1970
function TimestampSigner:unsign(token, options)
  options = check.options("unsign", options, TIMED)
  local signed, problem = self:_open(token)
  if not signed then
    error(errors.BadSignature(problem))
  end
  local text, date = self._core:part(signed)
  if not text then
    local Class = problem and errors.BadSignature or errors.BadTimeSignature
    error(Class(problem or "timestamp missing", { payload = signed }))
  elseif problem or not date then
    error(errors.BadTimeSignature(problem or "Malformed timestamp",
      { payload = text, date_signed = date }))
  end
  local max_age = options.max_age
  local age = max_age and self:get_timestamp() - date
  if max_age and (age > max_age or age < 0) then
    local limit = age < 0 and "< 0" or ("> %g"):format(max_age)
    error(errors.SignatureExpired(("Signature age %.0f %s seconds"):format(age, limit),
      { payload = text, date_signed = date }))
  end
  return text, options.return_timestamp and date or nil
end

return M
