---@meta qlua.core
--- What qlua.signing needs of `qlua.core` (src/bind/signer.c, token.c), for the language server;
--- see native.lua.
error "native_signing.lua is for the language server"

-- luacheck: ignore 212 (stubs use no argument)

local core = {}

---@class qlua.core.Signer userdata
local CoreSigner = {} -- luacheck: ignore 241

---@param text string
---@return string token without a time
function CoreSigner:seal(text) end

---@param payload string
---@param seconds number since 1970
---@return string token
function CoreSigner:sign(payload, seconds) end

---@param token string
---@return boolean good
---@return string? text what stands before the mac; nil without a separator
---@return string? mac
function CoreSigner:open(token) end

---@param text string
---@return string? payload nil without a separator
---@return number? seconds nil when no time stands there
function CoreSigner:part(text) end

---@param keys string[] oldest first: the last signs
---@param salt string
---@param derivation "hmac"|"concat"|"django-concat"|"none"
---@param digest "sha1"|"sha256"|"sha384"|"sha512"
---@param separator string
---@return qlua.core.Signer
function core.signer(keys, salt, derivation, digest, separator) end

--- Deflated when that saves bytes, as url-safe base64.
---@param text string
---@return string payload
function core.token_pack(text) end

---@param payload string
---@return string? text
---@return string? message
---@return integer? code
function core.token_unpack(payload) end

--- Now, to the second as everybody on this machine has it; os.time may be behind.
---@return integer seconds since 1970
function core.token_time() end

return core
