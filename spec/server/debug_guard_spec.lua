--- Who may see debug pages; and that without the server's switch there are none.

local debugged = require "support.debugged"
local http = require "support.http"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:get("/", function() local secret_thing = "lurking" error("broken " .. secret_thing) end)
return app
]]

local HTML = { Accept = "text/html" }

local function with(headers)
  local all = { Accept = "text/html" }
  for name, value in pairs(headers) do
    all[name] = value
  end
  return all
end

describe("debug pages", function()
  after_each(server.stop_all)

  local function is_plain(answer)
    assert.equal(500, answer.status)
    assert.is_nil(answer.body:find("lurking", 1, true))
    assert.is_nil(answer.body:find("__qlua__", 1, true))
    assert.truthy(answer.body:find("Internal Server Error", 1, true))
  end

  it("are for addresses of debug_allow", function()
    local d = debugged.start { app = APP, args = { "--set", 'server.debug_allow=["10.0.0.0/8"]' } }
    is_plain(d:request("GET", "/", { headers = HTML }))
    is_plain(d:request("GET", "/", { headers = with { ["X-Forwarded-For"] = "10.1.1.1" } }))
    local log = d.server:wait_for_stderr "Debug page: "
    local path = log:match "Debug page: http://[^/]*(/__qlua__/[%w_/-]+)"
    local answer = d:request("GET", path, { headers = HTML })
    assert.equal(403, answer.status)
    assert.truthy(answer.body:find("debug_allow", 1, true))
    assert.is_nil(answer.body:find("lurking", 1, true))
    assert.equal(403, d:request("POST", path:match "^/__qlua__/%x+/" .. "pin", {
      body = "pin=1", headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    }).status)
    answer = d:request("GET", "/nope", { headers = HTML })
    assert.equal(404, answer.status)
    assert.is_nil(answer.body:find("All rules", 1, true))
  end)

  it("are never shown to more because of what a client or a proxy says", function()
    for _, proxies in ipairs { "[]", '["127.0.0.1"]' } do
      local d = debugged.start { app = APP, args = {
        "--set", "server.trusted_proxies=" .. proxies } }
      for _, headers in ipairs {
        { ["X-Forwarded-For"] = "9.9.9.9" }, { ["X-Forwarded-For"] = "127.0.0.1, 9.9.9.9" },
        { ["X-Forwarded-For"] = "9.9.9.9, 127.0.0.1" }, { ["X-Forwarded-For"] = "unknown" },
        { Forwarded = "for=9.9.9.9" }, { Forwarded = "for=127.0.0.1, for=unknown" },
        { ["X-Real-IP"] = "9.9.9.9" },
      } do
        is_plain(d:request("GET", "/", { headers = with(headers) }))
      end
      for _, headers in ipairs { {}, { ["X-Forwarded-For"] = "127.0.0.1" },
        { Forwarded = 'for="[::1]:1"' }, { ["X-Real-IP"] = "127.0.0.1" } } do
        local answer = d:request("GET", "/", { headers = with(headers) })
        assert.truthy(answer.body:find("lurking", 1, true))
      end
      d.server:kill()
    end
  end)

  it("are shown under names of this machine only", function()
    local d = debugged.start { app =
      APP:gsub("return app", 'app.config.SERVER_NAME = "my.box:80"\n%0') }
    local port = d.server.port
    for _, host in ipairs { "localhost", "localhost:" .. port, "127.0.0.1:" .. port, "[::1]:5",
      "app.localhost", "10.1.2.3:80", "my.box" } do
      local answer = d:request("GET", "/", { headers = HTML, host = host })
      if host ~= "my.box" then
        assert.truthy(answer.status == 404 or answer.body:find("lurking", 1, true), host)
      else
        assert.truthy(answer.body:find("lurking", 1, true), host)
      end
    end
    local own = d:request("GET", "/", { headers = HTML, host = "my.box" })
    local path = own.body:match "(/__qlua__/%x+/errors/[%w_-]+)/again"
    for _, host in ipairs { "evil.example", "evil.example:" .. port, "localhost.evil.example",
      "127.0.0.1.evil.example" } do
      assert.is_nil(d:request("GET", "/", { headers = HTML, host = host }).body:find("lurking", 1,
        true))
      local answer = d:request("GET", path, { headers = HTML, host = host })
      assert.equal(403, answer.status)
      assert.truthy(answer.body:find("names of this machine", 1, true))
    end
  end)

  it("refuse what a page of another origin sends", function()
    local d = debugged.start { app = APP }
    local page = d:get "/"
    d:unlock(page)
    for _, headers in ipairs { { Origin = "http://evil.example" }, { Origin = "null" },
      { ["Sec-Fetch-Site"] = "cross-site" }, { ["Sec-Fetch-Site"] = "same-site" } } do
      local _, response = d:post(page.debugger .. "/again", { sure = "1" }, headers)
      assert.equal(403, response.status)
      _, response = d:post(page.debugger .. "/console/2", { code = "1" }, headers)
      assert.equal(403, response.status)
    end
    local origin = "http://localhost:" .. d.server.port
    local answer = d:post(page.debugger .. "/console/2", { code = "1" }, { Origin = origin })
    assert.is_true(answer.ok)
  end)

  it("are not for pages elsewhere, should the app's CORS headers let them read", function()
    local d = debugged.start { app = APP }
    local own = "localhost:" .. d.server.port
    for origin, sees in pairs { ["http://evil.example"] = false, ["null"] = false,
      ["http://6.6.6.6"] = false, ["http://localhost.evil.example:80"] = false,
      ["http://" .. own] = true, ["http://localhost:3000"] = true, ["http://127.0.0.1:1"] = true,
      ["https://[::1]:1"] = true } do
      local answer = d:request("GET", "/", { headers = with { Origin = origin } })
      assert.equal(sees, answer.body:find("lurking", 1, true) ~= nil, origin)
    end
  end)

  it("have a secret in their URLs, without which nothing is there", function()
    local d = debugged.start { app = APP }
    local page = d:get "/"
    local secret = page.debugger:match "/__qlua__/(%x+)/"
    assert.equal(32, #secret)
    for _, path in ipairs { "/__qlua__/", "/__qlua__/" .. secret:sub(1, 31) .. "x/errors/x",
      "/__qlua__/" .. ("0"):rep(32) .. "/pin", "/__qlua__/" .. secret } do
      assert.equal(404, d:request("GET", path, { headers = HTML }).status)
    end
    local other = debugged.start { app = APP }
    assert.not_equal(secret, other:get("/").debugger:match "/__qlua__/(%x+)/")
    assert.not_equal(d:pin(), other:pin())
  end)

  it("know their own URLs only", function()
    local d = debugged.start { app = APP }
    local page = d:get "/"
    local prefix = debugged.prefix_of(page)
    d:unlock(page)
    local function said(status, path)
      local answer = d:request("GET", path, { headers = { Accept = "application/json" } })
      assert.equal(status, answer.status)
      return require("cjson").decode(answer.body).error
    end
    assert.equal("The debugger has no such page", said(404, prefix .. "nope"))
    assert.equal("It is not kept any more: only the latest errors are, for half an hour, by the "
      .. "worker they happened in.", said(404, prefix .. "errors/nope"))
    assert.equal("This URL of the debugger is for POST", said(405, page.debugger .. "/again"))
    assert.equal(405, d:request("GET", page.debugger .. "/console/1").status)
    assert.equal("There is no such frame", d:eval(page, 99, "1").error)
    assert.equal("1", d:eval(page, 0, "1").results[1])
    local _, response = d:post(page.debugger .. "/console/1", { code = ("x"):rep(300000) })
    assert.equal(413, response.status)
    d:request("GET", "/nope")
    local log = d.server:wait_for_stderr "GET /nope" -- the access log
    assert.is_nil(log:find("GET /__qlua__", 1, true) or log:find("POST /__qlua__", 1, true))
  end)
end)

describe("without the switch", function()
  after_each(server.stop_all)

  for name, options in pairs {
    ["debug off"] = { app = APP },
    ["app.debug set by the app"] = { app = APP:gsub("return app", "app.debug = true\n%0") },
    ["DEBUG as an app key"] = { app = APP, set = { DEBUG = true } },
  } do
    it("none of it is there: " .. name, function()
      options.args = nil
      local s = server.start(options)
      local answer = http.get(s, "/", { headers = HTML })
      assert.equal(500, answer.status)
      assert.is_nil(answer.body:find("lurking", 1, true))
      assert.is_nil(answer.body:find("__qlua__", 1, true))
      for _, path in ipairs { "", "loaded", "pin", "errors/x", "errors/x/console/1",
        "errors/x/again" } do
        local zeros = "/__qlua__/" .. ("0"):rep(32) .. "/"
        for _, prefix in ipairs { "/__qlua__/", "/__qlua__//", zeros } do
          for _, method in ipairs { "GET", "POST" } do
            local found = http.request(s, method, prefix .. path, { body = method == "POST"
              and "pin=000000000" or nil })
            assert.truthy(found.status == 404 or found.status == 308, prefix .. path)
            assert.is_nil(found.body:find("rules", 1, true))
          end
        end
      end
      local log = s:stderr()
      assert.is_nil(log:find("PIN", 1, true))
      assert.is_nil(log:find("Debug page", 1, true))
      s:stop()
    end)
  end

  it("the debugger is not even loaded", function()
    local s = server.start { app = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:get("/", function()
  pcall(error, "x")
  for name in pairs(package.loaded) do
    if name:find "^qlua.debugger" then return name end
  end
  return "none"
end)
app:get("/fail", function() error "x" end)
return app
]] }
    http.get(s, "/fail")
    http.get(s, "/nope")
    assert.equal("none", http.get(s, "/").body)
  end)
