--- Limits and timeouts of a running server, and what clients that stall, flood or leave may cost.

local poll = require "posix.poll"

local files = require "support.files"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local request = qlua.request
local app = qlua.App(...)
app.config.MAX_CONTENT_LENGTH = 100000
app.config.BODY_TIMEOUT = 0.5
app.config.BODY_STALL_TIMEOUT = 0.2
app.config.RESPONSE_TIMEOUT = 0.4
app.config.MAX_FORM_MEMORY_SIZE = 1000000
local seen = { begun = 0, cleaned = 0, produced = 0 }

app:get("/", function() return "home" end)
app:get("/seen", function() return seen end)
app:post("/echo", function() return request:get_data() end)
app:post("/ignore", function() seen.begun = seen.begun + 1 return "ignored" end)
app:post("/chunks", function()
  local n = 0
  for chunk in request.body do n = n + #chunk end
  return tostring(n)
end)
-- reads a piece, rests longer than a body may stall, reads on
app:post("/rest", function()
  local n = 0
  for chunk in request.body do
    n = n + #chunk
    if n < 70000 then qlua.sleep(0.5) end
  end
  return tostring(n)
end)
app:get("/sleep", function()
  seen.begun = seen.begun + 1
  local ok, err = pcall(qlua.sleep, 30)
  seen.is_cancelled = not ok and getmetatable(err) == qlua.errors.Cancelled
  seen.cleaned = seen.cleaned + 1
  error(err, 0)
end)
app:get("/stream", function()
  return function()
    seen.produced = seen.produced + 1
    return ("s"):rep(65536)
  end
end)
app:get("/large", function() return ("x"):rep(20000000) end)
app:get("/patient", function()
  local response = qlua.make_response(("x"):rep(20000000))
  response.timeout = false
  return response
end)
return app
]]

local H = "Host: localhost\r\n"

local function request(target, headers, method)
  return ("%s %s HTTP/1.1\r\n%s%s\r\n"):format(method or "GET", target, H, headers or "")
end

local function post(target, length, body)
  return request(target, "Content-Length: " .. length .. "\r\n", "POST") .. (body or "")
end

local CHUNKED = "Transfer-Encoding: chunked\r\n"

local function chunk(n)
  return ("%x\r\n%s\r\n"):format(n, ("x"):rep(n))
end

--- Resident bytes of the one worker.
local function memory_of(s)
  local text = files.read(("/proc/%d/statm"):format(s:children()[1]))
  return tonumber(text:match "%d+ (%d+)") * 4096
end

