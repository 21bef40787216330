local cjson = require "cjson"
local http = require "support.http"
local server = require "support.server"

local APP = [=[
local qlua = require "qlua"
local request, g, url_for = qlua.request, qlua.g, qlua.url_for
local app = qlua.App(...)
local trace, last = qlua.array {}, qlua.array {}
local started = qlua.array {}

local function log(text) trace[#trace + 1] = text end
local function show(...)
  log "view"
  return {
    endpoint = request.endpoint, blueprint = request.blueprint,
    blueprints = qlua.array(request.blueprints), given = qlua.array { ... },
  }
end
local function hooks(to, name)
  to:url_value_preprocessor(function() log("values " .. name) end)
  for i = 1, 2 do
    to:before_request(function() log(("before %s%d"):format(name, i)) end)
    to:after_request(function() log(("after %s%d"):format(name, i)) end)
    to:teardown_request(function() log(("teardown %s%d"):format(name, i)) end)
  end
end
local function app_wide(bp, name)
  bp:app_url_value_preprocessor(function() log("values via " .. name) end)
  bp:before_app_request(function() log("before via " .. name) end)
  bp:after_app_request(function() log("after via " .. name) end)
  bp:teardown_app_request(function() log("teardown via " .. name) end)
end

-- order: what blueprints register for the app lands behind the app's own
app:url_value_preprocessor(function() trace, last = qlua.array {}, trace end)
hooks(app, "app")
local par = qlua.Blueprint("par", ..., { url_prefix = "/par" })
local ch = qlua.Blueprint("ch", { url_prefix = "/ch/" })
hooks(par, "par")
app_wide(par, "par")
hooks(ch, "ch")
app_wide(ch, "ch")
par:route("/view", { endpoint = "view" }, show)
ch:route("/view", { endpoint = "view" }, show)
ch:route("/urls", function()
  return {
    dot = url_for ".view", parent = url_for "par.view", app = url_for "log",
    defaulted = url_for("lang.hello", { name = "bob" }),
  }
end)
par:register_blueprint(ch)
app:register_blueprint(par)
app:route("/log", { endpoint = "log" }, function() return qlua.jsonify(last) end)

-- prefixes
local function prefixed(name, prefix, options)
  local bp = qlua.Blueprint(name, { url_prefix = prefix })
  bp:add_url_rule("", "empty", show)
  bp:add_url_rule("/", "slash", show)
  bp:add_url_rule("/x", "x", show)
  app:register_blueprint(bp, options)
end
prefixed("one", "/one")
prefixed("two", "/two/", { url_prefix = "/deux/" })
local bare = qlua.Blueprint("bare", ..., { url_prefix = "/never" })
bare:get("/bare", show)
app:register_blueprint(bare, { url_prefix = "" })

-- derived endpoints
local derived = qlua.Blueprint("derived", ...)
derived:get("/derived", show)
derived:get("/derived/<int:id>", show)
derived:post("/derived", function() return "posted" end)
derived:get("/derived/a-b", { endpoint = "derived_2" }, function() return "explicit" end)
derived:add_url_rule("/derived/late", "late")
derived:endpoint("late", function() return "late" end)
derived:add_url_rule("/derived/later", "later")
derived:endpoint("derived.later", function() return "later" end)
app:register_blueprint(derived, { url_prefix = "/d" })

-- defaults and a variable in the prefix
local lang = qlua.Blueprint("lang", ..., {
  url_prefix = "/<code>", url_defaults = { a = 1, b = 1 },
})
lang:url_value_preprocessor(function(_, values)
  g.code, values.code = values.code, nil
end)
lang:url_defaults(function(_, values)
  values.code = values.code or g:get("code", "en")
end)
lang:get("/hello/<name>", { endpoint = "hello", defaults = { c = 3 } }, function(name, a, b, c)
  local url = url_for(".hello", { name = "x" })
  return { code = g.code, name = name, a = a, b = b, c = c, url = url }
end)
app:register_blueprint(lang, { url_defaults = { b = 2 } })

-- twice, under two names, with a child each time
local twice = qlua.Blueprint("twice", ...)
local child = qlua.Blueprint("child", ..., { url_prefix = "/c" })
local records, order = qlua.array {}, qlua.array {}
twice:before_request(function() g.mark = request.blueprint end)
twice:get("/it", function() return { mark = g.mark, dot = url_for ".it" } end)
child:get("/it", function() return { mark = g.mark, dot = url_for ".it" } end)
twice:record(function(state)
  records[#records + 1] = {
    "each", state.name, state.name_prefix, state.url_prefix, state.first_registration,
    state.app == app, state.blueprint == twice, state.options.url_prefix,
  }
  state:add_url_rule("/recorded", "recorded", { defaults = { z = state.name } }, show)
end)
twice:record_once(function(state) records[#records + 1] = { "once", state.name } end)
child:record(function(state)
  records[#records + 1] = { "child", state.name, state.name_prefix, state.url_prefix }
end)
twice:register_blueprint(child)
app:register_blueprint(twice, { url_prefix = "/t1" })
app:register_blueprint(twice, { url_prefix = "/t2", name = "again" })
app:get("/records", function() return qlua.jsonify(records) end)
app:get("/blueprints", function()
  local known = 0
  for bp, name in app:iter_blueprints() do
    order[#order + 1] = name
    known = known + (app.blueprints[name] == bp and 1 or 0)
  end
  return { order = order, known = known, text = tostring(app.blueprints["par.ch"]) }
end)

-- errors
local outer = qlua.Blueprint("outer", ..., { url_prefix = "/outer" })
local inner = qlua.Blueprint("inner", ..., { url_prefix = "/inner" })
local Boom = qlua.class "Boom"
app:errorhandler(404, function() return "app 404", 404 end)
outer:errorhandler(404, function() return "outer 404", 404 end)
outer:errorhandler(410, function() return "outer 410", 410 end)
inner:errorhandler(410, function() return "inner 410", 410 end)
inner:register_error_handler(Boom, function(err) return "inner " .. tostring(err), 500 end)
inner:app_errorhandler(Boom, function(err) return "everywhere " .. tostring(err), 500 end)
local function raise(what)
  if what == "boom" then error(Boom "bang") end
  qlua.abort(tonumber(what))
end
for _, to in ipairs { app, outer, inner } do
  to:add_url_rule("/raise/<what>", "raise", raise)
end
outer:register_blueprint(inner)
app:register_blueprint(outer)

-- static folders
local files = qlua.Blueprint("files", ..., { url_prefix = "/files", static_folder = "assets/" })
files:get("/urls", function()
  return { url_for(".static", { filename = "a.txt" }), url_for("static", { filename = "a.txt" }) }
end)
files:get("/by/hand", function() return files:send_static_file "a.txt" end)
app:register_blueprint(files)
app:register_blueprint(qlua.Blueprint("own", ..., {
  url_prefix = "/own", static_folder = "assets", static_url_path = "/s/",
}))

-- serving
local life = qlua.Blueprint "life"
life:before_app_serving(function() started[#started + 1] = "before" end)
life:while_app_serving(function()
  started[#started + 1] = "while"
  coroutine.yield()
end)
life:get("/started", function() return started end)
app:register_blueprint(life)
app:register_blueprint(life, { name = "life2", url_prefix = "/2" })

-- while the app is served
app:get("/register/<name>", function(name)
  local bp = qlua.Blueprint(name, "late", { url_prefix = "/" .. name })
  bp:before_request(function() g.late = "late" end)
  bp:errorhandler(418, function() return "tea", 418 end)
  bp:get("/view", function() return g.late end)
  bp:get("/tea", function() qlua.abort(418) end)
  app:register_blueprint(bp)
  return url_for(name .. ".view")
end)

local registered = qlua.Blueprint "registered"
app:register_blueprint(registered)
local taken = qlua.Blueprint("taken", { url_prefix = "/taken" })
taken:get("/", show)
app:register_blueprint(taken)

local function fresh() return qlua.App("other", { static_folder = false }) end
local mistakes = {
  name = function() qlua.Blueprint(5) end,
  empty = function() qlua.Blueprint "" end,
  dot = function() qlua.Blueprint "a.b" end,
  import = function() qlua.Blueprint("a", 5) end,
  option = function() qlua.Blueprint("a", "a", { url_prefx = "/x" }) end,
  option_type = function() qlua.Blueprint("a", { url_prefix = 5 }) end,
  folder = function() qlua.Blueprint("a", { static_folder = true }) end,
  endpoint = function() qlua.Blueprint("a"):get("/x", { endpoint = "b.c" }, show) end,
  view_endpoint = function() qlua.Blueprint("a"):endpoint("b.c", show) end,
  method = function() qlua.Blueprint("a"):route("/x", { methods = { "BREW" } }, show) end,
  hook = function() qlua.Blueprint("a"):before_request(5) end,
  app_hook = function() qlua.Blueprint("a"):before_app_request "x" end,
  serving_hook = function() qlua.Blueprint("a"):before_app_serving() end,
  handler = function() qlua.Blueprint("a"):errorhandler(999, show) end,
  app_handler = function() qlua.Blueprint("a"):app_errorhandler(999, show) end,
  record = function() qlua.Blueprint("a"):record {} end,
  record_once = function() qlua.Blueprint("a"):record_once() end,
  no_blueprint = function() fresh():register_blueprint {} end,
  no_return = function() fresh():register_blueprint(true) end,
  register_option = function() fresh():register_blueprint(taken, { subdomian = "x" }) end,
  register_name = function() fresh():register_blueprint(taken, { name = "a.b" }) end,
  prefix = function() fresh():register_blueprint(qlua.Blueprint("a", { url_prefix = "x" })) end,
  twice = function() app:register_blueprint(taken) end,
  other = function() app:register_blueprint(qlua.Blueprint "taken") end,
  nested = function()
    local up, one, two = qlua.Blueprint "up", qlua.Blueprint "in", qlua.Blueprint "in"
    up:register_blueprint(one)
    up:register_blueprint(two)
    fresh():register_blueprint(up)
  end,
  itself = function() local a = qlua.Blueprint "a"; a:register_blueprint(a) end,
  circle = function()
    local a, b, c = qlua.Blueprint "a", qlua.Blueprint "b", qlua.Blueprint "c"
    a:register_blueprint(b)
    b:register_blueprint(c)
    c:register_blueprint(a)
  end,
  late_rule = function() registered:get("/x", show) end,
  late_hook = function() registered:after_request(show) end,
  late_app_hook = function() registered:after_app_request(show) end,
  late_handler = function() registered:errorhandler(404, show) end,
  late_app_handler = function() registered:app_errorhandler(404, show) end,
  late_record = function() registered:record(show) end,
  late_child = function() registered:register_blueprint(qlua.Blueprint "x") end,
  late_endpoint = function() registered:endpoint("x", show) end,
  rule = function()
    local a = qlua.Blueprint "a"
    a:get("/<foo:x>", show)
    fresh():register_blueprint(a)
  end,
  taken_endpoint = function()
    local a = qlua.Blueprint "a"
    a:add_url_rule("/x", "x", show)
    a:add_url_rule("/y", "x", raise)
    fresh():register_blueprint(a)
  end,
  no_static = function() registered:send_static_file "a.txt" end,
}
app:get("/mistake/<which>", function(which)
  local ok, message = pcall(mistakes[which])
  return ok and "no error" or message
end)

return app
]=]

describe("blueprint", function()
  local live

  setup(function()
    live = server.start {
      app = APP,
      files = { ["static/a.txt"] = "the app's", ["assets/a.txt"] = "the blueprint's" },
    }
  end)

  teardown(server.stop_all)

  local function get(path)
    return http.get(live, path)
  end

  local function json(path)
    local response = get(path)
    assert.equal(200, response.status, response.body)
    return cjson.decode(response.body)
  end

  it("runs hooks from the app inward and back, app-wide ones with the app's", function()
    get "/par/ch/view"
    assert.same({
      "values app", "values via par", "values via ch", "values par", "values ch",
      "before app1", "before app2", "before via par", "before via ch",
      "before par1", "before par2", "before ch1", "before ch2", "view",
      "after ch2", "after ch1", "after par2", "after par1",
      "after via ch", "after via par", "after app2", "after app1",
      "teardown ch2", "teardown ch1", "teardown par2", "teardown par1",
      "teardown via ch", "teardown via par", "teardown app2", "teardown app1",
    }, json "/log")
  end)

  it("runs a parent's hooks without its children's, and none of them elsewhere", function()
    get "/par/view"
    local text = table.concat(json "/log", " ")
    assert.matches("before par1", text)
    assert.is_nil(text:find "before ch1")
    assert.is_nil(table.concat(json "/log", " "):find "before par1")
  end)

  it("names the blueprints of a request, the innermost first", function()
    local answer = json "/par/ch/view"
    assert.equal("par.ch.view", answer.endpoint)
    assert.equal("par.ch", answer.blueprint)
    assert.same({ "par.ch", "par" }, answer.blueprints)
    assert.is_nil(json("/d/derived").blueprints[2])
  end)

  it("builds URLs relative to the current blueprint", function()
    assert.same({
      dot = "/par/ch/view", parent = "/par/view", app = "/log", defaulted = "/en/hello/bob",
    }, json "/par/ch/urls")
  end)

  describe("prefix", function()
    for path, expected in pairs {
      ["/one"] = "one.empty", ["/one/"] = "one.slash", ["/one/x"] = "one.x",
      ["/deux/"] = "two.empty", ["/deux/x"] = "two.x", ["/two/x"] = 404,
      ["/bare"] = "bare.bare", ["/never/bare"] = 404,
    } do
      it(("makes %s: %s"):format(path, expected), function()
        local response = get(path)
        local found = response.status == 200 and cjson.decode(response.body).endpoint
        assert.equal(expected, found or response.status)
      end)
    end
  end)

  describe("endpoint", function()
    it("is derived from the blueprint's own rule, and unique within it", function()
      assert.equal("derived.derived", json("/d/derived").endpoint)
      assert.equal("derived.derived", json("/d/derived/5").endpoint)
      assert.equal("posted", http.post(live, "/d/derived", { body = "" }).body)
    end)

    it("gives way to an explicit one of the same name", function()
      assert.equal("explicit", get("/d/derived/a-b").body)
    end)

    it("gets its view later, with or without the blueprint's name", function()
      assert.equal("late", get("/d/derived/late").body)
      assert.equal("later", get("/d/derived/later").body)
    end)
  end)

  it("fills defaults from constructor, registration and rule, the later winning", function()
    assert.same({ code = "fr", name = "bob", a = 1, b = 2, c = 3, url = "/fr/hello/x" },
      json "/fr/hello/bob")
  end)

  describe("twice", function()
    it("has rules and hooks under both names, and its children too", function()
      assert.same({ mark = "twice", dot = "/t1/it" }, json "/t1/it")
      assert.same({ mark = "again", dot = "/t2/it" }, json "/t2/it")
      assert.same({ mark = "twice.child", dot = "/t1/c/it" }, json "/t1/c/it")
      assert.same({ mark = "again.child", dot = "/t2/c/it" }, json "/t2/c/it")
    end)

    it("records each registration, or only the first", function()
      assert.same({
        { "each", "twice", "", "/t1", true, true, true, "/t1" }, { "once", "twice" },
        { "child", "child", "twice", "/t1/c" },
        { "each", "again", "", "/t2", false, true, true, "/t2" },
        { "child", "child", "again", "/t2/c" },
      }, json "/records")
    end)

    it("adds rules with the state's prefix, name and defaults", function()
      local answer = json "/t2/recorded"
      assert.equal("again.recorded", answer.endpoint)
      assert.same({ "again" }, answer.given)
    end)
  end)

  it("is known to the app by its dotted name, in order of registration", function()
    local answer = json "/blueprints"
    assert.equal("par par.ch one two", table.concat(answer.order, " ", 1, 4))
    assert.equal(#answer.order, answer.known)
    assert.equal("<Blueprint ch>", answer.text)
  end)

  it("runs its functions of the app's start once", function()
    assert.same({ "before", "while" }, json "/started")
  end)

  describe("error handler", function()
    for path, expected in pairs {
      ["/raise/404"] = "app 404", ["/outer/raise/404"] = "outer 404",
      ["/outer/inner/raise/404"] = "outer 404", ["/outer/nowhere"] = "app 404",
      ["/outer/raise/410"] = "outer 410", ["/outer/inner/raise/410"] = "inner 410",
      ["/outer/inner/raise/boom"] = "inner bang", ["/outer/raise/boom"] = "everywhere bang",
      ["/raise/boom"] = "everywhere bang",
    } do
      it(("answers %s: %s"):format(path, expected), function()
        assert.equal(expected, get(path).body)
      end)
    end
  end)

  it("serves its static folder beside the app's", function()
    assert.equal("the blueprint's", get("/files/assets/a.txt").body)
    assert.equal("the blueprint's", get("/own/s/a.txt").body)
    assert.equal("the blueprint's", get("/files/by/hand").body)
    assert.equal("the app's", get("/static/a.txt").body)
    assert.equal(404, get("/files/assets/b.txt").status)
    assert.same({ "/files/assets/a.txt", "/static/a.txt" }, json "/files/urls")
  end)

  it("takes effect when it is registered while the app is served", function()
    assert.equal(404, get("/fresh/view").status)
    assert.equal("/fresh/view", get("/register/fresh").body)
    assert.equal("late", get("/fresh/view").body)
    assert.equal("tea", get("/fresh/tea").body)
  end)

  it("matches below its subdomain, a child below its parent's", function()
    local domains = server.start { app = [[
      local qlua = require "qlua"
      local app = qlua.App(..., { subdomain_matching = true })
      app.config.SERVER_NAME = "x.test"
      local up = qlua.Blueprint("up", ..., { subdomain = "up" })
      local down = qlua.Blueprint("down", ..., { subdomain = "down" })
      local same = qlua.Blueprint("same", ...)
      local function endpoint() return qlua.request.endpoint end
      up:get("/", endpoint)
      up:get("/own", { subdomain = "own" }, endpoint)
      down:get("/", endpoint)
      same:get("/same", endpoint)
      up:register_blueprint(down)
      up:register_blueprint(same)
      app:register_blueprint(up)
      app:register_blueprint(up, { subdomain = "else", name = "other" })
      return app
    ]] }
    local function ask(host, path)
      local response = http.get(domains, path or "/", { host = host })
      return response.status == 200 and response.body or response.status
    end
    assert.equal("up.index", ask "up.x.test")
    assert.equal("up.own", ask("own.x.test", "/own"))
    assert.equal("up.down.index", ask "down.up.x.test")
    assert.equal("up.same.same", ask("up.x.test", "/same"))
    assert.equal("other.index", ask "else.x.test")
    assert.equal("other.down.index", ask "down.else.x.test")
    assert.equal(404, ask "down.x.test")
  end)

  local LATE = ': blueprint "registered" has been registered already, and a change to it would '
    .. "reach no app; finish it before app:register_blueprint"

  for which, expected in pairs {
    name = "Blueprint: name must be a string, got the number 5",
    empty = "Blueprint: name must not be empty",
    dot = 'Blueprint: name "a.b" has a dot; dots are made by nesting, with register_blueprint of '
      .. "a blueprint",
    import = 'Blueprint "a": import_name must be a string, got the number 5',
    option = 'Blueprint "a": unknown option "url_prefx" (did you mean "url_prefix"?)',
    option_type = 'Blueprint "a": option "url_prefix" must be a string, got the number 5',
    folder = 'Blueprint "a": option "static_folder" must be a path, or false for none',
    endpoint = 'get "/x": endpoint "b.c" has a dot; the blueprint\'s name "a" is put before it '
      .. "when it is registered",
    view_endpoint = 'endpoint: endpoint "b.c" has a dot; the blueprint\'s name "a" is put before '
      .. "it when it is registered",
    method = 'route "/x": unknown method "BREW"; requests with it are answered 501 before they '
      .. "get here",
    hook = "before_request: the hook must be a function, got the number 5",
    app_hook = 'before_app_request: the hook must be a function, got the string "x"',
    serving_hook = "before_app_serving: the hook must be a function, got nil",
    handler = "errorhandler: there is no HTTP error with the code 999; codes that have one are "
      .. "the keys of qlua.errors.default_exceptions",
    app_handler = "app_errorhandler: there is no HTTP error with the code 999; codes that have "
      .. "one are the keys of qlua.errors.default_exceptions",
    record = "record: the function must be a function, got a table",
    record_once = "record_once: the function must be a function, got nil",
    no_blueprint = "register_blueprint: the first argument must be a qlua.Blueprint, got a table",
    no_return = "register_blueprint: the first argument must be a qlua.Blueprint, got the boolean "
      .. "true; a module that makes one must end with `return` and the blueprint",
    register_option = 'register_blueprint: unknown option "subdomian" (did you mean "subdomain"?)',
    register_name = 'register_blueprint: name "a.b" has a dot; dots are made by nesting, with '
      .. "register_blueprint of a blueprint",
    prefix = 'register_blueprint: url_prefix "x" of blueprint "a" must begin with "/"',
    twice = 'register_blueprint: the name "taken" is taken: this blueprint is registered under it '
      .. 'already; give another with { name = "taken_2" }',
    other = 'register_blueprint: the name "taken" is taken: another blueprint is registered under '
      .. 'it already; give another with { name = "taken_2" }',
    nested = 'register_blueprint: the name "up.in" is taken: another blueprint is registered '
      .. 'under it already; give another with { name = "in_2" }',
    itself = 'register_blueprint: blueprint "a" cannot be registered on itself',
    circle = 'register_blueprint: blueprint "c" is registered below "a" already, so it cannot '
      .. "contain it",
    late_rule = "get" .. LATE,
    late_hook = "after_request" .. LATE,
    late_app_hook = "after_app_request" .. LATE,
    late_handler = "errorhandler" .. LATE,
    late_app_handler = "app_errorhandler" .. LATE,
    late_record = "record" .. LATE,
    late_child = "register_blueprint" .. LATE,
    late_endpoint = "endpoint" .. LATE,
    no_static = 'send_static_file: blueprint "registered" has no static folder',
  } do
    it("says where and what the mistake is: " .. which, function()
      local text, places = get("/mistake/" .. which).body:gsub("^[^:]*app%.lua:%d+: ", "")
      assert.equal(1, places, text)
      assert.equal(expected, text)
    end)
  end

  for which, pattern in pairs {
    rule = 'get "/<foo:x>" of blueprint "a" %([^:]*app%.lua:%d+%): rule \'/<foo:x>\', column 3: '
      .. "there is no converter 'foo'",
    taken_endpoint = 'add_url_rule "/y" of blueprint "a" %([^:]*app%.lua:%d+%): overwriting '
      .. 'existing endpoint "a%.x": it has another function already',
  } do
    it("says which line of the blueprint does not fit the app: " .. which, function()
      assert.matches(pattern, get("/mistake/" .. which).body)
    end)
  end
end)
