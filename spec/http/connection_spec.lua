--- Connections of a running server: order, keeping, closing, and what HTTP/1.1 asks of each.

local ffi = require "ffi"
local fcntl = require "posix.fcntl"
local unistd = require "posix.unistd"

local files = require "support.files"
local raw = require "support.raw"
local server = require "support.server"

ffi.cdef "int posix_fadvise(int fd, int64_t offset, int64_t length, int advice);"

local APP = [[
local qlua = require "qlua"
local request = qlua.request
local app = qlua.App(...)
app.config.MAX_CONTENT_LENGTH = 1000000
local released, waiting = {}, {}
local METHODS = { methods = { "GET", "POST", "PUT" } }

app:route("/", METHODS, function() return "home" end)
app:get("/n/<int:n>", function(n) return "answer " .. n end)
app:get("/big/<int:n>", function(n) return ("x"):rep(n) end)
app:post("/echo", function() return request:get_data() end)
app:get("/path", function() return { request.method, request.host, request.full_path } end)
-- /park waits for /release; /waiting says whether it does
app:get("/park/<key>", function(key)
  waiting[key] = true
  while not released[key] do qlua.sleep(0.002) end
  return "parked " .. key
end)
app:get("/waiting/<key>", function(key) return waiting[key] and "yes" or "no" end)
app:get("/release/<key>", function(key) released[key] = true return "released" end)
app:get("/status/<int:code>", function(code) return "text", code end)
app:get("/stream", function()
  local i = 0
  return function()
    i = i + 1
    if i <= 3 then return "piece" .. i end
  end
end)
app:get("/stated/<int:n>", function(n)
  local i = 0
  return function()
    i = i + 1
    if i <= 3 then return "12345" end
  end, { ["Content-Length"] = tostring(n) }
end)
app:get("/endless", function()
  return function() qlua.sleep(0.001) return "more" end
end)
app:get("/header", function()
  return "ok", { ["X-Value"] = request.args.v, ["X-Other"] = "1" }
end)
app:get("/name", function() return "ok", { [request.args.v] = "x" } end)
app:get("/framing", function()
  return "ok", { ["Transfer-Encoding"] = "chunked", ["Connection"] = "close",
    ["Content-Length"] = "77" }
end)
app:post("/early", function() return "early" end)
return app
]]

local H = "Host: localhost\r\n"
local CLOSE = "Connection: close\r\n"

local function request(target, headers, method, version)
  return ("%s %s HTTP/%s\r\n%s%s\r\n"):format(method or "GET", target, version or "1.1", H,
    headers or "")
end

