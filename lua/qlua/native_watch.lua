---@meta qlua.core
--- What reloading needs of `qlua.core` (src/bind/watch.c): files that are watched; for the language
--- server, see native.lua.
error "native_watch.lua is for the language server"

-- luacheck: ignore 212 241 (declarations use nothing)

local core = {}

--- Are files watched, so that a change loads the code anew?
---@return boolean
function core.watching() end

--- The code depends on this file from now on, whether it is there or not; nothing when files are
--- not watched. A relative path is one of the current folder.
---@param path string
---@return boolean there is a file
function core.watch(path) end

return core
