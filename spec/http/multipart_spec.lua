--- http/multipart: form-data bodies, in whatever pieces they come.

local ffi = require "ffi"
local native = require "support.native"
local lists = require "support.fields"

-- LuaJIT's callbacks take no structs by value; a struct slice travels as its two members.
ffi.cdef [[
struct multipart_part {
  const struct fields *headers;
  struct slice name, filename, content_type;
};
struct multipart_handler {
  int (*on_part)(void *data, const struct multipart_part *part);
  int (*on_data)(void *data, const char *bytes, size_t len);
  int (*on_part_end)(void *data);
};
struct multipart_limits { size_t max_parts; size_t max_header_bytes; };
struct multipart *multipart_new(struct slice boundary, const struct multipart_handler *handler,
                                void *data, const struct multipart_limits *limits);
void multipart_free(struct multipart *multipart);
int multipart_feed(struct multipart *multipart, struct slice bytes);
int multipart_end(struct multipart *multipart);
]]

local lib, text, slice = native.lib, native.text, lists.slice
local ESYNTAX, ELIMIT = -10003, -10004

-- One handler for all specs: it records into `parts`, and returns what `event_codes` has for the
-- event.
local parts, event_codes
local function recorded(event, fn)
  return function(...)
    fn(...)
    return event_codes and event_codes[event] or 0
  end
end

local function optional(value)
  return value.data ~= nil and text(value) or nil
end

