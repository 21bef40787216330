-- run by spec/qlua/store_session_spec.lua through `qlua test`, with FOLDER in the environment
local core = require "qlua.core"
local qlua = require "qlua"
local task = require "qlua.task"

local DAY, MONTH = 86400, 2678400
local PATH = os.getenv "FOLDER" .. "/session.lmdb"

describe("a session in a store", function()
  local app, client, now = qlua.testing.load(), nil, nil
  local time = os.time

  before_each(function()
    local config = app.config
    config.SESSION_LMDB_PATH, config.SESSION_LMDB_SIZE = PATH, 16 * 1024 * 1024
    for key, value in pairs { SESSION_TYPE = "lmdb", SESSION_REFRESH_EACH_REQUEST = true,
      PERMANENT_SESSION_LIFETIME = MONTH, SESSION_KEY_PREFIX = "session:" } do
      config[key] = value
    end
    config.SECRET_KEY_FALLBACKS, config.SESSION_KEY_FUNCTION = nil, nil
    app.secret_key, app.session_interface = "dev-secret", nil
    client, now = app:test_client(), nil
    os.time = function() return now or time() end -- luacheck: ignore 122 (of signatures)
  end)

  after_each(function()
    os.time = time -- luacheck: ignore 122
  end)

  local function store()
    return assert(core.store_open("lmdb", PATH, 16 * 1024 * 1024))
  end

  --- What the store holds under a key, or nil.
  local function held(key)
    local good, value = task.await(store():get(key))
    assert.is_true(good)
    return value
  end

  local function cookie(response)
    return response.headers:get "Set-Cookie"
  end

  --- The token and the id of the cookie that an answer sets.
  local function brought(response)
    local token = cookie(response):match "^session=([^;]+)"
    return token, token:sub(1, 43)
  end

  --- A request with this token alone.
  local function with(token, path)
    return app:test_client { use_cookies = false }:get(path or "/all",
      { headers = { Cookie = "session=" .. token } })
  end

  it("is kept as JSON under a random id, which the cookie signs", function()
    local first = client:get "/set?a=1"
    local token, id = brought(first)
    assert.equal('{"a":"1"}', held("session:" .. id))
    assert.matches("^[%w_-]+%.[%w_-]+%.[%w_-]+$", token)
    assert.equal("session=" .. token .. "; HttpOnly; Path=/", cookie(first))
    assert.equal("Cookie", first.headers:get "Vary")
    assert.same({ a = "1" }, client:get("/all").json)
    local _, other = brought(app:test_client():get "/set?a=1")
    assert.not_equal(id, other)
  end)

  it("keeps its id when it changes", function()
    local _, id = brought(client:get "/set?a=1")
    local _, again = brought(client:get "/set?b=2")
    assert.equal(id, again)
    assert.same({ a = "1", b = "2" }, client:get("/all").json)
  end)

  it("holds the types that a cookie session does", function()
    client:session_transaction(function(session)
      session.list, session.null, session.deep = qlua.array {}, qlua.null, { { n = 1.5 } }
      session.umlaut = "Grüße\n"
    end)
    local text = client:get("/all"):get_data()
    assert.equal([[{"deep":[{"n":1.5}],"list":[],"null":null,"umlaut":"Gr\u00fc\u00dfe\n"}]],
      text:sub(1, -2))
  end)

  it("is not written by who only reads it, and not opened by who does not touch it", function()
    client:get "/set?a=1"
    local calls = {}
    local interface = app.session_interface
    for _, method in ipairs { "get", "set", "touch", "remove" } do
      calls[method] = 0
    end
    interface.store = function()
      return setmetatable({}, { __index = function(_, method)
        return function(_, ...)
          calls[method] = calls[method] + 1
          return store()[method](store(), ...)
        end
      end })
    end
    local read = client:get "/all"
    assert.is_nil(cookie(read))
    assert.equal("Cookie", read.headers:get "Vary")
    assert.same({ get = 1, set = 0, touch = 0, remove = 0 }, calls)
    local none = client:get "/none"
    assert.is_nil(cookie(none))
    assert.is_nil(none.headers:get "Vary")
    assert.same({ get = 1, set = 0, touch = 0, remove = 0 }, calls)
  end)

  it("is new until it has been saved", function()
    assert.same({ new = true, a = "1" }, client:get("/new?a=1").json)
    assert.same({ new = false, a = "2" }, client:get("/new?a=2").json)
  end)

  describe("with an id that is not to be trusted", function()
    local function assert_fresh(token)
      assert.same({}, with(token).json)
      local answer = with(token, "/new?a=1")
      assert.same({ new = true, a = "1" }, answer.json)
      local _, id = brought(answer)
      assert.not_equal(token:sub(1, 43), id)
    end

    it("that nobody signed, begins anew with an id of its own", function()
      local token = brought(client:get "/set?a=1")
      assert_fresh(token:sub(1, 43))
      assert_fresh(token:gsub("%.[%w_-]+$", ".AAAAAAAAAAAAAAAAAAAAAAAAAAA"))
      assert_fresh("x")
      assert_fresh("a.b.c")
    end)

    it("that was signed with another key or salt, begins anew", function()
      local id = ("A"):rep(43)
      task.await(store():set("session:" .. id, '{"a":"stolen"}', 60))
      local function signed(key, salt)
        return core.signer({ key }, salt, "hmac", "sha1", "."):sign(id, os.time())
      end
      assert_fresh(signed("another", "qlua.session-id"))
      assert_fresh(signed("dev-secret", "cookie-session"))
      assert.same({ a = "stolen" }, with(signed("dev-secret", "qlua.session-id")).json)
    end)

    it("whose record is gone, begins anew with another id", function()
      local token, id = brought(client:get "/set?a=1")
      task.await(store():remove("session:" .. id))
      assert_fresh(token)
      assert.is_nil(held("session:" .. id))
    end)

    it("that is too old, begins anew", function()
      local token = brought(client:get "/set?a=1")
      now = time() + DAY + 1
      assert_fresh(token)
      now = time() + DAY - 1
      assert.same({ a = "1" }, with(token).json)
    end)
  end)

  it("is read with a fallback key, and signed with the present one", function()
    client:get "/set?a=1"
    app.config.SECRET_KEY_FALLBACKS, app.secret_key = { "older", "dev-secret" }, "present"
    assert.same({ a = "1" }, client:get("/all").json)
    local token = brought(client:get "/set?b=2")
    app.config.SECRET_KEY_FALLBACKS = nil
    assert.same({ a = "1", b = "2" }, with(token).json)
    app.config.SECRET_KEY_FALLBACKS = {}
    app.secret_key = "future"
    assert.same({}, with(token).json)
    table.insert(app.config.SECRET_KEY_FALLBACKS, "present")
    assert.same({ a = "1", b = "2" }, with(token).json)
  end)

  it("cannot be written without a secret key", function()
    app.secret_key = nil
    assert.same({}, client:get("/all").json)
    assert.equal(500, client:get("/set?a=1").status_code)
  end)

  it("goes with its cookie when it is emptied", function()
    local token, id = brought(client:get "/set?a=1")
    local answer = client:get "/clear"
    assert.matches("^session=; Expires=Thu, 01 Jan 1970", cookie(answer))
    assert.is_nil(held("session:" .. id))
    assert.same({}, with(token).json)
    assert.same({}, client:get("/all").json)
  end)

  it("gets a new id when it is regenerated, and the old one is worth nothing", function()
    local token, id = brought(client:get "/set?a=1")
    local fresh, other = brought(client:get "/login")
    assert.not_equal(id, other)
    assert.is_nil(held("session:" .. id))
    assert.same({}, with(token).json)
    assert.same({ a = "1", user = "ann" }, with(fresh).json)
    assert.same({ a = "1", user = "ann" }, client:get("/all").json)
  end)

  it("can be regenerated before it was ever saved", function()
    local token = brought(client:get "/login")
    assert.same({ user = "ann" }, with(token).json)
  end)

  describe("that is permanent", function()
    it("is sent again by every answer, and its record only written when time has passed", function()
      client:get "/permanent?a=1"
      now = time() + 100
      local read = client:get "/none"
      assert.matches("Expires=" .. qlua.http_date(now + MONTH), cookie(read), 1, true)
      assert.equal("Cookie", read.headers:get "Vary")
      local _, id = brought(read)
      assert.same('{"_permanent":true,"a":"1"}', held("session:" .. id))
      -- the record is as old as its cookie says
      local written = cookie(read):match "^session=[%w_-]+%.(%d+)%."
      assert.is_true(tonumber(written) <= now - 100)
      now = time() + MONTH / 50
      written = cookie(client:get "/none"):match "^session=[%w_-]+%.(%d+)%."
      assert.equal(now, tonumber(written))
      written = cookie(client:get "/all"):match "^session=[%w_-]+%.(%d+)%."
      assert.equal(now, tonumber(written))
      now = time() + MONTH / 25
      written = cookie(client:get "/all"):match "^session=[%w_-]+%.(%d+)%."
      assert.equal(now, tonumber(written))
    end)

    it("is left alone without SESSION_REFRESH_EACH_REQUEST", function()
      app.config.SESSION_REFRESH_EACH_REQUEST = false
      client:get "/permanent?a=1"
      now = time() + MONTH / 2
      assert.is_nil(cookie(client:get "/none"))
      assert.is_nil(cookie(client:get "/all"))
      assert.same({ _permanent = true, a = "1" }, client:get("/all").json)
    end)

    it("is written anew by who reads it when its record has gone meanwhile", function()
      local _, id = brought(client:get "/permanent?a=1")
      now = time() + MONTH / 2
      app.extensions.meanwhile = function()
        task.await(store():remove("session:" .. id))
      end
      assert.same({ _permanent = true, a = "1" }, client:get("/meanwhile").json)
      assert.equal('{"_permanent":true,"a":"1"}', held("session:" .. id))
    end)

    it("ends with its lifetime", function()
      local token = brought(client:get "/permanent?a=1")
      now = time() + MONTH + 1
      assert.same({}, with(token).json)
      now = time() + MONTH - 1
      assert.same({ _permanent = true, a = "1" }, with(token).json)
    end)
  end)

  describe("whose key the app knows", function()
    before_each(function()
      app.config.SESSION_KEY_FUNCTION = function(request)
        local user = request.headers["X-User"]
        return user and "user/" .. user
      end
    end)

    local function get(path, user)
      return app:test_client():get(path, { headers = user and { ["X-User"] = user } })
    end

    it("is found by it, and sets no cookie", function()
      local first = get("/new?a=1", "ann")
      assert.same({ new = true, a = "1" }, first.json)
      assert.is_nil(cookie(first))
      assert.is_nil(first.headers:get "Vary")
      assert.equal('{"a":"1"}', held "session:user/ann")
      assert.same({ a = "1" }, get("/all", "ann").json)
      assert.same({}, get("/all", "bob").json)
      assert.same({ new = false, a = "2" }, get("/new?a=2", "ann").json)
      get("/login", "ann")
      assert.equal('{"a":"2","user":"ann"}', held "session:user/ann")
      assert.is_nil(cookie(get("/clear", "ann")))
      assert.is_nil(held "session:user/ann")
    end)

    it("needs no secret key", function()
      app.secret_key = nil
      get("/set?a=1", "eve")
      assert.same({ a = "1" }, get("/all", "eve").json)
    end)

    it("has its cookie where the function gives nil", function()
      assert.truthy(cookie(client:get "/set?b=1"))
      assert.same({ b = "1" }, client:get("/all").json)
    end)

    it("has the prefix before it", function()
      app.config.SESSION_KEY_PREFIX = "service:"
      get("/set?a=1", "dan")
      assert.equal('{"a":"1"}', held "service:user/dan")
      app.config.SESSION_KEY_PREFIX = ""
      get("/set?a=2", "dan")
      assert.equal('{"a":"2"}', held "user/dan")
    end)

    it("may be as long as it likes", function()
      local long = ("x"):rep(2000)
      get("/set?a=1", long)
      assert.same({ a = "1" }, get("/all", long).json)
      assert.same({}, get("/all", long .. "x").json)
    end)

    it("must be a string", function()
      local seen
      app.config.SESSION_KEY_FUNCTION = function() return 5 end
      app:test_request_context("/", {}, function()
        local _, message = pcall(function() return qlua.session.a end)
        seen = message
      end)
      assert.matches("config.SESSION_KEY_FUNCTION must return the key of the request's session, "
        .. "which is a string, or nil for the cookie's; got the number 5", seen, 1, true)
    end)
  end)

  it("can be read and changed by a test", function()
    client:session_transaction(function(session)
      assert.is_true(session.new)
      session.a = "1"
    end)
    assert.same({ a = "1" }, client:get("/all").json)
    client:get "/set?b=2"
    client:session_transaction(function(session)
      assert.equal("2", session.b)
      session:clear()
    end)
    assert.same({}, client:get("/all").json)
  end)

  it("is opened once when several tasks of a request touch it first", function()
    client:get "/set?a=1"
    assert.same({ a = "1", one = "1", two = "2" }, client:get("/gather").json)
    assert.same({ a = "1", one = "1", two = "2" }, client:get("/all").json)
  end)

  it("that cannot be read is logged, and an empty one takes its place", function()
    local token, id = brought(client:get "/set?a=1")
    task.await(store():set("session:" .. id, "no JSON", 60))
    assert.same({}, with(token).json)
  end)

  it("refuses keys of the config that cannot be", function()
    client:get "/none"
    for key, value in pairs {
      SESSION_LMDB_PATH = 5, SESSION_LMDB_SIZE = "1 GiB", SESSION_REDIS = true,
      SESSION_KEY_PREFIX = 1, SESSION_KEY_FUNCTION = "user",
    } do
      local before = app.config[key]
      local ok, message = pcall(app.config.set, app.config, key, value)
      assert.is_false(ok)
      assert.matches("config." .. key .. " must be a", message, 1, true)
      app.config:set(key, before)
    end
    local ok, message = pcall(app.config.set, app.config, "SESSION_LMDB_PATH", "/no/such.lmdb")
    assert.is_false(ok)
    assert.matches("config.SESSION_LMDB_PATH: the session store /no/such.lmdb cannot be opened: No "
      .. "such file or directory", message, 1, true)
    app.config:set("SESSION_LMDB_PATH", PATH)
  end)
end)
