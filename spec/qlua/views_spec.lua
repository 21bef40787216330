local cjson = require "cjson"
local http = require "support.http"
local server = require "support.server"

local APP = [=[
local qlua = require "qlua"
local app, request = qlua.App(...), qlua.request

local function answer(which)
  return function(...) return { which = which, method = request.method, given = { ... } } end
end

app:route("/both", { get = answer "get", POST = answer "post" })
app:route("/items/<int:id>/<name>", { defaults = { extra = "x" } }, {
  get = answer "get", delete = answer "delete",
})
app:route("/head", { get = answer "get", head = function() return "", 202 end })
app:route("/options", { get = answer "get", options = function() return "own", 200 end })
app:route("/some", { methods = { "GET" } }, { get = answer "get", post = answer "post" })
app:put("/put", { put = answer "put", get = answer "get" })
app:add_url_rule("/added", "added", { patch = answer "patch" })
app:add_url_rule("/late", "late", { methods = { "GET", "PUT" } })
app:endpoint("late", { get = answer "late" })
app:route("/broken", { get = function() end })

-- one table for several rules is one view, and so one endpoint
local shared = { get = answer "shared" }
app:route("/shared", { endpoint = "shared" }, app:route("/shared/<x>", shared))
shared.post = answer "posted"
app:route("/shared/more/rules", { endpoint = "shared" }, shared)

local bp = qlua.Blueprint("bp", ..., { url_prefix = "/bp" })
bp:route("/<x>", { get = answer "bp", post = answer "bp post" })
app:register_blueprint(bp)

app:route("/hooked/<x>", { get = answer "hooked" })
local hooked = qlua.Blueprint("hooked", ..., { url_prefix = "/hooks" })
hooked:before_request(function() qlua.g.before = true end)
hooked:route("/<x>", {
  get = function(x) return { before = qlua.g.before, x = x } end,
})
app:register_blueprint(hooked)

local function fn() end
local mistakes = {
  near = function() app:route("/x", { gett = fn }) end,
  far = function() app:route("/x", {}, { xyzzy = fn }) end,
  value = function() app:route("/x", { get = "text" }) end,
  key = function() app:route("/x", { fn }) end,
  twice = function() app:route("/x", { get = fn, GET = fn }) end,
  empty = function() app:route("/x", {}, {}) end,
  methods = function() app:route("/x", { methods = { "GET", "put" } }, { get = fn, post = fn }) end,
  shortcut = function() app:post("/x", { get = fn }) end,
  none = function() app:route("/x", { methods = { "GET" } }) end,
  text = function() app:route("/x", {}, "text") end,
  added = function() app:add_url_rule("/x", "x", {}, 5) end,
  endpoint = function() app:endpoint("x", {}) end,
  taken = function() app:route("/x", { endpoint = "added" }, { get = fn }) end,
}
app:get("/mistake/<which>", function(which)
  local ok, message = pcall(mistakes[which])
  return ok and "no error" or message
end)

return app
]=]

describe("class view", function()
  local live

  setup(function()
    live = server.start { app = APP }
  end)

  teardown(server.stop_all)

  local function ask(method, path)
    return http.request(live, method, path, method ~= "GET" and { body = "" } or nil)
  end

  local function answer(method, path)
    local response = ask(method, path)
    assert.equal(200, response.status, response.body)
    return cjson.decode(response.body)
  end

  it("answers each method with its own function, whatever the case of its name", function()
    assert.equal("get", answer("GET", "/both").which)
    assert.equal("post", answer("POST", "/both").which)
  end)

  it("has the methods of its keys", function()
    local response = ask("PUT", "/both")
    assert.equal(405, response.status)
    assert.equal("GET, HEAD, OPTIONS, POST", response.header.allow)
  end)

  it("has only those methods that the options name", function()
    assert.equal(405, ask("POST", "/some").status)
    assert.equal("put", answer("PUT", "/put").which)
    assert.equal(405, ask("GET", "/put").status)
  end)

  it("gets the rule's variables and defaults in every function", function()
    assert.same({ 7, "n", "x" }, answer("GET", "/items/7/n").given)
    assert.same({ 7, "n", "x" }, answer("DELETE", "/items/7/n").given)
  end)

  it("answers HEAD with its get, or with a head of its own", function()
    local response = ask("HEAD", "/both")
    assert.equal(200, response.status)
    assert.equal("", response.body)
    assert.equal(202, ask("HEAD", "/head").status)
    assert.equal(200, ask("GET", "/head").status)
  end)

  it("answers OPTIONS with its own function when it has one", function()
    assert.equal("own", ask("OPTIONS", "/options").body)
    assert.equal("", ask("OPTIONS", "/both").body)
  end)

  it("is taken by add_url_rule and endpoint too", function()
    assert.equal("patch", answer("PATCH", "/added").which)
    assert.equal("late", answer("GET", "/late").which)
  end)

  it("is one endpoint for several rules, and may grow", function()
    assert.equal("shared", answer("GET", "/shared").which)
    assert.same({ "x" }, answer("GET", "/shared/x").given)
    assert.equal("posted", answer("POST", "/shared/more/rules").which)
  end)

  it("is a blueprint's as well, with its hooks", function()
    assert.equal("bp post", answer("POST", "/bp/x").which)
    assert.same({ before = true, x = "1" }, answer("GET", "/hooks/1"))
  end)

  it("says which methods it has when the rule got it by endpoint and has more", function()
    assert.equal(500, ask("PUT", "/late").status)
    live:wait_for_stderr 'endpoint "late": its view has no function for PUT, only get'
  end)

  it("is named by its own place in messages", function()
    assert.equal(500, ask("GET", "/broken").status)
    live:wait_for_stderr 'view "broken" (app.lua:'
  end)

  for which, expected in pairs {
    near = 'route "/x": the view\'s table has "gett", which is no method (did you mean "get"?)',
    far = 'route "/x": the view\'s table has "xyzzy", which is no method (known: delete, get, '
      .. "head, options, patch, post, put)",
    value = 'route "/x": the view\'s "get" must be a function, got the string "text"',
    key = 'route "/x": a table as the view has functions by method, as { get = fn }; got the key 1',
    twice = 'route "/x": the view\'s table has GET twice, in upper and lower case',
    empty = 'route "/x": the view\'s table is empty; it needs functions by method, as { get = fn }',
    methods = 'route "/x": the option methods has PUT, but the view has no function for it, only '
      .. "get, post",
    shortcut = 'post "/x": the option methods has POST, but the view has no function for it, only '
      .. "get",
    none = 'route "/x": the view, the last argument, must be a function or a table of functions '
      .. "by method; got nil",
    text = 'route "/x": the view, the last argument, must be a function or a table of functions '
      .. 'by method; got the string "text"',
    added = 'add_url_rule "/x": the view, the last argument, must be a function or a table of '
      .. "functions by method; got the number 5",
    endpoint = 'endpoint "x": the view\'s table is empty; it needs functions by method, as '
      .. "{ get = fn }",
    taken = 'route: overwriting existing endpoint "added": it has another function already (',
  } do
    it("says where and what the mistake is: " .. which, function()
      local text, places = ask("GET", "/mistake/" .. which).body:gsub("^[^:]*app%.lua:%d+: ", "")
      assert.equal(1, places, text)
      assert.equal(1, text:find(expected, 1, true), text)
    end)
  end
end)
