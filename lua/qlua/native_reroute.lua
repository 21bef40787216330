---@meta
--- What middleware needs of `require "qlua.core"` (src/bind/reroute.c); more in native.lua.
--- Never loaded; the language server reads it.

-- luacheck: ignore 212 (stubs use no argument)

---@class qlua.core
local core = {}

--- The headers as they came, to be changed.
---@param handle qlua.Handle
---@return qlua.Headers
function core.request_headers_copy(handle) end

--- Take over what middleware says of the request, and look it up again when that calls for it.
---@param handle qlua.Handle
---@param method string in upper case
---@param path string
---@param query string
---@param headers qlua.Headers
---@param scheme string
---@param root_path string
---@param client string
---@param port integer
---@return integer? rule nil: refused
---@return any ... the rule's variables; or the refusal and its detail
function core.reroute(handle, method, path, query, headers, scheme, root_path, client, port) end

--- Has all of the body been taken?
---@param handle qlua.Handle
---@return boolean
function core.body_is_over(handle) end

--- Wait until the client is gone or the answer out.
---@async
---@param handle qlua.Handle
---@return true? ended
---@return any error
function core.answer_wait_end(handle) end

return core
