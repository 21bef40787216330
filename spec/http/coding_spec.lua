--- http/coding: which clients get gzip, and for which types.

local ffi = require "ffi"
local lists = require "support.fields"
local native = require "support.native"

ffi.cdef [[
bool coding_type_is_valid(const char *pattern);
bool coding_accepts_gzip(const struct fields *headers);
]]

local lib = native.lib

describe("Accept-Encoding", function()
  local function accepts(...)
    local lines = {}
    for i, line in ipairs { ... } do
      lines[i] = { "Accept-Encoding", line }
    end
    return lib.coding_accepts_gzip(lists.new(true, unpack(lines)))
  end

  it("lets gzip be chosen", function()
    for _, value in ipairs {
      "gzip", "GZIP", "x-gzip", "*", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8, *;q=0.1",
      "gzip;q=0.001", "gzip ; q=1", "gzip;Q=0.5", "gzip;q=1.000", "identity;q=0, gzip;q=0.1",
      "identity;q=0.5, gzip;q=0.5", "identity;q=0.4, gzip;q=0.5", "*;q=0.3, gzip;q=0.5",
      "*;q=0, gzip", "identity;q=0, *", ",, gzip ,", "gzip;q=0., gzip;q=1",
    } do
      assert.is_true(accepts(value), value)
    end
    assert.is_true(accepts("br", "gzip"))
  end)

  it("lets it not be", function()
    for _, value in ipairs {
      "", "br", "deflate, br", "identity", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *",
      "identity, gzip;q=0.9", "*, gzip;q=0.5", "gzip;q=2", "gzip;q=0.1234", "gzip;q=-1",
      "gzip;q=x", "gzip;q=", "gzip;level=9", "gzipped", "gzip;q=1.001", "gzip;q=.5",
    } do
      assert.is_false(accepts(value), value)
    end
    assert.is_false(accepts())
  end)
end)

describe("a content type's pattern", function()
  it("is a type, or has one star", function()
    for _, pattern in ipairs { "text/html", "text/*", "*", "*/x+y", "application/*+json", "a/b.c-d",
      "*/xml" } do
      assert.is_true(lib.coding_type_is_valid(pattern), pattern)
    end
    for _, pattern in ipairs { "", "text", "text/html; charset=x", "a/b/c", "*/*", "te xt/html",
      "text,html/x", "t\1/x" } do
      assert.is_false(lib.coding_type_is_valid(pattern), pattern)
    end
  end)
end)
