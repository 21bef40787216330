--- http/target: request targets and hosts.

local ffi = require "ffi"
local native = require "support.native"
local lists = require "support.fields"

ffi.cdef [[
struct target {
  int form;
  struct slice path, raw_path, query;
  bool has_query;
  struct slice authority, scheme;
};
int target_parse(struct slice raw, int method, struct arena *arena, struct target *out);
bool host_is_valid(struct slice host);
struct slice host_without_default_port(struct slice host, bool secure);
]]

local lib, text, slice = native.lib, native.text, lists.slice
local forms = { [0] = "origin", "absolute", "asterisk", "authority" }
local methods = { GET = 0, OPTIONS = 1, CONNECT = 2 }

-- The parsed target as Lua strings, or nil and the error code.
local function parse(raw, method)
  local arena, out = native.arena(), ffi.new "struct target"
  local code = lib.target_parse(slice(raw), methods[method or "GET"], arena, out)
  if code ~= 0 then
    return nil, code
  end
  return {
    form = forms[out.form],
    path = text(out.path),
    raw_path = text(out.raw_path),
    query = out.has_query and text(out.query) or nil,
    authority = text(out.authority),
    scheme = text(out.scheme),
    borrowed = out.path.data == out.raw_path.data,
  }
end

describe("target", function()
  describe("in origin form", function()
    it("divides at the first question mark", function()
      for raw, expected in pairs {
        ["/"] = { "/" },
        ["/a/b"] = { "/a/b" },
        ["/a?"] = { "/a", "" },
        ["/a?b=c&d"] = { "/a", "b=c&d" },
        ["/a?b?c=/%20"] = { "/a", "b?c=/%20" },
        ["/a/../b/./c"] = { "/a/../b/./c" },
      } do
        local target = parse(raw)
        assert.equal("origin", target.form)
        assert.equal(expected[1], target.path)
        assert.equal(expected[2], target.query)
      end
    end)

    it("decodes the path once", function()
      for raw, expected in pairs {
        ["/a%20b"] = "/a b",
        ["/a%2Fb"] = "/a/b",
        ["/%2561"] = "/%61",
        ["/%C3%A9\xc3\xa9"] = "/éé",
        ["/%zz%4%"] = "/%zz%4%",
        ["/%2"] = "/%2",
        ["/a+b"] = "/a+b",
        ["/%3f%23"] = "/?#",
        ["/%0d%0a"] = "/\r\n",
        ["/%ff%C3"] = "/\239\191\189\239\191\189",
        ["/\xff"] = "/\239\191\189",
      } do
        local target = parse(raw)
        assert.equal(expected, target.path)
        assert.equal(raw, target.raw_path)
      end
    end)

    it("leaves one leading slash", function()
      for raw, expected in pairs {
        ["//a"] = "/a",
        ["///"] = "/",
        ["/%2F%2fa"] = "/a",
        ["/a//b/"] = "/a//b/",
      } do
        assert.equal(expected, parse(raw).path)
      end
    end)

    it("borrows a path that needs no decoding", function()
      assert.is_true(parse("/plain/path?x=%20").borrowed)
      assert.is_false(parse("/plain%20path").borrowed)
    end)

    it("refuses controls, space, DEL and fragments", function()
      for byte = 0, 255 do
        local c = string.char(byte)
        local ok = byte > 0x20 and c ~= "#" and byte ~= 0x7f
        assert.equal(ok, parse("/a" .. c .. "b") ~= nil, byte)
        assert.equal(ok, parse("/a?" .. c .. "b") ~= nil, byte)
      end
      local _, code = parse "/a b"
      assert.equal(-10003, code)
    end)

    it("leaves an encoded NUL to who reads the path or the query", function()
      assert.equal("/a\0b", parse("/a%00b").path)
      assert.equal("x=%00", parse("/a?x=%00").query)
    end)
  end)

  describe("in absolute form", function()
    it("has scheme, authority and path", function()
      for raw, expected in pairs {
        ["http://a.example/b?c"] = { "http", "a.example", "/b", "c" },
        ["HTTPS://a:8443/%20"] = { "HTTPS", "a:8443", "/ " },
        ["http://a"] = { "http", "a", "/" },
        ["http://a?b"] = { "http", "a", "/", "b" },
        ["http://[::1]:80/"] = { "http", "[::1]:80", "/" },
      } do
        local target = parse(raw)
        assert.equal("absolute", target.form)
        assert.equal(expected[1], target.scheme)
        assert.equal(expected[2], target.authority)
        assert.equal(expected[3], target.path)
        assert.equal(expected[4], target.query)
      end
    end)

    it("refuses what is no http URL", function()
      for _, raw in ipairs {
        "", "a", "a/b", "?a", "http", "http:", "http:/a", "http://", "http:///a", "http://?a",
        "ftp://a/", "http://user@a/", "http://a:b/", "http://a#b", "http://a/#b", "http://a b/",
        "http://a:99999/", "://a/", "*", "**",
      } do
        assert.is_nil((parse(raw)), raw)
      end
    end)
  end)

  it("is a star for OPTIONS alone", function()
    local target = parse("*", "OPTIONS")
    assert.equal("asterisk", target.form)
    assert.equal("/*", target.path)
    assert.is_nil((parse("*x", "OPTIONS")))
    assert.equal("origin", parse("/a", "OPTIONS").form)
  end)

  it("is host and port for CONNECT", function()
    for _, raw in ipairs { "a.example:443", "[::1]:80", "127.0.0.1:1" } do
      local target = parse(raw, "CONNECT")
      assert.equal("authority", target.form)
      assert.equal(raw, target.authority)
      assert.equal("/", target.path)
    end
    for _, raw in ipairs { "", "a", "a1", "a:", "[::1]", "[::1]:", "/a", "http://a:1/", "u@a:1" } do
      assert.is_nil((parse(raw, "CONNECT")), raw)
    end
  end)
end)

