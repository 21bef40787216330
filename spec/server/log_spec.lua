--- The log: its forms, where it goes, what it survives, and how its files are opened again.

local cjson = require "cjson"
local fcntl = require "posix.fcntl"
local signal = require "posix.signal"
local stat = require "posix.sys.stat"
local unistd = require "posix.unistd"

local files = require "support.files"
local http = require "support.http"
local process = require "support.process"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app = qlua.App("shop")
local request = qlua.request
app:get("/", function() return "home" end)
app:get("/id", function() return request.id end)
app:get("/log", function()
  app.logger:warning("about %s", (request.args.text:gsub("!", "\255")))
  return request.id
end)
app:get("/boom", function() error "kaboom" end)
app:get("/spawn", function()
  qlua.spawn(function() error "aside" end)
  return "spawned"
end)
app:get("/much", function()
  for i = 1, 3000 do
    app.logger:info("%d %s", i, ("x"):rep(1000))
  end
  return "much"
end)
app:get("/mixed/<int:n>", function(n)
  for i = 1, 400 do
    app.logger:info("<%d-%d-%s>", n, i, ("y"):rep(300))
  end
  return "mixed"
end)
return app
]]

describe("the log", function()
  local folder
  before_each(function()
    folder = server.folder()
  end)
  after_each(server.stop_all)

  local function start(options)
    options.app = options.app or APP
    return server.start(options)
  end

  --- The objects of a log's lines; raises when a line is none.
  local function objects(text)
    local list = {}
    for line in text:gmatch "[^\n]+" do
      list[#list + 1] = cjson.decode(line)
    end
    return list
  end

  --- The first object with this message.
  local function find(list, message)
    for _, object in ipairs(list) do
      if object.message == message then
        return object
      end
    end
  end

  --- Wait for an object with this message.
  local function wait_for(s, read, message)
    return s:wait_for(function()
      return find(objects((read():gsub("[^\n]*$", ""))), message)
    end, 10, ("a line %q"):format(message))
  end

  describe("in JSON", function()
    it("has an object a line, the banner's too", function()
      local s = start { args = { "--set", "server.log_format=json" } }
      http.get(s, "/log?text=%C3%A4%22%01!%F0%90%80%80")
      local function stderr()
        return s:stderr()
      end
      local line = wait_for(s, stderr, 'about ä"\1\239\191\189𐀀')
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d[+-]%d%d:%d%d$", line.time)
      assert.same({ "warning", "shop", s:children()[1], 1, 32 },
        { line.level, line.logger, line.pid, line.worker, #line.request_id })
      assert.is_nil(line.traceback)
      local banner = wait_for(s, stderr, ("serving app on http://127.0.0.1:%d, 1 workers, debug "
        .. "mode off"):format(s.port))
      s:stop()
      local all = objects(s:stderr())
      assert.same({ "info", "qlua", s.pid }, { banner.level, banner.logger, banner.pid })
      assert.is_nil(banner.worker)
      assert.truthy(find(all, "stopping"))
      assert.is_nil(s:stderr():find "[^\n -~]")
    end)

    it("tells the debugger's PIN in debug mode", function()
      local s = start { args = { "--debug", "--set", "server.log_format=json" } }
      s:wait_for_stderr "debugger at "
      s:stop()
      local told
      for _, object in ipairs(objects(s:stderr())) do
        told = told or object.message:match "^debugger at .*"
      end
      assert.matches("^debugger at /__qlua__/%x+/, PIN %d%d%d%-%d%d%d%-%d%d%d$", told)
    end)

    it("leaves a form of the access log's own as it stands", function()
      local access = folder .. "/access"
      local s = start { args = { "--set", "server.log_format=json", "--access-log", access,
        "--set", "server.access_log_format=%(m)s %(U)s %(s)s" } }
      http.get(s, "/id")
      s:stop()
      assert.equal("GET /id 200\n", files.read(access))
      objects(s:stderr())
    end)

    it("begins with the log: what ends the start before is a plain line", function()
      for argument, text in pairs {
        ["server.port=x"] = "^qlua: [^\n]*port[^\n]*\n$",
        ["server.control=" .. folder .. "/no/c"] = "^qlua: [^\n]*/no/c[^\n]*\n$",
      } do
        local ended = server.run { app = APP, args = { "--set", "server.log_format=json", "--set",
          argument } }
        assert.is_true(ended:exit_code() > 0)
        assert.matches(text, ended:stderr())
      end
    end)

    it("has tracebacks in a field of their own", function()
      local s = start { args = { "--set", "server.log_format=json" } }
      local function stderr()
        return s:stderr()
      end
      http.get(s, "/boom")
      local line = wait_for(s, stderr, "Exception on request GET /boom")
      assert.equal("shop", line.logger)
      assert.matches("app%.lua:10: kaboom\nstack traceback:\n", line.traceback)
      assert.equal(32, #line.request_id)
      http.get(s, "/spawn")
      line = wait_for(s, stderr, "Exception in a spawned task, which nobody waits for")
      assert.matches("aside\nstack traceback:\n", line.traceback)
      files.write(s.app, "error 'broken'")
      s:signal(signal.SIGHUP)
      s:wait_for(function()
        for _, object in ipairs(objects((s:stderr():gsub("[^\n]*$", "")))) do
          if object.message:find "^generation 2 does not load; .*app%.lua:1: broken$" then
            return object.level == "error"
          end
        end
      end)
    end)

    it("names the worker that needs no supervisor, too", function()
      local s = start { workers = 0, args = { "--set", "server.log_format=json" } }
      http.get(s, "/log?text=x")
      local line = wait_for(s, function() return s:stderr() end, "about x")
      assert.same({ s.pid, 1 }, { line.pid, line.worker })
      s:stop()
    end)

    it("tells why an app does not load", function()
      local s = server.run { app = "error 'broken'", args = { "--set", "server.log_format=json" } }
      assert.equal(1, s:exit_code())
      local all = objects(s:stderr())
      assert.equal(1, #all)
      assert.same({ "critical", "qlua" }, { all[1].level, all[1].logger })
      assert.matches("^the app did not load: .*app%.lua:1: broken$", all[1].message)
    end)

    it("has an object for each answer in the access log", function()
      local path = folder .. "/access.log"
      local s = start { args = { "--set", "server.log_format=json", "--access-log", path } }
      local id = http.get(s, "/log?text=x").body
      http.get(s, "/%22%C3%A4?secret=1", { headers = { ["User-Agent"] = 'a "b" \255',
        Referer = "http://x/" } })
      local all = s:wait_for(function()
        local list = objects((files.read(path):gsub("[^\n]*$", "")))
        return #list == 2 and list
      end)
      local first, second = all[1], all[2]
      assert.same({ "info", "access", "GET /log 200", 1, id, "127.0.0.1", "GET", "/log", "1.1", 200,
        32 }, { first.level, first.logger, first.message, first.worker, first.request_id,
        first.remote_addr, first.method, first.path, first.http_version, first.status,
        first.bytes })
      assert.truthy(first.duration_us > 0 and first.duration_us < 1e7)
      assert.truthy(first.remote_port > 0)
      assert.equal("/%22%C3%A4", second.path)
      assert.equal(404, second.status)
      assert.equal('a "b" \239\191\189', second.user_agent)
      assert.equal("http://x/", second.referer)
      assert.truthy(second.request_id ~= id)
      assert.is_nil(files.read(path):find("secret", 1, true))
      s:stop()
    end)
  end)

  describe("request ids", function()
    it("stand in the text of what a request logs", function()
      local s = start {}
      local id = http.get(s, "/log?text=it").body
      assert.matches("^%x+$", id)
      assert.equal(32, #id)
      s:wait_for_stderr(("[%s] [WARNING] about it\n"):format(id))
      http.get(s, "/boom")
      s:wait_for_stderr "[ERROR] Exception on request GET /boom\n"
      assert.matches("%[%x+%] %[ERROR%] Exception on request", s:stderr())
    end)

    it("are X-Request-Id of a trusted proxy, when it is sane", function()
      local s = start { args = { "--set", "server.trusted_proxies=127.0.0.1" } }
      local function id_for(given)
        return http.get(s, "/id", { headers = { ["X-Request-Id"] = given } }).body
      end
      for _, id in ipairs { "abc", "7F-3a_9.b:c/d+e=@", ("a"):rep(128) } do
        assert.equal(id, id_for(id))
      end
      for _, id in ipairs { "", "a b", 'a"b', "a\\b", "<x>", "ä", ("a"):rep(129) } do
        assert.matches("^%x+$", id_for(id))
        assert.equal(32, #id_for(id))
      end
      assert.not_equal(http.get(s, "/id").body, http.get(s, "/id").body)
    end)

    it("are made for a client that is not trusted", function()
      local s = start {}
      assert.equal(32, #http.get(s, "/id", { headers = { ["X-Request-Id"] = "abc" } }).body)
    end)
  end)

  describe("in a file", function()
    it("loses no line when it is moved away and opened again", function()
      local log, access = folder .. "/log", folder .. "/access"
      local s = start { workers = 2, args = { "--set", "server.log=" .. log, "--access-log",
        access } }
      local sent = 0
      local function get(text)
        assert.equal(200, http.get(s, "/log?text=" .. text).status)
        sent = sent + 1
      end
      for i = 1, 3 do
        for k = 1, 20 do
          get(i .. "-" .. k)
        end
        os.rename(log, log .. i)
        os.rename(access, access .. i)
        get(i .. "-between")
        s:signal(signal.SIGUSR1)
        s:wait_for(function()
          return stat.stat(log) and stat.stat(access)
            and files.read(log):find("the access log " .. access .. " was opened again", 1, true)
        end)
        get(i .. "-after")
      end
      s:stop()
      local function lines(path)
        local text = ""
        for _, suffix in ipairs { "1", "2", "3", "" } do
          text = text .. files.read(path .. suffix)
        end
        return text
      end
      local logged = lines(log)
      for i = 1, 3 do
        for k = 1, 20 do
          assert.equal(1, select(2, logged:gsub(("about %d%%-%d\n"):format(i, k), "")))
        end
        assert.truthy(logged:find("about " .. i .. "-between\n", 1, true))
        assert.truthy(logged:find("about " .. i .. "-after\n", 1, true))
      end
      assert.equal(sent, select(2, lines(access):gsub("\n", "")))
    end)

    it("is opened again without a supervisor, too", function()
      local log, access = folder .. "/log", folder .. "/access"
      local s = start { workers = 0, args = { "--set", "server.log=" .. log, "--access-log",
        access } }
      http.get(s, "/log?text=before")
      s:wait_for(function() return files.read(access):find "GET /log" end)
      os.rename(log, log .. "1")
      os.rename(access, access .. "1")
      s:signal(signal.SIGUSR1)
      s:wait_for(function() return stat.stat(access) end)
      http.get(s, "/log?text=after")
      s:wait_for(function() return files.read(access):find "GET /log" end)
      assert.truthy(files.read(log .. "1"):find("about before", 1, true))
      assert.truthy(files.read(log):find("about after", 1, true))
      assert.is_nil(files.read(log):find("about before", 1, true))
      s:stop()
    end)

    it("stays with the former file when it cannot be opened again", function()
      local log = folder .. "/sub/log"
      files.write(log, "")
      local s = start { args = { "--set", "server.log=" .. log } }
      os.rename(folder .. "/sub", folder .. "/moved")
      s:signal(signal.SIGUSR1)
      s:wait_for(function()
        return files.read(folder .. "/moved/log"):find(("the log %s cannot be opened again: No "
          .. "such file or directory; its lines go where they went before"):format(log), 1, true)
      end)
      http.get(s, "/log?text=on")
      s:wait_for(function()
        return files.read(folder .. "/moved/log"):find("about on", 1, true)
      end)
      s:stop()
    end)

    it("that cannot be opened ends the start", function()
      local s = server.run { app = APP, args = { "--set", "server.log=/nonexistent/log" } }
      assert.equal("qlua: the log /nonexistent/log cannot be opened: No such file or directory\n",
        s:stderr())
      assert.equal(1, s:exit_code())
    end)

    it("does not mind SIGUSR1 sent to a worker", function()
      local s = start {}
      http.get(s, "/")
      local pid = s:children()[1]
      signal.kill(pid, signal.SIGUSR1)
      assert.equal("home", http.get(s, "/").body)
      assert.equal(pid, s:children()[1])
      s:stop()
    end)
  end)

  it("has whole lines of all workers on one pipe", function()
    local path = folder .. "/pipe"
    assert(stat.mkfifo(path, 384))
    local reader = assert(fcntl.open(path, fcntl.O_RDONLY + fcntl.O_NONBLOCK))
    local s = start { workers = 2, args = { "--set", "server.log=" .. path } }
    local text = {}
    local function drain()
      local piece = unistd.read(reader, 65536)
      while piece and #piece > 0 do
        text[#text + 1] = piece
        piece = unistd.read(reader, 65536)
      end
    end
    for n = 1, 6 do
      http.get(s, "/mixed/" .. n)
      drain()
    end
    s:wait_for(function()
      drain()
      return select(2, table.concat(text):gsub("<%d%-%d+%-y+>\n", "")) == 6 * 400
    end)
    for line in table.concat(text):gmatch "[^\n]+" do
      assert.matches("^%[.-%] %[%d+%] .*%[INFO%] ", line)
    end
    s:stop()
    unistd.close(reader)
  end)

  describe("survives", function()
    it("a file that may not grow, and tells what was lost", function()
      local path = folder .. "/log"
      files.write(folder .. "/app.lua", APP)
      local limited = process.start({ "sh", "-c", 'ulimit -f 16; exec "$@"', "sh",
        server.program(), "run", folder .. "/app.lua", "--bind", "unix:" .. folder .. "/sock",
        "--set", "server.log=" .. path }, {})
      finally(function() limited:finish() end)
      local s = { address = "unix:" .. folder .. "/sock" }
      assert.truthy(wait.until_true(function() return pcall(http.get, s, "/") end, 20))
      assert.equal("much", http.get(s, "/much").body)
      assert.truthy(#files.read(path) <= 16 * 1024)
      files.write(path, "") -- somebody makes room
      assert.equal(200, http.get(s, "/log?text=again").status)
      assert.truthy(wait.until_true(function()
        local text = files.read(path)
        return text:find "%[WARNING%] %d+ lines of the log were lost: File too large\n"
          and text:find("about again\n", 1, true)
      end, 10), files.read(path))
    end)

    it("a full disk", function()
      local s = start { args = { "--set", "server.log=/dev/full", "--access-log", "/dev/full" } }
      http.get(s, "/")
      local pid = s:children()[1]
      for _ = 1, 20 do
        assert.equal(200, http.get(s, "/log?text=x").status)
      end
      assert.equal(pid, s:children()[1])
      s:stop()
    end)

    it("a reader that reads nothing", function()
      local path = folder .. "/pipe"
      assert(stat.mkfifo(path, 384))
      local reader = assert(fcntl.open(path, fcntl.O_RDONLY + fcntl.O_NONBLOCK))
      local s = start { args = { "--set", "server.log=" .. path } }
      local from = wait.now()
      assert.equal("much", http.get(s, "/much").body) -- 3 MB: more than waits for anybody
      assert.equal("home", http.get(s, "/").body)
      assert.truthy(wait.now() - from < 5)
      local text = ""
      s:wait_for(function() -- it reads again: what waited comes, and how much did not
        http.get(s, "/log?text=again")
        local piece = unistd.read(reader, 65536)
        text = (text .. (piece or "")):sub(-200000)
        return text:find "%[WARNING%] %d+ lines of the log were lost: its reader is too slow\n"
      end)
      s:stop()
      unistd.close(reader)
    end)

    it("closed standard streams", function()
      files.write(folder .. "/app.lua", APP)
      local deaf = process.start({ "sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", server.program(),
        "run", folder .. "/app.lua", "--bind", "unix:" .. folder .. "/sock", "--access-log", "-" })
      finally(function() deaf:finish() end)
      local s = { address = "unix:" .. folder .. "/sock" }
      assert.truthy(wait.until_true(function() return pcall(http.get, s, "/") end, 20))
      assert.equal(200, http.get(s, "/log?text=x").status)
      for _, pid in ipairs(deaf:tree()) do
        for fd = 0, 2 do
          assert.equal(stat.stat("/dev/null").st_rdev,
            stat.stat(("/proc/%d/fd/%d"):format(pid, fd)).st_rdev)
        end
      end
      deaf:signal(signal.SIGTERM)
      assert.equal(0, deaf:wait(10))
    end)

    -- Standard error as others hand it on: its flags are theirs, too.
    for kind, made in pairs { pipe = "os.pipe()", socket = "socket.socketpair()" } do
      it(("standard error as a %s that nobody reads"):format(kind), function()
        files.write(folder .. "/app.lua", APP)
        local front = process.start({ "/usr/bin/python3", "-c", ([[
import os, socket, subprocess, sys
reader, writer = %s
child = subprocess.Popen(sys.argv[2:], stderr=writer)
sys.stdin = open(sys.argv[1] + "/gate")
os.set_blocking(reader if isinstance(reader, int) else reader.fileno(), False)
sys.stdin.read()
with open(sys.argv[1] + "/flags", "w") as out:
    out.write(str(os.get_blocking(writer if isinstance(writer, int) else writer.fileno())))
sys.stdin = open(sys.argv[1] + "/gate")
sys.stdin.read()
child.terminate()
open(sys.argv[1] + "/code", "w").write(str(child.wait()))
]]):format(made), folder, server.program(), "run", folder .. "/app.lua", "--bind",
          "unix:" .. folder .. "/sock", "--access-log", "-" })
        finally(function() front:finish() end)
        assert(stat.mkfifo(folder .. "/gate", 384))
        local s = { address = "unix:" .. folder .. "/sock" }
        assert.truthy(wait.until_true(function() return pcall(http.get, s, "/") end, 20))
        local from = wait.now()
        assert.equal("much", http.get(s, "/much").body)
        assert.equal("home", http.get(s, "/").body)
        assert.truthy(wait.now() - from < 5)
        files.write(folder .. "/gate", "go")
        assert.truthy(wait.until_true(function() return files.read(folder .. "/flags") ~= "" end,
          10))
        assert.equal("True", files.read(folder .. "/flags")) -- still a blocking one for others
        files.write(folder .. "/gate", "go")
        assert.truthy(wait.until_true(function() return files.read(folder .. "/code") ~= "" end,
          20))
        assert.equal("0", files.read(folder .. "/code"))
      end)
    end

    it("a reader that is gone", function()
      local path = folder .. "/pipe"
      assert(stat.mkfifo(path, 384))
      local reader = assert(fcntl.open(path, fcntl.O_RDONLY + fcntl.O_NONBLOCK))
      local s = start { args = { "--set", "server.log=" .. path, "--access-log", path } }
      http.get(s, "/")
      local pid = s:children()[1]
      unistd.close(reader)
      for _ = 1, 20 do
        assert.equal(200, http.get(s, "/log?text=x").status)
      end
      assert.equal(pid, s:children()[1])
      reader = assert(fcntl.open(path, fcntl.O_RDONLY + fcntl.O_NONBLOCK))
      http.get(s, "/log?text=back")
      s:wait_for(function()
        local piece = unistd.read(reader, 65536)
        return piece and piece:find("lines of the log were lost: Broken pipe\n", 1, true)
      end)
      s:stop()
      unistd.close(reader)
    end)
  end)
end)
