--- Processes: start, banner, replacement, heartbeat, stop, and who is told what.

local cjson = require "cjson"
local signal = require "posix.signal"
local stat = require "posix.sys.stat"

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local ffi = require "ffi"
local qlua = require "qlua"
ffi.cdef "int getpid(void); int poll(void *fds, unsigned long count, int timeout);"
local app = qlua.App()
app:route("/hello", function() return "Hello, World!" end)
app:route("/pid", function() return tostring(ffi.C.getpid()) end)
app:route("/id", function() return tostring(qlua.worker.id) end)
app:route("/block", function()
  io.stderr:write "blocking\n"
  ffi.C.poll(nil, 0, 30000) -- in C: no watchdog of Lua's ends it
  return "late"
end)
return app
]]

local QUICK_HEART = { ["server.worker_timeout"] = 1, ["server.handler_cpu_limit"] = 0.5 }

--- Whether a process runs (one that has ended and was not collected does not).
local function runs(pid)
  local state = files.read(("/proc/%d/stat"):format(pid)):match "%) (%a)"
  return state ~= nil and state ~= "Z" and state ~= "X"
end

local function none_runs(pids)
  for _, pid in ipairs(pids) do
    if runs(pid) then
      return false
    end
  end
  return true
end

local function get(s, path)
  return http.get(s, path).body
end

--- Start qlua and wait for its banner.
local function start(options)
  options.app = options.app or APP
  local s = server.launch(options)
  s:wait_for_stderr "CTRL + C"
  return s
end

local function status(s, ...)
  return server.run({ argv = { "status", "--port", tostring(s.port), ... } }, 10)
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

