---@meta qlua.core
--- What sessions need of `qlua.core` (src/bind/session.c), for the language server; see native.lua.
error "native_session.lua is for the language server"

-- luacheck: ignore 212 241 (declarations use nothing)

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

--- Which requests may need their session saved even when nothing touched it: those that bring a
--- cookie of this name, all (true), none (false). Their answers pass through Lua, unless the core
--- keeps the sessions.
---@param which string|boolean
function core.session_cookie(which) end

--- Is the running request one of those?
---@return boolean
function core.brings_session() end

--- The core opens and saves the sessions of the served app, as these options say; nil: Lua does.
--- Answers that C makes of a view's results then take their session along without Lua.
---@param options? { codec: qlua.SessionCodec, former?: string[], name: string, lifetime: number,
---  max_cookie: number, refresh: boolean, domain?: string, path: string, samesite?: string,
---  secure?: boolean, httponly?: boolean, partitioned?: boolean } former: keys that codec has
---@return boolean? kept false: Lua must, and has something to say of the cookie's attributes
function core.session_keep(options) end

--- Open the session of a request: its cookie's values, or none.
---@param handle qlua.Handle
---@return table? values nil: core.session_keep must be called first, former has changed
---@return string? message what is wrong with a cookie that is signed well
function core.session_open(handle) end

--- What an answer must say of a session; the core has no more to do with it then.
---@param handle qlua.Handle
---@param state qlua.SessionState
---@return string|false|nil line for Set-Cookie, or false; nil: its interface must save it
---@return boolean? depends the answer depends on the cookie
function core.session_save(handle, state) end

return core
