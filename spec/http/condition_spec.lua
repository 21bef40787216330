--- http/condition: what conditional requests come to.

local ffi = require "ffi"
local native = require "support.native"
local lists = require "support.fields"

ffi.cdef [[
struct etag { struct slice text; bool weak; };
bool etag_next(struct slice *list, struct etag *tag);
bool etag_matches(struct slice list, struct slice etag, bool strong);
int condition_check(const struct fields *headers, bool is_get_or_head, struct slice etag,
                    int64_t last_modified, int64_t now);
bool condition_range_applies(const struct fields *headers, struct slice etag,
                             int64_t last_modified, int64_t now);
]]

local lib, slice = native.lib, lists.slice
local results = { [0] = "pass", "not modified", "failed" }

local MODIFIED = 784111777 -- Sun, 06 Nov 1994 08:49:37 GMT
local NOW = 1700000000
local SAME = "Sun, 06 Nov 1994 08:49:37 GMT"
local BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
local AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"

-- `options.etag` and `options.modified` false: the representation has none.
local function check(headers, options)
  options = options or {}
  local etag = options.etag == nil and '"v1"' or options.etag or ""
  local modified = options.modified == nil and MODIFIED or options.modified or -1
  local fields = lists.new(true, unpack(headers))
  local safe = options.method == nil
  return results[lib.condition_check(fields, safe, slice(etag), modified, NOW)]
end