describe("supervisor", function()
  after_each(server.stop_all)

  describe("at the start", function()
    it("prints its banner when all workers serve", function()
      local s = start { workers = 2 }
      local text = s:stderr()
      assert.equal(([[
 * Serving qlua app 'app'
 * Debug mode: off
 * Workers: 2 (supervisor pid %d)
 * Running on http://127.0.0.1:%d (CTRL + C to quit)
]]):format(s.pid, s.port), text)
      assert.equal(2, #s:children())
      assert.equal("", s:stdout())
    end)

    it("names every address", function()
      local folder = files.folder()
      local s = start { bind = { "unix:" .. folder .. "/a.sock", "127.0.0.1:0", "[::1]:0" } }
      local text = s:stderr()
      assert.truthy(text:find(" * Running on unix:" .. folder .. "/a.sock\n", 1, true))
      assert.truthy(text:find "Running on http://127%.0%.0%.1:[1-9]%d*\n")
      assert.truthy(text:find "Running on http://%[::1%]:[1-9]%d* %(CTRL")
      assert.equal("Hello, World!", get(s, "/hello"))
      s:stop()
      assert.is_nil(stat.lstat(folder .. "/a.sock"))
      files.remove(folder)
    end)

    it("ends with one line when the address is in use; the first server goes on", function()
      local first = start {}
      local second = server.run({ app = APP, port = first.port }, 5)
      assert.equal(("qlua: 127.0.0.1:%d: address already in use; stop the other server or choose "
        .. "another --port\n"):format(first.port), second:stderr())
      assert.equal(1, second:exit_code())
      assert.equal("Hello, World!", get(first, "/hello"))
    end)

    it("refuses a Unix socket that is in use, or a file that is none", function()
      local folder = server.folder { plain = "text" }
      local address = "unix:" .. folder .. "/a.sock"
      start { bind = { address } }
      local second = server.run({ app = APP, bind = { address } }, 5)
      assert.equal(("qlua: %s: address already in use; stop the other server or choose another "
        .. "path\n"):format(address), second:stderr())
      local third = server.run({ app = APP, bind = { "unix:" .. folder .. "/plain" } }, 5)
      assert.equal(("qlua: unix:%s/plain: the file exists and is no socket; choose another path\n")
        :format(folder), third:stderr())
      assert.equal("text", files.read(folder .. "/plain"))
    end)

    it("takes over a Unix socket that a dead server left", function()
      local folder = files.folder()
      local address = "unix:" .. folder .. "/a.sock"
      local first = start { bind = { address } }
      local workers = first:children()
      first:signal(signal.SIGKILL)
      first:wait_for(function() return none_runs(workers) end, 5, "the workers' end")
      local second = start { bind = { address } }
      assert.equal("Hello, World!", get(second, "/hello"))
      second:stop()
      files.remove(folder)
    end)

    it("ends at once when the app does not load, and says it once", function()
      local s = server.run({ app = 'error "load-failure-77"\n', workers = 3 }, 10)
      assert.equal(1, s:exit_code())
      assert.equal(1, count(s:stderr(), "load%-failure%-77"))
      assert.is_nil(s:stderr():find("replaced", 1, true))
    end)

    it("ends when the first worker dies before it is ready", function()
      local s = server.run({ app = [[
local ffi = require "ffi"
ffi.cdef "int raise(int number);"
ffi.C.raise(9)
]] }, 10)
      assert.equal(1, s:exit_code())
      assert.truthy(s:stderr():find "worker 1 %(pid %d+%) ended by signal 9 before it was ready; "
        .. "the start ends\n")
    end)

    it("ends when loading takes longer than start_timeout", function()
      local s = server.run({ app = [[
local ffi = require "ffi"
ffi.cdef "int poll(void *fds, unsigned long count, int timeout);"
ffi.C.poll(nil, 0, 30000)
]], set = { ["server.start_timeout"] = 0.3 } }, 10)
      assert.equal(1, s:exit_code())
      assert.truthy(s:stderr():find("was not ready within 0.3 s (start_timeout); the start ends", 1,
        true))
    end)
  end)

  describe("replaces a worker", function()
    it("that was killed, under the same id, while the others go on", function()
      local s = start { workers = 2 }
      local before = s:children()
      signal.kill(before[1], signal.SIGKILL)
      s:wait_for_stderr(("worker 1 (pid %d) ended by signal 9; replaced\n"):format(before[1]))
      s:wait_for(function()
        local now = s:children()
        return #now == 2 and status(s):stdout():find("worker 1: pid %d+, ready.-restarts 1")
      end, 5, "a new worker")
      assert.equal(before[2], s:children()[1])
      assert.equal("Hello, World!", get(s, "/hello"))
      s:stop()
    end)

    it("later and later when it keeps dying", function()
      local s = start {}
      signal.kill(s:children()[1], signal.SIGKILL)
      s:wait_for_stderr "ended by signal 9; replaced\n"
      local pid = s:wait_for(function() return s:children()[1] end)
      signal.kill(pid, signal.SIGKILL)
      s:wait_for_stderr(("(pid %d) ended by signal 9; replaced in 0.25 s\n"):format(pid))
    end)

    it("whose heart does not beat", function()
      local s = start { set = QUICK_HEART }
      local pid = s:children()[1]
      local c = raw.connect(s)
      c:send "GET /block HTTP/1.1\r\nHost: x\r\n\r\n"
      local text = s:wait_for_stderr(("(pid %d) ended by signal 9; replaced"):format(pid), 8)
      assert.truthy(text:find(("worker 1 %%(pid %d%%) gave no sign of life for [%%d.]+ s; killed\n")
        :format(pid)))
      c:close()
      assert.equal("Hello, World!", get(s, "/hello"))
    end)

    it("but not after it was itself stopped together with its workers", function()
      local s = start { set = QUICK_HEART }
      local pid = s:children()[1]
      s:signal(signal.SIGSTOP)
      signal.kill(pid, signal.SIGSTOP)
      local from = wait.now()
      wait.until_true(function() return wait.now() - from > 2.5 end, 5)
      s:signal(signal.SIGCONT)
      signal.kill(pid, signal.SIGCONT)
      assert.equal(tostring(pid), get(s, "/pid"))
      assert.is_nil(s:stderr():find("no sign of life", 1, true))
    end)

    it("max_restarts times in a minute, then ends the service", function()
      local s = start { workers = 2, set = { ["server.max_restarts"] = 1 } }
      local pids = s:children()
      signal.kill(pids[1], signal.SIGKILL)
      s:wait_for_stderr "ended by signal 9; replaced\n"
      signal.kill(pids[2], signal.SIGKILL)
      s:wait_for(function() return s:exit_code() end)
      assert.equal(1, s:exit_code())
      assert.truthy(s:stderr():find("worker 2 (pid " .. pids[2] .. ") ended by signal 9; more than "
        .. "1 replacements within 60 s (max_restarts): the service ends\n", 1, true))
      assert.is_false(s:is_listening())
    end)
  end)

  describe("stops", function()
    it("on SIGTERM and SIGINT with exit code 0 and leaves nothing", function()
      for _, number in ipairs { signal.SIGTERM, signal.SIGINT } do
        local folder = files.folder()
        local s = start { workers = 2, set = { ["server.pid_file"] = folder .. "/pid",
          ["server.control"] = folder .. "/control" } }
        local workers = s:children()
        assert.equal(s.pid .. "\n", files.read(folder .. "/pid"))
        assert.equal(384, stat.stat(folder .. "/control").st_mode % 512) -- 0600
        s:signal(number)
        s:wait_for(function() return s:exit_code() end, 5)
        assert.equal(0, s:exit_code())
        assert.is_true(none_runs(workers))
        assert.is_nil(stat.lstat(folder .. "/pid"))
        assert.is_nil(stat.lstat(folder .. "/control"))
        files.remove(folder)
      end
    end)

    it("within graceful_timeout although a handler blocks", function()
      local s = start { set = { ["server.graceful_timeout"] = 0.5 } }
      local c = raw.connect(s)
      c:send "GET /block HTTP/1.1\r\nHost: x\r\n\r\n"
      s:wait_for_stderr "blocking"
      s:signal(signal.SIGTERM)
      s:wait_for(function() return s:exit_code() end, 3)
      assert.equal(0, s:exit_code())
      assert.truthy(s:stderr():find("did not stop in time; killed", 1, true))
      c:close()
    end)

    it("at once on a second SIGINT, and on SIGQUIT", function()
      for _, number in ipairs { signal.SIGINT, signal.SIGQUIT } do
        local s = start {}
        local c = raw.connect(s)
        c:send "GET /block HTTP/1.1\r\nHost: x\r\n\r\n"
        s:wait_for_stderr "blocking"
        s:signal(signal.SIGINT)
        s:wait_for_stderr "stopping\n"
        s:signal(number)
        s:wait_for(function() return s:exit_code() end, 2)
        assert.equal(0, s:exit_code())
        assert.truthy(s:stderr():find("stopping at once", 1, true))
        c:close()
      end
    end)

    it("with its workers when it is killed", function()
      local s = start { workers = 2 }
      local workers = s:children()
      s:signal(signal.SIGKILL)
      s:wait_for(function() return none_runs(workers) end, 5, "the workers' end")
      assert.is_false(s:is_listening())
    end)

    it("without a supervisor, too", function()
      local s = start { workers = 0 }
      assert.same({}, s:children())
      local line = ("Workers: none, no supervisor (pid %d)"):format(s.pid)
      assert.truthy(s:stderr():find(line, 1, true))
      assert.equal(tostring(s.pid), get(s, "/pid"))
      assert.equal("1", get(s, "/id"))
      s:stop()
    end)
  end)

  describe("answers", function()
    it("qlua status for people", function()
      local s = start { workers = 2 }
      local workers = s:children()
      local asked = status(s)
      assert.equal(0, asked:exit_code())
      assert.equal("", asked:stderr())
      assert.truthy(asked:stdout():find(("^supervisor pid %d, up [%%d.]+ s\n"):format(s.pid)))
      for id, pid in ipairs(workers) do
        assert.truthy(asked:stdout():find(("worker %d: pid %d, ready, up [%%d.]+ s, restarts 0")
          :format(id, pid)))
      end
    end)

    it("qlua status with the requests and connections of a worker", function()
      local s = start {}
      assert.equal("Hello, World!", get(s, "/hello"))
      s:wait_for(function()
        return status(s):stdout():find "requests 1 .-connections 0 open"
      end, 5, "the worker's figures")
    end)

    it("qlua status --json for programs", function()
      local s = start {}
      local text = status(s, "--json"):stdout()
      local told = cjson.decode(text)
      assert.truthy(text:find "^{.*}\n$")
      assert.same({ s.pid, "serving", 1 }, { told.pid, told.state, #told.workers })
      local worker = told.workers[1]
      assert.same({ 1, s:children()[1], "ready" }, { worker.id, worker.pid, worker.state })
    end)

    it("on its own control socket only: a second server on the port does without", function()
      local first = start {}
      local second = start { bind = { "127.0.0.2:" .. first.port } }
      assert.truthy(second:stderr():find("no control socket for qlua status: unix:[^\n]*/qlua%-"
        .. first.port .. "%.sock: address already in use; "))
      assert.truthy(status(first):stdout():find("supervisor pid " .. first.pid, 1, true))
    end)

    it("after a client that says nothing sensible", function()
      local folder = files.folder()
      local s = start { set = { ["server.control"] = folder .. "/control" } }
      local c = raw.connect("unix:" .. folder .. "/control")
      c:send(("x"):rep(1000))
      local asked = server.run({ argv = { "status", "--control", folder .. "/control" } }, 10)
      assert.equal(0, asked:exit_code())
      c:close()
      s:stop()
      files.remove(folder)
    end)
  end)
end)
