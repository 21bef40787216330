local http = require "support.http"
local server = require "support.server"

local APP = [=[
local qlua = require "qlua"
local request = qlua.request
local app = qlua.App(...)

app.url_map.converters.list = {
  to_lua = function(_, text)
    if text ~= "none" then
      local out = qlua.array {}
      for piece in text:gmatch "[^+]+" do out[#out + 1] = piece end
      return out
    end
  end,
  to_url = function(_, value) return table.concat(value, "+") end,
}
app.url_map.converters.upper = { to_lua = function(_, text) return text:upper() end }

local function show(...)
  return { endpoint = request.endpoint, args = request.view_args, given = qlua.array { ... } }
end
local function other() return "other" end

app:route("/", show)
app:get("/users/<name>", show)
app:post("/users/<name>", other)
app:route("/a-b/c.d/<x>/", show)
app:route("/<x>/<y>", { endpoint = "pair" }, show)
app:route("/claimed", { methods = { "post" } }, show)
app:route("/other", { endpoint = "claimed" }, other)
app:route("/same", { methods = { "GET" } }, show)
app:route("/same", { methods = { "PUT" } }, show)
app:route("/defaults/<int:n>", { defaults = { b = "B", a = { 1 } } }, show)
app:route("/many/<a>/<b>/<c>/<d>", { defaults = { x = 1, y = false } }, show)
app:route("/tags/<list:tags>", show)
app:route("/tags/<upper:text>", { endpoint = "text" }, show)
app:route("/tree/<path:p>", { endpoint = "tree" }, show)
app:route("/quiet", { provide_automatic_options = false }, show)
app:add_url_rule("/late", "late")
app:add_url_rule("/never", "never")
app:add_url_rule("/given", "given", show)
app:endpoint("late", function() return "late" end)
app:route("/bool/<flag>", show)
app:route("/v/<int:n>", show)
app:route("/v/<float:x>", { endpoint = "float" }, show)

app:route("/new/<name>", function(name)
  app:route("/made/" .. name, { endpoint = "made." .. name }, function() return "made " .. name end)
  return qlua.url_for("made." .. name)
end)
app:route("/endpoints", function()
  local out = {}
  for _, rule in ipairs(app.url_map.rules) do
    out[rule.rule .. " " .. rule.methods[1]] = rule.endpoint
  end
  return out
end)

table.insert(app.url_build_error_handlers, function(err, endpoint, values)
  if endpoint == "nowhere" then return "/?" .. tostring(err) .. values.x end
end)

local URLS = {
  quoted = { "users", { name = "a/b ?#é" } },
  ascii = { "users", { name = " !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~" } },
  query = { "index", { q = " !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~" } },
  values = { "index", { n = 1.5, i = 1e15, t = true, f = false, e = "", l = { 1, "x" },
    z = qlua.null, u = "é" } },
  list = { "tags", { tags = { "x", "y z" } } },
  anchor = { "index", { _anchor = "a b?#%20" } },
  external = { "index", { _external = true } },
  scheme = { "index", { _scheme = "https" } },
  method = { "same", { _method = "put" } },
  relative = { ".index" },
  static = { "static", { filename = "a/b c.css" } },
  handler = { "nowhere", { x = "7" } },
  float = { "float", { x = 2 } },
  missing = { "users" },
  unknown = { "usres", { name = "x" } },
  endpoint = { 5 },
  key = { "index", { "x" } },
  special = { "index", { _external = "yes" } },
  contradiction = { "index", { _external = false, _scheme = "https" } },
  table_value = { "index", { q = { a = 1 } } },
  function_value = { "index", { q = { "a", print } } },
}
app:route("/url/<which>", { endpoint = "url" }, function(which)
  local ok, result = pcall(qlua.url_for, unpack(URLS[which]))
  return (ok and "" or "ERROR ") .. tostring(result)
end)

local MISTAKES = {
  option = function() app:route("/x", { metods = {} }, show) end,
  methods = function() app:route("/x", { methods = "GET" }, show) end,
  no_methods = function() app:route("/x", { methods = {} }, show) end,
  method = function() app:route("/x", { methods = { "BREW" } }, show) end,
  method_type = function() app:route("/x", { methods = { 5 } }, show) end,
  double = function() app:get("/x", { methods = { "GET" } }, show) end,
  view = function() app:route("/x", {}) end,
  no_view = function() app:route "/x" end,
  rule = function() app:route(5, show) end,
  slash = function() app:route("x", show) end,
  converter = function() app:route("/<foo:x>", show) end,
  twice = function() app:route("/<x>/<x>", show) end,
  taken = function() app:route("/x", { endpoint = "pair" }, other) end,
  defaults = function() app:route("/x", { defaults = { "x" } }, show) end,
  own = function()
    app.url_map.converters.bad = { to_lua = 5 }
    local ok, message = pcall(app.route, app, "/<bad:x>", show)
    app.url_map.converters.bad = nil
    error(message, 0)
  end,
  app = function() qlua.App("x", { statc_folder = "x" }) end,
  name = function() qlua.App(5) end,
  folder = function() qlua.App("x", { static_folder = true }) end,
  run = function() app:run { prt = 1 } end,
}
app:route("/mistake/<which>", { endpoint = "mistake" }, function(which)
  return select(2, pcall(MISTAKES[which]))
end)
return app
]=]

describe("routing", function()
  local running

  setup(function()
    running = server.start { app = APP, files = { ["static/a.txt"] = "static" } }
  end)
  teardown(server.stop_all)

  local function get(path, method, headers)
    return http.get(running, path, { method = method, headers = headers })
  end

  for path, expected in pairs {
    ["/"] = '{"args":{},"endpoint":"index","given":[]}',
    ["/users/b%20%C3%A9"] = '{"args":{"name":"b \\u00e9"},"endpoint":"users",'
      .. '"given":["b \\u00e9"]}',
    ["/a-b/c.d/1/"] = '{"args":{"x":"1"},"endpoint":"a_b_c_d","given":["1"]}',
    ["/y/z"] = '{"args":{"x":"y","y":"z"},"endpoint":"pair","given":["y","z"]}',
    ["/many/1/2/3/4"] = '{"args":{"a":"1","b":"2","c":"3","d":"4","x":1,"y":false},'
      .. '"endpoint":"many","given":["1","2","3","4",1,false]}',
    ["/defaults/5"] = '{"args":{"a":[1],"b":"B","n":5},"endpoint":"defaults",'
      .. '"given":[5,[1],"B"]}',
    ["/tags/a+b"] = '{"args":{"tags":["a","b"]},"endpoint":"tags","given":[["a","b"]]}',
    ["/tags/none"] = '{"args":{"text":"NONE"},"endpoint":"text","given":["NONE"]}',
    ["/tree/a/b"] = '{"args":{"p":"a/b"},"endpoint":"tree","given":["a/b"]}',
    ["/given"] = '{"args":{},"endpoint":"given","given":[]}',
  } do
    it("calls the view of " .. path, function()
      assert.equal(expected .. "\n", get(path).body)
    end)
  end

  it("derives endpoints, which give way to explicit ones", function()
    local body = get("/endpoints").body
    for _, part in ipairs {
      '"/ GET":"index"', '"/users/<name> GET":"users"', '"/users/<name> OPTIONS":"users_2"',
      '"/claimed OPTIONS":"claimed_2"', '"/other GET":"claimed"', '"/same OPTIONS":"same"',
      '"/static/<path:filename> GET":"static"', '"/many/<a>/<b>/<c>/<d> GET":"many"',
    } do
      assert.matches(part, body, 1, true)
    end
    assert.equal("other", get("/other").body)
    assert.equal("claimed_2", get("/claimed", "POST").body:match '"endpoint":"([^"]*)"')
  end)

  it("gives endpoints their views later", function()
    assert.equal("late", get("/late").body)
    assert.equal(500, get("/never").status)
    running:wait_for_stderr('endpoint "never" of rule "/never" has no view; '
      .. 'app:endpoint("never", fn) gives it one')
  end)

  it("answers where there is no view", function()
    assert.equal(404, get("/no/such/thing/there/is").status)
    local r = get("/other", "POST")
    assert.same({ 405, "GET, HEAD, OPTIONS", 153 }, { r.status, r.header.allow, #r.body })
    r = get("/users/x", "OPTIONS")
    assert.same({ 200, "GET, HEAD, OPTIONS, POST", "" }, { r.status, r.header.allow, r.body })
    r = get("/quiet", "OPTIONS")
    assert.same({ 405, "GET, HEAD" }, { r.status, r.header.allow })
    r = get "/a-b/c.d/1?x=1"
    assert.same({ 308, "http://localhost/a-b/c.d/1/?x=1" }, { r.status, r.header.location })
    assert.same({ 200, "" }, { get("/given", "HEAD").status, get("/given", "HEAD").body })
  end)

  it("takes up routes that are added while serving", function()
    assert.equal("/made/x", get("/new/x").body)
    assert.equal("made x", get("/made/x").body)
    assert.equal("other", get("/other").body)
  end)

  describe("url_for", function()
    for which, expected in pairs {
      quoted = "/users/a/b%20%3F%23%C3%A9",
      ascii = "/users/%20!%22%23$%25&'()*+,-./09:;%3C=%3E%3F@AZ%5B%5C%5D%5E_%60az%7B%7C%7D~",
      query = "/?q=+!%22%23$%25%26'()*%2B,-./09:;%3C%3D%3E?@AZ%5B%5C%5D%5E_%60az%7B%7C%7D~",
      values = "/?e=&f=False&i=1000000000000000&l=1&l=x&n=1.5&t=True&u=%C3%A9",
      list = "/tags/x+y%20z",
      anchor = "/#a%20b?#%20",
      external = "http://localhost/",
      scheme = "https://localhost/",
      method = "/same",
      relative = "/",
      static = "/static/a/b%20c.css",
      handler = "/?Could not build url for endpoint 'nowhere' with values ['x'].7",
      float = "/v/2.0",
      missing = "ERROR Could not build url for endpoint 'users'. Did you forget to specify values "
        .. "['name']?",
      unknown = "ERROR Could not build url for endpoint 'usres' with values ['name']. Did you mean "
        .. "'users' instead?",
    } do
      it("builds: " .. which, function()
        assert.equal(expected, get("/url/" .. which).body)
      end)
    end

    for which, expected in pairs {
      endpoint = "url_for: endpoint must be a string, got the number 5",
      key = "url_for: values are by name, got the key 1",
      special = 'url_for: option "_external" must be a boolean, got the string "yes"',
      contradiction = "url_for: _scheme needs an absolute URL, but _external is false",
      table_value = "Could not build url for endpoint 'index': value 'q': a table has no place in "
        .. "a query",
      function_value = "Could not build url for endpoint 'index': value 'q': a function has no "
        .. "place in a query",
    } do
      it("refuses: " .. which, function()
        assert.matches(expected .. "$", (get("/url/" .. which).body:gsub("^ERROR ", "")), 1)
      end)
    end
  end)

  for which, expected in pairs {
    option = 'route "/x": unknown option "metods" (did you mean "methods"?)',
    methods = 'route "/x": option "methods" must be a list, got the string "GET"',
    no_methods = 'route "/x": methods must name at least one, got an empty table',
    method = 'route "/x": unknown method "BREW"; requests with it are answered 501 before they '
      .. "get here",
    method_type = 'route "/x": methods must be a list of names such as { "GET", "POST" }, got the '
      .. "number 5 in it",
    double = 'get "/x": the method is in the name; give methods to app:route',
    view = 'route "/x": the view, the last argument, must be a function or a table of functions '
      .. "by method; got nil",
    no_view = 'route "/x": the view, the last argument, must be a function or a table of '
      .. "functions by method; got nil",
    rule = "route: rule must be a string, got the number 5",
    slash = "route: rule 'x', column 1: a rule begins with '/'",
    converter = "route: rule '/<foo:x>', column 3: there is no converter 'foo'",
    twice = "route: rule '/<x>/<x>', column 7: this variable stands in the rule twice",
    taken = 'route: overwriting existing endpoint "pair": it has another function already (',
    defaults = 'route "/x": defaults must be by name, got the key 1',
    own = "url_map.converters.bad: to_lua must be a function, got the number 5",
    app = 'App: unknown option "statc_folder" (did you mean "static_folder"?)',
    name = "App: name must be a string, got the number 5",
    folder = 'App: option "static_folder" must be a path, or false for none',
    run = 'run: unknown option "prt" (did you mean "port"?)',
  } do
    it("says where and what the mistake is: " .. which, function()
      local message = get("/mistake/" .. which).body
      local text, places = message:gsub("^[^:]*app%.lua:%d+: ", "")
      assert.equal(1, places, message)
      assert.equal(1, text:find(expected, 1, true), message)
    end)
  end

  it("serves an app whose static folder is elsewhere, or nowhere", function()
    assert.equal("static", get("/static/a.txt").body)
    local own = server.start {
      app = [[
        local qlua = require "qlua"
        return qlua.App(..., { static_folder = "assets/", static_url_path = "/files/" })
      ]],
      files = { ["assets/a.txt"] = "asset" },
    }
    assert.equal("asset", http.get(own, "/files/a.txt").body)
    local none = server.start {
      app = 'return require("qlua").App(..., { static_folder = false })',
      files = { ["static/a.txt"] = "x" },
    }
    assert.equal(404, http.get(none, "/static/a.txt").status)
  end)

  describe("with hosts", function()
    it("matches on the host and builds URLs of others", function()
      local hosts = server.start { app = [[
        local qlua = require "qlua"
        local app = qlua.App(..., { host_matching = true })
        app:route("/", { host = "one.test", endpoint = "one" }, function() return "one" end)
        app:route("/", { host = "<sub>.two.test", endpoint = "two" }, function(s) return s end)
        app:route("/urls", { host = "one.test" }, function()
          return { qlua.url_for "one", qlua.url_for("two", { sub = "x" }) }
        end)
        return app
      ]] }
      local function ask(host, path)
        return http.get(hosts, path or "/", { host = host })
      end
      assert.equal("one", ask("one.test").body)
      assert.equal("b", ask("b.two.test").body)
      assert.equal(404, ask("three.test").status)
      assert.equal('["/","http://x.two.test/"]\n', ask("one.test", "/urls").body)
    end)

    it("matches on the subdomain below SERVER_NAME", function()
      local domains = server.start { app = [[
        local qlua = require "qlua"
        local app = qlua.App(..., { subdomain_matching = true })
        app.config.SERVER_NAME = "x.test"
        app:route("/", { endpoint = "main" }, function() return "main" end)
        app:route("/", { subdomain = "api", endpoint = "api" }, function() return "api" end)
        app:route("/u", { subdomain = "<u>", endpoint = "u" }, function(u) return u end)
        app:route("/urls", function()
          return { qlua.url_for "main", qlua.url_for "api", qlua.url_for("u", { u = "b" }) }
        end)
        return app
      ]] }
      local function ask(host, path)
        return http.get(domains, path or "/", { host = host })
      end
      assert.equal("main", ask("x.test").body)
      assert.equal("main", ask("x.test:80").body)
      assert.equal("api", ask("api.x.test").body)
      assert.equal("bob", ask("bob.x.test", "/u").body)
      assert.equal(404, ask("elsewhere.test").status)
      assert.equal('["/","http://api.x.test/","http://b.x.test/u"]\n', ask("x.test", "/urls").body)
    end)
  end)
end)
