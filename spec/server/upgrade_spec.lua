--- Upgrades in place: SIGUSR2 starts the program anew on the same sockets, and no request is lost,
--- whatever becomes of the new one.

local signal = require "posix.signal"
local stat = require "posix.sys.stat"
local unistd = require "posix.unistd"

local debugged = require "support.debugged"
local files = require "support.files"
local http = require "support.http"
local load = require "support.load"
local raw = require "support.raw"
local server = require "support.server"
local tls = require "support.tls"
local upgrade = require "support.upgrade"

local APP = [[
local ffi = require "ffi"
local qlua = require "qlua"
ffi.cdef "int getpid(void); int getppid(void); int poll(void *fds, unsigned long n, int timeout);"
local app = qlua.App()
app:route("/hello", function() return "Hello, World!" end)
app:route("/pid", function() return ffi.C.getpid() .. " " .. ffi.C.getppid() end)
app:route("/environment", function()
  local env = io.popen "env"
  local text = env:read "*a"
  env:close()
  return text, 200, { ["Content-Type"] = "text/plain" }
end)
app:route("/where", function()
  local pwd = io.popen "pwd"
  local text = pwd:read "*l"
  pwd:close()
  return text
end)
app:route("/sleep/<int:ms>", function(ms)
  io.stderr:write "sleeping\n"
  qlua.sleep(ms / 1000)
  return "slept"
end)
return app
]]

-- the app, whose loading takes a while in which nothing else happens
local SLOW = APP:gsub("local app = ", 'io.stderr:write "loading\\n"\nffi.C.poll(nil, 0, 1500)\n%0')

local HELLO = { body = "Hello, World!" }

local function count(text, plain)
  local n, from = 0, 1
  repeat
    local at = text:find(plain, from, true)
    n, from = n + (at and 1 or 0), (at or 0) + 1
  until not at
  return n
end

--- The supervisor that a request reaches.
local function supervisor_of(target)
  return tonumber(http.get(target, "/pid").body:match " (%d+)$")
end

