---@meta qlua.core
--- What sessions need of `qlua.core` (src/bind/session.c), for the language server; see native.lua.
error "native_session.lua is for the language server"

-- luacheck: ignore 212 241 (stubs use nothing)

local core = {}

---@class qlua.SessionCodec userdata: signs and reads the cookies of an app's sessions
local codec = {}

---@param options { keys: string[], salt?: string, digest?: string, key_derivation?: string,
---  max_text?: integer } keys oldest first: the last signs
---@return qlua.SessionCodec
function core.session_codec(options) end

--- The values of a cookie.
---@param value string
---@param max_age? number seconds; any age unless given
---@param now? number
---@return table? values
---@return string? message
---@return integer? code of base/err.h
function codec:load(value, max_age, now) end

--- The cookie of these values.
---@param values table
---@param now? number
---@return string? value
---@return string? message
function codec:dump(values, now) end

--- The JSON text of a cookie's payload, whoever signed it.
---@param payload string
---@return string? text
---@return string? message
---@return integer? code
function core.session_unpack(payload) end

--- The table, marked as what Python has as a tuple.
---@param list table
---@return table
function core.tuple(list) end

--- Which answers pass through Lua, even when nothing touched the session: those to requests that
--- bring a cookie of this name, to all (true), to none (false).
---@param which string|boolean
function core.session_cookie(which) end

--- Is the running request one of those?
---@return boolean
function core.brings_session() end

return core
