--- http/headers: lists of fields, validity, and how values are read.

local ffi = require "ffi"
local native = require "support.native"
local lists = require "support.fields"

ffi.cdef [[
int header_id_of(struct slice name);
struct slice header_name(int id);
void fields_add(struct fields *fields, struct slice name, struct slice value);
void fields_add_id(struct fields *fields, int id, struct slice value);
const struct field *fields_get(const struct fields *fields, struct slice name);
const struct field *fields_get_id(const struct fields *fields, int id);
const struct field *fields_next(const struct fields *fields, const struct field *after,
                                struct slice name);
void fields_set(struct fields *fields, struct slice name, struct slice value);
size_t fields_remove(struct fields *fields, struct slice name);
bool header_name_is_valid(struct slice name);
bool header_value_is_valid(struct slice value);
bool header_list_next(struct slice *list, struct slice *element);
struct slice header_param_raw(struct slice value, struct slice name);
struct slice header_param(struct slice value, struct slice name, struct arena *arena);
struct slice header_mimetype(struct slice content_type, struct arena *arena);
]]

local lib, text, slice = native.lib, native.text, lists.slice

-- All that the enum knows, up to HEADER_ID_COUNT.
local function known_names()
  local names = {}
  local id = 1
  while lib.header_name(id).len > 0 do
    names[id] = text(lib.header_name(id))
    id = id + 1
  end
  return names
end

