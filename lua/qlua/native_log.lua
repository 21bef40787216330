---@meta
--- What logging needs of `require "qlua.core"` (src/bind/worker.c); more in native.lua.
--- Never loaded; the language server reads it.

-- luacheck: ignore 212 (stubs use no argument)

---@class qlua.core
local core = {}

---@param level "debug"|"info"|"warning"|"error"|"critical"
---@param text string
---@param logger? string whose line it is, "qlua" when nil
---@param traceback? string
---@param wanted? boolean write it whatever the setting log_level says
function core.log(level, text, logger, traceback, wanted) end

---@param level "debug"|"info"|"warning"|"error"|"critical"
---@return boolean
function core.log_wants(level) end

return core
