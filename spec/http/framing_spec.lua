--- How bodies arrive at a running server: lengths, chunks, expectations, and what is refused.

local raw = require "support.raw"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local request = qlua.request
local app = qlua.App(...)
local gate
app:post("/echo", function()
  return request:get_data(), { ["X-Trailer"] = request.headers.Trailing or "none" }
end)
app:post("/pieces", function()
  local n = 0
  for chunk in request.body do n = n + #chunk end
  return tostring(n)
end)
app:post("/ignore", function() return "ignored" end)
app:post("/later", function()
  gate = false
  while not gate do qlua.sleep(0.002) end
  return request:get_data()
end)
app:get("/open", function()
  if gate == nil then return "closed" end
  gate = true
  return "open"
end)
app:get("/", function() return "home" end)
app:post("/", function() return "home" end)
return app
]]

local H = "Host: localhost\r\n"
local CHUNKED = "Transfer-Encoding: chunked\r\n"
local EXPECT = "Expect: 100-continue\r\n"

local function post(target, headers, body, version)
  return ("POST %s HTTP/%s\r\n%s%s\r\n%s"):format(target, version or "1.1", H, headers or "",
    body or "")
end

local NEXT = "GET / HTTP/1.1\r\n" .. H .. "\r\n"

describe("framing", function()
  local live, c

  setup(function()
    live = server.start { app = APP }
  end)

  teardown(server.stop_all)

  before_each(function()
    c = raw.connect(live)
  end)

  after_each(function()
    c:close()
  end)

  local function answer(bytes)
    c:send(bytes)
    return c:response()
  end

  local function refused(bytes, ...)
    c:send(bytes .. NEXT)
    local r = c:response()
    local expected = {}
    for _, status in ipairs { ... } do
      expected[status] = true
    end
    assert.is_true(expected[r.status], "answered with " .. r.status)
    assert.equal("close", r.header.connection)
    assert.is_true(c:is_closed())
  end

  describe("a counted body", function()
    it("arrives as it was sent, whatever its bytes", function()
      local bytes = {}
      for i = 0, 255 do
        bytes[i + 1] = string.char(i)
      end
      local body = table.concat(bytes):rep(300)
      local r = answer(post("/echo", "Content-Length: " .. #body .. "\r\n", body) .. NEXT)
      assert.is_true(r.body == body)
      assert.equal("home", c:response().body)
    end)

    it("may be empty", function()
      assert.equal("", answer(post("/echo", "Content-Length: 0\r\n")).body)
      assert.equal("", answer(post "/echo").body)
    end)

    for _, length in ipairs {
      "-1", "+5", "0x5", "5 5", "5,6", "5, 5", "99999999999999999999999", "5a", "1e1", " ", "\"5\"",
    } do
      it(("has no length %q"):format(length), function()
        refused(post("/echo", "Content-Length: " .. length .. "\r\n", "abcde"), 400, 413)
      end)
    end

    it("has one length only", function()
      refused(post("/echo", "Content-Length: 5\r\nContent-Length: 6\r\n", "abcde"), 400)
    end)
  end)

  describe("a chunked body", function()
    for name, body in pairs {
      ["of one chunk"] = "5\r\nabcde\r\n0\r\n\r\n",
      ["of many"] = "1\r\na\r\n1\r\nb\r\n3\r\ncde\r\n0\r\n\r\n",
      ["with upper case and leading zeros"] = "00005\r\nabcde\r\n000\r\n\r\n",
      ["with extensions"] = "5;a=\"b;c\"\r\nabcde\r\n0;e\r\n\r\n",
      ["with trailers"] = "5\r\nabcde\r\n0\r\nTrailing: x\r\nContent-Length: 9\r\n\r\n",
    } do
      it(name .. " is put together, and the connection goes on", function()
        local r = answer(post("/echo", CHUNKED, body) .. NEXT)
        assert.same({ "abcde", "none" }, { r.body, r.header["x-trailer"] })
        assert.equal("home", c:response().body)
      end)
    end

    it("of many packets is read in pieces", function()
      c:send(post("/pieces", "transfer-encoding: CHUNKED\r\n"))
      for _ = 1, 50 do
        c:send("400\r\n" .. ("x"):rep(1024) .. "\r\n")
      end
      assert.equal("51200", answer("0\r\n\r\n" .. NEXT).body)
      assert.equal("home", c:response().body)
    end)

    it("arrives byte by byte", function()
      c:trickle(post("/echo", CHUNKED, "5;a=b\r\nabcde\r\n0\r\nT: x\r\n\r\n") .. NEXT)
      assert.equal("abcde", c:response().body)
      assert.equal("home", c:response().body)
    end)

    for name, body in pairs {
      ["a size that is none"] = "x\r\nabc\r\n0\r\n\r\n", ["a negative size"] = "-1\r\na\r\n",
      ["no size"] = "\r\nabcde\r\n0\r\n\r\n", ["a size too large"] = ("f"):rep(17) .. "\r\nabc",
      ["no line end behind the data"] = "5\r\nabcdeX\r\n0\r\n\r\n",
      ["more data than its size"] = "3\r\nabcde\r\n0\r\n\r\n",
      ["a space before the size"] = " 5\r\nabcde\r\n0\r\n\r\n",
      ["a bare line feed behind the size"] = "5\nabcde\r\n0\r\n\r\n",
      ["a bare line feed at the end"] = "5\r\nabcde\r\n0\r\n\n",
      ["a bare line feed behind a trailer"] = "5\r\nabcde\r\n0\r\nT: x\n\r\n",
      ["a bare line feed behind the trailers"] = "5\r\nabcde\r\n0\r\nT: x\r\n\n",
      ["a bare carriage return in an extension"] = "5;a\rb\r\nabcde\r\n0\r\n\r\n",
    } do
      it("is refused with " .. name, function()
        refused(post("/echo", CHUNKED, body), 400, 413)
      end)
    end
  end)

  describe("Transfer-Encoding", function()
    for _, coding in ipairs { "gzip", "chonked", "xchunked", "chunked, gzip", "chunked, chunked",
      "gzip, chunked", "identity", "" } do
      it(("%q is refused"):format(coding), function()
        refused(post("/echo", "Transfer-Encoding: " .. coding .. "\r\n", "0\r\n\r\n"), 400, 501)
      end)
    end

    it("beside Content-Length is refused, in either order", function()
      refused(post("/echo", CHUNKED .. "Content-Length: 5\r\n", "0\r\n\r\n"), 400)
      c:close()
      c = raw.connect(live)
      refused(post("/echo", "Content-Length: 5\r\n" .. CHUNKED, "0\r\n\r\n"), 400)
    end)

    it("is not for HTTP/1.0", function()
      refused(post("/echo", CHUNKED, "0\r\n\r\n", "1.0"), 400)
    end)

    it("twice is refused", function()
      refused(post("/echo", CHUNKED .. CHUNKED, "0\r\n\r\n"), 400, 501)
    end)
  end)

  describe("Expect: 100-continue", function()
    it("is answered when the view reads and nothing has come", function()
      c:send(post("/echo", EXPECT .. "Content-Length: 5\r\n"))
      local r = c:response()
      assert.same({ 100, {} }, { r.status, r.headers })
      assert.equal("abcde", answer "abcde".body)
      assert.equal("home", answer(NEXT).body)
    end)

    it("is answered once for a body in pieces", function()
      c:send(post("/pieces", EXPECT .. CHUNKED))
      assert.equal(100, c:response().status)
      c:send "3\r\nabc\r\n"
      assert.equal("3", answer("0\r\n\r\n").body)
    end)

    it("waits for the view to read", function()
      c:send(post("/later", EXPECT .. "Content-Length: 5\r\n"))
      local other = raw.connect(live)
      live:wait_for(function()
        other:send "GET /open HTTP/1.1\r\nHost: x\r\n\r\n"
        return other:response().body == "open"
      end)
      other:close()
      assert.equal(100, c:response().status)
      assert.equal("abcde", answer("abcde").body)
    end)

    it("is not needed when the body is there", function()
      assert.equal("abcde", answer(post("/echo", EXPECT .. "Content-Length: 5\r\n", "abcde")).body)
    end)

    it("is not sent for a view that does not read; the connection ends", function()
      local r = answer(post("/ignore", EXPECT .. "Content-Length: 5\r\n"))
      assert.same({ "ignored", "close" }, { r.body, r.header.connection })
      assert.is_true(c:is_closed())
    end)

    it("is not sent where there is no body, or no view", function()
      assert.equal("", answer(post("/echo", EXPECT .. "Content-Length: 0\r\n")).body)
      assert.equal(404, answer(post("/none", EXPECT .. "Content-Length: 5\r\n")).status)
    end)

    it("is nothing to HTTP/1.0", function()
      c:send(post("/echo", EXPECT .. "Content-Length: 5\r\n", "", "1.0"))
      assert.is_true(c:is_silent(0.02))
      assert.equal("abcde", answer("abcde").body)
    end)

    it("is the only expectation: 417", function()
      refused(post("/echo", "Expect: wonders\r\nContent-Length: 0\r\n"), 417)
    end)
  end)

  describe("the strict parser", function()
    for name, bytes in pairs {
      ["a bare line feed behind the request line"] = "GET / HTTP/1.1\n" .. H .. "\r\n",
      ["a bare line feed behind a header"] = "GET / HTTP/1.1\r\nHost: a\nA: b\r\n\r\n",
      ["a bare line feed at the head's end"] = "GET / HTTP/1.1\r\n" .. H .. "\n",
      ["a bare carriage return in a value"] = "GET / HTTP/1.1\r\n" .. H .. "A: b\rc\r\n\r\n",
      ["a carriage return between headers"] = "GET / HTTP/1.1\r\n" .. H .. "A: b\rC: d\r\n\r\n",
      ["a NUL in a value"] = "GET / HTTP/1.1\r\n" .. H .. "A: b\0c\r\n\r\n",
      ["a NUL in a name"] = "GET / HTTP/1.1\r\n" .. H .. "A\0: b\r\n\r\n",
      ["a NUL in the target"] = "GET /\0 HTTP/1.1\r\n" .. H .. "\r\n",
      ["a control character in a value"] = "GET / HTTP/1.1\r\n" .. H .. "A: b\1\r\n\r\n",
      ["a space before the colon"] = "GET / HTTP/1.1\r\n" .. H .. "A : b\r\n\r\n",
      ["a space in a name"] = "GET / HTTP/1.1\r\n" .. H .. "A B: c\r\n\r\n",
      ["no name"] = "GET / HTTP/1.1\r\n" .. H .. ": b\r\n\r\n",
      ["no colon"] = "GET / HTTP/1.1\r\n" .. H .. "Abc\r\n\r\n",
      ["a folded header"] = "GET / HTTP/1.1\r\n" .. H .. "A: b\r\n c\r\n\r\n",
      ["a header folded to begin with"] = "GET / HTTP/1.1\r\n" .. H .. "A:\r\n c\r\n\r\n",
      ["a header folded with a tab"] = "GET / HTTP/1.1\r\nA: b \r\n\tc\r\n" .. H .. "\r\n",
      ["a space before the first header"] = "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      ["a fragment in the target"] = "GET /#a HTTP/1.1\r\n" .. H .. "\r\n",
      ["nonsense"] = "\22\3\1\2\0\1\0\1\252\3\3",
    } do
      it("refuses " .. name, function()
        refused(bytes, 400)
      end)
    end

    it("keeps tabs and high bytes in values", function()
      local r = answer("GET / HTTP/1.1\r\n" .. H .. "A: b\tc\200\r\n\r\n")
      assert.equal(200, r.status)
    end)
  end)

  describe("an early answer", function()
    it("leaves the connection usable when the rest is small and comes", function()
      local r = answer(post("/ignore", "Content-Length: 1000\r\n", "abc"))
      assert.same({ "ignored", nil }, { r.body, r.header.connection })
      assert.equal("home", answer(("x"):rep(997) .. NEXT).body)
    end)

    it("to a large body ends the connection, and is read by who sends on", function()
      local r = answer(post("/ignore", "Content-Length: 3000000\r\n", "abc"))
      assert.same({ "ignored", "close" }, { r.body, r.header.connection })
      assert.is_true(c:send(("x"):rep(1000000)))
      c:half_close()
      assert.is_true(c:is_closed())
      assert.is_nil(c.was_reset)
    end)

    it("is read by a client that sends everything first", function()
      assert.is_true(c:send(post("/none", "Content-Length: 3000000\r\n", ("x"):rep(3000000))))
      assert.equal(404, c:response().status)
      c:half_close()
      assert.is_true(c:is_closed())
      assert.is_nil(c.was_reset)
    end)

    it("ends the connection of a chunked body", function()
      local r = answer(post("/ignore", CHUNKED, "3\r\nabc\r\n"))
      assert.same({ "ignored", "close" }, { r.body, r.header.connection })
    end)
  end)
end)
