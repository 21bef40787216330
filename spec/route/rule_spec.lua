--- The text of rules: what is read, what is refused and how that is said.

local routes = require "support.routes"

describe("rule", function()
  describe("text", function()
    local cases = {
      { "/", {} },
      { "/plain/text", {} },
      { "/<name>", { "name:string" } },
      { "/<string:name>", { "name:string" } },
      { "/<default:name>", { "name:default" } },
      { "/<_a1>/<B_2>", { "_a1:string", "B_2:string" } },
      { "/<int:id>/x/<path:rest>", { "id:int", "rest:path" } },
      { "/<a>-<b>.html", { "a:string", "b:string" } },
      { "/<int():n>", { "n:int" } },
      { "/<int(3):n>", { "n:int" } },
      { "/<int(fixed_digits=3, min=1,max = 9 ,signed=True):n>", { "n:int" } },
      { "/<int(min=-5, max=None):n>", { "n:int" } },
      { "/<float(min=0.5, max=2):x>", { "x:float" } },
      { "/<float(-1.5, 1.5, signed=True):x>", { "x:float" } },
      { "/<string(2, 4):s>", { "s:string" } },
      { '/<any(red, "light blue", \'a,b\', u"x", 3, True):c>', { "c:any" } },
      { '/<any(")", "(", "<", ">"):c>', { "c:any" } },
      { "/<any(a, b,):c>", { "c:any" } },
      { "/<uuid:u>/", { "u:uuid" } },
      { "/a>b", {} },
      { "/a b/é/100%", {} },
    }
    for _, case in ipairs(cases) do
      it(("reads %s"):format(case[1]), function()
        local table = routes.of { case[1] }
        assert.same(case[2], table:info(0).variables)
        assert.equal(case[1], table:info(0).rule)
      end)
    end
  end)

  describe("mistake", function()
    local cases = {
      { "", 1, "a rule begins with '/'" },
      { "users", 1, "a rule begins with '/'" },
      { "/<", 3, "expected a name here, as in <name> or <converter:name>" },
      { "/<>", 3, "expected a name here, as in <name> or <converter:name>" },
      { "/<1a>", 3, "expected a name here, as in <name> or <converter:name>" },
      { "/<a", 2, "this '<' is not closed" },
      { "/<a/b", 4, "expected '>' here" },
      { "/<a.b>", 4, "expected '>' here" },
      { "/<int:>", 7, "expected the variable's name here" },
      { "/<int(3)>", 9, "expected ':' and the variable's name behind the arguments" },
      { "/<int(3:n>", 6, "the parenthesis is not closed" },
      { '/<any("a):c>', 6, "the parenthesis is not closed" },
      { "/<a>/<b>/<a>", 11, "this variable stands in the rule twice; give each its own name" },
      { "/<strin:a>", 3, "there is no converter 'strin'; did you mean 'string'?" },
      { "/<lits:a>", 3, "there is no converter 'lits'; did you mean 'list'?" },
      { "/<regex:a>", 3, "there is no converter 'regex'; there are string, int, float, path, any, "
        .. "uuid and those of app.url_map.converters" },
      { "/<int(mni=3):n>", 7, "converter 'int' has no place for the argument 'mni'; it takes "
        .. "fixed_digits, min, max, signed" },
      { "/<int(1, 2, 3, False, 5):n>", 23, "converter 'int' has no place for the argument '5'; "
        .. "it takes fixed_digits, min, max, signed" },
      { "/<path(1):p>", 8, "converter 'path' has no place for the argument '1'; it takes none" },
      { "/<list(1):p>", 8, "a custom converter takes no arguments" },
      { "/<int(3, fixed_digits=2):n>", 10, "this argument is given twice" },
      { "/<int(fixed_digits=-1):n>", 7, "expected a whole number here, 0 or more" },
      { "/<int(fixed_digits=x):n>", 7, "expected a whole number here, 0 or more" },
      { "/<int(min=1.5):n>", 7, "expected a whole number of at most 64 bits here" },
      { "/<int(max=9223372036854775808):n>", 7,
        "expected a whole number of at most 64 bits here" },
      { "/<int(min=5, max=4):n>", 3, "min is above max: this matches nothing" },
      { "/<int(signed=1):n>", 7, "expected True or False here" },
      { "/<float(min=a):x>", 9, "expected a number here" },
      { "/<float(min=5, max=4.5):x>", 3, "min is above max: this matches nothing" },
      { "/<string(minlength=0):s>", 10, "expected a whole number here, 1 or more" },
      { "/<string(length=a):s>", 10, "expected a whole number here, 1 or more" },
      { "/<string(3, 2):s>", 3, "minlength is above maxlength: this matches nothing" },
      { "/<any():c>", 3,
        "any() needs at least one item, as in any(red, \"light blue\")" },
      { "/<any:c>", 3, "any() needs at least one item, as in any(red, \"light blue\")" },
      { '/<any(a, ""):c>', 10, "an item of any() is neither empty nor has a '/'" },
      { '/<any("a/b"):c>', 7, "an item of any() is neither empty nor has a '/'" },
      { "/<any(a=b):c>", 7, "any() takes items, not name=value" },
      { "/<any(light blue):c>", 13,
        "expected a comma here; quote a text that is not a plain word" },
      { "/<any(,):c>", 7,
        "an argument is a number, True, False, None, a word or a quoted text" },
      { "/<int(min=):n>", 11,
        "an argument is a number, True, False, None, a word or a quoted text" },
      { "/" .. ("x/"):rep(64), 1, "a rule has at most 64 parts between slashes" },
    }
    for _, case in ipairs(cases) do
      it(("is told for %s"):format(case[1]:sub(1, 40)), function()
        local table = routes.new()
        table:converter "list"
        local index, message, err = table:add(case[1])
        assert.is_nil(index)
        assert.equal(("rule '%s', column %d: %s"):format(case[1], case[2], case[3]), message)
        assert.equal(case[2], err.column)
        assert.equal(case[1], require("ffi").string(err.name))
      end)
    end

    it("is told for too many variables", function()
      local rule = ""
      for i = 1, 17 do
        rule = rule .. "/<v" .. i .. ">"
      end
      local _, message = routes.new():add(rule)
      assert.matches("a rule has at most 16 variables$", message)
    end)

    it("is told for a rule that no path reaches", function()
      local _, message = routes.new():add("//x", { merge_slashes = false })
      assert.matches("this matches nothing: slashes at a path's start count as one$", message)
    end)

    it("names the host it stands in", function()
      local hosts = routes.new { host_matching = true }
      local cases_of_hosts = {
        { "<a", "rule '<a', column 1: this '<' is not closed" },
        { "a/b", "rule 'a/b', column 2: a host has no slashes" },
        { "<path:p>.x", "rule '<path:p>.x', column 2: a path converter has no place in a host: "
          .. "it has no slashes" },
      }
      for _, case in ipairs(cases_of_hosts) do
        assert.equal(case[2], (select(2, hosts:add("/", { host = case[1] }))))
      end
      local _, message = hosts:add("/<a>", { host = "<a>.test" })
      assert.matches("^rule '/<a>', column 3: this variable stands in the rule twice", message)
    end)

    it("leaves the table as it was", function()
      local table = routes.of { "/a" }
      assert.is_nil(table:add "/<b")
      assert.equal("/a", table:match("/a").endpoint)
      assert.same({ "/a" }, table:order())
    end)

    it("cuts a long rule short in its message", function()
      local _, message = routes.new():add("/" .. ("x"):rep(5000) .. "<")
      assert.is_true(#message < 512)
      assert.matches("expected a name here", message)
    end)
  end)

  describe("as registered", function()
    it("is shown with all it was given", function()
      local table = routes.new { strict_slashes = false }
      table:add("/a", { methods = { "POST" } })
      table:add("/b/<int:n>", {
        endpoint = "b",
        methods = { "GET", "OPTIONS" },
        subdomain = "<sub>",
        defaults = { n = 3, kind = "x" },
        strict_slashes = true,
        merge_slashes = false,
        websocket = true,
        id = 7,
      })
      assert.same({
        rule = "/a", endpoint = "/a", host = "", subdomain = "", methods = { "POST" },
        strict_slashes = false, merge_slashes = true, websocket = false, id = 0,
        variables = {}, defaults = {},
      }, table:info(0))
      assert.same({
        rule = "/b/<int:n>", endpoint = "b", host = "", subdomain = "<sub>",
        methods = { "GET", "HEAD", "OPTIONS" }, strict_slashes = true, merge_slashes = false,
        websocket = true, id = 7, variables = { "sub:string", "n:int" },
        defaults = { n = 3, kind = "x" },
      }, table:info(1))
    end)

    it("is listed in the order lookups try", function()
      local table = routes.of { "/p/<path:x>", "/<s>", "/p/<s>", "/p/<int:n>", "/p/fixed", "/",
        "/p/<s>.html", "/p/<path:x>/edit" }
      assert.same({ "/p/fixed", "/p/<s>.html", "/p/<path:x>/edit", "/p/<int:n>", "/p/<s>",
        "/p/<path:x>", "/", "/<s>" }, table:order())
    end)
  end)
end)
