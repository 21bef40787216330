--- JOB=reload: new code under load. 64 keep-alive connections ask at a steady pace while the app
--- file is saved 200 times; once with a small app, once with one of 200 modules and 50 MB of live
--- tables. Counted: requests that fail, how long after a save the new code answers first, p99
--- with and without reloads, memory after ten reloads and after all.

local poll = require "posix.poll"
local socket = require "posix.sys.socket"
local stat = require "posix.sys.stat"
local stdlib = require "posix.stdlib"
local unistd = require "posix.unistd"

local files = require "support.files"
local measure = require "measure"
local process = require "support.process"
local server = require "support.server"
local wait = require "support.wait"

local RELOADS = tonumber(os.getenv "RELOADS") or 200
local CONNECTIONS, EACH = 64, 25 -- requests a second on each of them
local CALM_SECONDS = 5
local PAUSE = 0.25 -- from the answer of one version to the next save
local REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
%s
app:get("/", function() return "version-%d" end)
return app
]]

-- 364,000 rows in all: 50 MB
local MODULE = [[
local rows = {}
for i = 1, 1820 do rows[i] = { i, i + 1, %d, "row", true, false, 7.5, 8 } end
return rows
]]

local APPS = {
  { name = "a small app", head = "", modules = 0 },
  {
    name = "200 modules, 50 MB of live tables", modules = 200,
    head = 'local parts = {}\nfor i = 1, 200 do parts[i] = require("part" .. i) end\n'
      .. "app.config.PARTS = parts",
  },
}

local M = {}

-- ---- the load ---------------------------------------------------------------------------------

local function connect(port)
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  assert(socket.connect(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = port }))
  assert(socket.setsockopt(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))
  return fd
end

local function new_load(port)
  local load = { port = port, fds = {}, by_fd = {}, latencies = {}, failed = 0, done = 0 }
  local now = wait.now()
  for i = 1, CONNECTIONS do
    local fd = connect(port)
    load.fds[fd] = { events = { IN = true } }
    load.by_fd[fd] = { due = now + i / CONNECTIONS / EACH }
  end
  return load
end

local function lose(load, fd)
  load.failed = load.failed + 1
  unistd.close(fd)
  load.fds[fd] = nil
  load.by_fd[fd] = nil
  local fresh = connect(load.port)
  load.fds[fresh] = { events = { IN = true } }
  load.by_fd[fresh] = { due = wait.now() }
end

local function take(load, fd)
  local answer = socket.recv(fd, 4096)
  local conn = load.by_fd[fd]
  local version = answer and answer:match "^HTTP/1.1 200 .*version%-(%d+)$"
  if not version or not conn.sent then
    lose(load, fd)
    return
  end
  local now = wait.now()
  load.latencies[#load.latencies + 1] = now - conn.due
  load.done = load.done + 1
  conn.sent, conn.due = nil, conn.due + 1 / EACH -- late or not: the connections stay spread
  version = tonumber(version)
  if version == load.version and not load.seen then
    load.seen = now
  end
end

--- Send and receive what is due, until `over()`.
local function run(load, over)
  repeat
    local now, soonest = wait.now(), math.huge
    local late = {}
    for fd, conn in pairs(load.by_fd) do
      if not conn.sent and conn.due <= now then
        late[#late + 1] = fd
      elseif not conn.sent then
        soonest = math.min(soonest, conn.due - now)
      end
    end
    for _, fd in ipairs(late) do
      load.by_fd[fd].sent = true
      if not socket.send(fd, REQUEST) then
        lose(load, fd)
      end
    end
    if poll.poll(load.fds, math.max(0, math.min(5, math.ceil(soonest * 1000)))) > 0 then
      local ready = {}
      for fd, entry in pairs(load.fds) do
        if entry.revents and (entry.revents.IN or entry.revents.HUP or entry.revents.ERR) then
          ready[#ready + 1] = fd
        end
      end
      for _, fd in ipairs(ready) do
        take(load, fd)
      end
    end
  until over()
end

local function run_for(load, seconds)
  local till = wait.now() + seconds
  run(load, function() return wait.now() >= till end)
end

local function percentile(values, share)
  table.sort(values)
  return values[math.max(1, math.ceil(#values * share))] or 0
end

-- ---- the reloads ------------------------------------------------------------------------------

local function save(folder, app, version)
  files.write(folder .. "/app.lua.new", APP:format(app.head, version))
  assert(os.rename(folder .. "/app.lua.new", folder .. "/app.lua"))
end

local function reload_often(load, folder, app, tree)
  local waits, early = {}, nil
  for i = 1, RELOADS do
    load.version, load.seen = i + 1, nil
    local saved = wait.now()
    save(folder, app, i + 1)
    run(load, function() return load.seen or wait.now() - saved > 5 end)
    waits[i] = (load.seen or math.huge) - saved
    run_for(load, PAUSE)
    if i == 10 then
      run_for(load, 1)
      early = measure.rss_kib(tree())
    end
  end
  run_for(load, 1)
  return waits, early, measure.rss_kib(tree())
end

local function judge(ok)
  return ok and "reached" or "missed"
end

local function report(app, load, calm, waits, early, late)
  local busy = percentile(load.latencies, 0.99)
  table.sort(waits)
  local slowest = waits[#waits]
  print(("\nreload: %s; %d reloads, %d connections, %d requests"):format(app.name, RELOADS,
    CONNECTIONS, load.done))
  print(("  failed or reset           %8d       goal: 0, %s"):format(load.failed,
    judge(load.failed == 0)))
  print(("  save to first new answer  %8.0f ms    median %.0f, goal: at most 100, %s"):format(
    slowest * 1000, waits[math.ceil(#waits / 2)] * 1000, judge(slowest <= 0.1)))
  print(("  p99 with reloads          %8.2f ms    without %.2f, goal: at most 3 times, %s"):format(
    busy * 1000, calm * 1000, judge(busy <= 3 * calm)))
  print(("  RSS after all             %8.1f MiB   after ten %.1f, goal: at most 5 more, %s"):format(
    late / 1024, early / 1024, judge(late - early <= 5 * 1024)))
end

local function measure_app(app)
  local folder = files.folder()
  for i = 1, app.modules do
    files.write(("%s/part%d.lua"):format(folder, i), MODULE:format(i))
  end
  save(folder, app, 1)
  local port = server.free_port()
  local running = process.start({ server.program(), "run", folder .. "/app.lua", "--port",
    tostring(port), "--reload", "--workers", "1" }, { stderr = folder .. "/log" })
  local up = wait.until_true(function()
    return running:exit_code() or files.read(folder .. "/log"):find("CTRL + C", 1, true)
  end, 20)
  assert(up and not running:exit_code(), files.read(folder .. "/log"))
  local load = new_load(port)
  run_for(load, 1)
  load.latencies = {}
  run_for(load, CALM_SECONDS)
  local calm = percentile(load.latencies, 0.99)
  load.latencies, load.done = {}, 0
  local waits, early, late = reload_often(load, folder, app, function() return running:tree() end)
  report(app, load, calm, waits, early, late)
  running:finish()
  files.remove(folder)
end

function M.run()
  -- Saving to a disk waits now and then, 400 ms have been seen, and the load with it: in memory not.
  if not os.getenv "TMPDIR" and stat.stat "/dev/shm" then
    stdlib.setenv("TMPDIR", "/dev/shm")
  end
  for _, app in ipairs(APPS) do
    measure_app(app)
  end
end

return M
