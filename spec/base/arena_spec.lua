--- base/arena: bump memory with a list of things to undo.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
void arena_init_in(struct arena *arena, void *memory, size_t size);
void *arena_alloc_slow(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);
void arena_defer(struct arena *arena, void (*fn)(void *data), void *data);
struct slice arena_dup(struct arena *arena, struct slice s);
char *arena_cstr(struct arena *arena, struct slice s);
]]

local lib = native.lib

local function address(pointer)
  return tonumber(ffi.cast("uintptr_t", pointer))
end

describe("arena", function()
  it("gives aligned pieces that do not overlap", function()
    local arena, pieces = native.arena(), {}
    for i = 1, 500 do
      local size = (i * 37) % 3000 + 1
      local piece = ffi.cast("uint8_t *", lib.arena_zalloc(arena, size))
      assert.equal(0, address(piece) % 16)
      ffi.fill(piece, size, i % 251)
      pieces[i] = { piece, size }
    end
    for i, piece in ipairs(pieces) do
      assert.equal(i % 251, piece[1][0])
      assert.equal(i % 251, piece[1][piece[2] - 1])
    end
  end)

  it("gives a place for no bytes too, and each its own", function()
    local arena = native.arena()
    local first = lib.arena_zalloc(arena, 0)
    assert.is_true(first ~= nil)
    assert.not_equal(address(first), address(lib.arena_zalloc(arena, 0)))
    assert.not_equal(address(first), address(lib.arena_zalloc(arena, 1)))
  end)

  it("zeroes where it says so", function()
    local arena = native.arena()
    for _, size in ipairs { 1, 16, 5000 } do
      ffi.fill(lib.arena_alloc_slow(arena, size), size, 0xff)
      assert.equal(("\0"):rep(size), ffi.string(lib.arena_zalloc(arena, size), size))
      assert.equal(("\0"):rep(size * 3), ffi.string(lib.arena_array(arena, size, 3), size * 3))
    end
  end)

  it("uses its owner's memory first, again after a clear", function()
    local memory = ffi.new "struct { char bytes[256]; } __attribute__((aligned(16)))[1]"
    local arena = ffi.new "struct arena"
    lib.arena_init_in(arena, memory, 256)
    for _ = 1, 2 do
      local first = lib.arena_zalloc(arena, 200)
      assert.equal(address(memory), address(first))
      local second = lib.arena_zalloc(arena, 200)
      assert.is_true(address(second) < address(memory) or address(second) >= address(memory) + 256)
      lib.arena_clear(arena)
    end
  end)

  it("copies text", function()
    local arena = native.arena()
    local text = "some\0text"
    local copy = lib.arena_dup(arena, native.slice(text))
    assert.equal(text, native.text(copy))
    assert.equal("some", ffi.string(lib.arena_cstr(arena, native.slice "some")))
    assert.equal("", ffi.string(lib.arena_cstr(arena, native.slice "")))
    local empty = lib.arena_dup(arena, native.slice "")
    assert.is_true(empty.data ~= nil and empty.len == 0)
  end)

  it("runs what was deferred once, last first", function()
    local arena, order = ffi.new "struct arena", {}
    local callback
    callback = ffi.cast("void (*)(void *)", function(data)
      local number = address(data)
      order[#order + 1] = number
      if number == 2 then
        lib.arena_defer(arena, callback, ffi.cast("void *", 9)) -- while clearing
      end
    end)
    lib.arena_init(arena)
    for number = 1, 3 do
      lib.arena_defer(arena, callback, ffi.cast("void *", number))
    end
    local clear = function()
      lib.arena_clear(arena)
    end
    jit.off(clear) -- it calls back
    clear()
    assert.same({ 3, 2, 9, 1 }, order)
    clear()
    assert.equal(4, #order)
    callback:free()
  end)
end)
