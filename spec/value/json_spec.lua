local library = os.getenv "QLUA_TEST_LIB" or "build/libqlua-test.so"
local value = assert(package.loadlib(library, "luaopen_qlua_value"))()
local cjson = require "cjson"

local encode, decode, array, null = value.json_encode, value.json_decode, value.array, value.null

local function refused(given, message, path)
  local text, said, at = encode(given)
  assert.is_nil(text)
  assert.equal(message, said)
  assert.equal(path, at)
end

-- the same value again: `{ "what", value, text }`
local function each(cases, check)
  for _, case in ipairs(cases) do
    it(case[1], function()
      check(case[2], case[3], case[4])
    end)
  end
end

describe("json", function()
  describe("encode", function()
    local inner = { x = 1 }
    each({
      { "writes scalars", { true, false, "x", 1.5, null }, '[true,false,"x",1.5,null]' },
      { "writes nil as null", nil, "null" },
      { "writes keys 1..n as an array", { 1, 2, 3 }, "[1,2,3]" },
      { "writes keys 1..n as an array in whatever order", { [3] = 1, [2] = 2, [1] = 3 },
        "[3,2,1]" },
      { "writes no keys as an object", {}, "{}" },
      { "writes a marked table without keys as an array", array {}, "[]" },
      { "writes holes of a marked table as null", array { 1, nil, 3 }, "[1,null,3]" },
      { "writes a marked table up to its largest key", array { [4] = 1 }, "[null,null,null,1]" },
      { "writes an unmarked table with holes as an object", { 1, nil, 3 }, '{"1":1,"3":3}' },
      { "sorts number keys as numbers", { [10] = 1, [2] = 2, [-1] = 3, [0] = 4 },
        '{"-1":3,"0":4,"2":2,"10":1}' },
      { "sorts names by bytes",
        { b = 1, a = 2, B = 3, aa = 4, ["a\0"] = 5, abcdefghi = 6, abcdefgh = 7, ["é"] = 8,
          [""] = 9 },
        '{"":9,"B":3,"a":2,"a\\u0000":5,"aa":4,"abcdefgh":7,"abcdefghi":6,"b":1,"\\u00e9":8}' },
      { "writes a table twice when it stands there twice", { inner, inner }, '[{"x":1},{"x":1}]' },
      { "writes an instance as its own fields", setmetatable({ x = 1 }, { __index = { y = 2 } }),
        '{"x":1}' },
      { "writes 64-bit integers",
        { 1LL, -5LL, -9223372036854775807LL - 1LL, 18446744073709551615ULL },
        "[1,-5,-9223372036854775808,18446744073709551615]" },
      { "escapes what must be, and no slash", 'a"\\/\b\f\n\r\t\1\31 <&>',
        [["a\"\\/\b\f\n\r\t\u0001\u001f <&>"]] },
      { "writes ASCII only", "\127é€😀", [["\u007f\u00e9\u20ac\ud83d\ude00"]] },
      { "replaces bytes that are not UTF-8", "a\255\195(", [["a\ufffd\ufffd("]] },
    }, function(given, text)
      assert.equal(text, encode(given))
    end)

    it("finds what must be escaped at any place of a long string", function()
      for length = 1, 40 do
        for at = 1, length do
          local text = ("x"):rep(at - 1) .. '"' .. ("x"):rep(length - at)
          assert.equal('"' .. text:gsub('"', '\\"') .. '"', encode(text))
          assert.equal(text, decode(encode(text)))
        end
      end
    end)

    it("indents by two, an item a line, empty ones on theirs", function()
      assert.equal(
        [[{
  "a": [
    1,
    {
      "b": {}
    }
  ],
  "c": []
}]],
        encode({ a = { 1, { b = {} } }, c = array {} }, { compact = false })
      )
    end)

    it("leaves UTF-8 as it is when asked to", function()
      assert.equal('"é\127"', encode("é\127", { ensure_ascii = false }))
    end)

    it("keeps Lua's order when asked to", function()
      local wanted, given = {}, { z = 1, a = 1, m = 1, b = 1 }
      for key in next, given do
        wanted[#wanted + 1] = ('"%s":1'):format(key)
      end
      assert.equal("{" .. table.concat(wanted, ",") .. "}", encode(given, { sort_keys = false }))
    end)

    it("writes tables of any size", function()
      for _, size in ipairs { 30, 31, 32, 33, 34, 48, 49, 64, 65, 1000, 20000 } do
        local list, object = {}, {}
        for i = 1, size do
          list[i] = { i }
          object["key " .. i] = { i, { i } }
        end
        assert.same(list, decode(encode(list)))
        assert.same(object, decode(encode { object, object })[2])
      end
    end)

    it("writes deep and wide tables, when the Lua stack cannot hold all pairs", function()
      local deep = { "end" }
      for _ = 1, 190 do
        local level = { deep = deep }
        for i = 1, 40 do
          level["k" .. i] = i
        end
        deep = level
      end
      assert.same(deep, decode(encode(deep)))
    end)

    it("survives a finalizer that changes the table being written", function()
      local big = {}
      for i = 1, 5000 do
        big["key" .. i] = { ["x" .. i] = i }
      end
      for _ = 1, 50 do
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = function()
          encode { "inner" }
          for i = 1, 5000, 7 do
            big["key" .. i] = nil
          end
        end
      end
      for _ = 1, 20 do
        local ok, text = pcall(encode, big)
        assert.is_true(not ok or decode(text) ~= nil)
      end
    end)

    local cycle = { a = { b = {} } }
    cycle.a.b[1] = cycle.a
    local deep = {}
    for _ = 1, 200 do
      deep = { x = deep }
    end
    local mixed = "both string and number keys in the table at a.b"
      .. "; JSON has arrays and objects, no mixture: use one kind of key"
    each({
      { "refuses functions", { a = { b = { 1, 2, print } } },
        "cannot encode a function at a.b[3]; leave it out or encode what it stands for", "a.b[3]" },
      { "refuses threads", coroutine.create(print),
        "cannot encode a thread; leave it out or encode what it stands for", "" },
      { "refuses userdata", { ["two words"] = newproxy() },
        'cannot encode a userdata at ["two words"]; leave it out or encode what it stands for',
        '["two words"]' },
      { "refuses other cdata", { [2] = 1i },
        "cannot encode a cdata at [2]; leave it out or encode what it stands for", "[2]" },
      { "refuses nan", { 0 / 0 }, "cannot encode nan at [1]; use qlua.null or a string", "[1]" },
      { "refuses infinities", { a = -1 / 0 },
        "cannot encode an infinity at a; use qlua.null or a string", "a" },
      { "refuses both kinds of key", { a = { b = { 1, x = 2 } } }, mixed, "a.b" },
      { "refuses names in a marked table", { a = { b = array { x = 2 } } }, mixed, "a.b" },
      { "refuses fractions as keys", { a = { [1.5] = 1 } },
        "a key that is not a whole number in the table at a; use strings for keys", "a" },
      { "refuses other keys", { a = { [true] = 1 } },
        "a boolean as a key in the table at a; use strings for keys", "a" },
      { "refuses a place below 1 in a marked table", array { [0] = 1 },
        "a key below 1 in the array; arrays count from 1", "" },
      { "refuses a marked table of little but holes", array { [1e8] = 1 },
        "more than a million holes in the array; without the array mark it is an object", "" },
      { "refuses cycles", cycle, "a cycle: the table at a.b[1] is inside itself", "a.b[1]" },
      { "refuses a table that is its own field", (function()
        local t = {}
        t.x = t
        return t
      end)(), "a cycle: the table at x is inside itself", "x" },
    }, refused)

    it("bounds the depth", function()
      assert.is_string(encode(deep.x))
      local text, message = encode(deep)
      assert.is_nil(text)
      assert.matches("^tables nest deeper than 200 levels at x%.x.*%.%.%.$", message)
    end)

    it("is not misled by a replaced ffi.istype", function()
      local ffi = require "ffi"
      local istype = ffi.istype
      ffi.istype = function()
        return true
      end
      local text = encode(1i)
      ffi.istype = istype
      assert.is_nil(text)
    end)
  end)

  describe("decode", function()
    each({
      { "reads scalars", "[1,-2.5,1e3,true,false,\"x\"]", { 1, -2.5, 1000, true, false, "x" } },
      { "lets the last of a repeated key win", '{"a":1,"b":2,"a":3}', { a = 3, b = 2 } },
      { "reads escapes", [["\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000"]],
        '"\\/\b\f\n\r\tAé€😀\0' },
      { "replaces lone surrogates", [["\ud800x\udc00\ud800\ud83d\ude00\ud800\n"]],
        "\239\191\189x\239\191\189\239\191\189😀\239\191\189\n" },
      { "reads UTF-8", '{"é":"😀\127"}', { ["é"] = "😀\127" } },
      { "reads integers to 2^53 exactly", "9007199254740991", 9007199254740991 },
      { "reads larger ones as the nearest number", "12345678901234567890", 12345678901234567890 },
      { "skips space", " \t\r\n{ \"a\" : [ ] } ", { a = {} } },
    }, function(text, wanted)
      assert.same(wanted, (decode(text)))
    end)

    it("gives cjson's null", function()
      assert.equal(cjson.null, decode "null")
      assert.equal(cjson.null, null)
      assert.equal(null, decode('{"a":null}').a)
    end)

    it("marks arrays and only them", function()
      local got = decode '{"a":[],"b":{},"c":[[1]]}'
      assert.is_true(value.is_array(got.a))
      assert.is_false(value.is_array(got.b))
      assert.is_true(value.is_array(got.c[1]))
      assert.equal('{"a":[],"b":{},"c":[[1]]}', encode(got))
    end)

    it("gives nil and the mistake with its place", function()
      local got, message = decode '{"a":1,\n "b" 2}'
      assert.is_nil(got)
      assert.equal("line 2 column 6: expected ':' behind a key, got '2'", message)
    end)

    it("bounds the depth", function()
      assert.is_table(decode(("["):rep(200) .. ("]"):rep(200)))
      local _, message = decode(("["):rep(201))
      assert.equal("line 1 column 201: nested deeper than 200 levels", message)
    end)

    it("leaves the values around alone, one text after the other", function()
      local kept = { decode '{"a":[1,2]}', (decode '["x"'), decode '["\\u0041",{"b":"\\n"}]' }
      assert.same({ { a = { 1, 2 } }, nil, { "A", { b = "\n" } } }, kept)
    end)
  end)

  describe("array mark", function()
    it("is on the table itself", function()
      local t = { 1 }
      assert.equal(t, array(t))
      assert.is_true(value.is_array(t))
      assert.is_false(value.is_array { 1 })
      assert.is_false(value.is_array(5))
    end)

    it("leaves a table its metatable", function()
      local meta = {}
      local t = array(setmetatable({}, meta))
      assert.equal(meta, getmetatable(t))
      assert.is_true(value.is_array(t))
      assert.is_false(value.is_array(setmetatable({}, meta)))
      assert.equal("[]", encode(array(t)))
      assert.equal("{}", encode(setmetatable({}, meta)))
    end)

    it("does not keep a table alive", function()
      local weak = setmetatable({ array(setmetatable({}, {})) }, { __mode = "v" })
      collectgarbage()
      collectgarbage()
      assert.is_nil(weak[1])
    end)

    it("asks for a table", function()
      assert.has_error(function()
        array "x"
      end)
    end)
  end)

  it("says the same as lua-cjson in both directions", function()
    math.randomseed(11)
    local function make(depth)
      local kind = math.random(depth > 3 and 3 or 5)
      if kind == 1 then
        return math.random(-1000000, 1000000) / 2 ^ math.random(0, 8)
      elseif kind == 2 then
        return math.random(2) == 1
      elseif kind == 3 then
        local bytes = {}
        for i = 1, math.random(0, 20) do
          bytes[i] = string.char(math.random(0, 126))
        end
        return table.concat(bytes) .. "é😀"
      end
      local made = {}
      for i = 1, math.random(6) do
        made[kind == 4 and i or "key" .. i] = make(depth + 1)
      end
      return made
    end
    for _ = 1, 500 do
      local given = { make(0) }
      assert.same(given, decode(encode(given)))
      assert.same(given, cjson.decode(encode(given)))
      assert.same(cjson.decode(cjson.encode(given)), decode(cjson.encode(given)))
      assert.equal(encode(given), encode(decode(encode(given, { compact = false }))))
    end
  end)
end)
