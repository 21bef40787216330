--- crypto/base64: both alphabets written; strict decoding, and Python's loose one.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
size_t base64_encode(int form, struct slice bytes, char *dst);
int base64_decode(struct slice text, char *dst, size_t *len);
int base64_decode_loose(int form, struct slice text, char *dst, size_t *len);
]]

local PLAIN, URL = 0, 1

local function encode(form, bytes)
  local dst = ffi.new("char[?]", math.floor((#bytes + 2) / 3) * 4 + 1, 0x21)
  local len = tonumber(native.lib.base64_encode(form, native.slice(bytes), dst))
  return ffi.string(dst, len)
end

local function decode(text)
  local dst, len = ffi.new("char[?]", #text + 3), ffi.new "size_t[1]"
  if native.lib.base64_decode(native.slice(text), dst, len) ~= 0 then
    return nil
  end
  return ffi.string(dst, len[0])
end

local function decode_loose(form, text)
  local dst, len = ffi.new("char[?]", math.floor(#text / 4 + 1) * 3), ffi.new "size_t[1]"
  if native.lib.base64_decode_loose(form, native.slice(text), dst, len) ~= 0 then
    return nil
  end
  return ffi.string(dst, len[0])
end

-- RFC 4648 section 10, and the last two letters of the alphabet
local PAIRS = {
  [""] = "", ["Zg=="] = "f", ["Zm8="] = "fo", ["Zm9v"] = "foo", ["Zm9vYg=="] = "foob",
  ["Zm9vYmE="] = "fooba", ["Zm9vYmFy"] = "foobar", ["AAAA"] = "\0\0\0", ["////"] = "\255\255\255",
  ["+/+/"] = "\xfb\xff\xbf",
}

describe("base64", function()
  it("encodes every length", function()
    for text, bytes in pairs(PAIRS) do
      assert.equal(text, encode(PLAIN, bytes))
    end
  end)

  it("encodes for URLs with other letters and without padding", function()
    for text, bytes in pairs(PAIRS) do
      assert.equal((text:gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" })),
        encode(URL, bytes))
    end
  end)

  it("decodes every length", function()
    for text, bytes in pairs(PAIRS) do
      assert.equal(bytes, decode(text), text)
    end
  end)

  it("refuses what is not padded base64 of the plain alphabet", function()
    for _, text in ipairs {
      "Z", "Zg", "Zg=", "Zm8", "Zm9v=", "====", "Z===", "=m9v", "Zm=v", "Zm 9", "Zm9v\n", "Zm-_",
      "Zm9vZ\xc3\xa9==", "\0\0\0\0",
    } do
      assert.is_nil(decode(text), text)
    end
  end)

  it("decodes in place", function()
    local text = ffi.new("char[8]", "Zm9vYmFy")
    local len = ffi.new "size_t[1]"
    local slice = ffi.new("struct slice", text, 8)
    assert.equal(0, native.lib.base64_decode_loose(URL, slice, text, len))
    assert.equal("foobar", ffi.string(text, len[0]))
  end)

  describe("decoded loosely", function()
    it("reads what it writes, of every length", function()
      local bytes = ""
      for i = 0, 255 do
        assert.equal(bytes, decode_loose(PLAIN, encode(PLAIN, bytes)))
        assert.equal(bytes, decode_loose(URL, encode(URL, bytes)))
        bytes = bytes .. string.char((i * 77 + 13) % 256)
      end
    end)

    it("says what Python's decoders say of any text", function()
      -- texts of letters, padding and what is neither; answers are hex, or "error"
      math.randomseed(4648)
      local letters = {
        "A", "Q", "b", "9", "-", "_", "+", "/", "=", "=", "=", " ", "\n", "\255", ".",
      }
      local lines, texts = {}, {}
      for i = 1, 3000 do
        local text = {}
        for j = 1, math.random(0, 12) do
          text[j] = letters[math.random(#letters)]
        end
        texts[i] = table.concat(text)
        lines[i] = (texts[i]:gsub(".", function(c)
          return ("%02x"):format(c:byte())
        end))
      end
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(table.concat(lines, "\n"), "\n")
      file:close()
      local pipe = assert(io.popen("/usr/bin/python3 spec/support/python_base64.py < " .. path))
      for i, text in ipairs(texts) do
        local plain, url = pipe:read "*l":match "^(%S+) (%S+)$"
        for form, expected in pairs { [PLAIN] = plain, [URL] = url } do
          local bytes = decode_loose(form, text)
          local hex = bytes and "x" .. bytes:gsub(".", function(c)
            return ("%02x"):format(c:byte())
          end) or "error"
          assert.equal(expected, hex, ("%d: %q"):format(i, text))
        end
      end
      pipe:close()
      os.remove(path)
    end)
  end)
end)