describe("etag list", function()
  local function tags(value)
    local list, tag, found = slice(value), ffi.new "struct etag", {}
    while lib.etag_next(list, tag) do
      found[#found + 1] = (tag.weak and "W:" or "") .. native.text(tag.text)
    end
    return found
  end

  it("is divided outside quotes", function()
    for _, case in ipairs {
      { "", {} },
      { " , ,", {} },
      { '"a"', { "a" } },
      { '"a", W/"b","c"', { "a", "W:b", "c" } },
      { '"a,b" , "c\\"', { "a,b", "c\\" } },
      { '""', { "" } },
      { 'a, w/b ,"open', { "a", "W:b", '"open' } },
      { '"a"junk, "b"', { "a", "b" } },
      { "W/", { "W:" } },
    } do
      assert.same(case[2], tags(case[1]), case[1])
    end
  end)

  it("matches weakly or strongly", function()
    for _, case in ipairs {
      -- list, etag, weakly, strongly: RFC 9110 8.8.3.2
      { '"1"', '"1"', true, true },
      { 'W/"1"', 'W/"1"', true, false },
      { 'W/"1"', '"1"', true, false },
      { '"1"', 'W/"1"', true, false },
      { 'W/"1"', 'W/"2"', false, false },
      { '"2", "1"', '"1"', true, true },
      { 'W/"1", "1"', '"1"', true, true },
      { "*", '"1"', true, true },
      { " * ", "", true, true },
      { '"1"', "", false, false },
      { "", '"1"', false, false },
      { '"*"', '"1"', false, false },
      { "1", '"1"', true, true },
    } do
      assert.equal(case[3], lib.etag_matches(slice(case[1]), slice(case[2]), false), case[1])
      assert.equal(case[4], lib.etag_matches(slice(case[1]), slice(case[2]), true), case[1])
    end
  end)
end)

describe("condition", function()
  it("passes when there is none", function()
    assert.equal("pass", check {})
  end)

  for _, case in ipairs {
    { "If-None-Match", '"v1"', "not modified" },
    { "If-None-Match", 'W/"v1"', "not modified" },
    { "If-None-Match", '"v0", "v1"', "not modified" },
    { "If-None-Match", "*", "not modified" },
    { "If-None-Match", '"v0"', "pass" },
    { "If-None-Match", "", "pass" },
    { "If-Match", '"v1"', "pass" },
    { "If-Match", '"v0", "v1"', "pass" },
    { "If-Match", "*", "pass" },
    { "If-Match", '"v0"', "failed" },
    { "If-Match", 'W/"v1"', "failed" },
    { "If-Match", "", "failed" },
    { "If-Modified-Since", SAME, "not modified" },
    { "If-Modified-Since", AFTER, "not modified" },
    { "If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT", "not modified" },
    { "If-Modified-Since", "Sun Nov  6 08:49:37 1994", "not modified" },
    { "If-Modified-Since", BEFORE, "pass" },
    { "If-Modified-Since", "yesterday", "pass" },
    { "If-Unmodified-Since", SAME, "pass" },
    { "If-Unmodified-Since", AFTER, "pass" },
    { "If-Unmodified-Since", BEFORE, "failed" },
    { "If-Unmodified-Since", "yesterday", "pass" },
  } do
    it(("%s: %s gives %s"):format(unpack(case)), function()
      assert.equal(case[3], check { { case[1], case[2] } })
    end)
  end

  it("is failed, not unmodified, for other methods", function()
    local post = { method = "POST" }
    assert.equal("failed", check({ { "If-None-Match", '"v1"' } }, post))
    assert.equal("failed", check({ { "If-None-Match", "*" } }, post))
    assert.equal("pass", check({ { "If-None-Match", '"v0"' } }, post))
    assert.equal("pass", check({ { "If-Modified-Since", AFTER } }, post))
    assert.equal("failed", check({ { "If-Unmodified-Since", BEFORE } }, post))
  end)

  it("goes by tags before dates", function()
    assert.equal("pass", check { { "If-None-Match", '"v0"' }, { "If-Modified-Since", SAME } })
    assert.equal(
      "not modified",
      check { { "If-None-Match", '"v1"' }, { "If-Modified-Since", BEFORE } }
    )
    assert.equal("pass", check { { "If-Match", '"v1"' }, { "If-Unmodified-Since", BEFORE } })
    assert.equal("failed", check { { "If-Match", '"v0"' }, { "If-Unmodified-Since", AFTER } })
  end)

  it("wants both the right representation and a new one", function()
    assert.equal("not modified", check { { "If-Match", '"v1"' }, { "If-None-Match", '"v1"' } })
    assert.equal("failed", check { { "If-Match", '"v0"' }, { "If-None-Match", '"v1"' } })
    assert.equal(
      "not modified",
      check { { "If-Unmodified-Since", SAME }, { "If-Modified-Since", SAME } }
    )
  end)

  it("reads several lines of tags as one list, several dates as none", function()
    assert.equal("not modified", check { { "If-None-Match", '"a"' }, { "if-none-match", '"v1"' } })
    assert.equal("pass", check { { "If-Match", '"a"' }, { "if-match", '"v1"' } })
    assert.equal("pass", check { { "If-Modified-Since", SAME }, { "If-Modified-Since", SAME } })
  end)

  it("is met or ignored when the representation has no validator", function()
    local bare = { etag = false, modified = false }
    assert.equal("pass", check({ { "If-None-Match", '"v1"' } }, bare))
    assert.equal("not modified", check({ { "If-None-Match", "*" } }, bare))
    assert.equal("failed", check({ { "If-Match", '"v1"' } }, bare))
    assert.equal("pass", check({ { "If-Match", "*" } }, bare))
    assert.equal("pass", check({ { "If-Modified-Since", AFTER } }, bare))
    assert.equal("pass", check({ { "If-Unmodified-Since", BEFORE } }, bare))
  end)
end)

describe("If-Range", function()
  local function applies(value, etag, modified, now)
    local fields = lists.new(true, value and { "If-Range", value })
    return lib.condition_range_applies(fields, slice(etag), modified, now or NOW)
  end

  it("lets the range count when it is not sent", function()
    assert.is_true(applies(nil, '"v1"', MODIFIED))
  end)

  it("compares tags strongly", function()
    assert.is_true(applies('"v1"', '"v1"', -1))
    assert.is_false(applies('"v0"', '"v1"', -1))
    assert.is_false(applies('W/"v1"', '"v1"', -1))
    assert.is_false(applies('W/"v1"', 'W/"v1"', -1))
    assert.is_false(applies('"v1"', 'W/"v1"', -1))
    assert.is_false(applies('"v1", "v2"', '"v1"', -1))
    assert.is_false(applies("*", '"v1"', -1))
    assert.is_false(applies('"v1"', "", -1))
    assert.is_false(applies("", '"v1"', -1))
  end)

  it("wants exactly the date, and that from before this second", function()
    assert.is_true(applies(SAME, "", MODIFIED))
    assert.is_false(applies(AFTER, "", MODIFIED))
    assert.is_false(applies(BEFORE, "", MODIFIED))
    assert.is_false(applies(SAME, "", -1))
    assert.is_false(applies(SAME, "", MODIFIED, MODIFIED))
    assert.is_true(applies(SAME, "", MODIFIED, MODIFIED + 1))
  end)
end)
