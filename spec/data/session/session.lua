-- run by spec/qlua/session_spec.lua through `qlua test`
local qlua = require "qlua"

local app = qlua.testing.load()

--- What holds whoever keeps the sessions; prepare() is called before each spec.
local function specs(prepare)
  local client

  before_each(function()
    for _, key in ipairs { "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH", "SESSION_COOKIE_SAMESITE",
      "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY",
      "SESSION_REFRESH_EACH_REQUEST", "SECRET_KEY_FALLBACKS" } do
      app.config[key] = ({ SESSION_COOKIE_NAME = "session", SESSION_COOKIE_HTTPONLY = true,
        SESSION_REFRESH_EACH_REQUEST = true })[key]
    end
    app.secret_key, app.session_interface = "dev-secret", nil
    client = app:test_client()
    prepare()
  end)

  local function cookie(response)
    return response.headers:get "Set-Cookie"
  end

  local function within(fn)
    return app:test_request_context("/", {}, function()
      return fn(qlua.session)
    end)
  end

  describe("as a table", function()
    it("is read and written by index and by method", function()
      within(function(session)
        session.user = "alice"
        assert.equal("alice", session.user)
        assert.equal("alice", session:get "user")
        assert.equal("none", session:get("nobody", "none"))
        assert.equal(1, session:setdefault("n", 1))
        assert.equal(1, session:setdefault("n", 2))
        assert.same({ "n", "user" }, session:keys())
        assert.same({ n = 1, user = "alice" }, session:to_dict())
        assert.equal(1, session:pop "n")
        assert.equal("gone", session:pop("n", "gone"))
        assert.is_true(session:contains "user")
        session:update { a = 1, b = 2 }
        session:remove "a"
        session.user = nil
        local seen = {}
        for key, value in session:items() do
          seen[#seen + 1] = key .. "=" .. value
        end
        assert.same({ "b=2" }, seen)
        session:clear()
        assert.same({}, session:to_dict())
      end)
    end)

    it("keeps keys that are called like a method apart", function()
      within(function(session)
        session:set("get", "x")
        assert.equal("function", type(session.get))
        assert.equal("x", session:get "get")
        assert.has_error(function() session.get = 1 end)
        assert.has_error(function() session.new = true end)
      end)
    end)

    it("refuses keys and values that it cannot keep", function()
      within(function(session)
        local ok, message = pcall(function() session[1] = "x" end)
        assert.is_false(ok)
        assert.matches("session: keys are strings, got the number 1", message, 1, true)
        ok, message = pcall(function() session.fn = print end)
        assert.is_false(ok)
        assert.matches("session.fn: a function cannot be kept in a session", message, 1, true)
        assert.has_error(function() return pairs(session) end)
      end)
    end)

    it("notes what is done to it", function()
      within(function(session)
        assert.same({ false, false, false }, { session.accessed, session.modified, session.new })
        assert.is_nil(session:pop "absent")
        session.absent = nil
        assert.same({ true, false }, { session.accessed, session.modified })
        session.x = 1
        assert.is_true(session.modified)
      end)
    end)

    it("belongs to a request", function()
      local ok, message = pcall(function() return qlua.session.user end)
      assert.is_false(ok)
      assert.matches("Not within a request context: session.user", message, 1, true)
    end)

    it("is the same one in a context within the request", function()
      within(function(session)
        session.x = 1
        app:app_context(function()
          assert.equal(1, qlua.session.x)
        end)
      end)
    end)
  end)

  describe("in its cookie", function()
    it("is not there when nobody touches it", function()
      local response = client:get "/none"
      assert.is_nil(cookie(response))
      assert.is_nil(response.headers:get "Vary")
    end)

    it("is set with what it holds, and not again when it is read", function()
      local response = client:get "/set?user=alice"
      assert.matches("^session=eyJ1c2VyIjoiYWxpY2UifQ%.[^;]+; HttpOnly; Path=/$", cookie(response))
      assert.equal("Cookie", response.headers:get "Vary")
      response = client:get "/all"
      assert.same({ user = "alice" }, response.json)
      assert.is_nil(cookie(response))
      assert.equal("Cookie", response.headers:get "Vary")
      assert.is_nil(cookie(client:get "/none"))
    end)

    it("goes when it is empty", function()
      client:get "/set?user=alice"
      assert.matches("session=; .*Max%-Age=0", cookie(client:get "/clear"))
      assert.same({}, client:get("/all").json)
    end)

    it("comes with a plain view's table, status and headers", function()
      local response = client:get "/table"
      assert.same({ 201, "Accept, Cookie" }, { response.status_code, response.headers:get "Vary" })
      assert.same({ user = "alice" }, response.json)
      assert.truthy(cookie(response))
    end)

    it("is refreshed at every answer when it is permanent", function()
      assert.matches("; Expires=", cookie(client:get "/permanent"), 1, true)
      assert.matches("; Expires=", cookie(client:get "/none"), 1, true)
      app.config.SESSION_REFRESH_EACH_REQUEST = false
      assert.is_nil(cookie(client:get "/none"))
    end)

    it("has the attributes that the config gives", function()
      app.config:update {
        SESSION_COOKIE_NAME = "sid", SESSION_COOKIE_PATH = "/", SESSION_COOKIE_SAMESITE = "Lax",
        SESSION_COOKIE_SECURE = true, SESSION_COOKIE_HTTPONLY = false,
        SESSION_COOKIE_DOMAIN = "example.org",
      }
      local line = cookie(client:get "/set?a=1")
      assert.matches("^sid=", line)
      for _, part in ipairs { "Domain=example.org", "Secure", "Path=/", "SameSite=Lax" } do
        assert.matches("; " .. part, line, 1, true)
      end
      assert.is_nil(line:find("HttpOnly", 1, true))
    end)

    it("is read with former keys", function()
      client:get "/set?user=alice"
      app.secret_key = "another"
      assert.same({}, client:get("/all").json)
      app.config.SECRET_KEY_FALLBACKS = { "dev-secret" }
      assert.same({ user = "alice" }, client:get("/all").json)
    end)

    it("is read with the former keys that there are, when their list changes", function()
      local former = {}
      app.config.SECRET_KEY_FALLBACKS = former
      client:get "/set?user=alice"
      app.secret_key = "another"
      assert.same({}, client:get("/all").json)
      former[1] = "dev-secret"
      assert.same({ user = "alice" }, client:get("/all").json)
      former[2] = "older"
      assert.same({ user = "alice" }, client:get("/all").json)
      former[1] = "old"
      assert.same({}, client:get("/all").json)
      assert.equal("untouched", client:get("/none").data)
    end)

    it("comes with a Response", function()
      local response = client:get "/response"
      assert.same({ 202, "made", "Cookie" },
        { response.status_code, response.data, response.headers:get "Vary" })
      assert.truthy(cookie(response))
      assert.same({ user = "bob" }, client:get("/all").json)
    end)

    it("comes with an iterator", function()
      assert.truthy(cookie(client:get "/streamed"))
      assert.same({ user = "carol" }, client:get("/all").json)
    end)

    it("comes with an error's page", function()
      local response = client:get "/aborted"
      assert.equal(403, response.status_code)
      assert.truthy(cookie(response))
      assert.same({ user = "dave" }, client:get("/all").json)
    end)

    it("is read where it was changed, and set with what is behind the change", function()
      local response = client:get "/count"
      assert.same({ "1", true }, { response.data, cookie(response) ~= nil })
      assert.same({ "2", "3" }, { client:get("/count").data, client:get("/count").data })
    end)

    it("is kept as a changed session interface says", function()
      local interface = app.session_interface
      interface.get_cookie_name = function() return "other" end
      assert.matches("^other=", cookie(client:get "/set?a=1"))
      assert.same({ a = "1" }, client:get("/all").json)
      interface.get_cookie_name = nil
      assert.same({}, client:get("/all").json)
    end)
  end)

  it("cannot be written without a secret key, and reads as empty", function()
    app.secret_key = nil
    assert.same({}, client:get("/all").json)
    within(function(session)
      local ok, message = pcall(function() session.user = "x" end)
      assert.is_false(ok)
      assert.matches("no secret key was set: session.user cannot be written", message, 1, true)
    end)
  end)

  describe("flash", function()
    it("keeps messages for the next page, and for that one only", function()
      client:get "/flash"
      local answer = client:get("/messages").json
      assert.same({ "hi", "ho" }, answer.all)
      assert.same({ { "info", "hi" }, { "message", "ho" } }, answer.pairs)
      assert.same({ "hi" }, answer.info)
      assert.same({}, client:get("/messages").json.all)
    end)

    it("tells message_flashed", function()
      local told = {}
      local function note(sender, extra)
        told[#told + 1] = { sender == app, extra.category, extra.message }
      end
      qlua.signals.message_flashed:connect(note)
      client:get "/flash"
      qlua.signals.message_flashed:disconnect(note)
      assert.same({ { true, "info", "hi" }, { true, "message", "ho" } }, told)
    end)

    it("takes texts", function()
      local ok, message = pcall(qlua.flash, 5)
      assert.is_false(ok)
      assert.matches("flash: message must be a string, got the number 5", message, 1, true)
    end)
  end)

  describe("client:session_transaction", function()
    it("changes what the next request finds", function()
      client:get "/set?a=1"
      local got = client:session_transaction(function(session)
        session.b = 2
        return session.a
      end)
      assert.equal("1", got)
      assert.same({ a = "1", b = 2 }, client:get("/all").json)
    end)

    it("needs a secret key", function()
      app.secret_key = nil
      assert.has_error(function() client:session_transaction(function() end) end)
    end)
  end)

  describe("app.session_interface", function()
    it("may be a table of two functions, asked at every request", function()
      local store, calls = {}, {}
      app.session_interface = {
        open_session = function(_, _, request)
          calls[#calls + 1] = "open"
          store[request.remote_addr] = store[request.remote_addr] or {}
          return store[request.remote_addr]
        end,
        save_session = function(_, _, session, response)
          calls[#calls + 1] = "save " .. tostring(session.modified)
          response.headers:set("X-Saved", "yes")
        end,
      }
      assert.equal("yes", client:get("/set?a=1").headers:get "X-Saved")
      assert.same({ a = "1" }, client:get("/all").json)
      client:get "/none"
      assert.same({ "open", "save true", "open", "save false", "open", "save false" }, calls)
    end)

    it("must have both", function()
      local ok, message = pcall(function() app.session_interface = { open_session = print } end)
      assert.is_false(ok)
      assert.matches("app.session_interface must have the method save_session", message, 1, true)
    end)
  end)

  it("refuses keys of the config that cannot be", function()
    client:get "/none"
    for key, value in pairs {
      SESSION_TYPE = "lmbd", PERMANENT_SESSION_LIFETIME = "1 day", SECRET_KEY_FALLBACKS = { 1 },
    } do
      local before = app.config[key]
      local ok, message = pcall(app.config.set, app.config, key, value)
      assert.is_false(ok)
      assert.matches(key, message, 1, true)
      app.config:set(key, before)
    end
  end)
end

describe("session", function()
  describe("kept by the core", function()
    specs(function() end)
  end)

  describe("kept by the core, where hooks surround the view", function()
    local function hook() end

    after_each(function()
      qlua.signals.request_finished:disconnect(hook)
    end)

    specs(function()
      qlua.signals.request_finished:connect(hook)
    end)
  end)

  describe("kept by its interface", function()
    specs(function()
      return app.session_interface -- whoever has it may change it
    end)
  end)
end)