describe("upgrade", function()
  local s
  after_each(upgrade.stop_all)

  local function start(options, prepare)
    options.app = options.app or APP
    s = upgrade.start(options, prepare)
    return s
  end

  describe("to a program that serves", function()
    it("hands over sockets, pid file and control socket", function()
      local folder = files.folder()
      local path = folder .. "/app.sock"
      local address = "127.0.0.1:" .. server.free_port()
      start { workers = 2, bind = { address, "unix:" .. path } }
      local old, target = s:current(), s.server.address
      assert.equal(old, supervisor_of(target))
      s:replace()
      local new = s:upgrade()
      assert.equal(0, s:code(old))
      for _, at in ipairs { target, "unix:" .. path } do
        assert.equal(new, supervisor_of(at))
      end
      local text = s.server:stderr()
      assert.truthy(text:find(("upgrade: %s is started on the same sockets\n"):format(s.program), 1,
        true))
      assert.truthy(text:find(("pid %d serves from now on; this server finishes what it has "
        .. "begun\n"):format(new), 1, true))
      assert.equal(2, count(text, "Running on http://" .. address .. "\n"))
      assert.is_nil(text:find "%[ERROR%]")
      local asked = server.run { argv = { "status", "--control", s.folder .. "/control" } }
      assert.truthy(asked:stdout():find("pid " .. new, 1, true))
      s:stop()
      for _, name in ipairs { path, s.pid_file, s.folder .. "/control" } do
        assert.is_nil(stat.lstat(name), name)
      end
      files.remove(folder)
    end)

    it("gives it the same arguments, folder and variables, and tells an app nothing", function()
      local folder = files.folder()
      start { env = { QLUA_SPEC = "kept", LISTEN_FDNAMES = "x", PWD = folder }, cwd = folder,
        files = { [".env"] = "FROM_FILE=first\n" } }
      local function variables()
        local text = http.get(s.server, "/environment").body
        assert.is_nil(text:find("QLUA_UPGRADE", 1, true))
        return text
      end
      assert.truthy(variables():find("FROM_FILE=first\n", 1, true))
      files.write(s.server.folder .. "/.env", "FROM_FILE=second\n")
      s:upgrade()
      local text = variables()
      assert.truthy(text:find("FROM_FILE=second\n", 1, true))
      assert.truthy(text:find("QLUA_SPEC=kept\n", 1, true))
      assert.is_nil(text:find("LISTEN_FDNAMES", 1, true))
      assert.equal(folder, http.get(s.server, "/where").body)
      files.remove(folder)
    end)

    local NAMES = {
      ["a relative path"] = function(self, options)
        options.program, options.cwd = "./qlua", self.folder
      end,
      ["a name in PATH"] = function(self, options)
        options.program, options.env = "qlua", { PATH = self.folder .. ":" .. os.getenv "PATH" }
      end,
      ["a path through a link"] = function(self, options)
        assert(unistd.link(self.folder, self.folder .. "/link", true))
        options.program = self.folder .. "/link/qlua"
      end,
    }
    for name, prepare in pairs(NAMES) do
      it("finds it anew by " .. name, function()
        start({}, prepare)
        s:replace() -- the file that runs is deleted now
        local new = s:upgrade()
        assert.equal(s.program, unistd.readlink(("/proc/%d/exe"):format(new)))
        s:stop()
      end)
    end

    it("follows a link that was switched over", function()
      start({}, function(self, options)
        files.write(self.folder .. "/two/qlua", "")
        assert(unistd.link(self.folder, self.folder .. "/link", true))
        options.program = self.folder .. "/link/qlua"
      end)
      os.remove(s.folder .. "/link")
      assert(os.rename(s.program, s.folder .. "/two/qlua"))
      assert(unistd.link(s.folder .. "/two", s.folder .. "/link", true))
      local new = s:upgrade()
      assert.equal(s.folder .. "/two/qlua", unistd.readlink(("/proc/%d/exe"):format(new)))
    end)
  end)

  describe("under load", function()
    it("loses no request in twenty of them", function()
      start { workers = 2 }
      local busy = load.new(s.server.port, { connections = 24, body = HELLO.body })
      for i = 1, 20 do
        local before = s:current()
        s:signal()
        assert(busy:run(function() return s:current() ~= before and s:current() ~= 0 end, 30),
          "no upgrade " .. i)
        busy:run_for(0.05)
      end
      busy:finish()
      assert.same({}, busy.failures)
      assert.equal(0, busy.refused)
      assert.is_true(busy.done > 1000)
    end)

    local KINDS = {
      ["that pause between requests"] = { connections = 100, pause = 0.45 },
      ["that are made for one request each"] = { connections = 8, single = true },
    }
    for name, options in pairs(KINDS) do
      it("loses no request of connections " .. name, function()
        start { workers = 2 }
        options.body = HELLO.body
        local busy = load.new(s.server.port, options)
        for i = 1, 6 do
          local before = s:current()
          s:signal()
          assert(busy:run(function() return s:current() ~= before and s:current() ~= 0 end, 30),
            "no upgrade " .. i)
          busy:run_for(0.5)
        end
        busy:finish()
        assert.same({}, busy.failures)
        assert.equal(0, busy.refused)
      end)
    end

    it("answers what the old one has begun, and what arrives on its connections", function()
      start {}
      local begun = raw.connect(s.server)
      begun:send "GET /sleep/700 HTTP/1.1\r\nHost: x\r\n\r\n"
      local idle = raw.connect(s.server)
      idle:send "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
      assert.equal(HELLO.body, idle:response().body)
      s.server:wait_for_stderr "sleeping"
      s:signal()
      s.server:wait_for_stderr "serves from now on"
      idle:send "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
      local answer = idle:response()
      assert.same({ HELLO.body, "close" }, { answer.body, answer.header.connection })
      assert.equal("slept", begun:response().body)
      s.server:wait_for(function() return s.server:exit_code() end, 10, "the old one's end")
    end)
  end)

  describe("that fails", function()
    -- what is done before SIGUSR2, and what the log says of it
    local CASES = {
      ["when the program is none"] = {
        program = "no program\n", says = "Exec format error",
      },
      ["when the program is gone"] = {
        remove = true, says = "no upgrade: %s cannot be started: No such file or directory",
      },
      ["when the program ends at once"] = {
        program = "#!/bin/sh\nexit 7\n", says = "it ended with exit code 7",
      },
      ["when the program is killed"] = {
        program = "#!/bin/sh\nkill -9 $$\n", says = "it was ended by signal 9",
      },
      ["when the program never gets ready"] = {
        program = "#!/bin/sh\nexec sleep 60\n", set = { ["server.start_timeout"] = 0.1 },
        says = "it was not ready in time (start_timeout)",
      },
      ["when the app is broken"] = {
        app = "local x = = 1\n", says = "it ended with exit code 1",
      },
      ["when the app crashes"] = {
        app = 'local ffi = require "ffi"\nffi.cdef "int raise(int);"\nffi.C.raise(9)\n',
        says = "it ended with exit code 1",
      },
      ["when only the second worker does not load"] = {
        app = APP .. "\n", second = true, says = "it ended with exit code 1",
      },
    }
    for name, case in pairs(CASES) do
      it("leaves the old one as it was " .. name, function()
        start { workers = 2, set = case.set }
        local old, workers = s:current(), s.server:children()
        local busy = load.new(s.server.port, { connections = 8, body = HELLO.body })
        busy:run_for(0.1)
        if case.program then
          s:replace(case.program)
        elseif case.remove then
          os.remove(s.program)
        end
        if case.second then
          files.write(s.server.app, (APP:gsub("return app", "assert(qlua.worker.id == 1)\n%0")))
        elseif case.app then
          files.write(s.server.app, case.app)
        end
        s:signal()
        local says = case.says:gsub("%%s", function() return s.program end)
        busy:run(function() return s.server:stderr():find(says, 1, true) end)
        busy:run_for(0.3)
        local text = s.server:stderr()
        assert.truthy(text:find(says, 1, true), text)
        assert.equal(1, count(text, "[ERROR]"), text)
        assert.equal(1, count(text, "upgrade has failed") + count(text, "no upgrade: "), text)
        assert.same({ old, workers }, { s:current(), s.server:children() })
        -- and the next one, which is right, goes through
        s:replace()
        files.write(s.server.app, APP)
        s.server:wait_for(function()
          busy:run_for(0.05)
          return #upgrade.children(old) == 2
        end, 10, "nothing left of the new one")
        s:signal()
        assert.truthy(busy:run(function() return s:current() ~= old and s:current() ~= 0 end))
        busy:finish()
        assert.same({}, busy.failures)
        s:stop()
      end)
    end
  end)

  describe("while it is under way", function()
    --- The old one serves, the new one loads.
    local function begin(options)
      start(options or {})
      files.write(s.server.app, SLOW)
      s:signal()
      s.server:wait_for_stderr "loading\n"
      return s:current()
    end

    it("refuses a second", function()
      local old = begin()
      s:signal()
      s.server:wait_for_stderr "SIGUSR2: no upgrade: another one is under way\n"
      s.server:wait_for(function() return s:code(old) end, 10, "the old one's end")
      assert.equal(1, count(s.server:stderr(), "serves from now on"))
    end)

    it("stops both on SIGTERM", function()
      local old = begin()
      local all = upgrade.children(old)
      s:signal(signal.SIGTERM)
      s.server:wait_for(function() return s:code(old) end, 10, "the end")
      assert.equal(0, s:code(old))
      assert.is_false(s.server:is_listening())
      s.server:wait_for(function()
        for _, pid in ipairs(all) do
          if upgrade.runs(pid) then return false end
        end
        return true
      end, 5, "the end of all")
      assert.equal("", files.read(s.pid_file))
    end)

    it("keeps SIGHUP for the one that serves afterwards", function()
      local old = begin()
      s:signal(signal.SIGHUP)
      s.server:wait_for(function() return s:code(old) end, 10, "the old one's end")
      s.server:wait_for(function()
        return s.server:stderr():find(("%%[%d%%] %%[INFO%%] generation 2 serves after %%d+ ms: "
          .. "SIGHUP\n"):format(s:current()))
      end, 10, "the reload")
    end)

    it("keeps SIGHUP for the old one when the new one fails", function()
      local old = begin()
      files.write(s.server.app, APP)
      s:signal(signal.SIGHUP)
      for _, pid in ipairs(upgrade.children(old)) do
        for _, below in ipairs(upgrade.children(pid)) do
          signal.kill(below, signal.SIGKILL) -- the new program
        end
      end
      local text = s.server:wait_for_stderr("generation 2 serves", 10)
      assert.truthy(text:find("it was ended by signal 9; this server goes on as it was\n", 1, true))
      assert.equal(old, s:current())
    end)

    it("refuses qlua reload", function()
      begin()
      local asked = server.run { argv = { "reload", "--control", s.folder .. "/control" } }
      assert.equal(1, asked:exit_code())
      assert.equal("qlua: an upgrade is under way; try again when it is over\n", asked:stderr())
    end)

    it("goes on when the old one is killed: the new one serves alone", function()
      local old = begin { workers = 2 }
      signal.kill(old, signal.SIGKILL)
      s.server:wait_for(function() return s:current() ~= old and s:current() ~= 0 end, 10,
        "the new one's pid file")
      assert.equal(s:current(), supervisor_of(s.server))
      local workers = upgrade.children(s:current())
      assert.equal(2, #workers)
      s:signal(signal.SIGKILL) -- and its workers end with it
      s.server:wait_for(function()
        return not upgrade.runs(workers[1]) and not upgrade.runs(workers[2])
      end, 6, "the workers' end")
    end)
  end)

  it("is not touched by the end of the old one while that drains", function()
    start {}
    local old = s:current()
    local begun = raw.connect(s.server)
    begun:send "GET /sleep/3000 HTTP/1.1\r\nHost: x\r\n\r\n"
    s.server:wait_for_stderr "sleeping"
    s:signal()
    s.server:wait_for(function() return s:current() ~= old and s:current() ~= 0 end, 10)
    signal.kill(old, signal.SIGKILL)
    s.server:wait_for(function() return s:code(old) end, 5)
    assert.equal("slept", begun:response().body) -- its worker still ends what it has begun
    assert.equal(s:current(), supervisor_of(s.server))
    s:upgrade()
    s:stop()
  end)

  it("keeps a port that the system chose, and all addresses of a name", function()
    start { bind = { "localhost:0" } }
    local port = tonumber(s.server:stderr():match "Running on http://127%.0%.0%.1:(%d+)")
    local new = s:upgrade()
    assert.equal(new, supervisor_of(port))
    assert.equal(2, count(s.server:stderr(), ("Running on http://127.0.0.1:%d"):format(port)))
  end)

  it("takes over by address what the settings name otherwise, and opens what is new", function()
    local folder = files.folder()
    local port, more = server.free_port(), server.free_port()
    local function configure(...)
      local list = {}
      for i, address in ipairs { ... } do
        list[i] = ("%q"):format(address)
      end
      files.write(folder .. "/c.json", ('{"server":{"bind":[%s]}}'):format(table.concat(list, ",")))
    end
    configure("127.0.0.1:" .. port, "unix:" .. folder .. "/gone.sock")
    start({ args = { "--config", folder .. "/c.json" } }, function(_, options)
      options.bind = nil
    end)
    configure("localhost:" .. port, "127.0.0.1:" .. more, "unix:" .. folder .. "/new;1.sock")
    local new = s:upgrade()
    for _, target in ipairs { port, more, "unix:" .. folder .. "/new;1.sock" } do
      assert.equal(new, supervisor_of(target))
    end
    assert.is_nil(stat.lstat(folder .. "/gone.sock"))
    new = s:upgrade()
    assert.equal(new, supervisor_of("unix:" .. folder .. "/new;1.sock"))
    s:stop()
    assert.is_nil(stat.lstat(folder .. "/new;1.sock"))
    files.remove(folder)
  end)

  it("needs a supervisor", function()
    local lone = server.start { app = APP, workers = 0 }
    lone:signal(signal.SIGUSR2)
    lone:wait_for_stderr("SIGUSR2: no upgrade: without a supervisor (workers is 0) there is nobody "
      .. "to hand over; restart the server\n")
    assert.equal(200, http.get(lone, "/hello").status)
    lone:stop()
  end)

  it("does not concern a worker", function()
    start {}
    local worker = s.server:children()[1]
    signal.kill(worker, signal.SIGUSR2)
    assert.equal(tostring(worker), http.get(s.server, "/pid").body:match "^%d+")
    s:stop()
  end)

  it("refuses what no server hands over", function()
    for _, value in ipairs { "", "x", "0", "3;4=a", "99999999999999999999", "1;", "-1;2=x" } do
      local ended = server.run { app = APP, env = { QLUA_UPGRADE = value } }
      assert.equal(1, ended:exit_code())
      assert.equal(("qlua: QLUA_UPGRADE=%s: not what a running server hands over; this variable is "
        .. "not to be set by hand\n"):format(value), ended:stderr())
    end
  end)

  it("keeps sessions in a file", function()
    start { workers = 2, app = [[
local qlua = require "qlua"
local app, session = qlua.App(), qlua.session
app.secret_key = "upgrade"
app.config.SESSION_TYPE = "lmdb"
app:route("/count", function()
  session.count = (session.count or 0) + 1
  return tostring(session.count)
end)
app:route("/hello", function() return "Hello, World!" end)
return app
]] }
    local answer = http.get(s.server, "/count")
    local cookie = answer.header["set-cookie"]:match "^[^;]+"
    for i = 2, 4 do
      s:upgrade()
      answer = http.get(s.server, "/count", { headers = { Cookie = cookie } })
      assert.equal(tostring(i), answer.body)
    end
    s:stop()
  end)
end)

describe("an upgrade", function()
  local s
  after_each(upgrade.stop_all)

  it("keeps the keys of TLS tickets: clients resume their sessions", function()
    local folder = files.folder()
    local certificate, key = tls.certificate(folder)
    s = upgrade.start { app = APP, workers = 2, args = { "--cert", certificate, "--key", key } }
    local function connect(what)
      return tls.run(("echo | timeout 20 openssl s_client -connect 127.0.0.1:%d -CAfile %s -tls1_2"
        .. " -sess_%s %s/ticket"):format(s.server.port, certificate, what, folder))
    end
    assert.truthy(connect("out"):find("New, TLSv1.2", 1, true))
    for _ = 1, 2 do
      s:upgrade()
      local text = connect "in"
      assert.truthy(text:find("Reused, TLSv1.2", 1, true), text)
    end
    assert.equal(200, (tls.get(s.server.port, "/hello", certificate)))
    s:stop()
    files.remove(folder)
  end)

  it("keeps the debugger's PIN, its addresses, and who has given the PIN", function()
    s = upgrade.start { args = { "--debug" }, app = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:get("/", function() local at = "hand" error "broken" end)
return app
]] }
    local d = debugged.of(s.server)
    local page = d:get "/"
    local pin, prefix = d:pin(), debugged.prefix_of(page)
    d:unlock(page)
    for _ = 1, 2 do
      s:upgrade()
      page = d:get "/"
      assert.equal(prefix, debugged.prefix_of(page))
      local answer = d:eval(page, debugged.place_of(page, 1), "at")
      assert.equal('"hand"', answer.results[1])
    end
    assert.equal(3, count(s.server:stderr(), "Debugger PIN: " .. pin .. "\n"))
    for left = 9, 8, -1 do
      assert.equal(left, d:post(prefix .. "pin", { pin = "1" }).left)
    end
    s:upgrade()
    assert.equal(7, d:post(prefix .. "pin", { pin = "1" }).left) -- the wrong ones count on
    s:stop()
  end)

  -- systemd as a small shell: LISTEN_PID is the pid that the server has
  it("hands on the sockets of a service manager", function()
    local folder = files.folder()
    local port = server.free_port()
    files.write(folder .. "/activate.py", [[
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(100)
if s.fileno() != 3:
    os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
]])
    s = upgrade.start({ app = APP }, function(self, options)
      local program = self.folder .. "/activated"
      files.write(program, ("#!/bin/sh\nexec python3 %s/activate.py %d %s \"$@\"\n"):format(folder,
        port, self.program))
      assert(stat.chmod(program, 493)) -- 0755
      options.program = program
    end)
    local old = supervisor_of(port)
    assert.equal(s:current(), old)
    for _ = 1, 2 do
      local new = s:upgrade()
      assert.equal(new, supervisor_of(port))
    end
    assert.equal(3, count(s.server:stderr(), "Running on http://127.0.0.1:" .. port))
    assert.is_nil(http.get(port, "/environment").body:find("LISTEN_", 1, true))
    s:stop()
    files.remove(folder)
  end)
