--- base/clock: HTTP dates both ways, and clocks that run.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
uint64_t clock_ms(void);
uint64_t clock_ns(void);
int64_t clock_seconds(void);
int64_t clock_date_ms(void);
void clock_http_date(int64_t seconds, char *dst);
int clock_parse_http_date(struct slice text, int64_t now, int64_t *seconds);
]]

local lib = native.lib
local NOW = 1700000000 -- 14 Nov 2023

local function write(seconds)
  local dst = ffi.new "char[29]"
  lib.clock_http_date(seconds, dst)
  return ffi.string(dst, 29)
end

local function parse(date, now)
  local seconds = ffi.new "int64_t[1]"
  if lib.clock_parse_http_date(native.slice(date), now or NOW, seconds) ~= 0 then
    return nil
  end
  return tonumber(seconds[0])
end

describe("http date", function()
  it("is written as IMF-fixdate", function()
    for seconds, expected in pairs {
      [0] = "Thu, 01 Jan 1970 00:00:00 GMT",
      [784111777] = "Sun, 06 Nov 1994 08:49:37 GMT",
      [951782400] = "Tue, 29 Feb 2000 00:00:00 GMT",
      [1700000000] = "Tue, 14 Nov 2023 22:13:20 GMT",
      [-1] = "Wed, 31 Dec 1969 23:59:59 GMT",
      [4294967296] = "Sun, 07 Feb 2106 06:28:16 GMT",
    } do
      assert.equal(expected, write(seconds))
    end
  end)

  it("stays within years of four digits", function()
    assert.equal("Fri, 31 Dec 9999 23:59:59 GMT", write(0x7fffffffffffffffLL))
    assert.equal("Sat, 01 Jan 0000 00:00:00 GMT", write(-0x7fffffffffffffffLL))
  end)

  it("is read in the three forms of RFC 9110", function()
    for _, date in ipairs {
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
      " Sun, 06 Nov 1994 08:49:37 GMT ",
    } do
      assert.equal(784111777, parse(date), date)
    end
    assert.equal(1700000000, parse "Tue Nov 14 22:13:20 2023")
  end)

  it("comes back as it was written", function()
    for seconds = -2 ^ 35, 2 ^ 37, 1234567891 do
      assert.equal(seconds, parse(write(seconds)))
    end
  end)

  it("takes a year of two digits within 50 years", function()
    assert.equal("Tue, 14 Nov 2073 00:00:00 GMT", write(parse "Tuesday, 14-Nov-73 00:00:00 GMT"))
    assert.equal("Thu, 14 Nov 1974 00:00:00 GMT", write(parse "Thursday, 14-Nov-74 00:00:00 GMT"))
  end)

  it("is nothing else", function()
    for _, date in ipairs {
      "", "0", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMTx", "Sun,06 Nov 1994 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94", "784111777",
      "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    } do
      assert.is_nil(parse(date), date)
    end
  end)
end)

describe("clock", function()
  it("runs forward and agrees with Lua's", function()
    local ms, ns = lib.clock_ms(), lib.clock_ns()
    assert.is_true(lib.clock_ms() >= ms)
    assert.is_true(lib.clock_ns() > ns)
    assert.is_true(math.abs(tonumber(lib.clock_seconds()) - os.time()) <= 1)
  end)

  it("begins a second with everybody else", function()
    local first, late = lib.clock_seconds(), 0
    repeat
      local seconds = lib.clock_date_ms() / 1000
      local now = lib.clock_seconds()
      if now < seconds then
        late = late + 1
      end
    until now > first
    assert.equal(0, late)
  end)
end)
