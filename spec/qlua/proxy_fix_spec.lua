local cjson = require "cjson"
local http = require "support.http"
local server = require "support.server"

local APP = [=[
local qlua = require "qlua"
local request = qlua.request
local app = qlua.App(...)
app.asgi_app = qlua.ProxyFix(app.asgi_app, { hops = %d, mode = %q })
app:route("/show", { endpoint = "show" }, function()
  return {
    remote = request.remote_addr, route = request.access_route, scheme = request.scheme,
    secure = request.is_secure, host = request.host, root = request.root_path,
    path = request.path, url = request.url, url_for = qlua.url_for "show",
    outside = qlua.url_for("show", { _external = true }),
  }
end)
app:route("/slash/", function() return "slash" end)
local function mistake(...)
  return select(2, pcall(qlua.ProxyFix, ...))
end
app:route("/mistakes", function()
  return {
    app = mistake(app), hops = mistake(print, { hops = 0 }),
    number = mistake(print, { hops = 1.5 }),
    mode = mistake(print, { mode = "modem" }), option = mistake(print, { hop = 1 }),
  }
end)
return app
]=]

describe("ProxyFix", function()
  after_each(server.stop_all)

  local function show(running, headers, path)
    local response = http.get(running, path or "/show", { headers = headers, host = "inside:81" })
    return response.status == 200 and cjson.decode(response.body) or response
  end

  local function start(hops, mode)
    return server.start { app = APP:format(hops, mode) }
  end

  it("changes nothing when nothing was forwarded", function()
    local said = show(start(1, "legacy"))
    assert.are.same({ "127.0.0.1", "http", "inside:81", "" },
      { said.remote, said.scheme, said.host, said.root })
  end)

  it("believes client, scheme, host and prefix of the last proxy", function()
    local running = start(1, "legacy")
    local headers = {
      { "X-Forwarded-For", "6.6.6.6, 1.2.3.4" }, { "X-Forwarded-For", "5.6.7.8" },
      { "X-Forwarded-Proto", "HTTPS" }, { "X-Forwarded-Host", "bad.test, Shop.Test:443" },
      { "X-Forwarded-Prefix", "/shop/" },
    }
    assert.are.same({
      remote = "5.6.7.8", route = { "6.6.6.6", "1.2.3.4", "5.6.7.8" }, scheme = "https",
      secure = true, host = "Shop.Test", root = "/shop", path = "/show",
      url = "https://shop.test/shop/show", url_for = "/shop/show",
      outside = "https://Shop.Test/shop/show",
    }, show(running, headers))
    assert.are.equal("https://Shop.Test/shop/slash/",
      show(running, headers, "/slash").header.location)
  end)

  it("counts hops from the right, and believes nothing when there are fewer", function()
    local running = start(2, "legacy")
    local said = show(running, {
      ["X-Forwarded-For"] = "9.9.9.9, 1.1.1.1, 2.2.2.2", ["X-Forwarded-Proto"] = "https",
    })
    assert.are.same({ "1.1.1.1", "http" }, { said.remote, said.scheme })
  end)

  for given, expected in pairs {
    ["1.2.3.4:567"] = "1.2.3.4", ["[2001:db8::1]:80"] = "2001:db8::1", ["[::1]"] = "::1",
    ["2001:db8::1"] = "2001:db8::1", unknown = "unknown",
  } do
    it("reads the client " .. given, function()
      assert.are.equal(expected, show(start(1, "legacy"), { ["X-Forwarded-For"] = given }).remote)
    end)
  end

  -- A client may open a quote; what the proxy appends behind it must not become part of its text.
  it("is not closed to the proxy by a client's quote", function()
    local running = start(1, "legacy")
    for _, given in ipairs { '"', '9.9.9.9, "', '9.9.9.9:"', '"\\' } do
      for _, lines in ipairs { { given .. ", 1.2.3.4" }, { given, "1.2.3.4" } } do
        local headers = {}
        for i, line in ipairs(lines) do
          headers[i] = { "X-Forwarded-For", line }
        end
        assert.are.equal("1.2.3.4", show(running, headers).remote, given)
      end
    end
    running = start(1, "modern")
    for _, given in ipairs { '"', 'for=9.9.9.9;x="', 'for=9.9.9.9;x="\\' } do
      for _, appended in ipairs { "for=1.2.3.4", 'for="1.2.3.4"' } do
        assert.are.equal("1.2.3.4", show(running, { Forwarded = given .. ", " .. appended }).remote)
        assert.are.equal("1.2.3.4",
          show(running, { { "Forwarded", given }, { "Forwarded", appended } }).remote)
      end
    end
  end)

  it("ignores schemes, prefixes and hosts that are none", function()
    local said = show(start(1, "legacy"), {
      ["X-Forwarded-Proto"] = "gopher", ["X-Forwarded-Prefix"] = "shop",
    })
    assert.are.same({ "http", "" }, { said.scheme, said.root })
    said = show(start(1, "legacy"), { ["X-Forwarded-Prefix"] = "//evil.test/" })
    assert.are.equal("", said.root)
    assert.are.equal("", show(start(1, "legacy"), { ["X-Forwarded-Host"] = "a b/<x>" }).host)
  end)

  it("reads Forwarded in modern mode", function()
    local said = show(start(1, "modern"), {
      { "Forwarded", 'for=6.6.6.6;proto=ftp, For="[2001:db8::17]:4711"; Proto=https;by=_x' },
      { "Forwarded", 'for="_a,b";host="shop.test";PROTO=https' },
      { "X-Forwarded-For", "7.7.7.7" }, { "X-Forwarded-Host", "bad.test" },
    })
    assert.are.same({ "_a,b", "https", "shop.test", { "7.7.7.7" } },
      { said.remote, said.scheme, said.host, said.route })
    said = show(start(2, "modern"), {
      Forwarded = 'for=6.6.6.6;proto=ftp, For="[2001:db8::17]:4711"; Proto=https;by=_x, '
        .. "for=1.1.1.1",
    })
    assert.are.same({ "2001:db8::17", "https" }, { said.remote, said.scheme })
  end)

  it("does not fall back to the X- headers in modern mode", function()
    assert.are.equal("127.0.0.1", show(start(1, "modern"), { ["X-Forwarded-For"] = "7.7.7.7" })
      .remote)
  end)

  it("tells mistakes", function()
    local said = cjson.decode(http.get(start(1, "legacy"), "/mistakes").body)
    for name, message in pairs {
      app = "ProxyFix: the first argument must be the asgi_app to wrap, got an instance of "
        .. "qlua.App; write app.asgi_app = qlua.ProxyFix(app.asgi_app)",
      hops = "ProxyFix: hops must be at least 1, the number of proxies in front, got 0",
      number = 'ProxyFix: option "hops" must be an integer, got the number 1.5',
      mode = 'ProxyFix: unknown mode "modem" (did you mean "modern"?)',
      option = 'ProxyFix: unknown option "hop" (did you mean "hops"?)',
    } do
      assert.matches(message, said[name], 1, true)
    end
  end)
end)
