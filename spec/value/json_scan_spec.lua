local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct json_handler {
  int (*on_null)(void *); int (*on_bool)(void *, bool); int (*on_int)(void *, int64_t);
  int (*on_number)(void *, double); int (*on_string)(void *, struct slice);
  int (*on_object)(void *); int (*on_key)(void *, struct slice); int (*on_object_end)(void *);
  int (*on_array)(void *); int (*on_array_end)(void *); void *(*scratch)(void *, size_t);
};
int json_scan(struct slice, const struct json_handler *, void *, unsigned max_depth, struct err *);
struct number { bool is_int; int64_t whole; double real; };
size_t number_write(char *dst, double x);
size_t number_write_fixed(char *dst, double x, int digits);
int snprintf(char *dst, size_t size, const char *format, ...);
size_t number_read(struct slice text, struct number *number);
]]

-- LuaJIT's callbacks take no structs, so events that carry a slice cannot be heard from here: the
-- texts below have none but where the scan is to fail before. Strings are json_spec's.
local events
local function event(format)
  return function(_, value)
    events[#events + 1] = format:format(tostring(value))
    return 0
  end
end

local handler = ffi.new "struct json_handler"
handler.on_null = event "null"
handler.on_bool = event "bool %s"
handler.on_int = event "int %s"
handler.on_number = event "number %s"
handler.on_object = event "{"
handler.on_object_end = event "}"
handler.on_array = event "["
handler.on_array_end = event "]"

local function scan(text, max_depth)
  events = {}
  local err = ffi.new "struct err"
  local rc = native.lib.json_scan(native.slice(text), handler, nil, max_depth or 10, err)
  return rc, table.concat(events, " "), err
end
jit.off(scan) -- a compiled call must not call back

describe("json_scan", function()
  it("gives the events in the text's order", function()
    local rc, seen = scan ' [null, [true,false],\n-12, 0 ,1.5e1, {} ,9223372036854775808] '
    assert.equal(0, rc)
    assert.equal(
      "[ null [ bool true bool false ] int -12LL int 0LL number 15 { } "
        .. "number 9.2233720368548e+18 ]",
      seen
    )
  end)

  it("takes a single value for a text", function()
    local rc, seen = scan "7"
    assert.same({ 0, "int 7LL" }, { rc, seen })
  end)

  it("bounds the depth", function()
    assert.equal(0, (scan("[[[]]]", 3)))
    local rc, _, err = scan("[[[[]]]]", 3)
    assert.equal(-10004, rc)
    assert.equal("nested deeper than 3 levels", ffi.string(err.message))
    assert.equal(4, err.column)
  end)

  it("keeps levels apart beyond 64", function()
    local text = ("["):rep(300) .. ("]"):rep(300)
    assert.equal(0, (scan(text, 1024)))
    assert.equal(-10003, (scan(text:sub(1, -2) .. "}", 1024)))
  end)

  it("ends when a callback says so, and adds the place", function()
    local old = handler.on_bool
    handler.on_bool = function()
      return -22
    end
    local rc, _, err = scan "[1,\n  true]"
    handler.on_bool = old
    assert.same({ -22, 2, 3 }, { rc, err.line, err.column })
  end)

  local mistakes = {
    { "", 1, 1, "expected a value, but the text ends" },
    { "[1,]", 1, 4, "expected a value, got ']'" },
    { "[1 2]", 1, 4, "expected ',' or ']', got '2'" },
    { "[\n1\n", 3, 1, "expected ',' or ']', but the text ends" },
    { "[1}", 1, 3, "expected ',' or ']', got '}'" },
    { "]", 1, 1, "expected a value, got ']'" },
    { "{a:1}", 1, 2, "expected a key in double quotes or '}', got 'a'" },
    { "{,}", 1, 2, "expected a key in double quotes or '}', got ','" },
    { "['x']", 1, 2, "expected a value, got a single quote" },
    { "nul", 1, 1, "expected a value, got 'n'" },
    { "[True]", 1, 2, "expected a value, got 'T'" },
    { "NaN", 1, 1, "expected a value, got 'N'" },
    { "[-Infinity]", 1, 2, "a number with digits missing" },
    { "01", 1, 1, "a number must not begin with 0" },
    { "[-01]", 1, 2, "a number must not begin with 0" },
    { "+1", 1, 1, "expected a value, got '+'" },
    { ".5", 1, 1, "expected a value, got '.'" },
    { "1.", 1, 1, "a number with digits missing" },
    { "1e+", 1, 1, "a number with digits missing" },
    { "0x10", 1, 2, "expected the end of the text, got 'x'" },
    { "1e400", 1, 1, "a number beyond the range of a double" },
    { "1 2", 1, 3, "expected the end of the text, got '2'" },
    { "[1] // no", 1, 5, "expected the end of the text, got '/'" },
    { "[1\0]", 1, 3, "expected ',' or ']', got byte 0x00" },
    { "\239\187\191[]", 1, 1, "the text begins with a byte order mark; remove it" },
    { '"abc', 1, 5, "the text ends inside a string" },
    { '"abc\\', 1, 6, "the text ends inside a string" },
    { '["\195\169\195\169\1"]', 1, 5,
      "a control character in a string; write it as an escape, as \\n" },
    { '"a\nb"', 1, 3, "a control character in a string; write it as an escape, as \\n" },
    { '"a\\x"', 1, 3, "unknown escape in a string; a backslash is \\\\" },
    { '"\\u12"', 1, 2, "\\u needs four hexadecimal digits" },
    { '"\\u12G4"', 1, 2, "\\u needs four hexadecimal digits" },
    { '"\\u+123"', 1, 2, "\\u needs four hexadecimal digits" },
    { '"\255"', 1, 2, "invalid UTF-8 in a string" },
    { '"\192\128"', 1, 2, "invalid UTF-8 in a string" },
    { '"\237\160\128"', 1, 2, "invalid UTF-8 in a string" },
    { '"\195"', 1, 2, "invalid UTF-8 in a string" },
  }
  for _, case in ipairs(mistakes) do
    it(("refuses %q"):format(case[1]), function()
      local rc, _, err = scan(case[1])
      assert.equal(-10003, rc)
      assert.same({ case[2], case[3], case[4] }, { err.line, err.column, ffi.string(err.message) })
    end)
  end
end)

describe("number", function()
  local text = ffi.new("char[?]", 64)
  local number = ffi.new "struct number"

  local function write(x)
    return ffi.string(text, native.lib.number_write(text, x))
  end

  local function read(digits)
    assert(native.lib.number_read(native.slice(digits), number) == #digits)
    return number.is_int and tonumber(number.whole) or number.real
  end

  -- on the right what Python's repr gives, but whole numbers without ".0"
  local written = {
    { 0, "0" }, { -0.0, "0" }, { 5, "5" }, { -17, "-17" }, { 100000, "100000" },
    { 2 ^ 53, "9007199254740992" }, { 9999999999999998, "9999999999999998" },
    { 1e16, "1e+16" }, { 1e22, "1e+22" }, { 1.5e300, "1.5e+300" }, { -1e100, "-1e+100" },
    { 0.1, "0.1" }, { 1.5, "1.5" }, { 9.99, "9.99" }, { 0.0001, "0.0001" },
    { 0.00012345, "0.00012345" }, { 1e-05, "1e-05" }, { 1e-07, "1e-07" },
    { 0.1 + 0.2, "0.30000000000000004" }, { 1 / 3, "0.3333333333333333" },
    { 2 / 3, "0.6666666666666666" }, { 4503599627370495.5, "4503599627370495.5" },
    { 123456789.987654321, "123456789.98765433" }, { 0.5 ^ 13, "0.0001220703125" },
    { 5e-324, "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308" },
    { 2.2250738585072014e-308, "2.2250738585072014e-308" }, { 1e23, "1e+23" },
    { 0.9999999999999999, "0.9999999999999999" }, { 1.0000000000000002, "1.0000000000000002" },
  }
  for _, case in ipairs(written) do
    it("writes " .. case[2], function()
      assert.equal(case[2], write(case[1]))
    end)
  end

  it("writes the fewest digits that read back as the same number", function()
    math.randomseed(7)
    for _ = 1, 20000 do
      local x = math.random() * 10 ^ math.random(-8, 20)
      local short = write(x)
      assert.equal(x, tonumber(short))
      assert.equal(x, read(short))
      local digits = short:gsub("e.*", ""):gsub("%D", ""):gsub("^0+", ""):gsub("0+$", "")
      local fewer = ("%%.%dg"):format(math.max(#digits - 1, 1))
      assert.is_true(#digits == 1 or tonumber(fewer:format(x)) ~= x)
    end
  end)

  it("writes so many digits behind the point, rounded half to even", function()
    local room = ffi.new("char[?]", 2000)
    local function fixed(x, digits)
      return ffi.string(room, native.lib.number_write_fixed(room, x, digits))
    end
    local other = ffi.new("char[?]", 2000) -- LuaJIT's own string.format rounds otherwise
    local function printed(x, digits)
      return ffi.string(other, ffi.C.snprintf(other, 2000, "%.*f", ffi.new("int", digits), x))
    end
    local cases = { 0, -0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 2.675, 1.005, 0.045, 999999999999.9999,
      999999.9999995, 1e12, 5e-324, 2.2250738585072014e-308, 1e-40, 0.99999, 9.995, 1e300,
      2 ^ 52 + 0.5 }
    math.randomseed(8)
    for _ = 1, 20000 do
      cases[#cases + 1] = (math.random() - 0.5) * 10 ^ math.random(-8, 16)
      cases[#cases + 1] = math.random(-1e6, 1e6) / 2 ^ math.random(0, 20)
    end
    for i, x in ipairs(cases) do
      for digits = i % 3, i <= 20 and 20 or 8, 3 do
        assert.equal(printed(x, digits), fixed(x, digits))
      end
    end
    assert.equal(1 + 1 + 400, #fixed(0.1, 400))
  end)

  it("reads the nearest double, however many digits", function()
    for _, digits in ipairs {
      "9007199254740993", "0.1e1", "123456789012345678901234567890", "1e22", "1e23", "1e-400",
      "2.2250738585072011e-308", "0." .. ("0"):rep(400) .. "1e401", "9223372036854775807",
      "9223372036854775808", "179769313486231570000e289", ("9"):rep(300),
      "1" .. ("0"):rep(900) .. "e-900", "0.500000000000000166533453693773481063544750213623046875",
    } do
      assert.equal(tonumber(digits), read(digits), digits)
    end
    assert.equal(0, read "0e999999999999")
    -- half way between two doubles, and just above by the thousandth digit
    assert.equal(1, read("1.00000000000000011102230246251565404236316680908203125"))
    assert.equal(1 + 2 ^ -52,
      read("1.00000000000000011102230246251565404236316680908203125" .. ("0"):rep(950) .. "1"))
  end)

  it("does not depend on the locale", function()
    local old = os.setlocale(nil, "numeric")
    if not (os.setlocale("de_DE.UTF-8", "numeric") or os.setlocale("de_DE", "numeric")) then
      return -- none here that writes a comma
    end
    local short, value = write(1.25e-7), read "1.2345678901234567e-9"
    os.setlocale(old, "numeric")
    assert.equal("1.25e-07", short)
    assert.equal(1.2345678901234567e-9, value)
  end)
end)
