--- http/query: form-encoded text.

local ffi = require "ffi"
local native = require "support.native"
local lists = require "support.fields"

ffi.cdef [[
int query_parse(struct slice text, struct fields *out, size_t max_pairs);
]]

local lib, slice = native.lib, lists.slice

local function parse(source)
  local fields, borrowed = lists.new(false), slice(source)
  assert.equal(0, lib.query_parse(borrowed, fields, 1000))
  return lists.pairs(fields)
end

describe("query", function()
  it("is read into pairs in order", function()
    for _, case in ipairs {
      { "", {} },
      { "a=1&b=2&a=3", { { "a", "1" }, { "b", "2" }, { "a", "3" } } },
      { "a&b=&=c&=", { { "a", "" }, { "b", "" }, { "", "c" }, { "", "" } } },
      { "&&a=1&", { { "a", "1" } } },
      { "a=b=c", { { "a", "b=c" } } },
      { "a;b=c;d", { { "a;b", "c;d" } } },
      { "a+b=c+d", { { "a b", "c d" } } },
      { "a%2Bb=%26%3d", { { "a+b", "&=" } } },
      { "A=1&a=2", { { "A", "1" }, { "a", "2" } } },
      { "%C3%A9=%e2%98%83&r=é", { { "é", "☃" }, { "r", "é" } } },
      { "a=%00", { { "a", "\0" } } },
    } do
      assert.same(case[2], parse(case[1]), case[1])
    end
  end)

  it("keeps what does not decode as the text it was", function()
    for source, expected in pairs {
      ["%"] = "%",
      ["%4"] = "%4",
      ["%zz"] = "%zz",
      ["%%41"] = "%A",
      ["%ff"] = "%FF",
      ["x%C3+%C3%A9"] = "x%C3 é",
      ["%e2%98x"] = "%E2%98x",
      ["%ed%a0%80"] = "%ED%A0%80",
      ["\xff"] = "%FF",
    } do
      assert.same({ { "a", expected } }, parse("a=" .. source), source)
    end
  end)

  it("stops at the stated number of pairs", function()
    local ELIMIT = -10004
    for _, case in ipairs {
      { "a&b&c", 3, 0, 3 },
      { "a&b&c&", 2, ELIMIT, 2 },
      { "a", 0, ELIMIT, 0 },
    } do
      local fields = lists.new(false)
      assert.equal(case[3], lib.query_parse(slice(case[1]), fields, case[2]))
      assert.equal(case[4], fields.count)
    end
  end)
end)
