---@meta
--- What C gives to lua/qlua: the types of `require "qlua.core"` (src/bind, one file a group).
--- Never loaded; the language server reads it.
---
--- Functions marked "waits" return (true, results...) or (nil, error): pass their results
--- through `task.await`, which raises the error at the caller's wait point.

---@class qlua.Handle userdata: the running request's C side; dead after the request has ended
---@class qlua.File userdata: an open file, to be sent or read

---@class qlua.core
---@field current table [1] is the running task's context table, or nil; set by the scheduler
---@field null lightuserdata JSON null, the same as lua-cjson's
---@field ANSWERED lightuserdata returned by a dispatched function that sent its answer itself
local core = {}

--- The running task's context table, made on first touch: `{ handle = qlua.Handle }` in a task
--- that serves a request (or was spawned by one), nil elsewhere. Also puts it in current[1].
---@return { handle: qlua.Handle }?
function core.context() end

return core
