--- Lookups: which rule is taken, and what comes of the others (Werkzeug 3's state machine).

local routes = require "support.routes"

--- What a lookup came to, as one text to compare with.
local function outcome(map, path, options)
  local m = map:match(path, options)
  if m.what == "found" then
    return m.endpoint
  elseif m.what == "redirect" then
    return "308 " .. (m.host ~= "" and "//" .. m.host or "") .. m.path
  elseif m.what == "method" then
    return "405 " .. table.concat(m.allow, " ")
  end
  return m.what
end

--- One table of rules, and the outcome of each path: { path, outcome, options }.
local function check(rules, cases, options)
  local map = routes.of(rules, options)
  for _, case in ipairs(cases) do
    assert.equal(case[2], outcome(map, case[1], case[3]),
      (case[3] and case[3].method or "GET") .. " " .. case[1])
  end
end

local POST = { method = "POST" }

describe("match order", function()
  it("takes fixed text before numbers before texts before paths", function()
    check({ "/prio/<path:p>", "/prio/<s>", "/prio/<int:n>", "/prio/static" }, {
      { "/prio/static", "/prio/static" },
      { "/prio/12", "/prio/<int:n>" },
      { "/prio/word", "/prio/<s>" },
      { "/prio/a/b", "/prio/<path:p>" },
      { "/prio/static/", "/prio/<path:p>" },
    })
  end)

  it("takes more pieces of fixed text first, then longer ones", function()
    check({ "/seg/<name>", "/seg/<name>.html", "/seg/v<name>.html", "/seg/<name>.htm" }, {
      { "/seg/x", "/seg/<name>" },
      { "/seg/x.html", "/seg/<name>.html" },
      { "/seg/vx.html", "/seg/v<name>.html" },
      { "/seg/x.htm", "/seg/<name>.htm" },
    })
    check({ "/<a>.<b>", "/<a>-<b>-<c>" }, { { "/1.2-3-4", "/<a>-<b>-<c>" } })
    check({ "/<a>é<b>", "/<a>--<b>" }, { { "/xé--y", "/<a>--<b>" } })
  end)

  it("takes more variables first, then lighter ones", function()
    check({ "/<a>.x", "/<a><b>.x" }, { { "/ab.x", "/<a><b>.x" }, { "/a.x", "/<a>.x" } })
    check({ "/<a>-<b>", "/<int:a>-<b>", "/<a>-<int:b>" }, {
      { "/1-2", "/<int:a>-<b>" },
      { "/x-2", "/<a>-<int:b>" },
      { "/x-y", "/<a>-<b>" },
    })
  end)

  it("takes a path with fixed text behind it before one without", function()
    check({ "/p/<path:x>", "/p/<path:x>/edit" }, {
      { "/p/a/edit", "/p/<path:x>/edit" },
      { "/p/a/b", "/p/<path:x>" },
      { "/p/edit", "/p/<path:x>" },
    })
  end)

  it("goes by registration where nothing else decides", function()
    check({ "/first/<a>", "/first/<b>" }, { { "/first/x", "/first/<a>" } })
    check({ { "/same", endpoint = "one" }, { "/same", endpoint = "two" } }, { { "/same", "one" } })
    check({ "/x/<any(a, b):c>", "/x/<any(b, c):d>", "/x/<s>" }, {
      { "/x/b", "/x/<any(a, b):c>" },
      { "/x/c", "/x/<any(b, c):d>" },
    })
  end)

  it("takes the first of the same path whose method fits", function()
    check({
      { "/same", endpoint = "get" },
      { "/same", endpoint = "post", methods = { "POST" } },
      { "/same", endpoint = "any", methods = { "GET", "POST", "PUT" } },
    }, {
      { "/same", "get" },
      { "/same", "get", { method = "HEAD" } },
      { "/same", "post", POST },
      { "/same", "any", { method = "PUT" } },
      { "/same", "405 GET HEAD POST PUT", { method = "DELETE" } },
    })
  end)

  it("goes back when fixed text led nowhere", function()
    check({ "/a/b/c", "/a/<x>/d", "/<y>/b/e", "/<path:p>" }, {
      { "/a/b/c", "/a/b/c" },
      { "/a/b/d", "/a/<x>/d" },
      { "/a/b/e", "/<y>/b/e" },
      { "/a/b/f", "/<path:p>" },
    })
  end)

  it("goes back when a method fits elsewhere only", function()
    check({ { "/a/fixed", methods = { "POST" } }, "/a/<s>" }, {
      { "/a/fixed", "/a/<s>" },
      { "/a/fixed", "/a/fixed", POST },
      { "/a/fixed", "405 GET HEAD POST", { method = "PUT" } },
    })
  end)

  it("knows upper from lower case and bytes from percent signs", function()
    check({ "/leaf", "/a b/é", "/a%20b" }, {
      { "/LEAF", "none" },
      { "/a b/é", "/a b/é" },
      { "/a%20b", "/a%20b" },
      { "/leaf\0", "none" },
      { "/leaf\n", "none" },
    })
  end)

  it("finds a rule registered after a lookup", function()
    local map = routes.of { "/a" }
    assert.equal("none", outcome(map, "/b"))
    assert(map:add "/b")
    assert.equal("/b", outcome(map, "/b"))
    assert.equal("/a", outcome(map, "/a"))
  end)

  it("is the same whatever else is registered", function()
    local rules = { "/x/<int:n>", "/x/<s>", "/x/fixed", "/x/<s>/y", "/<path:p>" }
    local map = routes.of(rules)
    for i = 1, 3000 do
      assert(map:add(("/r%d/<s>/%d"):format(i % 60, i)))
    end
    for _, case in ipairs {
      { "/x/1", "/x/<int:n>" }, { "/x/a", "/x/<s>" }, { "/x/fixed", "/x/fixed" },
      { "/x/1/y", "/x/<s>/y" }, { "/r7/z/67", "/r7/<s>/67" }, { "/r7/z/68", "/<path:p>" },
    } do
      assert.equal(case[2], outcome(map, case[1]))
    end
  end)

  it("has nothing to find in an empty table", function()
    check({}, { { "/", "none" }, { "", "none" }, { "/a//b", "none" } })
  end)
end)

describe("slash at the end", function()
  it("is added by a redirect, when the method fits", function()
    check({ "/branch/", { "/pbranch/", methods = { "POST" } }, "/v/<int:n>/", "/" }, {
      { "/branch/", "/branch/" },
      { "/branch", "308 /branch/" },
      { "/branch", "none", POST },
      { "/pbranch", "none" },
      { "/pbranch", "308 /pbranch/", POST },
      { "/pbranch/", "405 POST" },
      { "/v/3", "308 /v/3/" },
      { "/v/x", "none" },
      { "", "/" },
    })
  end)

  it("is not taken away", function()
    check({ "/leaf", "/v/<s>" }, { { "/leaf/", "none" }, { "/v/x/", "none" } })
  end)

  it("does not matter where strict_slashes is off", function()
    check({
      { "/loose/", strict_slashes = false },
      { "/leaf", strict_slashes = false },
      { "/v/<s>", strict_slashes = false },
      "/strict/",
    }, {
      { "/loose", "/loose/" },
      { "/loose/", "/loose/" },
      { "/leaf", "/leaf" },
      { "/leaf/", "/leaf" },
      { "/v/x/", "/v/<s>" },
      { "/loose", "405 GET HEAD", POST },
      { "/leaf/", "405 GET HEAD", POST },
      { "/strict", "308 /strict/" },
    })
    check({ "/loose/", { "/strict/", strict_slashes = true } }, {
      { "/loose", "/loose/" },
      { "/strict", "308 /strict/" },
    }, { strict_slashes = false })
  end)

  it("may follow a path", function()
    check({ "/p/<path:x>/", "/q/<path:x>/end/" }, {
      { "/p/a/b/", "/p/<path:x>/" },
      { "/p/a/b", "308 /p/a/b/" },
      { "/q/a/end", "308 /q/a/end/" },
      { "/q/a/end/", "/q/<path:x>/end/" },
      { "/q/a/other", "none" },
    })
  end)

  it("is asked for before a later rule that would fit without", function()
    check({ "/a/", "/<s>" }, { { "/a", "308 /a/" }, { "/b", "/<s>" } })
    check({ { "/a/", methods = { "POST" } }, "/<s>" }, { { "/a", "/<s>" } })
  end)
end)

describe("doubled slashes", function()
  it("are merged by a redirect, when that matches", function()
    check({ "/leaf", "/a/b", "/branch/", "/v/<int:n>/x", "/p/<path:x>" }, {
      { "/a//b", "308 /a/b" },
      { "/a///b", "308 /a/b" },
      { "/branch//", "308 /branch/" },
      { "/v//3//x", "308 /v/3/x" },
      { "/a//c", "none" },
      { "/v//x//x", "none" },
      { "/a//b", "405 GET HEAD", POST },
      { "/p/x//y", "/p/<path:x>" },
      { "/p//x", "308 /p/x" },
    })
  end)

  it("at the start count as one", function()
    check({ "/leaf", "/", "/branch/" }, {
      { "//leaf", "/leaf" },
      { "///leaf", "/leaf" },
      { "//", "/" },
      { "//branch", "308 /branch/" },
    })
  end)

  it("lead on to the slash at the end in one step", function()
    check({ "/x/branch/" }, { { "/x//branch", "308 /x/branch/" } })
  end)

  it("are left alone where merge_slashes is off", function()
    check({
      { "/no//merge", merge_slashes = false },
      { "/no/merging", merge_slashes = false },
      { "/no/slash/", merge_slashes = false },
      "/yes//merge",
    }, {
      { "/no//merge", "/no//merge" },
      { "/no/merge", "none" },
      { "/no//merging", "none" },
      { "/no//slash", "none" },
      { "/yes/merge", "/yes//merge" },
      { "/yes//merge", "308 /yes/merge" },
    })
    check({ "/a/b" }, { { "/a//b", "none" } }, { merge_slashes = false })
  end)
end)

describe("defaults", function()
  local PAGES = {
    { "/page/", endpoint = "page", defaults = { n = 1 } },
    { "/page/<int:n>", endpoint = "page" },
  }

  it("redirect to the rule that has them", function()
    check(PAGES, {
      { "/page/", "page" },
      { "/page/2", "page" },
      { "/page/1", "308 /page/" },
      { "/page/01", "308 /page/" },
      { "/page", "308 /page/" },
    })
  end)

  it("do not where redirect_defaults is off", function()
    check(PAGES, { { "/page/1", "page" } }, { redirect_defaults = false })
  end)

  it("do so in any order of registration, for this endpoint only", function()
    check({ PAGES[2], PAGES[1] }, { { "/page/1", "308 /page/" } })
    check({ PAGES[1], "/page/<int:n>" }, { { "/page/1", "/page/<int:n>" } })
  end)

  it("do so for the method that the other rule has", function()
    check({
      { "/page/", endpoint = "page", defaults = { n = 1 }, methods = { "POST" } },
      PAGES[2],
    }, { { "/page/1", "page" } })
  end)

  it("keep the other values, as decoded text", function()
    check({
      { "/<lang>/a b/", endpoint = "e", defaults = { n = 1 } },
      { "/<lang>/<int:n>", endpoint = "e" },
    }, { { "/é%/1", "308 /é%/a b/" }, { "/é/2", "e" } })
  end)

  it("compare as Python does: 1 is 1.0, and not \"1\"", function()
    check({
      { "/a/", endpoint = "a", defaults = { x = 1 } },
      { "/a/<float:x>", endpoint = "a" },
      { "/b/", endpoint = "b", defaults = { x = 1 } },
      { "/b/<x>", endpoint = "b" },
      { "/c/", endpoint = "c", defaults = { x = "1" } },
      { "/c/<x>", endpoint = "c" },
      { "/d/", endpoint = "d", defaults = { x = { opaque = 1 } } },
      { "/d/<int:x>", endpoint = "d" },
    }, {
      { "/a/1.0", "308 /a/" },
      { "/b/1", "b" },
      { "/c/1", "308 /c/" },
      { "/d/1", "d" },
    })
  end)

  it("of other names make no redirect", function()
    check({
      { "/kind/", endpoint = "kind", defaults = { kind = "x" } },
      { "/kind/<name>", endpoint = "kind" },
    }, { { "/kind/x", "kind" } })
  end)

  it("of a variable's name win over the path", function()
    local map = routes.of { { "/x/<int:n>/<s>", defaults = { n = 5 } } }
    assert.same({ 5, "y" }, map:match("/x/1/y").values)
  end)
end)

describe("methods", function()
  local RULES = {
    { "/split", endpoint = "get", methods = { "GET", "OPTIONS" } },
    { "/split", endpoint = "delete", methods = { "DELETE", "OPTIONS" } },
    { "/<s>", endpoint = "put", methods = { "PUT" } },
    { "/b/", endpoint = "branch" },
  }

  it("that no rule has are 405 with all that there are, sorted", function()
    check(RULES, {
      { "/split", "405 DELETE GET HEAD OPTIONS PUT", POST },
      { "/other", "405 PUT", POST },
      { "/split", "405 DELETE GET HEAD OPTIONS PUT", { method = "PURGE" } },
      { "/none/at/all", "none", POST },
    })
  end)

  it("of a path are known beforehand", function()
    local map = routes.of(RULES)
    assert.same({ "DELETE", "GET", "HEAD", "OPTIONS", "PUT" }, map:allowed "/split")
    assert.same({ "DELETE", "GET", "HEAD", "OPTIONS", "PUT" },
      map:allowed("/split", { method = "GET" }))
    assert.same({ "GET", "HEAD" }, map:allowed "/b/")
    assert.same({}, map:allowed "/none/at/all")
  end)

  it("of a websocket rule are apart from those of plain requests", function()
    check({ { "/ws", endpoint = "ws", websocket = true }, "/http" }, {
      { "/ws", "ws", { websocket = true } },
      { "/ws", "websocket" },
      { "/http", "websocket", { websocket = true } },
      { "/ws", "405 GET HEAD", POST },
    })
    check({ { "/x", endpoint = "ws", websocket = true }, { "/x", endpoint = "http" } }, {
      { "/x", "ws", { websocket = true } },
      { "/x", "http" },
    })
  end)

  it("give the id of the rule along", function()
    local map = routes.of { { "/a", id = 17 }, { "/b", id = 18 } }
    assert.equal(18, map:match("/b").id)
    assert.equal(1, map:match("/b").index)
  end)
end)

describe("hosts", function()
  local function on(host)
    return { host = host }
  end

  it("are matched with their variables and ports", function()
    check({
      { "/", host = "one.test", endpoint = "one" },
      { "/", host = "two.test:8080", endpoint = "two" },
      { "/", host = "<name>.many.test", endpoint = "many" },
      { "/", host = "Upper.Test", endpoint = "upper" },
      { "/<path:p>", host = "<int:n>.test", endpoint = "number" },
      { "/anywhere", endpoint = "anywhere" },
    }, {
      { "/", "one", on "one.test" },
      { "/", "two", on "two.test:8080" },
      { "/", "none", on "two.test" },
      { "/", "many", on "x.many.test" },
      { "/", "many", on "x.y.many.test" },
      { "/", "none", on ".many.test" },
      { "/", "upper", on "upper.test" },
      { "/a/b", "number", on "7.test" },
      { "/", "none", on "none.test" },
      { "/anywhere", "none", on "one.test" },
    }, { host_matching = true })
  end)

  it("give their values before those of the path", function()
    local map = routes.of({ { "/<a>/<int:b>", host = "<h>.test" } }, { host_matching = true })
    assert.same({ "x", "y", 3 }, map:match("/y/3", on "x.test").values)
    assert.same({ "h:string", "a:string", "b:int" }, map:info(0).variables)
  end)

  it("of a fixed name come before those with variables", function()
    check({
      { "/<s>", host = "<name>.test", endpoint = "any" },
      { "/<s>", host = "one.test", endpoint = "one" },
      { "/x", host = "<name>.test", endpoint = "any x" },
    }, {
      { "/x", "one", on "one.test" },
      { "/x", "any x", on "two.test" },
    }, { host_matching = true })
  end)

  it("are not looked at without host_matching", function()
    check({ { "/", host = "one.test" } }, { { "/", "/", on "two.test" } })
  end)

  it("may change by a redirect to defaults", function()
    check({
      { "/", host = "one.test", endpoint = "e", defaults = { name = "one" } },
      { "/", host = "<name>.many.test", endpoint = "e" },
    }, {
      { "/", "e", on "two.many.test" },
      { "/", "308 //one.test/", on "one.many.test" },
    }, { host_matching = true })
  end)
end)

describe("subdomains", function()
  local RULES = {
    { "/", endpoint = "index" },
    { "/", subdomain = "api", endpoint = "api" },
    { "/user", subdomain = "<name>", endpoint = "user" },
    { "/page/", subdomain = "www", endpoint = "page", defaults = { n = 1 } },
    { "/page/<int:n>", endpoint = "page" },
  }
  local cases = {
    { "parity.test", "/", "index" },
    { "api.parity.test", "/", "api" },
    { "other.parity.test", "/", "none" },
    { "bob.parity.test", "/user", "user" },
    { "a.b.parity.test", "/user", "user" },
    { "parity.test", "/user", "none" },
    { "elsewhere.test", "/", "none" },
    { "elsewhere.test", "/user", "none" },
    { "xparity.test", "/user", "none" },
    { ".parity.test", "/", "index" },
    { "parity.test:8080", "/", "none" },
    { "parity.test", "/page/1", "308 //www.parity.test/page/" },
  }
  for _, case in ipairs(cases) do
    it(("of %s%s lead to %s"):format(case[1], case[2], case[3]), function()
      check(RULES, { { case[2], case[3], { host = case[1] } } }, { server_name = "Parity.test" })
    end)
  end

  it("are not looked for without a server name", function()
    check(RULES, {
      { "/", "index", { host = "api.parity.test" } },
      { "/user", "none", { host = "bob.parity.test" } },
    })
  end)

  it("lie below a server name with a port", function()
    check(RULES, {
      { "/", "api", { host = "api.parity.test:8080" } },
      { "/", "none", { host = "api.parity.test" } },
    }, { server_name = "parity.test:8080" })
  end)
end)
