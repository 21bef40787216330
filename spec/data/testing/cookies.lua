-- run by spec/qlua/testing_spec.lua through `qlua test`
local cookie_jar = require "qlua.cookie_jar"
local qlua = require "qlua"

describe("the client's cookies", function()
  local app = qlua.testing.load()
  local client

  before_each(function()
    client = app:test_client()
  end)

  local function sent(path, options)
    return client:get(path or "/cookies", options).data
  end

  it("are kept between calls", function()
    assert.equal("none", sent())
    client:get "/set/a"
    client:get "/set/b?value=two"
    assert.equal("a=1; b=two", sent())
    client:get "/set/a?value=3"
    assert.equal("a=3; b=two", sent())
  end)

  it("belong to one client", function()
    client:get "/set/a"
    client = app:test_client()
    assert.equal("none", sent())
  end)

  it("are not kept without use_cookies", function()
    client = app:test_client { use_cookies = false }
    client:get "/set/a"
    assert.equal("none", sent())
    assert.is_nil(client.cookie_jar)
  end)

  it("go behind those given by hand", function()
    client:get "/set/a"
    assert.equal("b=2; a=1", sent(nil, { headers = { Cookie = "b=2" } }))
  end)

  it("go only where their path is", function()
    client:get "/set/a?path=/deep"
    client:get "/set/b"
    assert.equal("b=1", sent())
    assert.equal("a=1; b=1", sent "/deep/cookies")
  end)

  it("go only where their domain is", function()
    local function at(host)
      return sent(nil, { host = host })
    end
    client:get("/set/own", { host = "a.example.com" })
    client:get("/set/all?domain=example.com", { host = "a.example.com" })
    client:get("/set/not?domain=other.com", { host = "a.example.com" })
    assert.equal("own=1; all=1", at "a.example.com")
    assert.equal("own=1; all=1", at "A.Example.com:81")
    assert.equal("all=1", at "b.example.com")
    assert.equal("all=1", at "example.com")
    assert.equal("none", at "notexample.com")
    assert.equal("none", sent())
  end)

  it("end with their age", function()
    client:get "/set/a?max_age=100"
    client:get "/set/b"
    client:get "/set/a?max_age=0"
    assert.equal("b=1", sent())
    client:set_cookie("b", "2", { expires = os.time() - 10 })
    assert.equal("none", sent())
  end)

  it("wait for https when they are secure", function()
    client:get "/set/a?secure=1"
    assert.equal("none", sent())
    assert.equal("a=1", sent(nil, { scheme = "https" }))
  end)

  it("are set, read and deleted by hand", function()
    client:set_cookie("a", "x y")
    client:set_cookie("b", "2", { path = "/deep" })
    client:set_cookie("c", "3", { domain = "example.com" })
    assert.equal('a="x y"', sent())
    assert.equal('"x y"', client:get_cookie "a")
    assert.is_nil(client:get_cookie "b")
    assert.equal("2", client:get_cookie("b", { path = "/deep/er" }))
    assert.equal("3", client:get_cookie("c", { domain = "example.com" }))
    client:delete_cookie "a"
    client:delete_cookie("b", { path = "/deep" })
    client:delete_cookie("c", { domain = "example.com" })
    assert.equal("none", sent "/deep/cookies")
    assert.equal("none", sent(nil, { host = "example.com" }))
    client:delete_cookie "never"
  end)

  it("that redirects set are sent on", function()
    local other = qlua.App "other"
    other:route("/in", function()
      local response = qlua.redirect "/out"
      response:set_cookie("seen", "yes")
      return response
    end)
    other:route("/out", function()
      return qlua.request.headers.Cookie or "none"
    end)
    local asked = other:test_client()
    assert.equal("seen=yes", asked:get("/in", { follow_redirects = true }).data)
  end)

  describe("refuse", function()
    local CASES = {
      ["client:set_cookie: this client keeps no cookies: it was made with use_cookies = false"] =
        function() app:test_client { use_cookies = false }:set_cookie("a", "1") end,
      ["client:set_cookie: key must be a string, got nil"] =
        function() app:test_client():set_cookie() end,
      ['client:set_cookie: options must be a table, got the string "1"'] =
        function() app:test_client():set_cookie("localhost", "a", "1") end,
      ['client:set_cookie: unknown option "max-age" (did you mean "max_age"?)'] =
        function() app:test_client():set_cookie("a", "1", { ["max-age"] = 1 }) end,
      ['test_client: unknown option "use_cookie" (did you mean "use_cookies"?)'] =
        function() app:test_client { use_cookie = true } end,
    }
    for text, fn in pairs(CASES) do
      it(text, function()
        local ok, err = pcall(fn)
        assert.is_false(ok)
        assert.equal("AT " .. text, (err:gsub("^.-cookies%.lua:%d+: ", "AT ")))
      end)
    end
  end)
end)

describe("a cookie jar", function()
  -- Set-Cookie, the URL it came from, the URL of the next request, what that carries
  for _, case in ipairs {
    { "a=1", "/x/y", "/x/z", "a=1" },
    { "a=1", "/x/y", "/xz", nil },
    { "a=1", "/x", "/", "a=1" },
    { "a=1; Path=/x", "/", "/x", "a=1" },
    { "a=1; path=/x/", "/", "/x", nil },
    { "a=1; Path=x", "/y/z", "/y/", "a=1" },
    { " a = 1 2 ;Secure;", "/", "/", nil },
    { "a=b=c; HttpOnly", "/", "/", "a=b=c" },
    { 'a="1;2"', "/", "/", 'a="1' },
    { "a=", "/", "/", "a=" },
    { "=1", "/", "/", nil },
    { "nothing", "/", "/", nil },
    { "", "/", "/", nil },
    { "a=1; Max-Age=-1", "/", "/", nil },
    { "a=1; Max-Age=soon", "/", "/", "a=1" },
    { "a=1; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", "/", "a=1" },
    { "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", "/", nil },
    { "a=1; Expires=some day", "/", "/", "a=1" },
    { "a=1; Domain=.example.com", "/", "/", "a=1" },
    { "a=1; Domain=", "/", "/", "a=1" },
    { "a=1; Domain=com.example.com", "/", "/", nil },
  } do
    it(("reads %q"):format(case[1]), function()
      local jar = cookie_jar.new()
      jar:take({ host = "example.com", path = case[2] }, case[1])
      local url = { scheme = "http", host = "example.com", path = case[3] }
      assert.equal(case[4], jar:header(url))
    end)
  end

  it("takes no address for a domain", function()
    local jar = cookie_jar.new()
    jar:take({ host = "127.0.0.1", path = "/" }, "a=1; Domain=0.0.1")
    assert.is_nil(jar:header { scheme = "http", host = "127.0.0.1", path = "/" })
  end)
end)
