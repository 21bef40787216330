---@meta qlua.core
--- What qlua.testing and `qlua test` need of `qlua.core` (src/bind/testing.c, generation.c), for
--- the language server; see native.lua.
error "native_testing.lua is for the language server"

-- luacheck: ignore 212 (stubs use no argument)

local core = {}

---@class qlua.TestConn userdata: a connection over memory, made for one request

--- Send a request at the end of this turn. Lending: it is routed but not answered, and its context
--- can be entered.
---@param bytes string
---@param lending boolean
---@return qlua.TestConn
---@return number id
function core.test_open(bytes, lending) end

--- Until there is something to read or to enter, or the connection has ended; waits.
---@async
---@param conn qlua.TestConn
---@return true? ok
---@return any error
function core.test_wait(conn) end

--- What the other side has sent and was not taken yet; nil at the end.
---@param conn qlua.TestConn
---@return string?
function core.test_read(conn) end

--- Was a context lent? It is the running task's until core.leave_context().
---@param conn qlua.TestConn
---@return boolean
function core.test_enter(conn) end

--- The client goes: who answers it still is told so.
---@param conn qlua.TestConn
function core.test_close(conn) end

--- The connection by which the running request came; nil for a real one.
---@return number? id
function core.test_id() end

--- This is the started file from now on; its folder is the root.
---@param path string absolute
function core.set_app_file(path) end

--- What the process ends with when this command or script returns.
---@param code integer
function core.set_exit_code(code) end

return core
