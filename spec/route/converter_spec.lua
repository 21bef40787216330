--- What converters match, what they make of it, and how a segment is shared out among several.

local routes = require "support.routes"

local UUID = "12345678-1234-5678-1234-567812345678"

--- rule, path, the values in order (nil: no match)
local CASES = {
  string = {
    { "/<s>", "/a", { "a" } },
    { "/<s>", "/é", { "é" } },
    { "/<s>", "/a b?#%", { "a b?#%" } },
    { "/<s>", "/a\0b", { "a\0b" } },
    { "/<s>", "/" },
    { "/<s>", "/a/b" },
    { "/<string(length=2):s>", "/ab", { "ab" } },
    { "/<string(length=2):s>", "/a" },
    { "/<string(length=2):s>", "/abc" },
    { "/<string(length=2):s>", "/éé", { "éé" } },
    { "/<string(length=2):s>", "/é" },
    { "/<string(minlength=2):s>", "/a" },
    { "/<string(minlength=2):s>", "/abcdefg", { "abcdefg" } },
    { "/<string(minlength=2, maxlength=4):s>", "/a" },
    { "/<string(minlength=2, maxlength=4):s>", "/ab", { "ab" } },
    { "/<string(minlength=2, maxlength=4):s>", "/abcd", { "abcd" } },
    { "/<string(minlength=2, maxlength=4):s>", "/abcde" },
    { "/<string(maxlength=1):s>", "/€", { "€" } },
  },
  int = {
    { "/<int:n>", "/0", { 0 } },
    { "/<int:n>", "/42", { 42 } },
    { "/<int:n>", "/007", { 7 } },
    { "/<int:n>", "/-1" },
    { "/<int:n>", "/+1" },
    { "/<int:n>", "/1.0" },
    { "/<int:n>", "/1a" },
    { "/<int:n>", "/٣" },
    { "/<int:n>", "/9007199254740993", { 9007199254740993 } },
    { "/<int:n>", "/9223372036854775807", { 9223372036854775807 } },
    { "/<int:n>", "/9223372036854775808" },
    { "/<int(signed=True):n>", "/-5", { -5 } },
    { "/<int(signed=True):n>", "/5", { 5 } },
    { "/<int(signed=True):n>", "/-9223372036854775808", { -9223372036854775808 } },
    { "/<int(signed=True):n>", "/-9223372036854775809" },
    { "/<int(signed=True):n>", "/--5" },
    { "/<int(signed=True):n>", "/-" },
    { "/<int(fixed_digits=3):n>", "/042", { 42 } },
    { "/<int(fixed_digits=3):n>", "/42" },
    { "/<int(fixed_digits=3):n>", "/0042" },
    { "/<int(min=2, max=5):n>", "/1" },
    { "/<int(min=2, max=5):n>", "/2", { 2 } },
    { "/<int(min=2, max=5):n>", "/5", { 5 } },
    { "/<int(min=2, max=5):n>", "/6" },
    { "/<int(min=-2, signed=True):n>", "/-3" },
    { "/<int(min=-2, signed=True):n>", "/-2", { -2 } },
  },
  float = {
    { "/<float:x>", "/1.5", { 1.5 } },
    { "/<float:x>", "/0.1", { 0.1 } },
    { "/<float:x>", "/00.10", { 0.1 } },
    { "/<float:x>", "/3.141592653589793238462643", { math.pi } },
    { "/<float:x>", "/123456789012345678.0", { 123456789012345678 } },
    { "/<float:x>", "/1" },
    { "/<float:x>", "/1." },
    { "/<float:x>", "/.5" },
    { "/<float:x>", "/1e5" },
    { "/<float:x>", "/1.5e5" },
    { "/<float:x>", "/1.2.3" },
    { "/<float:x>", "/-1.5" },
    { "/<float:x>", "/inf" },
    { "/<float:x>", "/" .. ("9"):rep(400) .. ".0" },
    { "/<float:x>", "/" .. ("1"):rep(600) .. ".0" },
    { "/<float(signed=True):x>", "/-1.5", { -1.5 } },
    { "/<float(min=0.5, max=2):x>", "/0.4" },
    { "/<float(min=0.5, max=2):x>", "/0.5", { 0.5 } },
    { "/<float(min=0.5, max=2):x>", "/2.0", { 2 } },
    { "/<float(min=0.5, max=2):x>", "/2.1" },
  },
  path = {
    { "/<path:p>", "/a", { "a" } },
    { "/<path:p>", "/a/b/c", { "a/b/c" } },
    { "/<path:p>", "/a/", { "a/" } },
    { "/<path:p>", "/a//b", { "a//b" } },
    { "/<path:p>", "/a\nb", { "a\nb" } },
    { "/<path:p>", "/" },
    { "/x/<path:p>", "/x/http://host/", { "http://host/" } },
    { "/x/<path:p>/edit", "/x/a/b/edit", { "a/b" } },
    { "/x/<path:p>/edit", "/x/edit" },
    { "/x/<path:p>/edit", "/x/edit/edit", { "edit" } },
    { "/x/<path:p>/edit", "/x/a/edit/edit", { "a/edit" } },
    { "/<path:p>/<s>", "/a/b/c", { "a/b", "c" } },
    { "/<path:p>/<path:q>", "/a/b/c", { "a", "b/c" } },
    { "/<s>/<path:p>.<ext>", "/x/a/b.c.d", { "x", "a/b", "c.d" } },
    { "/<path:p>/<int:n>/<s>", "/a/1/2/b", { "a/1", 2, "b" } },
    { "/<path:p>/<int:n>/<s>", "/a/b/c" },
    { "/<path:p>/", "/a/b/", { "a/b" } },
  },
  any = {
    { "/<any(red, green):c>", "/red", { "red" } },
    { "/<any(red, green):c>", "/green", { "green" } },
    { "/<any(red, green):c>", "/blue" },
    { "/<any(red, green):c>", "/Red" },
    { "/<any(red, green):c>", "/redd" },
    { '/<any("light blue", "a,b", "(x)"):c>', "/light blue", { "light blue" } },
    { '/<any("light blue", "a,b", "(x)"):c>', "/a,b", { "a,b" } },
    { '/<any("light blue", "a,b", "(x)"):c>', "/(x)", { "(x)" } },
    { "/<any(1, 2.5, True, é):c>", "/2.5", { "2.5" } },
    { "/<any(1, 2.5, True, é):c>", "/True", { "True" } },
    { "/<any(1, 2.5, True, é):c>", "/é", { "é" } },
    { "/<any(a, ab):c><s>", "/abc", { "a", "bc" } },
    { "/<any(ab, a):c><s>", "/abc", { "ab", "c" } },
    { "/<any(ab, a):c><s>", "/ab", { "a", "b" } },
  },
  uuid = {
    { "/<uuid:u>", "/" .. UUID, { { uuid = UUID } } },
    { "/<uuid:u>", "/ABCDEF78-1234-5678-1234-567812345678",
      { { uuid = "ABCDEF78-1234-5678-1234-567812345678" } } },
    { "/<uuid:u>", "/1234" },
    { "/<uuid:u>", "/" .. UUID .. "0" },
    { "/<uuid:u>", "/" .. UUID:gsub("-", "") },
    { "/<uuid:u>", "/" .. UUID:gsub("8", "g") },
    { "/<uuid:u>.<s>", "/" .. UUID .. ".x", { { uuid = UUID }, "x" } },
  },
  ["several in one segment"] = {
    { "/<a>-<b>.html", "/a-b-c.html", { "a-b", "c" } },
    { "/<a>-<b>.html", "/a-b.html.html", { "a", "b.html" } },
    { "/<a>-<b>.html", "/-b.html" },
    { "/<a>-<b>.html", "/a-.html" },
    { "/<a>-<b>-<c>", "/1-2-3-4-5", { "1-2-3", "4", "5" } },
    { "/<a><b>", "/abc", { "ab", "c" } },
    { "/<a><b>", "/é", nil },
    { "/<a><b>", "/éa", { "é", "a" } },
    { "/<a><b><c>", "/abc", { "a", "b", "c" } },
    { "/<a><b><c>", "/ab" },
    { "/<int:a><int:b>", "/123", { 12, 3 } },
    { "/<int:a>-<int:b>", "/1-2", { 1, 2 } },
    { "/<int:a>-<int:b>", "/1-2-3" },
    { "/<a>-<int:b>", "/x-1-2", { "x-1", 2 } },
    { "/<int(signed=True):a>-<int(signed=True):b>", "/-1--2", { -1, -2 } },
    { "/<float:a>.<float:b>", "/1.23.4.5", { 1.23, 4.5 } },
    { "/<float:a><int:b>", "/1.23", { 1.2, 3 } },
    { "/<string(length=2):a><b>", "/abcd", { "ab", "cd" } },
    { "/<string(minlength=2, maxlength=3):a><b>", "/abcd", { "abc", "d" } },
    { "/<string(minlength=2, maxlength=3):a><b>", "/abc", { "ab", "c" } },
    { "/<string(minlength=2, maxlength=3):a><b>", "/ab" },
    { "/<string(maxlength=2):a>é<b>", "/éééé", { "éé", "é" } },
    { "/v<a>.html", "/v1.html", { "1" } },
    { "/v<a>.html", "/v.html" },
    { "/v<a>.html", "/x1.html" },
    { "/aa<s>aa", "/aaaa" },
    { "/aa<s>aa", "/aaaaa", { "a" } },
  },
}

