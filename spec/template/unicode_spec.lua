--- template/unicode: classes and cases of characters, against Python's own str methods.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
void unicode_convert(struct slice text, int to, struct buf *out);
bool unicode_is_printable(uint32_t code);
bool unicode_is_alpha(uint32_t code);
bool unicode_is_decimal(uint32_t code);
bool unicode_is_digit(uint32_t code);
bool unicode_is_numeric(uint32_t code);
bool unicode_is_alnum(uint32_t code);
bool unicode_is_space(uint32_t code);
bool unicode_is_lower(uint32_t code);
bool unicode_is_upper(uint32_t code);
bool unicode_is_name_start(uint32_t code);
size_t chars_decode(struct slice text, uint32_t *code);
size_t chars_count(struct slice text);
size_t chars_offset(struct slice text, size_t n);
size_t chars_last(struct slice text);
]]

local lib, slice = native.lib, native.slice

local CONVERSIONS = 6 -- lower, upper, casefold, title, capitalize, swapcase: enum unicode_case
local QUESTIONS = { "printable", "alpha", "decimal", "digit", "numeric", "alnum", "space", "lower",
  "upper", "name_start" }

local function unhex(field)
  return (field:sub(2):gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local out = native.buf()

local function convert(text, to)
  out.len = 0
  lib.unicode_convert(slice(text), to, out)
  return native.text(out)
end

local function answers(text)
  local code = ffi.new "uint32_t[1]"
  lib.chars_decode(slice(text), code)
  local given = {}
  for i, question in ipairs(QUESTIONS) do
    given[i] = lib["unicode_is_" .. question](code[0]) and "1" or "0"
  end
  return table.concat(given)
end

describe("unicode", function()
  it("knows the cases and classes of characters as Python does", function()
    local pipe = assert(io.popen "/usr/bin/python3 spec/support/python_text.py unicode")
    local lines = 0
    for line in pipe:lines() do
      local fields = {}
      for field in line:gmatch "%S+" do
        fields[#fields + 1] = unhex(field)
      end
      for i = 1, CONVERSIONS do
        if convert(fields[1], i - 1) ~= fields[i + 1] then
          assert.equal(fields[i + 1], convert(fields[1], i - 1), fields[1] .. " to case " .. i)
        end
      end
      if fields[CONVERSIONS + 2] and answers(fields[1]) ~= fields[CONVERSIONS + 2] then
        assert.equal(fields[CONVERSIONS + 2], answers(fields[1]), fields[1])
      end
      lines = lines + 1
    end
    pipe:close()
    assert.is_true(lines > 100000)
  end)

  it("leaves bytes that are not UTF-8", function()
    assert.equal("A\xffB\xc3", convert("a\xffb\xc3", 1))
    assert.is_false(lib.unicode_is_alpha(0xFFFFFFFF))
  end)
end)

describe("chars", function()
  it("counts code points, and a stray byte as one", function()
    assert.equal(0, tonumber(lib.chars_count(slice "")))
    assert.equal(12, tonumber(lib.chars_count(slice "twelve bytes")))
    assert.equal(4, tonumber(lib.chars_count(slice "aé中😀")))
    assert.equal(5, tonumber(lib.chars_count(slice "a\xff\xe4\xb8é")))
  end)

  it("finds where a character begins", function()
    local text = "plain ascii aé中😀"
    assert.equal(3, tonumber(lib.chars_offset(slice(text), 3)))
    assert.equal(13, tonumber(lib.chars_offset(slice(text), 13)))
    assert.equal(15, tonumber(lib.chars_offset(slice(text), 14)))
    assert.equal(18, tonumber(lib.chars_offset(slice(text), 15)))
    assert.equal(#text, tonumber(lib.chars_offset(slice(text), 99)))
  end)

  it("knows the last character's bytes", function()
    local lengths = { [""] = 0, ab = 1, ["aé"] = 2, ["a中"] = 3, ["😀"] = 4, ["é\xa9"] = 1 }
    for text, bytes in pairs(lengths) do
      assert.equal(bytes, tonumber(lib.chars_last(slice(text))), text)
    end
  end)
end)
