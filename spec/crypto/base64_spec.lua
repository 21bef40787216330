--- crypto/base64: strict decoding.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef "int base64_decode(struct slice text, char *dst, size_t *len);"

local function decode(text)
  local dst, len = ffi.new("char[?]", #text + 3), ffi.new "size_t[1]"
  if native.lib.base64_decode(native.slice(text), dst, len) ~= 0 then
    return nil
  end
  return ffi.string(dst, len[0])
end

describe("base64", function()
  it("decodes every length", function()
    for text, expected in pairs {
      [""] = "", ["Zg=="] = "f", ["Zm8="] = "fo", ["Zm9v"] = "foo", ["Zm9vYg=="] = "foob",
      ["Zm9vYmE="] = "fooba", ["Zm9vYmFy"] = "foobar", ["AAAA"] = "\0\0\0",
      ["////"] = "\255\255\255",
      ["+/+/"] = "\xfb\xff\xbf",
    } do
      assert.equal(expected, decode(text), text)
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
end)