describe("converter", function()
  for name, cases in pairs(CASES) do
    describe(name, function()
      for _, case in ipairs(cases) do
        local rule, path, values = case[1], case[2], case[3]
        local verb = values and "takes" or "refuses"
        it(("%s %s %q"):format(rule, verb, path:sub(1, 30)), function()
          local found = routes.of({ rule }, { merge_slashes = false }):match(path)
          assert.equal(values and "found" or "none", found.what)
          assert.same(values, found.values)
        end)
      end
    end)
  end

  describe("that rejects", function()
    local cases = {
      { "int(max=5)", "9" },
      { "int(fixed_digits=2)", "9" },
      { "int", "99999999999999999999" },
      { "float(min=2)", "1.5" },
      { "string(length=2)", "abc" },
      { "any(a, b)", "c" },
      { "uuid", "1234" },
    }
    for _, case in ipairs(cases) do
      it(("%s lets the next rule try"):format(case[1]), function()
        local table = routes.of { "/r/<" .. case[1] .. ":x>", "/r/<s>" }
        assert.equal("/r/<s>", table:match("/r/" .. case[2]).endpoint)
      end)
    end

    it("lets a rule of the same form try, in order of registration", function()
      local table = routes.of { "/r/<int(max=5):x>", "/r/<int(max=50):x>", "/r/<int:x>" }
      assert.equal("/r/<int(max=5):x>", table:match("/r/3").endpoint)
      assert.equal("/r/<int(max=50):x>", table:match("/r/9").endpoint)
      assert.equal("/r/<int:x>", table:match("/r/99").endpoint)
    end)

    it("counts neither for Allow nor for a slash redirect", function()
      local table = routes.of { { "/r/<int(max=5):x>", methods = { "POST" } },
        "/s/<int(max=5):x>/" }
      assert.equal("method", table:match("/r/3").what)
      assert.equal("none", table:match("/r/9").what)
      assert.same({}, table:allowed "/r/9")
      assert.equal("redirect", table:match("/s/3").what)
      assert.equal("none", table:match("/s/9").what)
    end)
  end)

  describe("custom", function()
    local function table_with(accept)
      local table = routes.new()
      table:converter("list", accept)
      assert(table:add "/tags/<list:tags>")
      return table
    end

    it("gives the text of one segment", function()
      local table = table_with()
      assert.same({ { custom = "a+b" } }, table:match("/tags/a+b").values)
      assert.equal("none", table:match("/tags/a/b").what)
      assert.equal("none", table:match("/tags/").what)
    end)

    it("is asked with the text and the place of the value", function()
      local asked = {}
      local table = routes.new()
      table:converter("list", function(text, slot)
        asked[#asked + 1] = slot .. "=" .. text
        return true
      end)
      assert(table:add "/<a>/<list:b>-<list:c>")
      table:match "/x/1-2"
      assert.same({ "1=1", "2=2" }, asked)
    end)

    it("is not asked unless the rest of its rule fits", function()
      local asked = 0
      local table = table_with(function()
        asked = asked + 1
        return true
      end)
      assert(table:add "/tags/<list:tags>/more")
      table:match "/tags/a/other"
      assert.equal(0, asked)
      table:match "/tags/a/more"
      assert.equal(1, asked)
    end)

    it("lets the next rule try when it says no", function()
      local table = table_with(function(text)
        return text ~= "no"
      end)
      assert(table:add "/tags/<s>")
      assert.equal("/tags/<list:tags>", table:match("/tags/yes").endpoint)
      assert.equal("/tags/<s>", table:match("/tags/no").endpoint)
    end)

    it("is asked for a 405 as well", function()
      local table = table_with(function(text)
        return text ~= "no"
      end)
      assert.equal("method", table:match("/tags/yes", { method = "POST" }).what)
      assert.equal("none", table:match("/tags/no", { method = "POST" }).what)
    end)

    it("takes every text when nobody is there to ask", function()
      local table = table_with(function()
        return false
      end)
      assert.equal("found", table:match("/tags/a", { no_custom = true }).what)
    end)

    it("wins over a built-in one of its name", function()
      local table = routes.new()
      assert(table:add "/before/<int:n>")
      table:converter "int"
      assert(table:add "/after/<int:n>")
      assert.same({ 1 }, table:match("/before/1").values)
      assert.same({ { custom = "x" } }, table:match("/after/x").values)
    end)

    it("keeps its number when made known again", function()
      local table = routes.new()
      assert.equal(0, table:converter "a")
      assert.equal(1, table:converter "b")
      assert.equal(0, table:converter "a")
    end)

    it("may add rules and look up while it is asked", function()
      local table
      table = table_with(function(text)
        if text == "deep" then
          assert(table:add("/late/" .. table:match("/tags/inner", { no_custom = true }).what))
        end
        return true
      end)
      assert.equal("found", table:match("/tags/deep").what)
      assert.equal("found", table:match("/late/found").what)
    end)
  end)

  describe("segment that fits in very many ways", function()
    local function seconds(rule, path)
      local table = routes.of { rule }
      local start = os.clock()
      local found = table:match(path)
      return os.clock() - start, found.what
    end

    local cases = {
      { "/<a>-<b>-<c>-<d>-<e>-<f>-<g>-<h>!", ("-x"):rep(4000) },
      { "/<a>a<b>a<c>a<d>a<e>!", ("a"):rep(8000) },
      { "/<path:a>/<path:b>/<path:c>/<path:d>!", ("/a"):rep(4000) },
      { "/<int:a><int:b><int:c>!", ("1"):rep(8000) },
      { "/<string(maxlength=4000):a><string(maxlength=4000):b>x<c>", ("y"):rep(8000) },
    }
    for _, case in ipairs(cases) do
      it(("%s is decided in bounded time"):format(case[1]), function()
        for _, last in ipairs { "", "!" } do
          assert.is_true(seconds(case[1], "/" .. case[2] .. last) < 0.25)
        end
      end)
    end

    it("still fits at the length of a request line", function()
      local long = ("x"):rep(4000)
      local found = routes.of({ "/<a>-<b>" }):match("/" .. long .. "-" .. long)
      assert.same({ long, long }, found.values)
    end)
  end)
end)
