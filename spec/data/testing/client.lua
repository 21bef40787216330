-- run by spec/qlua/testing_spec.lua through `qlua test`
local qlua = require "qlua"

describe("the client", function()
  local app = qlua.testing.load()
  local client = app:test_client()

  local function echo(options, method, path)
    return client[method or "post"](client, path or "/echo", options).json
  end

  describe("sends", function()
    it("each method", function()
      for _, method in ipairs { "get", "post", "put", "patch", "delete" } do
        assert.equal(method:upper(), echo(nil, method).method)
        assert.equal(method:upper(), client:open("/echo", { method = method }).json.method)
      end
      assert.equal("GET, HEAD, OPTIONS", client:options("/").headers.Allow)
      assert.equal(405, client:trace("/").status_code)
      assert.equal("GET", client:open("/echo").json.method)
    end)

    it("a host, a user agent and no more unless told", function()
      local got = echo(nil, "get")
      assert.equal("localhost", got.host)
      assert.equal("qlua", got.agent)
      assert.equal("<local>", got.peer)
      assert.equal("1.1", got.version)
      assert.is_nil(got.type)
      assert.is_nil(got.length)
      assert.is_false(got.secure)
      assert.equal("http://localhost/echo", got.url)
    end)

    it("headers, from a table or from Headers", function()
      assert.equal("1", echo { headers = { ["X-A"] = "1" } }.x)
      assert.equal("2", echo { headers = qlua.Headers { ["X-A"] = "2" } }.x)
      local got = echo { headers = { Host = "other:81", ["User-Agent"] = "me" } }
      assert.equal("other:81", got.host)
      assert.equal("me", got.agent)
    end)

    it("JSON, by the app's own provider", function()
      local got = echo { json = { a = { 1, 2 } } }
      assert.same({ a = { 1, 2 } }, got.json)
      assert.equal("application/json", got.type)
      assert.equal('{"a":[1,2]}', got.data)
      assert.equal("null", echo { json = qlua.null }.data)
      assert.equal("false", echo { json = false }.data)
    end)

    it("forms", function()
      local got = echo { form = { a = "1 & 2=ä", b = { 1, true } } }
      assert.equal("application/x-www-form-urlencoded", got.type)
      assert.same({ a = { "1 & 2=ä" }, b = { "1", "true" } }, got.form)
    end)

    it("files, with and without a form", function()
      local got = echo {
        form = { title = "a" },
        files = { text = { data = "some\r\ntext", filename = "a.txt" }, raw = "\0 bytes" },
      }
      assert.same({ title = { "a" } }, got.form)
      assert.same({ "a.txt", "text/plain" }, { got.files.text[1], got.files.text[2] })
      assert.equal("some\r\ntext", got.files.text[3])
      assert.same({ "raw", "application/octet-stream", "\0 bytes" }, got.files.raw)
      local boundary = "------qluaBoundary--\r\n"
      got = echo { files = { a = { data = boundary, content_type = "x/y" } } }
      assert.same({ "a", "x/y", boundary }, got.files.a)
    end)

    it("any bytes, large ones too", function()
      assert.equal("raw", echo { data = "raw" }.data)
      assert.equal(0, echo().length)
      local large = ("x"):rep(2 * 1024 * 1024)
      assert.equal(#large, echo { data = large }.length)
      local typed = echo { data = "a=1", headers = { ["Content-Type"] =
        "application/x-www-form-urlencoded" } }
      assert.same({ a = { "1" } }, typed.form)
    end)

    it("a query from the path or from an option", function()
      assert.equal("a=1&b", echo(nil, "get", "/echo?a=1&b").query)
      assert.equal("a=1", echo({ query_string = "a=1" }, "get").query)
      local got = echo({ query_string = { b = { 1, 2 }, a = "ä /&" } }, "get")
      assert.same({ a = { "ä /&" }, b = { "1", "2" } }, got.args)
    end)

    it("paths and queries in ASCII", function()
      local got = echo(nil, "get", "/echo?name=ä b")
      assert.same({ "ä b" }, got.args.name)
      assert.equal(404, client:get("/ä ö").status_code)
      assert.equal(404, client:get("/a#b").status_code)
      assert.equal("hello", client:get("/#b").data)
    end)

    it("credentials", function()
      for _, user in ipairs { "a", "ab", "abc", "abcd", "ä" } do
        assert.equal(user, echo { auth = { user, "secret" } }.auth)
      end
    end)

    it("another scheme, host or version", function()
      local got = echo({ scheme = "https", host = "example.com" }, "get")
      assert.is_true(got.secure)
      assert.equal("https://example.com/echo", got.url)
      assert.equal("https://example.com/echo?a=1",
        echo(nil, "get", "https://example.com/echo?a=1").url)
      assert.equal("1.0", echo { http_version = "1.0" }.version)
      app.config.SERVER_NAME = "example.org"
      assert.equal("example.org", echo().host)
      assert.equal("sub.example.org", echo { subdomain = "sub" }.host)
      app.config.SERVER_NAME = nil
    end)
  end)

  describe("gets", function()
    it("a Response", function()
      local response = client:get("/status/201")
      assert.equal("<Response 4 bytes [201 CREATED]>", tostring(response))
      assert.equal(201, response.status_code)
      assert.equal("201 CREATED", response.status)
      assert.equal("body", response.data)
      assert.equal("body", response:get_data())
      assert.equal("text/html; charset=utf-8", response.content_type)
      assert.equal("text/html", response.mimetype)
      assert.equal("201", response.headers["x-code"])
      assert.same({ "a", "b" }, response.headers:getlist "X-List")
      assert.equal("4", response.headers["Content-Length"])
      assert.is_nil(response.json)
      assert.same({}, client:get("/echo").json.form)
    end)

    it("answers without a body", function()
      local response = client:head("/slow")
      assert.equal("", response.data)
      assert.equal("4", response.headers["Content-Length"])
      assert.equal("", client:head("/stream").data)
      response = client:get("/nothing")
      assert.equal(204, response.status_code)
      assert.equal("", response.data)
      local etag = client:get("/file").headers.ETag
      response = client:get("/file", { headers = { ["If-None-Match"] = etag } })
      assert.same({ 304, "" }, { response.status_code, response.data })
    end)

    it("the app's and the server's refusals", function()
      assert.equal(404, client:get("/nowhere").status_code)
      assert.equal(405, client:post("/").status_code)
      assert.equal(414, client:get("/" .. ("a"):rep(10000)).status_code)
      assert.equal(400, client:get("/", { headers = { Host = "a b" } }).status_code)
      assert.equal(501, client:open("/", { method = "BREW" }).status_code)
      app.config.MAX_CONTENT_LENGTH = 10
      assert.equal(413, client:post("/echo", { data = ("x"):rep(11) }).status_code)
      app.config.MAX_CONTENT_LENGTH = nil
    end)

    it("what is sent in pieces, large, or from a file", function()
      for _, version in ipairs { "1.1", "1.0" } do
        local options = { http_version = version }
        assert.equal("piece 1;piece 2;piece 3;", client:get("/stream", options).data)
        assert.equal(1000000, #client:get("/large", options).data)
        assert.matches("^%-%-%- The app", client:get("/file", options).data)
      end
      assert.equal("chunked", client:get("/stream").headers["Transfer-Encoding"])
    end)

    it("the pieces as they come, when asked for a stream", function()
      local response, pieces = client:get("/stream", { stream = true })
      assert.equal(200, response.status_code)
      local got = {}
      for piece in pieces do
        got[#got + 1] = piece
      end
      assert.same({ "piece 1;", "piece 2;", "piece 3;" }, got)
      assert.is_nil(pieces())
      assert.equal("hello", client:get("/", { stream = true }).data)
    end)

    it("as much of an endless stream as it wants", function()
      local _, pieces = client:get("/endless", { stream = true })
      local sum = 0
      while sum < 500000 do
        sum = sum + #pieces()
      end
      assert.is_nil(app.gone)
      pieces.close()
      assert.is_nil(pieces())
      for _ = 1, 100 do
        qlua.sleep(0)
      end
      assert.is_true(app.gone)
    end)
  end)

  describe("waits", function()
    it("while others go on", function()
      app.life = {}
      local a, b = qlua.gather(function()
        return client:get("/wait/a").data
      end, function()
        return client:get("/wait/b").data
      end)
      assert.same({ "a", "b" }, { a, b })
      assert.same({ "begin a", "begin b", "end a", "end b" }, app.life)
    end)

    it("inside a coroutine", function()
      local ask = coroutine.wrap(function()
        coroutine.yield(client:get("/slow").data)
        coroutine.yield(client:get("/").data)
      end)
      assert.equal("slow", ask())
      assert.equal("hello", ask())
    end)

    it("no longer than it is let", function()
      local ok, err = pcall(qlua.timeout, 0.001, function()
        return client:get("/slow")
      end)
      assert.is_false(ok)
      assert.matches("timed out", tostring(err))
      assert.equal("hello", client:get("/").data)
    end)
  end)

  describe("meets an error of the app", function()
    after_each(function()
      app.testing = false
      app.config.PROPAGATE_EXCEPTIONS = nil
    end)

    it("as a 500 answer", function()
      assert.equal(500, client:get("/raise").status_code)
      app.config.DEBUG = true
      assert.equal(500, client:get("/raise").status_code)
      app.config.DEBUG = false
    end)

    it("as the error itself when testing, or when the app is to let it out", function()
      app.testing = true
      assert.same({ false, "out of the app" }, { pcall(client.get, client, "/raise") })
      local _, err = pcall(client.get, client, "/raise?table=1")
      assert.same({ code = "own" }, err)
      app.testing, app.config.PROPAGATE_EXCEPTIONS = false, true
      assert.same({ false, "out of the app" }, { pcall(client.get, client, "/raise") })
      assert.equal(404, client:get("/nowhere").status_code)
      app.testing, app.config.PROPAGATE_EXCEPTIONS = true, false
      assert.equal(500, client:get("/raise").status_code)
    end)

    it("behind the head as a cut connection", function()
      local ok, err = pcall(client.get, client, "/cut")
      assert.is_false(ok)
      assert.equal("GET /cut: the connection was cut before the end of its answer; "
        .. "what the app raised is in the log", err)
    end)
  end)

  describe("follows redirects", function()
    local FOLLOW = { follow_redirects = true }

    local function follow(method, code, options)
      local all = { follow_redirects = true }
      for name, value in pairs(options or {}) do
        all[name] = value
      end
      return client[method](client, "/redirect/" .. code, all).json
    end

    it("only when told", function()
      local response = client:get("/redirect/302")
      assert.equal(302, response.status_code)
      assert.equal("/echo?from=302", response.location)
      assert.equal("from=302", follow("get", 302).query)
    end)

    it("with GET where browsers do so, else as before", function()
      for _, case in ipairs {
        { "post", 301, "GET" }, { "put", 301, "PUT" }, { "post", 302, "GET" },
        { "post", 303, "GET" }, { "put", 303, "GET" }, { "delete", 302, "GET" },
        { "post", 307, "POST" }, { "post", 308, "POST" },
      } do
        local got = follow(case[1], case[2], { json = { 1 }, headers = { ["X-A"] = "kept" } })
        assert.equal(case[3], got.method)
        assert.equal("kept", got.x)
        assert.equal(case[3] ~= "GET" and "[1]" or "", got.data)
        assert.equal(case[3] ~= "GET" and "application/json" or nil, got.type)
      end
    end)

    it("to whole URLs, and to relative ones", function()
      for to, url in pairs {
        ["http://localhost/echo?a"] = "http://localhost/echo?a",
        ["//localhost/echo"] = "http://localhost/echo",
        ["https://localhost/echo"] = "https://localhost/echo",
        ["../echo#b"] = "http://localhost/redirect/../echo",
      } do
        local response = client:get("/redirect/302", {
          follow_redirects = true, query_string = { to = to },
        })
        assert.equal(url, response.status_code == 200 and response.json.url or url)
      end
    end)

    it("not without end, and to no other site", function()
      local function failure(path)
        local ok, err = pcall(client.get, client, path, FOLLOW)
        assert.is_false(ok)
        return (err:gsub("^.-client%.lua:%d+: ", "AT "))
      end
      assert.equal("AT client:get: more than 20 redirects, the last one to /around",
        failure "/around")
      assert.equal("AT client:get: the answer redirects to https://example.com/x, which is not "
        .. "this app; without follow_redirects look at response.location",
        failure "/redirect/302?to=https://example.com/x")
      app.config.SERVER_NAME = "example.com"
      assert.equal("example.com", client:get("/redirect/302?to=http://example.com/echo",
        { follow_redirects = true, host = "a.example.com" }).json.host)
      assert.equal("b.example.com", client:get("/redirect/302?to=http://b.example.com/echo",
        FOLLOW).json.host)
      app.config.SERVER_NAME = nil
    end)
  end)

  describe("refuses", function()
    local CASES = {
      ['client:get: the path must begin with "/" or be a whole URL, got "x"'] = { "get", "x" },
      ["client:get: the path must be a string, got nil"] = { "get" },
      ['client:post: unknown option "jsn" (did you mean "json"?)'] = { "post", "/", { jsn = 1 } },
      ["client:post: data and json exclude each other"] = { "post", "/", { data = "", json = 1 } },
      ["client:post: form and json exclude each other"] = { "post", "/", { form = {}, json = 1 } },
      ["client:post: json and files exclude each other"] =
        { "post", "/", { files = {}, json = 1 } },
      ["client:post: data and files exclude each other"] =
        { "post", "/", { files = {}, data = "" } },
      ['client:get: there is a query in the path "/?a=1" and one in query_string: give one'] =
        { "get", "/?a=1", { query_string = "b=2" } },
      ["client:get: auth must be { user, password }, two strings"] =
        { "get", "/", { auth = { "alice" } } },
      ['client:get: scheme must be "http" or "https", got "ftp"'] =
        { "get", "/", { scheme = "ftp" } },
      ['client:get: http_version must be "1.0" or "1.1", got "2"'] =
        { "get", "/", { http_version = "2" } },
      ["client:get: host and subdomain exclude each other"] =
        { "get", "/", { host = "a", subdomain = "b" } },
      ["client:get: the method is in the name; give it to client:open"] =
        { "get", "/", { method = "PUT" } },
      ['client:open: "G T" is no method'] = { "open", "/", { method = "G T" } },
      ["client:post: form.a must be a string, a number or a list of them, got a function"] =
        { "post", "/", { form = { a = print } } },
      ["client:post: query_string is a table by name, got the key 1"] =
        { "post", "/", { query_string = { "a" } } },
      ["client:post: files.a must be a table, got the number 1"] =
        { "post", "/", { files = { a = 1 } } },
      ["client:post: files.a has no data"] = { "post", "/", { files = { a = {} } } },
      ['client:post: files.a: unknown option "dat" (did you mean "data"?)'] =
        { "post", "/", { files = { a = { dat = "x" } } } },
    }
    for text, case in pairs(CASES) do
      it(text, function()
        local ok, err = pcall(function()
          client[case[1]](client, case[2], case[3])
        end)
        assert.is_false(ok)
        assert.equal("AT " .. text, (err:gsub("^.-client%.lua:%d+: ", "AT ")))
      end)
    end

    it("a header that could not be sent", function()
      local ok, err = pcall(function()
        client:get("/", { headers = { ["X-A"] = "a\r\nb" } })
      end)
      assert.is_false(ok)
      assert.matches("client%.lua:%d+: client:get: headers: .*X%-A", err)
    end)

    it("a call without a colon", function()
      local ok, err = pcall(function()
        client.get("/")
      end)
      assert.is_false(ok)
      assert.matches('client%.lua:%d+: client:get was called on the string "/": call it with a '
        .. "colon, client:get%(path%)", err)
    end)
  end)
end)
