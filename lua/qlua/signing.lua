--- Signing: values and texts that a client may keep but not change, for links and tokens. They are
--- those of Python's itsdangerous: its tokens are read here, and ours there.
--- Flow: `qlua.signing`; sessions have a signer of their own (src/session).

local errors = require "qlua.signing_errors"
local serializers = require "qlua.serializer"
local signers = require "qlua.signer"

--- Signed values and texts, as Python's itsdangerous has them.
---@class qlua.signing
return {
  Signer = signers.Signer,
  TimestampSigner = signers.TimestampSigner,
  Serializer = serializers.Serializer,
  TimedSerializer = serializers.TimedSerializer,
  URLSafeSerializer = serializers.URLSafeSerializer,
  URLSafeTimedSerializer = serializers.URLSafeTimedSerializer,
  BadData = errors.BadData,
  BadPayload = errors.BadPayload,
  BadSignature = errors.BadSignature,
  BadTimeSignature = errors.BadTimeSignature,
  SignatureExpired = errors.SignatureExpired,
}
