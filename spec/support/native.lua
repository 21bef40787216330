--- The C rooms below bind/ for unit specs, through FFI: build/libqlua-test.so.
--- A spec declares what it calls with `ffi.cdef` and calls it on `native.lib`.
--- QLUA_TEST_LIB names another build of the library (the sanitizers' one).

local ffi = require "ffi"

ffi.cdef [[
struct slice { const char *data; size_t len; };
struct buf { char *data; size_t len; size_t cap; };
struct arena { char *at; char *end; void *blocks; void *defers; char *first; size_t first_size; };
struct err { int code; int line; int column; char name[256]; char message[512]; };
void buf_clear(struct buf *buf);
void arena_init(struct arena *arena);
void arena_clear(struct arena *arena);
]]

local M = {}

M.lib = ffi.load(os.getenv "QLUA_TEST_LIB" or "build/libqlua-test.so")

--- A Lua string as a struct slice. It borrows: keep the string alive while C uses it.
---@param text string
function M.slice(text)
  return ffi.new("struct slice", ffi.cast("const char *", text), #text)
end

--- The bytes of a struct slice or struct buf as a Lua string.
function M.text(slice)
  return slice.len == 0 and "" or ffi.string(slice.data, slice.len)
end

--- An empty struct buf, freed by the collector.
function M.buf()
  return ffi.gc(ffi.new "struct buf", M.lib.buf_clear)
end

--- An empty struct arena, cleared by the collector.
function M.arena()
  local arena = ffi.new "struct arena"
  M.lib.arena_init(arena)
  return ffi.gc(arena, M.lib.arena_clear)
end

return M
