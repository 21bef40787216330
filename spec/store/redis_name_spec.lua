--- A Redis whose host is a name: looking it up stops nobody.

local files = require "support.files"
local http = require "support.http"
local redis = require "support.redis"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app, session = qlua.App(...), qlua.session
app.config.SECRET_KEY = "k"
app:get("/", function() return "plain" end)
app:get("/set", function()
  session.value = "x"
  return "set"
end)
return app
]]

describe("a Redis whose name", function()
  local folder, r

  setup(function()
    folder = files.folder()
    assert.equal(0, os.execute(("gcc -shared -fPIC -D_GNU_SOURCE -o %s/slow.so "
      .. "spec/support/slow_names.c -ldl"):format(folder)))
  end)

  teardown(function() files.remove(folder) end)

  before_each(function() r = redis.start() end)

  after_each(function()
    server.stop_all()
    redis.stop_all()
  end)

  local function start(host)
    local sanitizer = os.getenv "SANITIZER" -- whose own getaddrinfo calls the next one
    return server.start {
      app = APP,
      set = { SESSION_TYPE = "redis", SESSION_REDIS = ("redis://%s:%d"):format(host, r.port) },
      env = { LD_PRELOAD = (sanitizer and sanitizer .. ":" or "") .. folder .. "/slow.so" },
    }
  end

  it("takes long to look up keeps no other request waiting", function()
    local begun = wait.now()
    local s = start "slow.test"
    repeat
      local asked = wait.now()
      assert.equal("plain", http.get(s, "/").body)
      assert.is_true(wait.now() - asked < 0.5)
    until wait.now() - begun > 1
    local asked = wait.now()
    assert.equal(500, http.get(s, "/set").status) -- 2 s, and no longer
    assert.is_true(wait.now() - asked < 2.6)
    s:wait_for_stderr(("Redis at slow.test:%d is away: no connection within 2 s"):format(r.port))
    s:wait_for(function() return http.get(s, "/set").status == 200 end)
    s:stop()
  end)

  it("is still being looked up does not keep the server from stopping", function()
    local s = start "slow.test"
    assert.equal("plain", http.get(s, "/").body) -- the app is loaded, the lookup under way
    local begun = wait.now()
    s:stop()
    assert.is_true(wait.now() - begun < 7)
  end)

  it("has several addresses is found at the one that answers", function()
    local s = start "two.test"
    assert.equal(200, http.get(s, "/set").status)
    assert.is_nil(s:stderr():find "ERROR")
    assert.truthy(r:cli("KEYS", "*"):find "^session:")
    s:stop()
  end)
end)