describe("connection", function()
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

  local function answer(bytes, method)
    c:send(bytes)
    return c:response(method)
  end

  --- Still good for another request?
  local function goes_on()
    local r = answer(request "/n/9")
    return r and r.body == "answer 9"
  end

  local function ask(target)
    local other = raw.connect(live)
    other:send(request(target, CLOSE))
    local body = other:response().body
    other:close()
    return body
  end

  describe("keep-alive", function()
    it("answers one request after the other on a connection", function()
      for n = 1, 20 do
        local r = answer(request("/n/" .. n))
        assert.same({ 200, "answer " .. n }, { r.status, r.body })
        assert.is_nil(r.header.connection)
      end
    end)

    it("ends with Connection: close, which the answer repeats", function()
      local r = answer(request("/", CLOSE))
      assert.same({ 200, "close" }, { r.status, r.header.connection })
      assert.is_true(c:is_closed())
      assert.is_nil(c.was_reset)
    end)

    it("finds close in a list, in any case", function()
      assert.equal("close", answer(request("/", "Connection: foo, CLOSE\r\n")).header.connection)
      assert.is_true(c:is_closed())
    end)

    it("is off in HTTP/1.0", function()
      local r = answer("GET / HTTP/1.0\r\n\r\n")
      assert.same({ 200, "home", "1.1" }, { r.status, r.body, r.version })
      assert.is_true(c:is_closed())
    end)

    it("is on in HTTP/1.0 when the client asks, and the answer says so", function()
      for _ = 1, 2 do
        local r = answer(request("/", "Connection: keep-alive\r\n", "GET", "1.0"))
        assert.same({ "home", "keep-alive" }, { r.body, r.header.connection })
      end
    end)

    it("goes on after every kind of empty answer", function()
      for _, code in ipairs { 204, 304 } do
        local r = answer(request("/status/" .. code))
        assert.same({ code, "" }, { r.status, r.body })
        assert.is_nil(r.header["transfer-encoding"])
        assert.is_nil(code == 204 and r.header["content-length"] or nil)
        assert.is_true(goes_on())
      end
    end)

    it("goes on after a request that asks for an upgrade", function()
      for _, protocol in ipairs { "websocket", "h2c", "TLS/1.0" } do
        local r = answer(request("/", "Connection: upgrade\r\nUpgrade: " .. protocol .. "\r\n"))
        assert.same({ 200, "home" }, { r.status, r.body })
        assert.is_true(goes_on())
      end
      local r = answer(request("/echo", "Connection: upgrade\r\nUpgrade: h2c\r\n"
        .. "Content-Length: 2\r\n", "POST") .. "hi")
      assert.equal("hi", r.body)
      assert.is_true(goes_on())
    end)

    it("ignores line ends between requests", function()
      assert.equal("home", answer("\r\n\r\n" .. request "/").body)
      c:send "\r\n"
      assert.is_true(goes_on())
    end)
  end)

  describe("pipelining", function()
    it("answers many requests of one write in their order", function()
      local parts = {}
      for n = 1, 300 do
        parts[n] = request("/n/" .. n)
      end
      c:send(table.concat(parts))
      for n = 1, 300 do
        assert.equal("answer " .. n, c:response().body)
      end
    end)

    it("does not stop at answers larger than what is gathered for one write", function()
      c:send(request("/big/10000"):rep(200))
      for _ = 1, 200 do
        assert.equal(10000, #c:response().body)
      end
    end)

    it("keeps the order behind a request that waits", function()
      c:send(request "/n/1" .. request "/park/a" .. request "/n/2" .. request "/n/3")
      assert.equal("answer 1", c:response().body)
      live:wait_for(function() return ask "/waiting/a" == "yes" end)
      assert.is_true(c:is_silent(0.02))
      ask "/release/a"
      assert.equal("parked a", c:response().body)
      assert.equal("answer 2", c:response().body)
      assert.equal("answer 3", c:response().body)
    end)

    it("begins no request while the one before it waits", function()
      c:send(request "/park/b" .. request "/park/c" .. request "/n/1")
      live:wait_for(function() return ask "/waiting/b" == "yes" end)
      ask "/n/1"
      assert.equal("no", ask "/waiting/c")
      ask "/release/b"
      ask "/release/c"
      assert.equal("parked b", c:response().body)
      assert.equal("parked c", c:response().body)
      assert.equal("answer 1", c:response().body)
    end)

    it("answers thousands behind a request that waits", function()
      c:send(request "/park/d" .. request("/n/7"):rep(1200))
      live:wait_for(function() return ask "/waiting/d" == "yes" end)
      ask "/release/d"
      assert.equal("parked d", c:response().body)
      for _ = 1, 1200 do
        assert.equal("answer 7", c:response().body)
      end
    end)

    it("mixes bodies, streams and empty answers", function()
      c:send(request("/echo", "Content-Length: 3\r\n", "POST") .. "abc" .. request "/stream"
        .. request("/stream", "", "HEAD") .. request "/status/204" .. request "/n/1")
      assert.equal("abc", c:response().body)
      assert.same({ "piece1", "piece2", "piece3" }, c:response().chunks)
      assert.equal("", c:response("HEAD").body)
      assert.equal(204, c:response().status)
      assert.equal("answer 1", c:response().body)
    end)

    it("ends at a request that closes; what follows is not answered", function()
      c:send(request "/n/1" .. request("/n/2", CLOSE) .. request "/n/3")
      assert.equal("answer 1", c:response().body)
      assert.equal("answer 2", c:response().body)
      assert.is_true(c:is_closed())
      assert.is_nil(c.was_reset)
    end)

    it("answers what came before a bad request, then refuses that", function()
      c:send(request "/n/1" .. "@\r\n\r\n" .. request "/n/2")
      assert.equal("answer 1", c:response().body)
      local r = c:response()
      assert.same({ 400, "close" }, { r.status, r.header.connection })
      assert.is_true(c:is_closed())
    end)
  end)

  describe("HEAD", function()
    it("has the headers of GET and no body", function()
      local get, head = answer(request "/n/12345"), answer(request("/n/12345", "", "HEAD"), "HEAD")
      for _, name in ipairs { "content-length", "content-type" } do
        assert.equal(get.header[name], head.header[name])
      end
      assert.is_true(goes_on())
    end)

    it("takes nothing from a streamed body, however long", function()
      local r = answer(request("/endless", "", "HEAD"), "HEAD")
      assert.equal(200, r.status)
      assert.is_true(goes_on())
    end)

    it("keeps an HTTP/1.0 connection, for there is no body to end", function()
      c:send(request("/stream", "Connection: keep-alive\r\n", "HEAD", "1.0"))
      local r = c:response "HEAD"
      assert.same({ 200, "keep-alive" }, { r.status, r.header.connection })
      assert.is_true(goes_on())
    end)
  end)

  describe("a streamed body", function()
    it("goes out in chunks as its pieces are made", function()
      local r = answer(request "/stream")
      assert.equal("chunked", r.header["transfer-encoding"])
      assert.is_nil(r.header["content-length"])
      assert.same({ "piece1", "piece2", "piece3" }, r.chunks)
      assert.is_true(goes_on())
    end)

    it("ends with the connection in HTTP/1.0, also when that was to be kept", function()
      local r = answer(request("/stream", "Connection: keep-alive\r\n", "GET", "1.0"))
      assert.is_nil(r.header["transfer-encoding"])
      assert.same({ "piece1piece2piece3", "close" }, { r.body, r.header.connection })
      assert.is_true(c:is_closed())
    end)

    it("needs no chunks when the app states its length", function()
      local r = answer(request "/stated/15")
      assert.is_nil(r.header["transfer-encoding"])
      assert.same({ "15", "123451234512345" }, { r.header["content-length"], r.body })
      assert.is_true(goes_on())
    end)

    it("is cut where more comes than was stated", function()
      local r = answer(request "/stated/7")
      assert.equal("1234512", r.body)
      assert.is_true(goes_on())
    end)

    it("cuts the connection where less comes than was stated", function()
      c:send(request "/stated/20")
      assert.falsy(c:read_all():find "HTTP/1.1 200.*HTTP/1.1")
      assert.truthy(c.was_reset)
    end)
  end)

  describe("the request line", function()
    it("may have an absolute target, whose host counts", function()
      local r = answer(request "http://other.test:81/path?a=b")
      assert.equal('["GET","other.test:81","/path?a=b"]\n', r.body)
      assert.equal("home", answer(request "http://other.test").body)
    end)

    it("may ask about the server as a whole", function()
      local r = answer(request("*", "", "OPTIONS"))
      assert.equal(200, r.status)
      assert.equal("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", r.header.allow)
      assert.is_true(goes_on())
    end)

    it("may not be a star with another method", function()
      assert.equal(400, answer(request "*").status)
    end)

    for text, status in pairs {
      ["BREW / HTTP/1.1"] = 501, ["get / HTTP/1.1"] = 501, ["CONNECT a:1 HTTP/1.1"] = 501,
      ["TRACE / HTTP/1.1"] = 405, ["GET / HTTP/2.0"] = 505, ["GET / HTTP/0.9"] = 505,
      ["GET /"] = 400, ["GET  / HTTP/1.1"] = 400, ["GET / HTTP/1.1 "] = 400,
      ["GET / http/1.1"] = 400, ["GET / HTTP/1.10"] = 400, ["GET /a b HTTP/1.1"] = 400,
      ["GET ftp://a/ HTTP/1.1"] = 400, ["GET a HTTP/1.1"] = 400, [" GET / HTTP/1.1"] = 400,
      ["GET http://u@a/ HTTP/1.1"] = 400, ["GET\t/ HTTP/1.1"] = 400, ["/ HTTP/1.1"] = 400,
    } do
      it(("%q is answered with %d"):format(text, status), function()
        assert.equal(status, answer(text .. "\r\n" .. H .. "\r\n").status)
      end)
    end
  end)

  describe("Host", function()
    local function with_hosts(lines, version)
      return answer(("GET / HTTP/%s\r\n%s\r\n"):format(version or "1.1", lines)).status
    end

    for lines, status in pairs {
      ["Host: a\r\n"] = 200, ["Host: a:80\r\n"] = 200, ["Host: [::1]:80\r\n"] = 200,
      ["Host:\r\n"] = 200, [""] = 400, ["Host: a\r\nHost: a\r\n"] = 400, ["Host: a b\r\n"] = 400,
      ["Host: a/b\r\n"] = 400, ["Host: u@a\r\n"] = 400, ["Host: a:99999\r\n"] = 400,
      ["Host : a\r\n"] = 400,
    } do
      it(("%q is answered with %d"):format(lines, status), function()
        assert.equal(status, with_hosts(lines))
      end)
    end

    it("may be missing in HTTP/1.0", function()
      assert.equal(200, with_hosts("", "1.0"))
    end)
  end)

  describe("headers of an answer", function()
    for name, value in pairs {
      ["line break"] = "a%0d%0aX-Evil:%201", ["line feed"] = "a%0aX-Evil:%201",
      ["carriage return"] = "a%0dX-Evil:%201", ["NUL"] = "a%00b",
    } do
      it("never carry a " .. name .. ": the app gets an error", function()
        c:send(request("/header?v=" .. value))
        local r = c:response()
        assert.equal(500, r.status)
        assert.is_nil(r.header["x-evil"])
        assert.is_nil(r.header["x-value"])
        live:wait_for_stderr 'the value of header "X-Value" has a line break'
        assert.is_true(goes_on())
      end)
    end

    it("have names that are names", function()
      for _, value in ipairs { "a%20b", "a:b", "a%0d%0ab", "%C3%A9" } do
        assert.equal(500, answer(request("/name?v=" .. value)).status)
      end
      live:wait_for_stderr '"a b" is not a header name; use letters, digits and "-"'
    end)

    it("leave the framing to the server", function()
      local r = answer(request "/framing")
      assert.same({ "2", "ok" }, { r.header["content-length"], r.body })
      assert.is_nil(r.header["transfer-encoding"])
      assert.is_true(goes_on())
    end)

    it("have a date", function()
      local date = answer(request "/").header.date
      assert.truthy(date:find "^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$")
    end)
  end)

  describe("the end of input", function()
    it("is answered, when the request is whole", function()
      c:send(request "/park/e")
      c:half_close()
      live:wait_for(function() return ask "/waiting/e" == "yes" end)
      ask "/release/e"
      assert.equal("parked e", c:response().body)
      assert.is_true(c:is_closed())
    end)

    it("inside a head gives 400", function()
      c:send "GET / HTTP/1.1\r\nHost"
      c:half_close()
      assert.equal(400, c:response().status)
      assert.is_true(c:is_closed())
    end)

    it("inside a body gives 400 to who reads it", function()
      c:send(request("/echo", "Content-Length: 10\r\n", "POST") .. "abc")
      c:half_close()
      assert.equal(400, c:response().status)
      assert.is_true(c:is_closed())
    end)
  end)

  describe("a static file", function()
    local folder, s

    setup(function()
      folder = files.folder()
      files.write(folder .. "/static/small.txt", "small")
      files.write(folder .. "/static/large.bin", ("0123456789abcdef"):rep(500000))
      s = server.start { folder = folder, app = "return require('qlua').App(...)" }
    end)

    teardown(function()
      s:stop()
      files.remove(folder)
    end)

    it("keeps the order among pipelined requests", function()
      local d = raw.connect(s)
      d:send((request "/static/small.txt" .. request "/static/large.bin"):rep(3)
        .. request("/static/large.bin", "", "HEAD") .. request "/static/small.txt")
      for _ = 1, 3 do
        assert.equal("small", d:response().body)
        assert.equal(8000000, #d:response().body)
      end
      assert.equal("8000000", d:response("HEAD").header["content-length"])
      assert.equal("small", d:response().body)
      d:close()
    end)

    it("that is not in memory is sent whole; who resets meanwhile does no harm", function()
      local path = folder .. "/static/large.bin"
      for round = 1, 6 do
        local fd = assert(fcntl.open(path, fcntl.O_RDONLY))
        unistd.fsync(fd)
        ffi.C.posix_fadvise(fd, 0, 0, 4) -- POSIX_FADV_DONTNEED
        unistd.close(fd)
        local d = raw.connect(s)
        d:send(request "/static/large.bin" .. request "/static/small.txt")
        if round % 2 == 0 then
          d:reset()
        else
          assert.equal(8000000, #d:response().body)
          assert.equal("small", d:response().body)
          d:close()
        end
      end
      assert.is_nil(s:exit_code())
      assert.equal("", s:stderr():match "%] %[ERROR%].*" or "")
    end)

    it("that shrinks while it is sent cuts the connection", function()
      files.write(folder .. "/static/shrinking.bin", ("x"):rep(20000000))
      local d = raw.connect(s, { rcvbuf = 4096 })
      d:send(request "/static/shrinking.bin")
      assert.truthy(d:read_until "\r\n\r\n")
      files.write(folder .. "/static/shrinking.bin", "short")
      assert.is_true(#d:read_all() < 20000000)
      assert.truthy(d.was_reset)
      d:close()
      d = raw.connect(s)
      d:send(request "/static/small.txt")
      assert.equal("small", d:response().body)
      d:close()
    end)
  end)
end)
