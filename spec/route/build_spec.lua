--- url_for: endpoint and values to a path (quart-semantics 3.6), and what it says when it cannot.

local native = require "support.native"
local routes = require "support.routes"

local UUID = "12345678-1234-5678-1234-567812345678"

local PRINTABLE = {}
for byte = 0x20, 0x7e do
  PRINTABLE[#PRINTABLE + 1] = string.char(byte)
end
PRINTABLE = table.concat(PRINTABLE)

local UPPER, LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"

--- Path and host, without the rest.
local function both(path, host)
  return { path, host }
end

local function quoted(fn, text)
  local out = native.buf()
  native.lib[fn](out, native.slice(text))
  return native.text(out)
end

describe("quoting", function()
  it("of a path leaves what a path may hold", function()
    assert.equal("%20!%22%23$%25&'()*+,-./0123456789:;%3C=%3E%3F@" .. UPPER .. "%5B%5C%5D%5E_%60"
      .. LOWER .. "%7B%7C%7D~", quoted("route_quote_path", PRINTABLE))
  end)

  it("of a query makes a space a plus", function()
    assert.equal("+!%22%23$%25%26'()*%2B,-./0123456789:;%3C%3D%3E?@" .. UPPER .. "%5B%5C%5D%5E_%60"
      .. LOWER .. "%7B%7C%7D~", quoted("route_quote_query", PRINTABLE))
  end)

  it("of an anchor leaves percent signs too", function()
    assert.equal("%20!%22#$%&'()*+,-./0123456789:;%3C=%3E?@" .. UPPER .. "%5B%5C%5D%5E_%60"
      .. LOWER .. "%7B%7C%7D~", quoted("route_quote_anchor", PRINTABLE))
  end)

  it("writes other bytes as UTF-8 in upper-case hex", function()
    assert.equal("%C3%A9%00%FF", quoted("route_quote_path", "é\0\255"))
    assert.equal("a+b%26%C3%A9", quoted("route_quote_query", "a b&é"))
    assert.equal("", quoted("route_quote_query", ""))
    assert.equal("++", quoted("route_quote_query", "  "))
  end)
end)

describe("building", function()
  describe("a value of", function()
    local cases = {
      { "/s/<x>", "a/b ?#é", "/s/a/b%20%3F%23%C3%A9" },
      { "/s/<x>", "", "/s/" },
      { "/s/<x>", 7, "/s/7" },
      { "/s/<x>", 1.5, "/s/1.5" },
      { "/s/<x>", true, "/s/True" },
      { "/s/<x>", "a\r\nb", "/s/a%0D%0Ab" },
      { "/s/<string(length=2):x>", "abc", "/s/abc" },
      { "/s/<path:x>", "a/b c.css", "/s/a/b%20c.css" },
      { "/s/<int:x>", 7, "/s/7" },
      { "/s/<int:x>", -7, "/s/-7" },
      { "/s/<int:x>", "7", "/s/7" },
      { "/s/<int:x>", 7.9, "/s/7" },
      { "/s/<int:x>", true, "/s/1" },
      { "/s/<int(max=5):x>", 9, "/s/9" },
      { "/s/<int(fixed_digits=3):x>", 7, "/s/007" },
      { "/s/<int(fixed_digits=3):x>", 1234, "/s/1234" },
      { "/s/<int(fixed_digits=3, signed=True):x>", -7, "/s/-07" },
      { "/s/<float:x>", 1.5, "/s/1.5" },
      { "/s/<float:x>", 1, "/s/1.0" },
      { "/s/<float:x>", "2", "/s/2.0" },
      { "/s/<float:x>", "2.50", "/s/2.5" },
      { "/s/<float:x>", 0.1, "/s/0.1" },
      { "/s/<float:x>", { float = 0 }, "/s/0.0" },
      { "/s/<float:x>", 1 / 3, "/s/0.3333333333333333" },
      { "/s/<float:x>", { float = 100 }, "/s/100.0" },
      { "/s/<float:x>", 123456.789, "/s/123456.789" },
      { "/s/<float:x>", 0.0001, "/s/0.0001" },
      { "/s/<float:x>", 0.00001, "/s/1e-05" },
      { "/s/<float:x>", { float = 1e15 }, "/s/1000000000000000.0" },
      { "/s/<float:x>", { float = 1e16 }, "/s/1e+16" },
      { "/s/<float:x>", { float = 1e20 }, "/s/1e+20" },
      { "/s/<float:x>", { float = 1.7976931348623157e308 }, "/s/1.7976931348623157e+308" },
      { "/s/<any(green, red):x>", "green", "/s/green" },
      { '/s/<any("light blue"):x>', "light blue", "/s/light%20blue" },
      { "/s/<any(1, 2):x>", 2, "/s/2" },
      { "/s/<uuid:x>", UUID, "/s/" .. UUID },
      { "/s/<uuid:x>", { uuid = "ABCDEF78-1234-5678-1234-567812345678" },
        "/s/abcdef78-1234-5678-1234-567812345678" },
      { "/s/<uuid:x>", "not checked", "/s/not%20checked" },
      { "/s/<list:x>", { custom = "a+b c" }, "/s/a+b%20c" },
      { "/s/<list:x>", "plain", "/s/plain" },
    }
    for _, case in ipairs(cases) do
      it(("%s gives %s"):format(case[1], case[3]), function()
        local map = routes.new()
        map:converter "list"
        assert(map:add(case[1]))
        assert.equal(case[3], (map:build(case[1], { x = case[2] })))
      end)
    end

    it("two variables in a segment goes between its fixed text", function()
      local map = routes.of { "/mix/<a>-<b>.html" }
      assert.equal("/mix/1-2.html", (map:build("/mix/<a>-<b>.html", { a = "1", b = "2" })))
    end)
  end)

  it("quotes the rule's own text", function()
    assert.equal("/a%20b/%C3%A9", (routes.of({ "/a b/é" }):build "/a b/é"))
  end)

  it("merges the rule's slashes as lookups do", function()
    assert.equal("/a/b", (routes.of({ "/a//b" }):build "/a//b"))
    assert.equal("/a//b", (routes.of({ { "/a//b", merge_slashes = false } }):build "/a//b"))
  end)

  it("tells which values it did not use", function()
    local map = routes.of { "/users/<name>", { "/kind", defaults = { kind = "x" } } }
    local path, _, rest = map:build("/users/<name>", { name = "bob", page = 2, all = true })
    assert.equal("/users/bob", path)
    assert.same({ "all", "page" }, rest)
    assert.same({}, (select(3, map:build("/kind", { kind = "x" }))))
  end)

  describe("picks the rule", function()
    local PAGES = {
      { "/page/", endpoint = "page", defaults = { n = 1 } },
      { "/page/<int:n>", endpoint = "page" },
    }

    it("whose default the value is", function()
      local map = routes.of(PAGES)
      assert.equal("/page/", (map:build("page", { n = 1 })))
      assert.equal("/page/", (map:build("page", { n = { float = 1 } })))
      assert.equal("/page/", (map:build "page"))
      assert.equal("/page/2", (map:build("page", { n = 2 })))
    end)

    it("that takes most of the values", function()
      local map = routes.of {
        { "/a", endpoint = "e" },
        { "/a/<x>", endpoint = "e" },
        { "/a/<x>/<y>", endpoint = "e" },
      }
      assert.equal("/a", (map:build "e"))
      assert.equal("/a/1", (map:build("e", { x = 1 })))
      assert.equal("/a/1/2", (map:build("e", { x = 1, y = 2 })))
      assert.equal("/a", (map:build("e", { y = 2 })))
    end)

    it("registered first among equal ones", function()
      local map = routes.of { { "/two", endpoint = "two" }, { "/zwei", endpoint = "two" } }
      assert.equal("/two", (map:build "two"))
    end)

    it("that has the method", function()
      local map = routes.of {
        { "/bym/get", endpoint = "bym" },
        { "/bym/post", endpoint = "bym", methods = { "POST" } },
      }
      assert.equal("/bym/get", (map:build "bym"))
      assert.equal("/bym/post", (map:build("bym", {}, { method = "POST" })))
      assert.equal("/bym/post", (map:build("bym", {}, { default_method = "POST" })))
      assert.equal("/bym/get", (map:build("bym", {}, { default_method = "PUT" })))
      assert.equal("/bym/get",
        (map:build("bym", {}, { method = "GET", default_method = "POST" })))
    end)

    it("of the request's host, else the first", function()
      local map = routes.of({
        { "/one", endpoint = "e", host = "one.test" },
        { "/two", endpoint = "e", host = "two.test" },
      }, { host_matching = true })
      assert.same({ "/two", "two.test" }, both(map:build("e", {}, { host = "two.test" })))
      assert.same({ "/one", "one.test" }, both(map:build("e", {}, { host = "three.test" })))
    end)

    it("registered after a lookup", function()
      local map = routes.of { "/a" }
      map:match "/a"
      assert(map:add "/b")
      assert.equal("/b", (map:build "/b"))
    end)
  end)

  it("gives the host with its values", function()
    local map = routes.of({ { "/", endpoint = "many", host = "<name>.many.test" } },
      { host_matching = true })
    local path, host, rest = map:build("many", { name = "x" })
    assert.same({ "/", "x.many.test", {} }, { path, host, rest })
  end)

  it("gives the subdomain", function()
    local map = routes.of({ { "/u", endpoint = "user", subdomain = "<name>" }, "/" },
      { server_name = "parity.test" })
    assert.same({ "/u", "bob" }, both(map:build("user", { name = "bob" })))
    assert.same({ "/", "" }, both(map:build "/"))
  end)

  describe("fails", function()
    local RULES = {
      { "/", endpoint = "index" },
      { "/users/<name>", endpoint = "users" },
      { "/users/<name>/<int:page>", endpoint = "users" },
      { "/post", endpoint = "post", methods = { "POST", "PUT" } },
      { "/any/<any(red, green, \"light blue\"):c>", endpoint = "any" },
      { "/f/<float:x>", endpoint = "float" },
      { "/n/<int:n>", endpoint = "int" },
      { "/d/<s>", endpoint = "fixed", defaults = { kind = "x" } },
    }
    local COULD_NOT = "Could not build url for endpoint "
    local cases = {
      { "users", {}, nil, COULD_NOT .. "'users'. Did you forget to specify values ['name']?" },
      { "users", { b = 1, a = 2 }, nil,
        COULD_NOT .. "'users' with values ['a', 'b']. Did you forget to specify values "
          .. "['name']?" },
      { "users", { page = 1 }, nil,
        COULD_NOT .. "'users' with values ['page']. Did you forget to specify values ['name']?" },
      { "user", { name = "x" }, nil,
        COULD_NOT .. "'user' with values ['name']. Did you mean 'users' instead?" },
      { "nothing_like_it", {}, nil, COULD_NOT .. "'nothing_like_it'." },
      { "post", {}, "GET",
        COULD_NOT .. "'post' ('GET'). Did you mean to use methods ['POST', 'PUT']?" },
      { "fixed", { s = "a", kind = "y" }, nil, COULD_NOT .. "'fixed' with values ['kind', 's']." },
      { "any", { c = "black" }, nil,
        COULD_NOT .. "'any': value 'c': 'black' is not one of 'green', 'light blue', 'red'" },
      { "float", { x = "a" }, nil, COULD_NOT .. "'float': value 'x': 'a' is not a number" },
      { "int", { n = "1.5" }, nil, COULD_NOT .. "'int': value 'n': '1.5' is not a whole number" },
      { "int", { n = { float = 1e300 } }, nil,
        COULD_NOT .. "'int': value 'n': '1e+300' is not a whole number" },
      { "int", { n = { opaque = 1 } }, nil,
        COULD_NOT .. "'int': value 'n': a table has no place in a path" },
    }
    for _, case in ipairs(cases) do
      it(("with %q"):format(case[4]), function()
        local path, message = routes.of(RULES):build(case[1], case[2], { method = case[3] })
        assert.is_nil(path)
        assert.equal(case[4], message)
      end)
    end

    it("with one code for no rule and another for a value", function()
      local map = routes.of(RULES)
      assert.equal(-2, (select(3, map:build "nowhere")))
      assert.equal(-22, (select(3, map:build("any", { c = "black" }))))
    end)
  end)
end)
