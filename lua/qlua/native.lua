---@meta
--- What C gives to lua/qlua: the types of `require "qlua.core"` (src/bind, one file a group).
--- Never loaded; the language server reads it.
---
--- Functions marked "waits" return (true, results...) or (nil, error): pass their results
--- through `task.await`, which raises the error at the caller's wait point.

-- luacheck: ignore 212 (stubs use no argument)

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

--- The value as JSON text (src/value/json.h has the rules), or nil, what is wrong, and its path.
---@param value any
---@param options? qlua.json.Options
---@return string? text
---@return string? message
---@return string? path as `a.b[3]`, "" for the value itself
function core.json_encode(value, options) end

--- The value of a JSON text: arrays are marked, null is core.null; or nil and what is wrong.
---@param text string
---@return any value
---@return string? message with line and column
function core.json_decode(text) end

--- Mark the table itself as an array, so that an empty one is [] and holes are null.
---@generic T: table
---@param list T
---@return T
function core.array(list) end

--- Is it a table with the array mark?
---@param value any
---@return boolean
function core.is_array(value) end

return core