local handler = ffi.new "struct multipart_handler"
handler.on_part = recorded("part", function(_, part)
  parts[#parts + 1] = {
    name = text(part.name),
    filename = optional(part.filename),
    type = optional(part.content_type),
    headers = lists.pairs(part.headers),
    data = {},
  }
end)
handler.on_data = recorded("data", function(_, bytes, len)
  assert(len > 0)
  table.insert(parts[#parts].data, ffi.string(bytes, len))
end)
handler.on_part_end = recorded("end", function()
  parts[#parts].ended = true
end)

-- Feed `body` in pieces of `size` bytes. Returns the parts, their data joined, and the code.
local function parse(body, options)
  options = options or {}
  local limits = ffi.new("struct multipart_limits", options.max_parts or 100,
    options.max_header_bytes or 8192)
  local m = lib.multipart_new(slice(options.boundary or "b"), handler, nil, limits)
  assert(m ~= nil)
  parts, event_codes = {}, options.codes
  local size, code = options.size or #body, 0
  for at = 1, #body, math.max(size, 1) do
    code = lib.multipart_feed(m, slice(body:sub(at, at + size - 1)))
  end
  local ended = lib.multipart_end(m)
  assert.equal(code ~= 0 and code or ended, ended)
  lib.multipart_free(m)
  for _, part in ipairs(parts) do
    part.data = table.concat(part.data)
  end
  return parts, ended
end
jit.off(parse)

local function head(disposition, ...)
  return table.concat({ "Content-Disposition: form-data; " .. disposition, ... }, "\r\n")
    .. "\r\n\r\n"
end

local function body_of(...)
  local pieces = {}
  for i, piece in ipairs { ... } do
    pieces[i] = "--b\r\n" .. piece .. "\r\n"
  end
  return table.concat(pieces) .. "--b--\r\n"
end

-- Parse in one piece, byte by byte and in odd pieces: always the same. Returns the parts.
local function parse_all_ways(body, options)
  options = options or {}
  local whole, code = parse(body, options)
  for _, size in ipairs { 1, 2, 3, 7, 64 } do
    options.size = size
    local again, code_again = parse(body, options)
    assert.equal(code, code_again)
    if code == 0 then
      assert.same(whole, again)
    end
  end
  return whole, code
end

local function data_of(content)
  local found, code = parse_all_ways(body_of(head 'name="a"' .. content))
  assert.equal(0, code)
  assert.equal(1, #found)
  assert.is_true(found[1].ended)
  return found[1].data
end

describe("multipart", function()
  it("gives fields and files in order", function()
    local found, code = parse_all_ways(body_of(
      head 'name="text"' .. "one",
      head('name="file"; filename="a.txt"', "Content-Type: text/plain", "X-More: yes") .. "two\r\n",
      head 'name="empty"'
    ))
    assert.equal(0, code)
    assert.equal(3, #found)
    assert.same({ "text", "one" }, { found[1].name, found[1].data })
    assert.is_nil(found[1].filename)
    assert.is_nil(found[1].type)
    assert.same(
      { "file", "a.txt", "text/plain", "two\r\n" },
      { found[2].name, found[2].filename, found[2].type, found[2].data }
    )
    assert.same({ "X-More", "yes" }, found[2].headers[3])
    assert.same({ "empty", "" }, { found[3].name, found[3].data })
  end)

  it("keeps content that looks like a delimiter", function()
    for _, content in ipairs {
      "\r", "\n", "\r\n", "\r\r\n", "\n\r", "-", "--", "--bb", "x--b--", "\r\n-", "\r\n--",
      "\r\n--a", "\r\n--bb", "\r\n--b-", "\r\n--b-x", "\r\n--b x", "\r\n--b \tx", "\r\r\n--bx",
      "\r\n\r\n--\r\n", "x--b\r\n", "\r\n--\r\n--", "x" .. ("--b"):rep(50), "\0\255\r\n\0",
      "\r\n--b" .. (" "):rep(129) .. "\r\n", ("\r\n--b" .. (" "):rep(127) .. "x"):rep(3),
    } do
      assert.equal(content, data_of(content), ("%q"):format(content))
    end
  end)

  it("takes CRLF, LF or CR for a line's end", function()
    local typed = head('name="a"', "Content-Type: text/plain")
    local crlf = body_of(typed .. "x", head 'name="c"' .. "y")
    local expected = parse(crlf)
    assert.equal(2, #expected)
    for _, line_end in ipairs { "\n", "\r" } do
      local found, code = parse_all_ways((crlf:gsub("\r\n", line_end)))
      assert.equal(0, code)
      assert.same(expected, found)
    end
  end)

  it("drops preamble, padding and epilogue", function()
    local found, code = parse_all_ways(
      "preamble --b\r\n--bb\r\n--b \t \r\n"
        .. head 'name="a"'
        .. "x\r\n--b--anything\r\n--b\r\nmore"
    )
    assert.equal(0, code)
    assert.equal(1, #found)
    assert.equal("x", found[1].data)
  end)

  it("may have no part at all", function()
    for _, body in ipairs { "--b--", "--b--\r\n", "\r\n--b--\r\n", "text\n--b--" } do
      local found, code = parse_all_ways(body)
      assert.equal(0, code)
      assert.equal(0, #found)
    end
  end)

  it("ends a part right behind its head", function()
    local found, code = parse_all_ways("--b\r\n" .. head 'name="a"' .. "--b--")
    assert.equal(0, code)
    assert.same({ "a", "" }, { found[1].name, found[1].data })
  end)

  it("unfolds header lines", function()
    local found = parse_all_ways(body_of(
      "Content-Disposition: form-data;\r\n name=\"a\";\r\n\tfilename=\"f\"\r\n"
        .. "Content-Type:\r\n text/plain\r\n\r\nx"
    ))
    assert.same({ "a", "f", "text/plain" }, { found[1].name, found[1].filename, found[1].type })
  end)

  describe("names", function()
    for _, case in ipairs {
      { 'name=a; filename=b', "a", "b" },
      { 'name="a"; filename=""', "a", "" },
      { 'NAME="a"; FileName="b"', "a", "b" },
      { 'name=""', "", nil },
      { 'name="é☃"; filename="ü.txt"', "é☃", "ü.txt" },
      { 'name="a\\"b\\\\c"', 'a"b\\c', nil },
      { 'name="a%22b%0A%41"', 'a"b%0A%41', nil },
      { 'name="a"; filename="C:\\dir\\file"', "a", "C:\\dir\\file" },
      { 'name="a;b, c"; filename="x;y"', "a;b, c", "x;y" },
      { 'name="\xff"', "\239\191\189", nil },
      { "name=a; filename*=UTF-8''%e2%98%83.txt; filename=\"_.txt\"", "a", "☃.txt" },
      { "name=a; filename=\"_.txt\"; filename*=utf-8'en'a%20b", "a", "a b" },
      { "name=a; filename*=iso-8859-1''%e9", "a", "é" },
      { "name=a; filename*=\"utf-8''q\"", "a", "q" },
      { "name=a; filename*=UTF-8''", "a", "" },
      { "name=a; filename*=klingon''x; filename=f", "a", "f" },
      { "name=a; filename*=broken; filename=f", "a", "f" },
      { "name=a; filename*=UTF-8''a%00b; filename=f", "a", "f" },
      { "name=a; filename*=UTF-8''%ff", "a", "\239\191\189" },
    } do
      it("are read from " .. case[1], function()
        local found, code = parse_all_ways(body_of(head(case[1]) .. "x"))
        assert.equal(0, code)
        assert.equal(case[2], found[1].name)
        assert.equal(case[3], found[1].filename)
      end)
    end
  end)

  it("refuses a part that names no field or has no proper head", function()
    for _, part in ipairs {
      "\r\nx",
      "Content-Type: text/plain\r\n\r\nx",
      "Content-Disposition: form-data\r\n\r\nx",
      'Content-Disposition: form-data; filename="a"\r\n\r\nx',
      'Content-Disposition: form-data; name="a\r\n\r\nx',
      'Content-Disposition form-data; name="a"\r\n\r\nx',
      ': form-data; name="a"\r\n\r\nx',
      'Content Disposition: form-data; name="a"\r\n\r\nx',
      'Content-Disposition: form-data; name="a"\r\nx\r\n\r\nx',
      'Content-Disposition: form-data; name="a\0"\r\n\r\nx',
      ' Content-Disposition: form-data; name="a"\r\n\r\nx',
    } do
      local found, code = parse_all_ways(body_of(part))
      assert.equal(ESYNTAX, code, part)
      assert.equal(0, #found)
    end
  end)

  it("refuses a body cut off anywhere", function()
    local body = body_of(head 'name="a"' .. "x", head 'name="b"' .. "y")
    local last = #body - 2 -- the line end behind the last delimiter may be missing
    for len = 0, last - 1 do
      local _, code = parse(body:sub(1, len))
      assert.equal(ESYNTAX, code, len)
    end
    local _, code = parse(body:sub(1, last))
    assert.equal(0, code)
  end)

  it("stops at the stated number of parts", function()
    local body = body_of(head "name=a", head "name=a", head "name=a")
    local _, code = parse_all_ways(body, { max_parts = 3 })
    assert.equal(0, code)
    local found
    found, code = parse_all_ways(body, { max_parts = 2 })
    assert.equal(ELIMIT, code)
    assert.equal(2, #found)
  end)

  it("stops at the stated length of a head", function()
    local long = head("name=a", "X: " .. ("x"):rep(100))
    local bytes = #long - 2 - 2 -- without the blank line, each line end counting one
    local _, code = parse_all_ways(body_of(long), { max_header_bytes = bytes })
    assert.equal(0, code)
    _, code = parse_all_ways(body_of(long), { max_header_bytes = bytes - 1 })
    assert.equal(ELIMIT, code)
    _, code = parse("--b\r\n" .. ("x"):rep(100000))
    assert.equal(ELIMIT, code)
  end)

  it("ends with the code of a callback", function()
    local body = body_of(head "name=a" .. "x", head "name=a" .. "x")
    for _, event in ipairs { "part", "data", "end" } do
      local found, code = parse_all_ways(body, { codes = { [event] = -7 } })
      assert.equal(-7, code)
      assert.equal(1, #found)
    end
  end)

  it("takes boundaries by RFC 2046", function()
    local limits = ffi.new("struct multipart_limits", 1, 1000)
    for _, boundary in ipairs { "a", ("x"):rep(70), "a b", "'()+_,-./:=?", "---", "=_\"" } do
      local body = "--" .. boundary .. "\r\n" .. head "name=a" .. "x\r\n--" .. boundary .. "--"
      local found, code = parse_all_ways(body, { boundary = boundary })
      assert.equal(0, code, boundary)
      assert.equal("x", found[1].data)
    end
    for _, boundary in ipairs { "", ("x"):rep(71), "a ", "a\r\n", "a\0", "é" } do
      assert.is_true(lib.multipart_new(slice(boundary), handler, nil, limits) == nil)
    end
    lib.multipart_free(nil)
  end)

  it("takes linear time on what is nearly a delimiter", function()
    local dashes = ("-"):rep(70)
    for _, content in ipairs {
      ("-"):rep(4000000), ("\r\n" .. ("-"):rep(71)):rep(50000), ("\r"):rep(2000000),
      ("\r\n--" .. dashes .. (" "):rep(120) .. "x"):rep(20000),
    } do
      local body = "--" .. dashes .. "\r\n" .. head "name=a" .. content
      local before = os.clock()
      parse(body, { boundary = dashes })
      assert.is_true(os.clock() - before < 1)
    end
  end)
end)