describe("host", function()
  it("is a name or an address with an optional port", function()
    for _, host in ipairs {
      "a", "localhost:8000", "a.example.", "A-b_c~d", "127.0.0.1:80", "a:", "a:0", "a:65535",
      "a:0080", "%41%c3%a9", "!$&'()*+,;=", "[::]", "[::1]:80", "[2001:db8::ff00:42:8329]",
      "[::ffff:127.0.0.1]", "[v1.fe:x]", "[VF.a]:1", "[::]:",
    } do
      assert.is_true(lib.host_is_valid(slice(host)), host)
    end
  end)

  it("is nothing else", function()
    for _, host in ipairs {
      "", ":", ":80", "a b", "a\0", "a/b", "a?b", "a#b", "u@a", "a@", "a:b", "a:80:80", "a:65536",
      "a:99999999999999999999", "a:-1", "a:+1", "%4", "%zz", "%", "é", "::1", "[", "[]", "[::1",
      "[::1]a", "[::1]]", "[a]", "[127.0.0.1]", "[:::]", "[1:2:3:4:5:6:7:8:9]", "[v.a]", "[v1]",
      "[v1.]", "[vg.a]", "[v1.a/b]", "[::1%25eth0]", "a[", "a\\b", "<a>", "[::1\0]",
      "[" .. ("1"):rep(1000) .. "]",
    } do
      assert.is_false(lib.host_is_valid(slice(host)), host)
    end
  end)

  it("loses the default port of its scheme, and an empty one", function()
    for _, case in ipairs {
      { "a:80", false, "a" },
      { "a:443", false, "a:443" },
      { "a:443", true, "a" },
      { "a:80", true, "a:80" },
      { "a:8080", false, "a:8080" },
      { "[::80]", false, "[::80]" },
      { "[::1]:80", false, "[::1]" },
      { "a:", false, "a" },
      { "a", true, "a" },
      { "", false, "" },
    } do
      assert.equal(case[3], text(lib.host_without_default_port(slice(case[1]), case[2])))
    end
  end)
end)