end)

describe("under load", function()
  after_each(server.stop_all)

  it("a stop breaks no answer", function()
    for _, workers in ipairs { 2, 0 } do
      local s = server.start { app = APP, workers = workers }
      local busy = load.new(s.port, { connections = 24, body = HELLO.body })
      busy:run_for(0.3)
      busy.stopping = true
      s:signal(signal.SIGTERM)
      busy:run(function() return s:exit_code() end)
      busy:finish()
      s:wait_for(function() return s:exit_code() end, 5, "the end")
      assert.same({}, busy.failures)
      assert.equal(0, s:exit_code())
    end
  end)

  it("a killed worker takes only its own requests along, and is replaced", function()
    local s = server.start { app = APP, workers = 2 }
    local busy = load.new(s.port, { connections = 24, body = HELLO.body })
    busy:run_for(0.3)
    local victim, other = unpack(s:children())
    signal.kill(victim, signal.SIGKILL)
    local replaced = busy:run(function()
      local now = s:children()
      return now[2] and now[1] ~= victim and now[2] ~= victim
    end, 5)
    assert.is_true(replaced)
    assert.truthy(s:stderr():find(("worker 1 (pid %d) ended by signal 9; replaced\n")
      :format(victim), 1, true)) -- at once, without a pause
    busy:run_for(0.5)
    busy:finish()
    assert.is_true(#busy.failures <= 24)
    assert.equal(0, busy.refused)
    assert.truthy(upgrade.runs(other))
    s:stop()
  end)
end)