end)

describe("while the app does not load", function()
  local files = require "support.files"
  after_each(server.stop_all)

  it("every page shows why, with the lines around the place", function()
    local d = debugged.start { app = APP }
    files.write(d.server.app, APP:gsub("return app", "local x = = 1\n%0"))
    d.server:wait_for_stderr "generation 2 does not load"
    local answer = d:request("GET", "/", { headers = HTML })
    assert.equal(500, answer.status)
    assert.truthy(answer.body:find("The app does not load", 1, true))
    assert.truthy(answer.body:find('class="current"><i>4</i>local x = = 1', 1, true))
    assert.truthy(answer.body:find('data-wait="reload"', 1, true))
    assert.matches('<noscript><meta http%-equiv="refresh"', answer.body)
    local prefix = answer.body:match 'data%-base="(/__qlua__/%x+/)"'
    assert.is_false(d:get(prefix .. "loaded").loads)
    local posted = d:request("POST", "/", { body = "x", headers = HTML })
    assert.truthy(posted.body:find("The request was not run", 1, true))
    assert.matches("app.lua:4: unexpected symbol", d:get("/").error.message)
    files.write(d.server.app, (APP:gsub('error%(.-%) end', 'return "well" end')))
    d.server:wait_for_stderr "generation 3"
    d.server:wait_for(function()
      return d:get(prefix .. "loaded").loads
    end)
    assert.equal("well", d:request("GET", "/").body)
  end)

  it("nobody else is told why", function()
    local d = debugged.start { app = APP }
    files.write(d.server.app, "syntax error here")
    d.server:wait_for_stderr "does not load"
    local answer = d:request("GET", "/", { headers = HTML, host = "evil.example" })
    assert.equal(500, answer.status)
    assert.is_nil(answer.body:find("app.lua", 1, true))
  end)
end)
