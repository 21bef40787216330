--- base/buf: a growing byte buffer.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
void buf_grow(struct buf *buf, size_t more);
void buf_printf(struct buf *buf, const char *format, ...);
void buf_uint(struct buf *buf, uint64_t number);
void buf_shift(struct buf *buf, size_t n);
]]

local lib, text = native.lib, native.text

describe("buf", function()
  it("keeps its bytes while it grows", function()
    local buf, expected = native.buf(), {}
    for i = 0, 2000 do
      lib.buf_uint(buf, i)
      expected[#expected + 1] = tostring(i)
    end
    assert.equal(table.concat(expected), text(buf))
    assert.is_true(buf.cap >= buf.len)
  end)

  it("makes the room it is asked for", function()
    local buf = native.buf()
    for _, more in ipairs { 0, 1, 255, 256, 257, 100000 } do
      lib.buf_grow(buf, more)
      assert.is_true(buf.cap - buf.len >= more)
      buf.len = buf.len + more
    end
  end)

  it("writes numbers", function()
    for number, expected in pairs {
      [0] = "0", [9] = "9", [10] = "10", [4294967296] = "4294967296",
    } do
      local buf = native.buf()
      lib.buf_uint(buf, number)
      assert.equal(expected, text(buf))
    end
    local buf = native.buf()
    lib.buf_uint(buf, 0xffffffffffffffffULL)
    assert.equal("18446744073709551615", text(buf))
  end)

  it("formats short and long text", function()
    for _, len in ipairs { 0, 1, 126, 127, 128, 129, 5000 } do
      local buf, long = native.buf(), ("x"):rep(len)
      lib.buf_printf(buf, "<%s>", long)
      assert.equal("<" .. long .. ">", text(buf))
    end
  end)

  it("drops bytes at its front", function()
    local buf = native.buf()
    lib.buf_printf(buf, "abcdef")
    lib.buf_shift(buf, 0)
    assert.equal("abcdef", text(buf))
    lib.buf_shift(buf, 2)
    assert.equal("cdef", text(buf))
    lib.buf_shift(buf, 4)
    assert.equal("", text(buf))
  end)

  it("is empty and usable after a clear", function()
    local buf = native.buf()
    lib.buf_uint(buf, 1)
    lib.buf_clear(buf)
    assert.is_true(buf.data == nil and buf.len == 0 and buf.cap == 0)
    lib.buf_uint(buf, 2)
    assert.equal("2", text(buf))
  end)
end)
