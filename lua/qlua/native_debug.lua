---@meta qlua.core
--- What the debugger needs of `qlua.core` (src/bind/debug.c); for the language server, see
--- native.lua.
error "native_debug.lua is for the language server"

-- luacheck: ignore 212 241 (declarations use nothing)

local core = {}

--- What the paths of all URLs of the debugger begin with: "/__qlua__/SECRET/"; nil outside of debug
--- mode.
---@return string?
function core.debug_prefix() end

--- May the request's client see debug pages, by its address and those it says it asks for?
---@param handle qlua.Handle
---@return boolean
function core.debug_admits(handle) end

--- Is this the PIN? Wrong ones are counted.
---@param text string
---@return string? token for the console's cookie
---@return integer? left how many more may be tried
function core.debug_pin(text) end

--- Is this the console's cookie?
---@param cookie string
---@return boolean
function core.debug_knows(cookie) end

--- Keep a text with the worker, for longer than this generation; the oldest goes.
---@param name string
---@param text string
function core.debug_keep(name, text) end

---@param name string
---@return string?
function core.debug_kept(name) end

--- The body as received, whoever has read it.
---@param handle qlua.Handle
---@return string? body
---@return string? why "large" or "incomplete"
function core.debug_body(handle) end

--- Another body for a request whose own has been read.
---@param handle qlua.Handle
---@param text string
function core.debug_set_body(handle, text) end

return core
