--- base/utf8: decode, encode, check, clean.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
size_t utf8_decode(struct slice text, uint32_t *code);
void utf8_encode(struct buf *out, uint32_t code);
bool utf8_is_valid(struct slice text);
void utf8_clean(struct buf *out, struct slice text);
]]

local lib = native.lib
local INVALID = 0xffffffff

-- Length and code of the first code point.
local function decode(bytes)
  local code = ffi.new "uint32_t[1]"
  local len = tonumber(lib.utf8_decode(native.slice(bytes), code))
  return len, code[0]
end

local function clean(bytes)
  local out = native.buf()
  lib.utf8_clean(out, native.slice(bytes))
  return native.text(out)
end

-- Bytes, and what Python's decoder with errors="replace" makes of them (R is U+FFFD).
local broken = {
  { "\x80", "R" },
  { "\xff\xfe", "RR" },
  { "\xc0\xaf", "RR" }, -- overlong
  { "\xc1\xbf", "RR" },
  { "\xc3", "R" },
  { "\xc3x", "Rx" },
  { "\xe0\x80\x80", "RRR" }, -- overlong
  { "\xe2\x98", "R" },
  { "\xe2\x98x", "Rx" },
  { "\xe2\x28\xa1", "R(R" },
  { "\xed\xa0\x80", "RRR" }, -- surrogate
  { "\xf0\x80\x80\x80", "RRRR" }, -- overlong
  { "\xf0\x9f\x98", "R" },
  { "\xf0\x9f\x98x", "Rx" },
  { "\xf4\x90\x80\x80", "RRRR" }, -- above U+10FFFF
  { "\xf5\x80", "RR" },
  { "a\xc3\xa9\xffb", "aéRb" },
}

describe("utf8", function()
  it("decodes what it encodes, at every border", function()
    for _, case in ipairs {
      { 0, "\0" }, { 0x7f, "\x7f" }, { 0x80, "\xc2\x80" }, { 0x7ff, "\xdf\xbf" },
      { 0x800, "\xe0\xa0\x80" }, { 0xd7ff, "\xed\x9f\xbf" }, { 0xe000, "\xee\x80\x80" },
      { 0xffff, "\xef\xbf\xbf" }, { 0x10000, "\xf0\x90\x80\x80" },
      { 0x10ffff, "\xf4\x8f\xbf\xbf" },
    } do
      local out = native.buf()
      lib.utf8_encode(out, case[1])
      assert.equal(case[2], native.text(out))
      local len, code = decode(case[2] .. "x")
      assert.same({ #case[2], case[1] }, { len, code })
      assert.is_true(lib.utf8_is_valid(native.slice(case[2])))
      assert.equal(case[2], clean(case[2]))
    end
  end)

  it("replaces as Python and the WHATWG do", function()
    for _, case in ipairs(broken) do
      assert.is_false(lib.utf8_is_valid(native.slice(case[1])))
      assert.equal((case[2]:gsub("R", "\239\191\189")), clean(case[1]), ("%q"):format(case[1]))
    end
  end)

  it("says how long an invalid prefix is", function()
    for bytes, len in pairs {
      ["\xff"] = 1,
      ["\xc3"] = 1,
      ["\xe2\x98x"] = 2,
      ["\xf0\x9f\x98x"] = 3,
    } do
      assert.same({ len, INVALID }, { decode(bytes) })
    end
  end)

  it("takes empty text", function()
    assert.is_true(lib.utf8_is_valid(native.slice ""))
    assert.equal("", clean "")
  end)
end)
