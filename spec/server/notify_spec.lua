--- What a service manager hears: systemd's notification protocol. The spec plays the manager.

local signal = require "posix.signal"

local files = require "support.files"
local http = require "support.http"
local manager = require "support.manager"
local raw = require "support.raw"
local server = require "support.server"
local upgrade = require "support.upgrade"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/hello", function() return "Hello, World!" end)
app:route("/sleep", function() qlua.sleep(1) return "slept" end)
app:route("/environment", function()
  local env = io.popen "env"
  local text = env:read "*a"
  env:close()
  return text, 200, { ["Content-Type"] = "text/plain" }
end)
return app
]]

describe("notify", function()
  local m
  before_each(function() m = manager.new() end)
  after_each(function()
    upgrade.stop_all()
    m:close()
  end)

  local function start(options)
    options = options or {}
    options.app = options.app or APP
    options.env = options.env or {}
    options.env.NOTIFY_SOCKET = options.env.NOTIFY_SOCKET or m.socket
    local s = upgrade.start(options)
    m:expect(s.server.pid)
    return s
  end

  for name, options in pairs { ["a path"] = {}, ["a name without a file"] = { abstract = true } } do
    it("says READY and STOPPING over " .. name, function()
      m:close()
      m = manager.new(options)
      local s = start()
      local ready = m:wait "READY"
      assert.equal("1", ready.READY)
      assert.equal("Serving app on http://127.0.0.1:" .. s.server.port, ready.STATUS)
      s:stop()
      assert.equal("1", m:wait("STOPPING").STOPPING)
      assert.same({ 2, {} }, { #m:read(), m.refused })
    end)
  end

  it("says READY only when all workers serve, and nothing of a start that fails", function()
    local ended = server.run { app = "error 'broken'\n", env = { NOTIFY_SOCKET = m.socket } }
    assert.equal(1, ended:exit_code())
    for _, message in ipairs(m:read()) do
      assert.is_nil(message.READY)
    end
  end)

  it("says RELOADING with the time, then READY, and the status", function()
    local s = start()
    m:wait "READY"
    for _, broken in ipairs { false, true } do
      files.write(s.server.app, broken and "local x = =" or APP)
      local before = wait.now()
      s:signal(signal.SIGHUP)
      local reloading = m:wait "RELOADING"
      local at = tonumber(reloading.MONOTONIC_USEC) / 1e6
      assert.is_true(at >= before and at <= wait.now())
      local ready = m:wait "READY"
      assert.equal("Serving generation 2", ready.STATUS)
    end
  end)

  it("gives the watchdog signs of life in half its time", function()
    start { env = { WATCHDOG_USEC = "400000" } }
    local from = wait.now()
    for _ = 1, 6 do
      m:wait("WATCHDOG", "1")
    end
    assert.is_true(wait.now() - from < 6 * 0.4)
  end)

  it("gives none to a watchdog that means another process, or is none", function()
    for _, env in ipairs { { WATCHDOG_USEC = "100000", WATCHDOG_PID = "1" }, {},
      { WATCHDOG_USEC = "0" }, { WATCHDOG_USEC = "x" } } do
      local s = start { env = env }
      m:wait "READY"
      for _ = 1, 3 do
        assert.equal(200, http.get(s.server, "/hello").status)
      end
      s:stop()
      m:wait "STOPPING"
      for _, message in ipairs(m:read()) do
        assert.is_nil(message.WATCHDOG)
      end
    end
  end)

  it("keeps its variables from the app and its programs", function()
    local s = start { env = { WATCHDOG_USEC = "90000000" } }
    local text = http.get(s.server, "/environment").body
    for _, variable in ipairs { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID" } do
      assert.is_nil(text:find(variable, 1, true))
    end
  end)

  it("names the main process after an upgrade, which then speaks", function()
    local s = start { workers = 2, env = { WATCHDOG_USEC = "1000000" } }
    m:wait "READY"
    for _ = 1, 3 do
      local old = s:current()
      local new = s:upgrade()
      local main = m:wait "MAINPID"
      assert.same({ tostring(new), old }, { main.MAINPID, main.pid })
      local ready = m:wait "READY"
      assert.same({ new, "1" }, { ready.pid, ready.READY })
      assert.equal(new, m:wait("WATCHDOG").pid)
      -- the manager's own child (here: the spec's, which takes orphans) tells it of its end
      assert.equal(files.read "/proc/self/stat":match "^%d+",
        files.read(("/proc/%d/stat"):format(new)):match "%) %a (%d+)")
    end
    s:stop()
    m:wait "STOPPING"
    assert.same({}, m.refused)
    local stops = 0
    for _, message in ipairs(m:read()) do
      stops = stops + (message.STOPPING and 1 or 0)
    end
    assert.equal(1, stops)
  end)

  it("tells of an upgrade that fails, and stays the main process", function()
    local s = start()
    m:wait "READY"
    files.write(s.server.app, "local x = =")
    s:signal()
    m:wait("STATUS", "Starting the new program")
    m:wait("STATUS", "An upgrade has failed; serving as before")
    s.server:wait_for_stderr "the upgrade has failed"
    assert.same({ s.server.pid, {} }, { m.main, m.refused })
  end)

  it("goes on when the manager is gone, does not read, or cannot be meant", function()
    for _, name in ipairs { m.socket .. "-not-there", "relative", "@", "/" .. ("x"):rep(200),
      "vsock:2:1" } do
      local s = start { env = { NOTIFY_SOCKET = name } }
      assert.equal(200, http.get(s.server, "/hello").status)
      local text = s.server:stderr()
      assert.truthy(text:find("the service manager cannot be told how the service is: "
        .. "NOTIFY_SOCKET=" .. name:sub(1, 100), 1, true), text)
      s:stop()
    end
    local s = start { env = { WATCHDOG_USEC = "2000" } } -- a message a millisecond, all unread
    local c = raw.connect(s.server)
    c:send "GET /sleep HTTP/1.1\r\nHost: x\r\n\r\n"
    assert.equal("slept", c:response().body)
    s:stop()
  end)

  it("works without a supervisor", function()
    local s = server.start { app = APP, workers = 0, env = { NOTIFY_SOCKET = m.socket,
      WATCHDOG_USEC = "4000000" } }
    assert.equal(s.pid, m:wait("READY").pid)
    m:wait("WATCHDOG", "1")
    m:wait("WATCHDOG", "1")
    s:stop()
  end)
end)