describe("header ids", function()
  it("lead from every known name to its id and back, in any case", function()
    local names = known_names()
    assert.is_true(#names > 60)
    for id, name in ipairs(names) do
      assert.equal(id, lib.header_id_of(slice(name)), name)
      assert.equal(id, lib.header_id_of(slice(name:lower())), name)
      assert.equal(id, lib.header_id_of(slice(name:upper())), name)
    end
  end)

  it("take no other name for a known one", function()
    for _, name in ipairs(known_names()) do
      for place = 1, #name do
        for _, byte in ipairs { 0, 0x0d, 0x2a, 0x5f, 0x7f, 0xff } do
          local wrong = name:sub(1, place - 1) .. string.char(byte) .. name:sub(place + 1)
          assert.equal(0, lib.header_id_of(slice(wrong)), wrong)
        end
        local flipped = string.char(bit.bxor(name:byte(place), 0x40))
        local wrong = name:sub(1, place - 1) .. flipped .. name:sub(place + 1)
        assert.equal(0, lib.header_id_of(slice(wrong)), wrong)
      end
      assert.equal(0, lib.header_id_of(slice(name .. "x")))
    end
    assert.equal(0, lib.header_id_of(slice ""))
    assert.equal(0, lib.header_id_of(slice(("x"):rep(1000))))
    assert.equal("", text(lib.header_name(0)))
    assert.equal("", text(lib.header_name(100000)))
  end)
end)

describe("fields", function()
  local fields

  local function fill(nocase, ...)
    fields = lists.new(nocase, ...)
  end

  local function dump()
    local parts = {}
    for i, pair in ipairs(lists.pairs(fields)) do
      parts[i] = pair[1] .. "=" .. pair[2]
    end
    return table.concat(parts, " ")
  end

  it("keep their order while they grow", function()
    fill(true)
    local expected = {}
    for i = 1, 1000 do
      lib.fields_add_copy(fields, slice("n" .. i), slice("v" .. i))
      expected[i] = "n" .. i .. "=v" .. i
    end
    assert.equal(table.concat(expected, " "), dump())
  end)

  it("find header names in any case, known or not", function()
    fill(true, { "content-TYPE", "a" }, { "X-Own", "b" }, { "Content-Type", "c" })
    assert.equal("a", text(lib.fields_get(fields, slice "Content-Type").value))
    assert.equal("b", text(lib.fields_get(fields, slice "x-OWN").value))
    assert.equal(nil, lib.fields_get(fields, slice "X-Other"))
    local id = lib.header_id_of(slice "content-type")
    assert.equal("a", text(lib.fields_get_id(fields, id).value))
    assert.equal(nil, lib.fields_get_id(fields, lib.header_id_of(slice "date")))
  end)

  it("tell case-sensitive names apart", function()
    fill(false, { "host", "a" }, { "Host", "b" })
    assert.equal("a", text(lib.fields_get(fields, slice "host").value))
    assert.equal("b", text(lib.fields_get(fields, slice "Host").value))
    assert.equal(nil, lib.fields_get(fields, slice "HOST"))
  end)

  it("step from one field of a name to the next", function()
    fill(true, { "a", "1" }, { "b", "2" }, { "A", "3" })
    local field = lib.fields_next(fields, nil, slice "a")
    assert.equal("1", text(field.value))
    field = lib.fields_next(fields, field, slice "a")
    assert.equal("3", text(field.value))
    assert.equal(nil, lib.fields_next(fields, field, slice "a"))
  end)

  it("replace all fields of a name in the place of the first", function()
    fill(true, { "x", "1" }, { "Vary", "a" }, { "y", "2" }, { "vary", "b" })
    lib.fields_set(fields, slice "VARY", slice "c")
    assert.equal("x=1 VARY=c y=2", dump())
    lib.fields_set(fields, slice "New", slice "d")
    assert.equal("x=1 VARY=c y=2 New=d", dump())
    -- from the list's own bytes
    lib.fields_set(fields, fields.items[1].name, fields.items[2].value)
    assert.equal("x=1 VARY=2 y=2 New=d", dump())
  end)

  it("take a name out and say how often it stood there", function()
    fill(true, { "a", "1" }, { "b", "2" }, { "A", "3" })
    assert.equal(2, tonumber(lib.fields_remove(fields, slice "a")))
    assert.equal("b=2", dump())
    assert.equal(0, tonumber(lib.fields_remove(fields, slice "a")))
  end)

  it("borrow what is added without a copy", function()
    fill(true)
    local name, value = slice "X", slice "y"
    lib.fields_add(fields, name, value)
    assert.is_true(fields.items[0].name.data == name.data)
    assert.is_true(fields.items[0].value.data == value.data)
  end)

  it("spell a known name when added by its id", function()
    fill(true)
    lib.fields_add_id(fields, lib.header_id_of(slice "etag"), slice '"1"')
    assert.equal('ETag="1"', dump())
    assert.equal('"1"', text(lib.fields_get(fields, slice "ETAG").value))
  end)
end)

describe("header validity", function()
  it("takes tokens for names", function()
    for _, name in ipairs { "a", "X-Y", "!#$%&'*+-.^_`|~09azAZ" } do
      assert.is_true(lib.header_name_is_valid(slice(name)))
    end
    for _, name in ipairs { "", "a b", "a:", "a\r", "a\n", "a\0b", "é", "(a)", 'a"', "a/b" } do
      assert.is_false(lib.header_name_is_valid(slice(name)))
    end
  end)

  it("refuses control bytes in values, but the tab", function()
    for byte = 0, 255 do
      local ok = byte == 9 or (byte >= 0x20 and byte ~= 0x7f)
      assert.equal(ok, lib.header_value_is_valid(slice("a" .. string.char(byte) .. "b")))
    end
    assert.is_true(lib.header_value_is_valid(slice ""))
  end)
end)

describe("header list", function()
  local function elements(value)
    local list, element, found = slice(value), ffi.new "struct slice", {}
    while lib.header_list_next(list, element) do
      found[#found + 1] = text(element)
    end
    return found
  end

  it("divides at commas outside quotes", function()
    for value, expected in pairs {
      [""] = {},
      [" , ,, "] = {},
      ["a"] = { "a" },
      [" a ,\tb,c "] = { "a", "b", "c" },
      ['a="x,y", b'] = { 'a="x,y"', "b" },
      ['a="x\\",y", b'] = { 'a="x\\",y"', "b" },
      ['a, "b, c'] = { "a", '"b, c' },
    } do
      assert.same(expected, elements(value))
    end
  end)

  it("takes linear time on quotes that do not end", function()
    local value = '"' .. ('\\",'):rep(200000)
    local before = os.clock()
    elements(value)
    assert.is_true(os.clock() - before < 0.5)
  end)
end)

describe("header parameter", function()
  local function param(value, name)
    local arena = native.arena()
    local found = lib.header_param(slice(value), slice(name), arena)
    return found.data ~= nil and text(found) or nil
  end

  it("is found in any case and unquoted", function()
    for _, case in ipairs {
      { "text/html; charset=utf-8", "utf-8" },
      { "text/html;CHARSET=UTF-8", "UTF-8" },
      { 'text/html; charset="utf-8"', "utf-8" },
      { 'a; x="charset=no"; charset = yes ;z', "yes" },
      { 'a; charset="a\\"b\\\\c\\d"', 'a"b\\cd' },
      { 'a; charset=""', "" },
      { "a; charset=", "" },
      { "a; charset=one; charset=two", "one" },
      { 'a; charset="x"junk', "x" },
      { "a; charset", nil },
      { 'a; charset="open', nil },
      { 'a; charset="open\\"', nil },
      { 'a; charset="', nil },
      { "charset=no", nil },
      { "a; charset*=no", nil },
      { "", nil },
      { ";", nil },
    } do
      assert.equal(case[2], param(case[1], "charset"), case[1])
    end
  end)

  it("can be had as it is written", function()
    local raw = lib.header_param_raw(slice 'a; b="c\\"d"', slice "b")
    assert.equal('"c\\"d"', text(raw))
  end)
end)

describe("header mimetype", function()
  it("is the lower-case type without parameters", function()
    local arena = native.arena()
    for value, expected in pairs {
      ["text/html"] = "text/html",
      ["Text/HTML; charset=UTF-8"] = "text/html",
      [" application/json ;x=y"] = "application/json",
      [""] = "",
      [";a"] = "",
    } do
      assert.equal(expected, text(lib.header_mimetype(slice(value), arena)))
    end
  end)
end)
