--- TRUSTED_HOSTS: who may be named in Host.

local http = require "support.http"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local hooks = 0
app:before_request(function() hooks = hooks + 1 end)
app:route("/", function() return "hooks: " .. hooks end)
app:post("/trust", function() app.config.TRUSTED_HOSTS = qlua.request.json return "" end)
return app
]]

describe("TRUSTED_HOSTS", function()
  local s
  after_each(server.stop_all)

  local function status(host, target)
    return http.get(s, target or "/", { host = host }).status
  end

  it("refuses other hosts, whatever they ask for, before the app's hooks run", function()
    s = server.start { app = APP, files = { ["static/a.txt"] = "A" },
      set = { TRUSTED_HOSTS = '["shop.test", ".Example.com", "[::1]:80", "10.0.0.1:8080"]' } }
    for _, host in ipairs { "shop.test", "SHOP.test:5000", "example.com", "a.b.EXAMPLE.com",
      "[::1]", "[::1]:9", "10.0.0.1" } do
      assert.equal(200, status(host), host)
      assert.equal(200, status(host, "/static/a.txt"), host)
    end
    assert.equal("hooks: 15", http.get(s, "/", { host = "shop.test" }).body)
    for _, host in ipairs { "other.test", "a.shop.test", "badexample.com", "example.com.evil.test",
      "10.0.0.2", "[::2]" } do
      assert.equal(400, status(host), host)
      assert.equal(400, status(host, "/static/a.txt"), host)
      assert.equal(400, status(host, "/nowhere"), host)
    end
    assert.equal("hooks: 16", http.get(s, "/", { host = "shop.test" }).body)
  end)

  it("counts when the app sets it later, and no more when it takes it away", function()
    s = server.start { app = APP }
    local function trust(list)
      return http.post(s, "/trust", { body = list, host = "one.test",
        headers = { ["Content-Type"] = "application/json" } }).status
    end
    assert.equal(200, status "other.test")
    assert.equal(200, trust '["one.test"]')
    assert.equal(400, status "other.test")
    assert.equal(200, trust "null")
    assert.equal(200, status "other.test")
    assert.equal(500, trust '"one.test"') -- no list: refused, and logged
    s:wait_for_stderr "config.TRUSTED_HOSTS must be a list of texts, or nil for none, got the"
  end)
end)