describe("limits", function()
  local live, folder
  local open = {}

  setup(function()
    folder = files.folder()
    files.write(folder .. "/app.lua", APP)
    files.write(folder .. "/static/large.bin", ("x"):rep(30000000))
    live = server.start {
      path = folder .. "/app.lua",
      set = {
        ["server.header_timeout"] = 0.3, ["server.keep_alive_timeout"] = 0.3,
        ["server.max_header_size"] = 2000, ["server.max_target_size"] = 500,
      },
    }
  end)

  teardown(function()
    server.stop_all()
    files.remove(folder)
  end)

  after_each(function()
    for _, c in ipairs(open) do
      c:close()
    end
    open = {}
  end)

  local function connect(options, to)
    local c = raw.connect(to or live, options)
    open[#open + 1] = c
    return c
  end

  local function answer(bytes)
    local c = connect()
    c:send(bytes)
    return c:response(), c
  end

  local function seen()
    local r = answer(request "/seen")
    return require("cjson").decode(r.body)
  end

  local function closes_after(c, r, status)
    assert.same({ status, "close" }, { r.status, r.header.connection })
    assert.is_true(c:is_closed())
    assert.is_nil(c.was_reset)
  end

  describe("max_header_size", function()
    it("is for the whole block: 431", function()
      assert.equal(200, answer(request("/", "A: " .. ("b"):rep(1900) .. "\r\n")).status)
      local r, c = answer(request("/", "A: " .. ("b"):rep(2000) .. "\r\n"))
      closes_after(c, r, 431)
      r, c = answer(request("/", ("A: b\r\n"):rep(400)))
      closes_after(c, r, 431)
      r, c = answer(request("/", ("a"):rep(2001) .. ": b\r\n"))
      closes_after(c, r, 431)
    end)

    it("is noticed before the block ends, and the answer can be read", function()
      local c = connect()
      c:send("GET / HTTP/1.1\r\nA: " .. ("b"):rep(3000))
      closes_after(c, c:response(), 431)
    end)

    it("bounds chunk extensions and trailers too", function()
      local r = answer(request("/chunks", CHUNKED, "POST") .. "1;" .. ("e"):rep(3000) .. "\r\n")
      assert.equal(400, r.status)
      r = answer(request("/chunks", CHUNKED, "POST") .. "0\r\nT: " .. ("t"):rep(3000) .. "\r\n")
      assert.equal(400, r.status)
    end)
  end)

  describe("max_target_size", function()
    it("is for the target: 414", function()
      assert.equal(404, answer(request("/" .. ("a"):rep(499))).status)
      local r, c = answer(request("/" .. ("a"):rep(500)))
      closes_after(c, r, 414)
    end)

    it("is noticed before the line ends", function()
      local c = connect()
      c:send("GET /" .. ("a"):rep(501))
      closes_after(c, c:response(), 414)
    end)
  end)

  describe("header_timeout", function()
    it("ends a head that does not come: 408", function()
      local c = connect()
      c:send "GET / HTTP/1.1\r\nHo"
      closes_after(c, c:response(), 408)
    end)

    it("is not put off by single bytes", function()
      local c = connect()
      local start = wait.now()
      c:send "GET / HTTP/1.1\r\nA: "
      while c:send "b" and c:is_silent(0.02) do
        assert.is_true(wait.now() - start < 5)
      end
      closes_after(c, c:response(), 408)
    end)
  end)

  describe("keep_alive_timeout", function()
    it("closes an idle connection without a word", function()
      local c = connect()
      c:send(request "/")
      assert.equal("home", c:response().body)
      assert.is_true(c:is_closed())
      assert.is_nil(c.was_reset)
    end)

    it("closes a connection that never asked", function()
      assert.is_true(connect():is_closed())
    end)

    it("is not put off by line ends", function()
      local c = connect()
      local start = wait.now()
      while c:send "\r\n" and c:is_silent(0.02) do
        assert.is_true(wait.now() - start < 5)
      end
      assert.is_true(c:is_closed())
    end)
  end)

  describe("BODY_TIMEOUT", function()
    it("is for the whole body of who wants it whole: 408", function()
      local c = connect()
      local start = wait.now()
      c:send(post("/echo", 1000))
      while c:send "x" and c:is_silent(0.05) do
        assert.is_true(wait.now() - start < 5)
      end
      assert.is_true(wait.now() - start >= 0.49)
      closes_after(c, c:response(), 408)
    end)
  end)

  describe("BODY_STALL_TIMEOUT", function()
    it("is for the time without a byte: 408", function()
      for _, target in ipairs { "/echo", "/chunks" } do
        local r, c = answer(post(target, 1000, "abc"))
        closes_after(c, r, 408)
      end
    end)

    it("ends the connection when an unread rest stays away", function()
      local r, c = answer(post("/ignore", 1000, "abc"))
      assert.equal("ignored", r.body)
      assert.is_true(c:is_closed())
    end)

    it("does not count the time in which we do not read", function()
      local c = connect()
      c:send(post("/rest", 90000, ("x"):rep(90000)))
      local r = c:response()
      assert.same({ 200, "90000" }, { r.status, r.body })
    end)
  end)

  describe("MAX_CONTENT_LENGTH", function()
    it("is seen in Content-Length before a byte of the body is sent, whoever reads it", function()
      for _, target in ipairs { "/echo", "/ignore", "/none" } do
        local r, c = answer(post(target, 100001))
        closes_after(c, r, 413)
      end
      assert.equal(100000, #answer(post("/echo", 100000, ("x"):rep(100000))).body)
    end)

    it("needs no body for who expects 100-continue", function()
      local r = answer(request("/echo", "Content-Length: 100001\r\nExpect: 100-continue\r\n",
        "POST"))
      assert.equal(413, r.status)
    end)

    it("is counted where the length is not given", function()
      for _, target in ipairs { "/echo", "/chunks" } do
        local c = connect()
        c:send(request(target, CHUNKED, "POST") .. chunk(60000) .. chunk(60000))
        closes_after(c, c:response(), 413)
      end
    end)

    it("is answered so that a client which sends all first can read it", function()
      local c = connect()
      assert.is_true(c:send(post("/echo", 4000000, ("x"):rep(4000000))))
      assert.equal(413, c:response().status)
      c:half_close()
      assert.is_true(c:is_closed())
      assert.is_nil(c.was_reset)
    end)
  end)

  describe("RESPONSE_TIMEOUT", function()
    local MESSAGE = "a client took nothing of its answer for 400 ms (RESPONSE_TIMEOUT); "
      .. "connection reset"

    local function times_logged()
      return select(2, live:stderr():gsub(MESSAGE:gsub("%p", "%%%0"), ""))
    end

    for name, target in pairs {
      ["a body from memory"] = "/large", ["a streamed body"] = "/stream",
      ["a static file"] = "/static/large.bin",
    } do
      for _, header in ipairs { "", "Connection: close\r\n" } do
        local how = header == "" and "" or ", also when it was to close"
        it("resets who takes nothing of " .. name .. how, function()
          local before = times_logged()
          local c = connect { rcvbuf = 4096 }
          c:send(request(target, header))
          live:wait_for(function() return times_logged() > before end, 5, "the log line")
          c:read_all()
          assert.truthy(c.was_reset)
        end)
      end
    end

    for name, target in pairs {
      ["a streamed body"] = "/stream", ["a static file"] = "/static/large.bin",
    } do
      it("leaves a slow reader of " .. name .. " alone, however long it takes", function()
        local c = connect { rcvbuf = 4096 }
        local before, start = times_logged(), wait.now()
        c:send(request(target))
        while wait.now() - start < 1.2 do
          assert.truthy(c:read_some())
          poll.poll({}, 3) -- a reader that takes its time
        end
        assert.equal(before, times_logged())
      end)
    end

    it("can be turned off for an answer", function()
      local before = times_logged()
      local c = connect { rcvbuf = 4096 }
      c:send(request "/patient")
      local other = connect { rcvbuf = 4096 }
      other:send(request "/large")
      live:wait_for(function() return times_logged() > before end, 5, "the other's log line")
      assert.equal(20000000, #c:response().body)
    end)
  end)

  describe("a slow reader", function()
    it("makes a stream wait, and costs little memory", function()
      answer(request "/")
      local before, produced = memory_of(live), seen().produced
      for _ = 1, 10 do
        connect { rcvbuf = 4096 }:send(request "/stream")
      end
      local stands, count = 0, -1
      live:wait_for(function()
        local now = seen().produced
        stands = now == count and stands + 1 or 0
        count = now
        return stands >= 3
      end)
      assert.is_true(count - produced < 2000, (count - produced) .. " pieces made")
      if not os.getenv "SANITIZER" then
        assert.is_true(memory_of(live) - before < 16 * 1024 * 1024)
      end
    end)

    it("costs little memory for a large file", function()
      answer(request "/")
      local before = memory_of(live)
      for _ = 1, 10 do
        local c = connect { rcvbuf = 4096 }
        c:send(request "/static/large.bin")
        c:read_until "\r\n\r\n"
      end
      answer(request "/")
      if not os.getenv "SANITIZER" then
        assert.is_true(memory_of(live) - before < 8 * 1024 * 1024)
      end
    end)
  end)

  describe("a client that leaves", function()
    it("cancels the wait of its request; clean-up runs and nothing is logged", function()
      local begun, log = seen(), live:stderr()
      for n = 1, 5 do
        local c = connect()
        c:send(request "/sleep")
        live:wait_for(function() return seen().begun == begun.begun + n end)
        c:reset()
      end
      live:wait_for(function() return seen().cleaned == begun.cleaned + 5 end)
      assert.is_true(seen().is_cancelled)
      assert.equal("", live:stderr():sub(#log + 1))
    end)

    it("ends a stream that it took part of", function()
      local log = live:stderr()
      local c = connect { rcvbuf = 4096 }
      c:send(request "/stream")
      c:read(100000)
      c:reset()
      local count = -1
      live:wait_for(function()
        local now = seen().produced
        local stands = now == count
        count = now
        return stands
      end)
      assert.equal("", live:stderr():sub(#log + 1))
    end)
  end)
end)

describe("max_connections", function()
  teardown(server.stop_all)

  it("lets further ones wait until one has closed", function()
    local s = server.start { app = APP, set = { ["server.max_connections"] = 3 } }
    local list = {}
    for n = 1, 3 do
      list[n] = raw.connect(s)
      list[n]:send(request "/")
      assert.equal("home", list[n]:response().body)
    end
    local waiting = raw.connect(s)
    waiting:send(request "/")
    list[1]:send(request "/")
    assert.equal("home", list[1]:response().body)
    assert.is_true(waiting:is_silent(0.05))
    list[2]:close()
    assert.equal("home", waiting:response().body)
    for _, c in ipairs { list[1], list[3], waiting } do
      c:close()
    end
    local again = raw.connect(s)
    again:send(request "/")
    assert.equal("home", again:response().body)
    again:close()
  end)
end)

describe("idle connections", function()
  teardown(server.stop_all)

  it("hold no buffers", function()
    if os.getenv "SANITIZER" then
      return
    end
    local s = server.start { app = APP }
    local list, count = {}, 800
    local function use(c)
      c:send(request("/", "X-Long: " .. ("x"):rep(3000) .. "\r\n"))
      assert.equal("home", c:response().body)
    end
    local first = raw.connect(s)
    for _ = 1, 50 do
      use(first)
    end
    local before = memory_of(s)
    for n = 1, count do
      list[n] = raw.connect(s)
      use(list[n])
    end
    local each = (memory_of(s) - before) / count
    for _, c in ipairs(list) do
      c:close()
    end
    first:close()
    assert.is_true(each < 2048, each .. " bytes each")
  end)
end)
