--- Stopping: nothing that has begun or arrived is lost, nothing new is taken, and it ends.

local fcntl = require "posix.fcntl"
local signal = require "posix.signal"
local stat = require "posix.sys.stat"
local unistd = require "posix.unistd"

local files = require "support.files"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local ffi = require "ffi"
local qlua = require "qlua"
ffi.cdef "int poll(void *fds, unsigned long count, int timeout);"
local app = qlua.App()
app:route("/hello", function() return "Hello, World!" end)
app:route("/sleep/<int:ms>", function(ms)
  io.stderr:write "sleeping\n"
  qlua.sleep(ms / 1000)
  return "slept"
end)
app:route("/block", function() -- in C: the worker accepts nothing meanwhile
  io.stderr:write "blocking\n"
  ffi.C.poll(nil, 0, 400)
  return "late"
end)
app:route("/echo", { methods = { "POST" } }, function() return qlua.request:get_data() end)
return app
]]

local HELLO = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"

--- Both ways to run: a supervisor with workers, and a lone worker.
for _, workers in ipairs { 2, 0 } do
  describe(("stop with %d workers"):format(workers), function()
    local s
    after_each(server.stop_all)

    local function start(options)
      options = options or {}
      options.app, options.workers = APP, options.workers or workers
      s = server.start(options)
      return s
    end

    local function open(bytes)
      local c = raw.connect(s)
      c:send(bytes)
      return c
    end

    --- A connection that has had an answer and is idle.
    local function idle()
      local c = open(HELLO)
      assert.equal(200, c:response().status)
      return c
    end

    local function ended(seconds)
      local from = wait.now()
      s:wait_for(function() return s:exit_code() end, seconds or 5, "the end")
      assert.equal(0, s:exit_code())
      return wait.now() - from
    end

    it("finishes requests that have begun, also half an upload", function()
      start()
      local asleep = open "GET /sleep/500 HTTP/1.1\r\nHost: x\r\n\r\n"
      local upload = open "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345"
      s:wait_for_stderr "sleeping"
      s:signal(signal.SIGTERM)
      s:wait_for(function() return not s:is_listening() end, 5, "closed listeners")
      upload:send "67890"
      local answer = upload:response()
      assert.equal("1234567890", answer.body)
      assert.equal("close", answer.header.connection)
      answer = asleep:response()
      assert.equal("slept", answer.body)
      assert.equal("close", answer.header.connection)
      assert.is_true(asleep:is_closed())
      ended()
    end)

    it("accepts and answers what is queued", function()
      start { workers = math.min(workers, 1) }
      local first = open "GET /block HTTP/1.1\r\nHost: x\r\n\r\n"
      s:wait_for_stderr "blocking"
      local queued = {}
      for i = 1, 20 do
        queued[i] = open(HELLO)
      end
      s:signal(signal.SIGTERM)
      for _, c in ipairs(queued) do
        assert.equal("Hello, World!", c:response().body)
      end
      assert.equal("late", first:response().body)
      ended()
    end)

    it("closes idle connections, and answers a request that was on its way", function()
      start()
      local quiet, racing = idle(), idle()
      s:signal(signal.SIGTERM)
      s:wait_for(function() return not s:is_listening() end, 5, "closed listeners")
      racing:send(HELLO)
      local answer = racing:response()
      assert.equal("Hello, World!", answer.body)
      assert.equal("close", answer.header.connection)
      assert.is_true(racing:is_closed())
      assert.is_nil(quiet:response())
      assert.truthy(ended() < 2)
    end)

    it("closes a connection that has said nothing yet", function()
      start()
      local c = raw.connect(s)
      idle()
      s:signal(signal.SIGTERM)
      assert.is_true(c:is_closed())
      assert.truthy(ended() < 2)
    end)

    it("cuts what does not end within graceful_timeout, and says so", function()
      start { set = { ["server.graceful_timeout"] = 0.3 } }
      local c = open "GET /sleep/30000 HTTP/1.1\r\nHost: x\r\n\r\n"
      s:wait_for_stderr "sleeping"
      s:signal(signal.SIGTERM)
      ended(3)
      assert.truthy(s:stderr():find("1 connections cut: they did not end within graceful_timeout\n",
        1, true))
      assert.is_nil(c:response())
    end)

    it("is immediate on the second SIGINT and on SIGQUIT", function()
      for _, number in ipairs { signal.SIGINT, signal.SIGQUIT } do
        start()
        local c = open "GET /sleep/30000 HTTP/1.1\r\nHost: x\r\n\r\n"
        s:wait_for_stderr "sleeping"
        s:signal(signal.SIGINT)
        s:wait_for(function() return not s:is_listening() end, 5, "closed listeners")
        assert.is_nil(s:exit_code())
        s:signal(number)
        assert.truthy(ended(2) < 2)
        assert.is_nil(c:response())
      end
    end)

    it("takes a second SIGTERM for the first", function()
      start()
      local c = open "GET /sleep/500 HTTP/1.1\r\nHost: x\r\n\r\n"
      s:wait_for_stderr "sleeping"
      s:signal(signal.SIGTERM)
      s:wait_for(function() return not s:is_listening() end, 5, "closed listeners")
      s:signal(signal.SIGTERM)
      assert.equal("slept", c:response().body)
      ended()
    end)

    -- Nobody reads the pid file, a pipe: the start stands still behind the first listen().
    it("hears a signal that comes while it starts", function()
      for _, number in ipairs { signal.SIGTERM, signal.SIGINT, signal.SIGQUIT } do
        local folder = files.folder()
        local pipe = folder .. "/pid"
        assert(stat.mkfifo(pipe, 384)) -- 0600
        start { set = { ["server.pid_file"] = pipe } }
        s:signal(number)
        local reader = assert(fcntl.open(pipe, fcntl.O_RDONLY + fcntl.O_NONBLOCK))
        ended()
        assert.equal(s.pid .. "\n", unistd.read(reader, 100))
        unistd.close(reader)
        files.remove(folder)
      end
    end)

    it("ends what loads without an end", function()
      for _, number in ipairs { signal.SIGTERM, signal.SIGINT, signal.SIGQUIT } do
        s = server.launch {
          app = "io.stderr:write 'loading\\n'\nwhile true do end", workers = workers,
        }
        s:wait_for_stderr "loading"
        s:signal(number)
        ended()
      end
    end)

    it("leaves the port free at once", function()
      start()
      local c = idle()
      local port = s.port
      s:stop()
      assert.is_nil(c:response())
      local again = server.start { app = APP, port = port, workers = workers }
      again:stop()
    end)
  end)
end
