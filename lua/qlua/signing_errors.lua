--- What is wrong with a token: the errors of qlua.signing.
--- Flow: signer.lua and serializer.lua raise them; an app catches BadSignature, or BadData for all.

local classes = require "qlua.class"
local errors = require "qlua.errors"

local M = {}

--- A token is not good: parent of the errors of qlua.signing.
---@class qlua.BadData: qlua.Exception
---@field payload? string what was signed, or not: it may have been tampered with
---@field date_signed? integer seconds since 1970
---@field original_error? string why a payload has no value
local BadData = classes.class("BadData", errors.Exception)
M.BadData = BadData

---@private
---@param message string
---@param fields? { payload?: string, date_signed?: integer, original_error?: string }
function BadData:init(message, fields)
  self.message = message
  for name, value in pairs(fields or {}) do
    self[name] = value
  end
end

---@class qlua.BadSignature: qlua.BadData the signature does not fit
M.BadSignature = classes.class("BadSignature", BadData)

---@class qlua.BadTimeSignature: qlua.BadSignature a signature with a time does not fit
M.BadTimeSignature = classes.class("BadTimeSignature", M.BadSignature)

---@class qlua.SignatureExpired: qlua.BadTimeSignature too old, or from the future
M.SignatureExpired = classes.class("SignatureExpired", M.BadTimeSignature)

---@class qlua.BadPayload: qlua.BadData well signed, but no value
M.BadPayload = classes.class("BadPayload", BadData)

return M
