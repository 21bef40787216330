--- Addresses: several at a time, IPv6, Unix sockets, and what the app is told of them.

local signal = require "posix.signal"

local files = require "support.files"
local http = require "support.http"
local process = require "support.process"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/peer", function() return qlua.request.remote_addr end)
app:route("/host", function() return qlua.request.host end)
app:route("/listen", function()
  return os.getenv "LISTEN_FDS" or os.getenv "LISTEN_PID" or os.getenv "LISTEN_FDNAMES" or "nothing"
end)
return app
]]

describe("bind", function()
  local folder
  before_each(function()
    folder = server.folder()
  end)
  after_each(server.stop_all)

  --- Start with these addresses; gives the server and the port of each TCP one.
  local function start(...)
    local s = server.launch { app = APP, bind = { ... } }
    local ports = {}
    for port in s:wait_for_stderr("CTRL + C"):gmatch "Running on http://%S*:(%d+)" do
      ports[#ports + 1] = tonumber(port)
    end
    return s, ports
  end

  it("answers on IPv4, IPv6 and a Unix socket alike", function()
    local path = folder .. "/a.sock"
    local s, ports = start("127.0.0.1:0", "127.0.0.1:0", "unix:" .. path)
    assert.equal(2, #ports)
    assert.are_not.equal(ports[1], ports[2])
    for _, port in ipairs(ports) do
      assert.equal("127.0.0.1", http.get(port, "/peer").body)
    end
    assert.equal("<local>", http.get("unix:" .. path, "/peer").body)
    s:stop()
  end)

  it("answers on ::1, whose brackets belong to URLs only", function()
    local s, ports = start "[::1]:0"
    local pipe = io.popen(("curl -sg 'http://[::1]:%d/peer'"):format(ports[1]))
    assert.equal("::1", pipe:read "*a")
    pipe:close()
    pipe = io.popen(("curl -sg 'http://[::1]:%d/host'"):format(ports[1]))
    assert.equal(("[::1]:%d"):format(ports[1]), pipe:read "*a")
    pipe:close()
    s:stop()
  end)

  it("answers Debian's curl on a Unix socket", function()
    local path = folder .. "/a.sock"
    local s = start("unix:" .. path)
    local pipe = io.popen(("curl -s --unix-socket %s http://here/host"):format(path))
    assert.equal("here", pipe:read "*a")
    pipe:close()
    s:stop()
    assert.equal("", files.read(path)) -- gone
  end)

  it("takes a port from --port when the address has none", function()
    local port = server.free_port()
    local s = server.launch { app = APP, bind = { "127.0.0.1" }, args = { "--port", port } }
    assert.truthy(s:wait_for_stderr("CTRL + C"):find(("http://127.0.0.1:%d "):format(port), 1,
      true))
  end)

  it("opens nothing when one of the addresses is in use", function()
    local _, ports = start "127.0.0.1:0"
    local path = folder .. "/b.sock"
    local second = server.run({ app = APP, bind = { "unix:" .. path,
      "127.0.0.1:" .. ports[1] } }, 5)
    assert.equal(("qlua: 127.0.0.1:%d: address already in use; stop the other server or choose "
      .. "another --port\n"):format(ports[1]), second:stderr())
    assert.is_nil(io.open(path))
  end)

  it("refuses a path that is too long for a socket", function()
    local path = "/tmp/" .. ("x"):rep(120)
    local s = server.run({ app = APP, bind = { "unix:" .. path } }, 5)
    assert.equal(("qlua: unix:%s: the path must have 1 to 107 bytes\n"):format(path), s:stderr())
    assert.equal(1, s:exit_code())
  end)

  it("takes over a socket file that a killed lone worker left", function()
    local address = "unix:" .. folder .. "/c.sock"
    local first = server.start { app = APP, bind = { address }, workers = 0 }
    first:signal(signal.SIGKILL)
    first:wait_for(function() return first:exit_code() end, 5)
    local second = server.start { app = APP, bind = { address } }
    assert.equal("<local>", http.get(address, "/peer").body)
    second:stop()
  end)

  describe("takes systemd's sockets", function()
    -- as systemd does it: descriptors from 3 on, and their number for this very process
    local ACTIVATE = [[
import os, socket, sys
s = socket.create_server(("127.0.0.1", 0)) if sys.argv[1] != "file" else open("/dev/null")
if s.fileno() != 3: os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid() + (sys.argv[1] == "other")),
  LISTEN_FDS="1", LISTEN_FDNAMES="web:spare")
os.execv(sys.argv[2], sys.argv[2:])
]]

    local function activate(kind, port)
      files.write(folder .. "/app.lua", APP)
      local front = process.start({ "/usr/bin/python3", "-c", ACTIVATE, kind, server.program(),
        "run", folder .. "/app.lua", "--port", tostring(port or 1) },
        { stderr = folder .. "/stderr" })
      finally(function() front:finish() end)
      local text
      wait.until_true(function()
        text = files.read(folder .. "/stderr")
        return text:find("CTRL + C", 1, true) or front:exit_code()
      end, 10)
      return text, front
    end

    it("in place of its own addresses", function()
      local text = activate "socket"
      local port = tonumber(text:match "Running on http://127%.0%.0%.1:(%d+) ")
      assert.are_not.equal(1, port)
      assert.equal("127.0.0.1", http.get(port, "/peer").body)
    end)

    it("and says that what was given counts for nothing", function()
      local text = activate "socket"
      assert.matches("%[INFO%] the service manager's sockets %(LISTEN_FDS%) are used; bind, host "
        .. "and port are not\n", text)
    end)

    it("whose variables nobody inherits", function()
      local text = activate "socket"
      local port = tonumber(text:match "Running on http://127%.0%.0%.1:(%d+) ")
      assert.equal("nothing", http.get(port, "/listen").body)
    end)

    it("not when they are for another process, and drops the variables then, too", function()
      local port = server.free_port()
      local text = activate("other", port)
      assert.equal(port, tonumber(text:match "Running on http://127%.0%.0%.1:(%d+) "))
      assert.equal("nothing", http.get(port, "/listen").body)
    end)

    it("and nothing else for one", function()
      local text, front = activate "file"
      assert.equal("qlua: LISTEN_FDS: descriptor 3 is no listening socket\n", text)
      assert.equal(1, front:exit_code())
    end)
  end)
end)
