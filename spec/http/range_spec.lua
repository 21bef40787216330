--- http/range: which bytes a Range header asks for.

local ffi = require "ffi"
local native = require "support.native"
local lists = require "support.fields"

ffi.cdef [[
int range_parse(struct slice value, uint64_t size, uint64_t *first, uint64_t *last);
]]

local results = { [0] = "ignored", "satisfiable", "unsatisfiable" }

-- "first-last", "ignored" or "unsatisfiable".
local function parse(value, size)
  local first, last = ffi.new "uint64_t[1]", ffi.new "uint64_t[1]"
  local result = results[native.lib.range_parse(lists.slice(value), size, first, last)]
  if result ~= "satisfiable" then
    return result
  end
  return (tostring(first[0]) .. "-" .. tostring(last[0])):gsub("ULL", "")
end

local huge = ("9"):rep(40)

describe("range", function()
  it("is found in a file of ten bytes", function()
    for value, expected in pairs {
      ["bytes=0-0"] = "0-0",
      ["bytes=0-3"] = "0-3",
      ["bytes=2-"] = "2-9",
      ["bytes=9-9"] = "9-9",
      ["bytes=0-"] = "0-9",
      ["bytes=-3"] = "7-9",
      ["bytes=-10"] = "0-9",
      ["bytes=-11"] = "0-9",
      ["bytes=5-100"] = "5-9",
      ["bytes=5-" .. huge] = "5-9",
      ["bytes=-" .. huge] = "0-9",
      ["bytes=00-01"] = "0-1",
      ["BYTES=0-1"] = "0-1",
      ["bytes= 0-1 "] = "0-1",
      ["bytes=,0-1,,"] = "0-1",
      ["bytes = 0-1"] = "0-1",
    } do
      assert.equal(expected, (parse(value, 10)), value)
    end
  end)

  it("lies behind the end", function()
    for _, value in ipairs { "bytes=10-", "bytes=10-20", "bytes=" .. huge .. "-", "bytes=-0" } do
      assert.equal("unsatisfiable", parse(value, 10), value)
    end
    assert.equal("unsatisfiable", parse("bytes=" .. huge .. "-" .. huge, 10))
  end)

  it("is ignored when it is none, several, or of another unit", function()
    for _, value in ipairs {
      "", "bytes", "bytes=", "=0-1", "bytes=a-b", "bytes=1", "bytes=-", "bytes=--1", "bytes=1-2-3",
      "bytes=0-1,4-5", "bytes=0-1,x", "bytes=4-3", "bytes=0x1-2", "bytes=+1-2", "bytes=1 - 2",
      "bytes=0-1;", "lines=0-1", "bytes:0-1", "bytes=0-1=", "bytes=\0", "bytesx=0-1", "bytes=1-a",
      "bytes=-1x",
    } do
      assert.equal("ignored", parse(value, 10), value)
    end
  end)

  it("is ignored for an empty file", function()
    for _, value in ipairs { "bytes=0-", "bytes=-1", "bytes=0-0", "bytes=-0" } do
      assert.equal("ignored", parse(value, 0), value)
    end
  end)

  it("reaches the end of the largest file", function()
    local largest = 0xffffffffffffffffULL
    assert.equal("18446744073709551613-18446744073709551614", (parse("bytes=-2", largest)))
    assert.equal("0-18446744073709551614", (parse("bytes=0-" .. huge, largest)))
  end)
end)
