---@meta qlua.core
--- What sessions kept on the server need of `qlua.core` (src/bind/store.c, session.c), for the
--- language server; see native.lua.
error "native_store.lua is for the language server"

-- luacheck: ignore 212 241 (declarations use nothing)

local core = {}

---@class qlua.core.Store userdata: bytes under keys, which expire. Hand the results of its methods
---  to task.await: what is left is whether the store did it, and the value or why not
local store = {}

---@async
---@param key string
---@return true|nil
---@return boolean good
---@return string? value or message
function store:get(key) end

---@async
---@param key string
---@param value string
---@param seconds number until it expires; at least 1
---@return true|nil
---@return boolean good
---@return boolean|string message
function store:set(key, value, seconds) end

--- Set the expiry alone.
---@async
---@param key string
---@param seconds number
---@return true|nil
---@return boolean good
---@return boolean|string found or message
function store:touch(key, seconds) end

---@async
---@param key string
---@return true|nil
---@return boolean good
---@return boolean|string message
function store:remove(key) end

--- The worker's store at this place, opened when it is not open yet.
---@param kind "lmdb"|"redis"
---@param place string absolute path or URL
---@param bytes? number that an LMDB file may grow to
---@return qlua.core.Store?
---@return string? message
function core.store_open(kind, place, bytes) end

--- The JSON text of a session's values.
---@param values table
---@return string? text
---@return string? message
function core.session_encode(values) end

---@param text string
---@return table? values
---@return string? message
function core.session_decode(text) end

--- So many random bytes as url-safe base64.
---@param bytes integer
---@return string
function core.random_token(bytes) end

return core
