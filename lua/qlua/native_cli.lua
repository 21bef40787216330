---@meta qlua.core
--- What the subcommands need of `qlua.core`, for the language server; see native.lua.
error "native_cli.lua is for the language server"

-- luacheck: ignore 212 241 (declarations use nothing)

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
---@param private? boolean nobody else may look into it
---@return true? made
---@return string? message
---@return integer? code
function core.make_folder(path, private) end

--- The running program's path, absolute.
---@return string?
function core.program() end

--- Is a file descriptor (0: standard input, 1: output) a terminal?
---@param fd integer
---@return boolean
function core.is_terminal(fd) end

---@class qlua.Terminal userdata: the terminal of standard input
---@field raw fun(self, on: boolean) keys come one by one, and none is a signal
---@field columns fun(self): integer
---@field read async fun(self): true?, string? what is typed, nil at the end; waits
---@field await_interrupt async fun(self): true? waits for Ctrl-C
---@field settle fun(self): boolean was there a Ctrl-C? It has no effect any more, and the running
---  task's context has all the processor time it wants

--- The terminal of standard input. Its Ctrl-C is caught from now on: it ends what runs, but for
--- the task that calls this.
---@return qlua.Terminal?
---@return string? message
---@return integer? code
function core.terminal() end

return core
