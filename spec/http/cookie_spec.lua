--- http/cookie: the Cookie header read, Set-Cookie written.

local ffi = require "ffi"
local native = require "support.native"
local lists = require "support.fields"

ffi.cdef [[
void cookie_parse(struct slice header, struct fields *out);
struct cookie {
  struct slice name, value, domain, path;
  bool has_max_age, has_expires;
  int64_t max_age, expires;
  bool secure, httponly, partitioned;
  struct slice samesite;
};
int cookie_write(struct buf *out, const struct cookie *cookie, int64_t now, struct err *err);
]]

local lib, text, slice = native.lib, native.text, lists.slice
local NOW = 1700000000

local function parse(header)
  local fields, borrowed = lists.new(false), slice(header)
  lib.cookie_parse(borrowed, fields)
  return lists.pairs(fields)
end

-- The Set-Cookie value, or nil and the error's message.
local function write(options)
  local cookie, kept = ffi.new "struct cookie", {}
  for key, value in pairs(options) do
    if type(value) == "string" then
      kept[key] = slice(value)
      value = kept[key]
    elseif key == "max_age" or key == "expires" then
      cookie["has_" .. key] = true
    end
    cookie[key] = value
  end
  local out, err = native.buf(), ffi.new "struct err"
  local code = lib.cookie_write(out, cookie, NOW, err)
  if code == 0 then
    return text(out)
  end
  assert.equal(-10003, code)
  assert.equal(0, tonumber(out.len))
  return nil, ffi.string(err.message)
end

describe("cookies", function()
  describe("read", function()
    it("are divided at semicolons, trimmed, doubles kept", function()
      for _, case in ipairs {
        { "", {} },
        { "a=b", { { "a", "b" } } },
        { " a = b ;c=d;a=e", { { "a", "b" }, { "c", "d" }, { "a", "e" } } },
        { "a", { { "a", "" } } },
        { "a=;b", { { "a", "" }, { "b", "" } } },
        { "=x; ;;=;a=b=c", { { "a", "b=c" } } },
        { "a=b,c=d", { { "a", "b,c=d" } } },
        { "a=x y", { { "a", "x y" } } },
        { "A=1;a=2", { { "A", "1" }, { "a", "2" } } },
      } do
        assert.same(case[2], parse(case[1]), case[1])
      end
    end)

    it("have quoted values unquoted", function()
      for value, expected in pairs {
        ['"x y"'] = "x y",
        ['"a\\"b\\\\c"'] = 'a"b\\c',
        ['"\\303\\251\\342\\230\\203"'] = "é☃",
        ['"\\073\\054"'] = ";,",
        ['"\\000"'] = "\0",
        ['"\\400"'] = "400",
        ['"\\38"'] = "38",
        ['"\\x\\"'] = "x\\",
        ['"\\\\101"'] = "\\101",
        ['""'] = "",
        ['"'] = '"',
        ['"open'] = '"open',
        ['end"'] = 'end"',
        ["\\101"] = "\\101",
      } do
        assert.same({ { "a", expected } }, parse("a=" .. value), value)
      end
    end)

    it("become valid UTF-8", function()
      assert.same({ { "é", "☃" } }, parse "é=☃")
      assert.same({ { "a\239\191\189", "\239\191\189b" } }, parse "a\xff=\xc3b")
      assert.same({ { "a", "\239\191\189" } }, parse 'a="\\377"')
    end)
  end)

  describe("written", function()
    it("have their attributes in Quart's order", function()
      assert.equal("a=b", write { name = "a", value = "b" })
      assert.equal(
        "a=b; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=10; Secure; "
          .. "HttpOnly; Path=/; SameSite=Lax; Partitioned",
        write {
          name = "a", value = "b", domain = "example.com", expires = 0, max_age = 10,
          secure = true, httponly = true, path = "/", samesite = "lax", partitioned = true,
        }
      )
    end)

    it("are quoted where they must be, and read back the same", function()
      for value, expected in pairs {
        [""] = "",
        ["abc_09!#$%&'()*+-./:<=>?@[]^`{|}~"] = "abc_09!#$%&'()*+-./:<=>?@[]^`{|}~",
        ["x y"] = '"x y"',
        ["é☃"] = '"\\303\\251\\342\\230\\203"',
        ['a"b\\c'] = '"a\\"b\\\\c"',
        ["a,b;c"] = '"a\\054b\\073c"',
        ["\r\n\0\t\31\127"] = '"\\015\\012\\000\\011\\037\\177"',
      } do
        assert.equal("k=" .. expected, write { name = "k", value = value })
        assert.same({ { "k", value } }, parse("k=" .. expected))
      end
    end)

    it("count Expires from max_age when there is none", function()
      local function with(max_age)
        return write { name = "a", value = "", max_age = max_age }
      end
      assert.equal("a=; Expires=Tue, 14 Nov 2023 22:14:20 GMT; Max-Age=60", with(60))
      assert.equal("a=; Expires=Tue, 14 Nov 2023 22:13:20 GMT; Max-Age=0", with(0))
      assert.equal("a=; Expires=Tue, 14 Nov 2023 22:13:19 GMT; Max-Age=-1", with(-1))
      assert.equal(
        "a=; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Max-Age=9223372036854775807",
        with(9223372036854775807LL)
      )
      assert.equal(
        "a=; Expires=Tue, 14 Nov 2023 22:13:20 GMT",
        write { name = "a", value = "", expires = NOW }
      )
    end)

    it("have path and domain cleaned", function()
      for path, expected in pairs {
        ["/"] = "/",
        ["/a b;é%20?#"] = "/a%20b%3B%C3%A9%20%3F%23",
        ["/%!$&'()*+,:=@~"] = "/%!$&'()*+,:=@~",
        ["/a\r\nb"] = "/a%0D%0Ab",
        [""] = "",
      } do
        assert.equal("a=; Path=" .. expected, write { name = "a", value = "", path = path })
      end
      for domain, expected in pairs {
        ["a.example"] = "; Domain=a.example",
        [".a.example"] = "; Domain=a.example",
        ["a.example:8080"] = "; Domain=a.example",
        ["127.0.0.1"] = "; Domain=127.0.0.1",
        [""] = "",
      } do
        assert.equal("a=" .. expected, write { name = "a", value = "", domain = domain })
      end
    end)

    it("take samesite in any case", function()
      for given, spelled in pairs { STRICT = "Strict", lax = "Lax", nOnE = "None" } do
        assert.equal("a=; SameSite=" .. spelled, write { name = "a", value = "", samesite = given })
      end
    end)

    it("are secure when partitioned", function()
      assert.equal("a=; Secure; Partitioned", write { name = "a", value = "", partitioned = true })
    end)

    it("are refused with a reason", function()
      for _, case in ipairs {
        { { name = "" }, "name" },
        { { name = "a b" }, "name" },
        { { name = "a\r\nb" }, "name" },
        { { name = "a\0" }, "name" },
        { { name = "a;b" }, "name" },
        { { name = "a=b" }, "name" },
        { { name = "é" }, "name" },
        { { name = "a", domain = "é.example" }, "xn--" },
        { { name = "a", domain = "a;b" }, "domain" },
        { { name = "a", domain = "a\nb" }, "domain" },
        { { name = "a", domain = "." }, "domain" },
        { { name = "a", domain = ":80" }, "domain" },
        { { name = "a", samesite = "maybe" }, "samesite" },
        { { name = "a", samesite = "" }, "samesite" },
      } do
        local written, message = write(case[1])
        assert.is_nil(written)
        assert.truthy(message:find(case[2], 1, true), message)
      end
    end)
  end)
end)
