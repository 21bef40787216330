local cjson = require "cjson"
local http = require "support.http"
local server = require "support.server"

local APP = [=[
local qlua = require "qlua"
local request = qlua.request
local app = qlua.App(...)
app:route("/show", function()
  return {
    remote = request.remote_addr, route = request.access_route, scheme = request.scheme,
    host = request.host, root = request.root_path, url = request.url,
  }
end)
app:route("/slash/", function() return "slash" end)
return app
]=]

describe("trusted_proxies", function()
  after_each(server.stop_all)

  local function start(trusted, options)
    options = options or {}
    local list = type(trusted) == "table" and cjson.encode(trusted) or trusted
    options.app, options.set = APP, { ["server.trusted_proxies"] = list }
    return server.start(options)
  end

  local function show(running, headers, path)
    local response = http.get(running, path or "/show", { headers = headers, host = "inside" })
    return response.status == 200 and cjson.decode(response.body) or response
  end

  it("takes over what a trusted peer says", function()
    local running = start "127.0.0.0/8"
    local headers = {
      { "X-Forwarded-For", "9.9.9.9, 1.2.3.4" }, { "X-Forwarded-Proto", "https" },
      { "X-Forwarded-Host", "Shop.Test" }, { "X-Forwarded-Prefix", "/shop/" },
    }
    assert.are.same({
      remote = "1.2.3.4", route = { "9.9.9.9", "1.2.3.4" }, scheme = "https", host = "Shop.Test",
      root = "/shop", url = "https://shop.test/shop/show",
    }, show(running, headers))
    assert.are.equal("https://Shop.Test/shop/slash/", show(running, headers, "/slash").header
      .location)
  end)

  it("walks past trusted addresses to the client", function()
    local said = show(start { "127.0.0.1", "10.0.0.0/8", "fd00::/8" }, {
      ["X-Forwarded-For"] = "6.6.6.6, 5.5.5.5:77, [fd12::1]:80, 10.255.0.1",
      ["X-Forwarded-Proto"] = "http, https, http, http",
    })
    assert.are.same({ "5.5.5.5", "https" }, { said.remote, said.scheme })
  end)

  it("takes the outermost address when all are trusted, and a value that came alone", function()
    local said = show(start { "127.0.0.1", "10.0.0.0/8" }, {
      ["X-Forwarded-For"] = "10.0.0.1, 10.0.0.2", ["X-Forwarded-Proto"] = "https",
    })
    assert.are.same({ "10.0.0.1", "https" }, { said.remote, said.scheme })
    said = show(start "127.0.0.1", { ["X-Forwarded-Proto"] = "https" })
    assert.are.same({ "127.0.0.1", "https" }, { said.remote, said.scheme })
  end)

  it("believes nobody else", function()
    local said = show(start "10.0.0.0/8", {
      ["X-Forwarded-For"] = "1.2.3.4", ["X-Forwarded-Proto"] = "https",
      ["X-Forwarded-Host"] = "bad.test", ["X-Forwarded-Prefix"] = "/x",
    })
    assert.are.same({ "127.0.0.1", "http", "inside", "" },
      { said.remote, said.scheme, said.host, said.root })
  end)

  it("ignores what makes no sense", function()
    local said = show(start "127.0.0.1", {
      ["X-Forwarded-For"] = ", ,", ["X-Forwarded-Proto"] = "gopher",
      ["X-Forwarded-Host"] = "a b", ["X-Forwarded-Prefix"] = "x",
    })
    assert.are.same({ "127.0.0.1", "http", "inside", "" },
      { said.remote, said.scheme, said.host, said.root })
  end)

  it("reads Forwarded when it alone is there", function()
    local running = start { "127.0.0.1", "10.0.0.0/8" }
    local forwarded = 'for=6.6.6.6, For="[2001:db8::17]:4711";Proto=https;host="a.test", '
      .. "for=10.0.0.1"
    local said = show(running, { Forwarded = forwarded })
    assert.are.same({ "2001:db8::17", "https", "a.test" }, { said.remote, said.scheme, said.host })
    said = show(running, { Forwarded = forwarded, ["X-Forwarded-For"] = "7.7.7.7" })
    assert.are.same({ "7.7.7.7", "http", "inside" }, { said.remote, said.scheme, said.host })
  end)

  it("trusts the peers of a Unix socket as unix", function()
    local files = require "support.files"
    local folder = files.folder()
    local running = start("unix", { bind = { "unix:" .. folder .. "/sock" } })
    assert.are.equal("1.2.3.4", show(running, { ["X-Forwarded-For"] = "1.2.3.4" }).remote)
    assert.are.equal("<local>", show(running).remote)
    running:stop()
    files.remove(folder)
  end)

  for _, text in ipairs {
    "10.0.0.0/33", "example.com", "10.0.0.0/", "10.0.0/8", "::1/129", "::1/a", "10.0.0.0/8/8",
  } do
    it("refuses " .. text, function()
      local ended = server.run { app = APP, set = { ["server.trusted_proxies"] = text } }
      assert.are_not.equal(0, ended:exit_code())
      assert.matches("trusted_proxies", ended:stderr(), 1, true)
      assert.matches(text .. " is no address; give one (10.1.2.3), a network (10.0.0.0/8) or unix",
        ended:stderr(), 1, true)
    end)
  end
end)
