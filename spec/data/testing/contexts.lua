-- run by spec/qlua/testing_spec.lua through `qlua test`
local qlua = require "qlua"

local request, g = qlua.request, qlua.g

local function failure(fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  return (tostring(err):gsub("^.-contexts%.lua:%d+: ", "AT "))
end

describe("test_request_context", function()
  local app = qlua.testing.load()

  it("gives fn a request that is routed and not answered", function()
    local options = { method = "POST", json = { a = 1 }, headers = { ["X-A"] = "b" } }
    local results = { app:test_request_context("/status/404?q=1", options, function()
      assert.is_true(qlua.has_request_context())
      assert.equal("POST", request.method)
      assert.equal("1", request.args.q)
      assert.equal("b", request.headers["X-A"])
      assert.same({ a = 1 }, request.json)
      assert.equal("http://localhost/status/404?q=1", request.url)
      assert.is_nil(g.hooked)
      return 1, nil, 3
    end) }
    assert.same({ 1, nil, 3 }, results)
    assert.is_false(qlua.has_request_context())
    assert.is_false(qlua.has_app_context())
  end)

  it("knows the rule, and builds URLs by it", function()
    app:test_request_context("/status/404", function()
      assert.equal("/status/<int:code>", request.url_rule.rule)
      assert.same({ code = 404 }, request.view_args)
      assert.equal("/slow", qlua.url_for "slow")
      assert.equal("http://localhost/slow", qlua.url_for("slow", { _external = true }))
    end)
    app:test_request_context("/nowhere", function()
      assert.is_nil(request.endpoint)
    end)
  end)

  it("keeps g for its time, and may wait", function()
    app:test_request_context("/", function()
      g.a = 1
      qlua.sleep(0)
      assert.equal(1, g.a)
      assert.equal("hello", app:test_client():get("/").data)
      assert.equal(1, g.a)
      assert.equal("/", request.path)
      assert.equal(1, qlua.spawn(function() return g.a end):wait())
      app:test_request_context("/slow", function()
        assert.is_nil(g.a)
        assert.equal("/slow", request.path)
      end)
      assert.equal("/", request.path)
    end)
    app:test_request_context("/", function()
      assert.is_nil(g.a)
    end)
  end)

  it("sends the signals of contexts and runs teardown functions", function()
    local seen = {}
    local function note(name)
      return qlua.signals[name]:connect(function(sender, extra)
        assert.equal(app, sender)
        seen[#seen + 1] = extra.exc and name .. " " .. tostring(extra.exc) or name
      end), qlua.signals[name]
    end
    local undo = {}
    for _, name in ipairs {
      "appcontext_pushed", "request_started", "request_tearing_down", "appcontext_tearing_down",
      "appcontext_popped",
    } do
      local receiver, signal = note(name)
      undo[#undo + 1] = function() signal:disconnect(receiver) end
    end
    app:test_request_context("/", function() seen[#seen + 1] = "fn" end)
    assert.same({ "appcontext_pushed", "fn", "request_tearing_down", "appcontext_tearing_down",
      "appcontext_popped" }, seen)
    assert.same({ "well", "well" }, { app.torn_down, app.context_torn_down })
    seen = {}
    pcall(app.app_context, app, function() error("oh", 0) end)
    assert.same({ "appcontext_pushed", "appcontext_tearing_down oh", "appcontext_popped" }, seen)
    for _, one in ipairs(undo) do
      one()
    end
  end)

  it("raises what fn raises, once the context has ended", function()
    local raised = {}
    local ok, err = pcall(app.test_request_context, app, "/", function()
      error(raised)
    end)
    assert.is_false(ok)
    assert.equal(raised, err)
    assert.equal(raised, app.torn_down)
    assert.is_false(qlua.has_request_context())
  end)

  it("refuses what is no request", function()
    assert.equal("AT test_request_context: the function must be a function, got nil",
      failure(function() app:test_request_context("/") end))
    assert.equal('AT test_request_context: unknown option "jsn" (did you mean "json"?)',
      failure(function() app:test_request_context("/", { jsn = 1 }, print) end))
    assert.equal('AT test_request_context: the path must begin with "/" or be a whole URL, '
      .. 'got "x"', failure(function() app:test_request_context("x", print) end))
    assert.equal("AT test_request_context: BREW / is refused with status 501",
      failure(function() app:test_request_context("/", { method = "brew" }, print) end))
  end)
end)

describe("app_context", function()
  local app = qlua.testing.load()

  it("gives fn an app without a request", function()
    local results = { app:app_context(function()
      assert.is_true(qlua.has_app_context())
      assert.is_false(qlua.has_request_context())
      assert.equal(app, qlua.current_app:get())
      g.a = 1
      qlua.sleep(0)
      assert.equal(1, g.a)
      app:app_context(function()
        assert.is_nil(g.a)
      end)
      assert.equal("AT Not within a request context: request.path was used outside of a request. "
        .. "Use it in a view, a hook or a function they call",
        failure(function() return (request.path) end))
      app.config.SERVER_NAME = "example.com"
      assert.equal("http://example.com/slow", qlua.url_for "slow")
      app.config.SERVER_NAME = nil
      return 1, nil, 3
    end) }
    assert.same({ 1, nil, 3 }, results)
    assert.is_false(qlua.has_app_context())
  end)

  it("runs the teardown functions of app contexts", function()
    app.context_torn_down, app.torn_down = nil, nil
    app:app_context(function() end)
    assert.equal("well", app.context_torn_down)
    assert.is_nil(app.torn_down)
  end)

  it("needs a function", function()
    assert.equal("AT app_context: the function must be a function, got nil",
      failure(function() app:app_context() end))
  end)
end)

describe("test_app", function()
  local app

  before_each(function()
    app = qlua.testing.load()
  end)

  it("runs fn between before_serving and after_serving", function()
    assert.same({ 1, nil, 3 }, { app:test_app(function(given)
      assert.equal(app, given)
      assert.equal("added", given:test_client():get("/background").data)
      app.life[#app.life + 1] = "fn"
      return 1, nil, 3
    end) })
    assert.equal("before", app.life[1])
    assert.equal("after", app.life[#app.life])
    table.sort(app.life)
    assert.same({ "after", "background", "before", "fn" }, app.life)
  end)

  it("ends the app after an error, too", function()
    local ok, err = pcall(app.test_app, app, function() error("oh", 0) end)
    assert.same({ false, "oh" }, { ok, err })
    assert.same({ "before", "after" }, app.life)
  end)

  it("raises what before_serving raises", function()
    app:before_serving(function() error("no start", 0) end)
    local ok, err = pcall(app.test_app, app, error)
    assert.same({ false, "no start" }, { ok, err })
  end)

  it("is not what a client does by itself", function()
    assert.equal("hello", app:test_client():get("/").data)
    assert.same({}, app.life)
    app:test_client():get "/background"
    qlua.sleep(0)
    assert.same({ "background" }, app.life)
  end)
end)

describe("several apps", function()
  it("are asked in turn, each with its own rules and limits", function()
    local first, second = qlua.App "first", qlua.App "second"
    first:post("/", { max_content_length = 1 }, function() return "first" end)
    second:post("/", function() return "second" end)
    local a, b = first:test_client(), second:test_client()
    for _ = 1, 2 do
      assert.equal(413, a:post("/", { data = "xx" }).status_code)
      assert.equal("second", b:post("/", { data = "xx" }).data)
      assert.equal("first", a:post("/", { data = "x" }).data)
    end
  end)

  it("are not asked at the same time", function()
    local first, second = qlua.App "first", qlua.App "second"
    first:route("/", function()
      return function() return "x" end
    end)
    local _, pieces = first:test_client():get("/", { stream = true })
    local client = second:test_client()
    assert.equal("AT <App second> cannot be asked while GET / of <App first> is under way: one "
      .. "app at a time is served in a process; read a stream to its end or close it",
      failure(function() client:get "/" end))
    pieces.close()
    assert.equal(404, client:get("/").status_code)
  end)
end)

describe("load", function()
  it("makes the app anew each time, and sets where files are", function()
    local app = qlua.testing.load()
    assert.not_equal(app, qlua.testing.load())
    assert.equal("app", app.name)
    assert.matches("/spec/data/testing$", app.root_path)
    local hello = qlua.testing.load "../../../apps/hello"
    assert.matches("/apps/hello$", hello.root_path)
    assert.equal("Hello, World!", hello:test_client():get("/").data)
    assert.equal("none", qlua.testing.load("../../spec/data/testing/app.lua"):test_client()
      :get("/cookies").data)
  end)

  it("says what it does not find", function()
    local err = failure(function() qlua.testing.load "nowhere" end)
    assert.matches("^AT testing%.load: .*nowhere", err)
    assert.equal("AT testing.load: path must be a string, got the number 5",
      failure(function() qlua.testing.load(5) end))
  end)
end)
