---@meta qlua.core
--- What the subcommands need of `qlua.core`, for the language server; see native.lua.
error "native_cli.lua is for the language server"

-- luacheck: ignore 212 241 (stubs use nothing)

---@class qlua.core
local core = {}

--- The names in a folder, hidden ones too.
---@param folder string
---@return string[]? names
---@return string? message
---@return integer? code
function core.folder_names(folder) end

--- Make one folder; its parent must be there.
---@param path string
---@return true? made
---@return string? message
---@return integer? code
function core.make_folder(path) end

--- The running program's path, absolute.
---@return string?
function core.program() end

--- Is a file descriptor (0: standard input, 1: output) a terminal?
---@param fd integer
---@return boolean
function core.is_terminal(fd) end

return core
