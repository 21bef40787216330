--- `qlua status`: what it tells, for people and for programs, and how it ends.

local cjson = require "cjson"
local signal = require "posix.signal"

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local redis = require "support.redis"
local server = require "support.server"
local tls = require "support.tls"

local APP = [[
local ffi = require "ffi"
local qlua = require "qlua"
ffi.cdef "int poll(void *fds, unsigned long count, int timeout);"
local app = qlua.App(...)
app.config.SECRET_KEY = "k"
app:get("/hello", function() return "Hello, World!" end)
app:get("/moved", function() return qlua.redirect "/hello" end)
app:get("/broken", function() error "out of order" end)
app:get("/loop", function() while true do end end)
app:get("/sleep", function() qlua.sleep(tonumber(qlua.request.args.s)) return "slept" end)
app:get("/block", function() ffi.C.poll(nil, 0, 30000) return "late" end)
app:post("/size", function() return tostring(#qlua.request:get_data()) end)
app:get("/session", function() qlua.session.x = 1 return "kept" end)
return app
]]

local function start(options)
  options = options or {}
  options.app = options.app or APP
  local s = server.launch(options) -- start() would connect, and be counted
  s:wait_for_stderr "CTRL + C"
  return s
end

local function ask(s, ...)
  return server.run({ argv = { "status", "--port", tostring(s.port), ... } }, 10)
end

--- What --json tells, and the exit code.
local function status(s)
  local asked = ask(s, "--json")
  return cjson.decode(asked:stdout()), asked:exit_code()
end

--- Ask until `condition(told)` holds, and give what was told.
local function wait_for(s, condition, what)
  local told, code
  s:wait_for(function()
    told, code = status(s)
    return condition(told)
  end, 15, what)
  return told, code
end

local function get(s, path)
  return http.get(s, path).status
end

describe("qlua status", function()
  after_each(function()
    server.stop_all()
    redis.stop_all()
  end)

  it("tells what was answered", function()
    local s = start { workers = 2, set = { ["server.handler_cpu_limit"] = 0.1 } }
    for path, expected in pairs { ["/hello"] = 200, ["/moved"] = 302, ["/none"] = 404,
      ["/broken"] = 500, ["/loop"] = 503 } do
      assert.equal(expected, get(s, path))
    end
    assert.equal("100000", http.post(s, "/size", { body = ("x"):rep(100000) }).body)
    local c = raw.connect(s)
    c:send "GET / HTTP/1.1\r\nno header\r\n\r\n"
    assert.equal(400, c:response().status)
    c:close()
    local told, code = wait_for(s, function(now) return now.connections.open == 0 end, "the closes")
    assert.equal(0, code)
    assert.equal("serving", told.state)
    assert.same({ ["1xx"] = 0, ["2xx"] = 2, ["3xx"] = 1, ["4xx"] = 2, ["5xx"] = 2, none = 0 },
      told.answers)
    assert.same({ 7, 7 }, { told.requests, told.latency.count })
    assert.same({ 2, 1 }, { told.errors, told.stopped })
    assert.equal(7, told.connections.accepted)
    assert.is_true(told.bytes["in"] > 100000 and told.bytes["in"] < 110000)
    assert.is_true(told.bytes.out > 1000)
    assert.is_true(told.latency.max >= 0.1 and told.latency.max < 10)
    assert.is_true(told.latency.p50 > 0 and told.latency.p50 <= told.latency.p90)
    assert.is_true(told.latency.p99 <= told.latency.max)
    assert.is_true(told.requests_per_second > 0)
    -- the workers' figures add up to those
    for _, path in ipairs { "requests", "errors", "stopped" } do
      assert.equal(told[path], told.workers[1][path] + told.workers[2][path])
    end
    for class, count in pairs(told.answers) do
      assert.equal(count, told.workers[1].answers[class] + told.workers[2].answers[class])
    end
  end)

  it("tells how each worker is", function()
    local s = start { workers = 2 }
    get(s, "/hello")
    local told = wait_for(s, function(now)
      return now.workers[1].lua_memory > 0 and now.workers[2].lua_memory > 0
    end, "the memory")
    assert.same({ s.pid, true, 2, 2, 1 }, { told.pid, told.supervised, told.workers_wanted,
      told.workers_ready, told.generation })
    assert.same({ "http://127.0.0.1:" .. s.port }, told.addresses)
    assert.same({}, told.problems)
    local pids = s:children()
    for id, worker in ipairs(told.workers) do
      assert.same({ id, pids[id], "ready", 1, 0 }, { worker.id, worker.pid, worker.state,
        worker.generation, worker.restarts })
      local kib = files.read(("/proc/%d/status"):format(worker.pid)):match "VmRSS:%s+(%d+)"
      assert.is_true(math.abs(worker.rss / 1024 - tonumber(kib)) < 2048)
      assert.is_true(worker.uptime >= 0 and worker.uptime <= told.uptime + 0.1)
      assert.is_true(worker.cpu_time >= 0)
      assert.is_true(worker.jit.on)
      assert.equal("number", type(worker.jit.traces))
      assert.same({ { number = 1, serving = true, requests = 0 } }, worker.generations)
    end
  end)

  it("tells open connections, those with a request and the idle", function()
    local s = start()
    local idle, busy = raw.connect(s), raw.connect(s)
    idle:send(http.bytes("GET", "/hello"))
    idle:response()
    busy:send(http.bytes("GET", "/sleep?s=1"))
    local told = wait_for(s, function(now) return now.connections.active == 1 end, "a request")
    assert.same({ accepted = 2, open = 2, active = 1, idle = 1 }, told.connections)
    assert.equal(200, busy:response().status)
    told = wait_for(s, function(now) return now.connections.active == 0 end, "its end")
    assert.same({ accepted = 2, open = 2, active = 0, idle = 2 }, told.connections)
    idle:close()
    busy:close()
    wait_for(s, function(now) return now.connections.open == 0 end, "the closes")
  end)

  it("counts a client that leaves before its answer", function()
    local s = start()
    local c = raw.connect(s)
    c:send(http.bytes("GET", "/sleep?s=20"))
    wait_for(s, function(now) return now.connections.active == 1 end, "the request")
    c:reset()
    local told = wait_for(s, function(now) return now.answers.none == 1 end, "its end")
    assert.same({ 1, 0 }, { told.requests, told.connections.open })
  end)

  it("never counts backwards when a worker is replaced, and says why it was", function()
    local s = start { workers = 1, set = { ["server.worker_timeout"] = 1,
      ["server.handler_cpu_limit"] = 0.5 } }
    for _ = 1, 5 do
      get(s, "/hello")
    end
    local before = status(s)
    signal.kill(s:children()[1], signal.SIGKILL)
    local told = wait_for(s, function(now)
      return now.restarts.total == 1 and now.workers_ready == 1
    end, "the replacement")
    assert.equal(1, told.restarts.reasons.signal)
    assert.equal(("worker 1 (pid %d) ended by signal 9"):format(before.workers[1].pid),
      told.restarts.last.text)
    assert.is_true(told.restarts.last.age >= 0)
    assert.same({ 5, 5 }, { told.requests, told.answers["2xx"] })
    assert.equal(before.latency.max, told.latency.max)
    assert.same({ 0, 1 }, { told.workers[1].requests, told.workers[1].restarts })
    local c = raw.connect(s)
    c:send(http.bytes("GET", "/block"))
    told = wait_for(s, function(now) return now.restarts.reasons.worker_timeout == 1 end, "heart")
    assert.equal(2, told.restarts.total)
    c:close()
    told = wait_for(s, function(now) return now.workers_ready == 1 end, "the second replacement")
    assert.equal(200, get(s, "/hello"))
    assert.equal(0, told.connections.active)
    assert.is_true(status(s).requests >= 7)
  end)

  it("counts a worker that max_requests has replaced", function()
    local s = start { set = { ["server.max_requests"] = 3 } }
    for _ = 1, 3 do
      get(s, "/hello")
    end
    local told = wait_for(s, function(now)
      return now.restarts.reasons.max_requests == 1 and #now.workers == 1
    end, "the recycling")
    assert.same({ 3, 0, 1 }, { told.requests, told.workers[1].requests, told.workers[1].restarts })
    assert.truthy(told.restarts.last.text:find "^worker 1 %(pid %d+%) had answered max_requests$")
  end)

  it("tells generations: the one that serves, and the old ones with what they wait for", function()
    local s = start { workers = 2 }
    local slow = raw.connect(s)
    slow:send(http.bytes("GET", "/sleep?s=3"))
    wait_for(s, function(now) return now.connections.active == 1 end, "the slow request")
    s:signal(signal.SIGHUP)
    local told = wait_for(s, function(now)
      return now.generation == 2 and now.workers[1].generation == 2
        and now.workers[2].generation == 2
    end, "the reload")
    assert.same({ 1, 0, true }, { told.reloads.total, told.reloads.failed, told.reloads.last.ok })
    assert.truthy(told.reloads.last.text:find "^generation 2 serves after %d+ ms: SIGHUP$")
    local waiting = 0
    for _, worker in ipairs(told.workers) do
      for _, generation in ipairs(worker.generations) do
        waiting = waiting + (generation.number == 1 and generation.requests or 0)
      end
    end
    assert.equal(1, waiting)
    assert.equal("slept", slow:response().body)
    slow:close()
    wait_for(s, function(now)
      return #now.workers[1].generations == 1 and #now.workers[2].generations == 1
    end, "the end of generation 1")
  end)

  it("ends with 1 when the last reload has failed, until one succeeds", function()
    local s = start()
    local text = files.read(s.folder .. "/app.lua")
    files.write(s.folder .. "/app.lua", "error 'not today'\n")
    s:signal(signal.SIGHUP)
    local told, code = wait_for(s, function(now) return now.reloads.failed == 1 end, "the failure")
    assert.same({ 1, "degraded", 1 }, { code, told.state, told.generation })
    assert.is_false(told.reloads.last.ok)
    assert.truthy(told.reloads.last.text:find("^generation 2 does not load; generation 1 serves "
      .. "on: [^\n]*not today$"))
    assert.same({ "the last reload failed: " .. told.reloads.last.text }, told.problems)
    local asked = ask(s)
    assert.equal(1, asked:exit_code())
    assert.truthy(asked:stdout():find("\nproblem: the last reload failed: generation 2 ", 1, true))
    files.write(s.folder .. "/app.lua", text)
    s:signal(signal.SIGHUP)
    told, code = wait_for(s, function(now) return now.reloads.total == 2 end, "the next")
    assert.same({ 0, "serving", 3, {} }, { code, told.state, told.generation, told.problems })
  end)

  it("ends with 1 while a worker is missing", function()
    local folder = files.folder { fine = "yes" }
    local s = start { workers = 2, app = ([[
local file = io.open(%q)
if not file then error "it is not fine" end
file:close()
return require("qlua").App(...)
]]):format(folder .. "/fine"), set = { ["server.max_restarts"] = 100 } }
    os.remove(folder .. "/fine")
    signal.kill(s:children()[1], signal.SIGKILL)
    local told, code = wait_for(s, function(now) return now.workers_ready == 1 end, "its lack")
    assert.same({ 1, "degraded", { "1 of 2 workers serves" } }, { code, told.state, told.problems })
    files.write(folder .. "/fine", "yes")
    told, code = wait_for(s, function(now) return now.workers_ready == 2 end, "its return")
    assert.same({ 0, "serving" }, { code, told.state })
    assert.is_true(told.restarts.reasons.exit >= 1)
    s:stop()
    files.remove(folder)
  end)

  it("ends with 3 where no server answers, with 4 where something else does", function()
    local folder = server.folder()
    local asked = server.run({ argv = { "status", "--control", folder .. "/none" } }, 10)
    assert.equal(3, asked:exit_code())
    assert.equal("", asked:stdout())
    assert.equal(("qlua: %s/none: no server answers there (No such file or directory); name its "
      .. "socket with --control\n"):format(folder), asked:stderr())
    start { bind = { "unix:" .. folder .. "/web" } }
    asked = server.run({ argv = { "status", "--control", folder .. "/web" } }, 10)
    assert.equal(4, asked:exit_code())
    assert.equal(("qlua: %s/web: the server gave no answer\n"):format(folder), asked:stderr())
  end)

  it("finds the server that a config file or the environment describes", function()
    local folder = files.folder()
    local port = server.free_port()
    files.write(folder .. "/c.json", ('{ "server": { "bind": ["unix:%s/web", "127.0.0.1:%d"] } }')
      :format(folder, port))
    local app = folder .. "/app.lua"
    files.write(app, APP)
    local s = server.launch { argv = { "run", app, "--config", folder .. "/c.json" } }
    s:wait_for_stderr "CTRL + C"
    local asked = server.run({ argv = { "status", "--config", folder .. "/c.json" } }, 10)
    assert.truthy(asked:stdout():find("supervisor pid " .. s.pid, 1, true))
    asked = server.run({ argv = { "status" }, env = { QLUA_SERVER__PORT = tostring(port) } }, 10)
    assert.truthy(asked:stdout():find("supervisor pid " .. s.pid, 1, true))
    s:stop()
    files.remove(folder)
  end)

  it("tells until when the certificate is valid, and when a new one is refused", function()
    local folder = files.folder()
    tls.certificate(folder, "a") -- valid for 30 days
    local s = start { args = { "--cert", folder .. "/a.pem", "--key", folder .. "/a.key" } }
    local told, code = status(s)
    assert.same({ 0, false, "https://127.0.0.1:" .. s.port }, { code, told.certificate.refused,
      told.addresses[1] })
    assert.is_true(math.abs(told.certificate.days - 30) < 0.1)
    assert.is_true(math.abs(told.certificate.expires - os.time() - 30 * 86400) < 600)
    assert.truthy(ask(s):stdout():find "\ncertificate ends in [%d.]+ days\n")
    local text = files.read(folder .. "/a.key")
    files.write(folder .. "/a.key", "no key")
    s:signal(signal.SIGHUP)
    told, code = wait_for(s, function(now) return now.reloads.total == 1 end, "the reload")
    assert.same({ 1, true, { "the former certificate is in use, for the new one is no good: see "
      .. "the log" } }, { code, told.certificate.refused, told.problems })
    files.write(folder .. "/a.key", text)
    s:signal(signal.SIGHUP)
    told, code = wait_for(s, function(now) return now.reloads.total == 2 end, "the next")
    assert.same({ 0, false }, { code, told.certificate.refused })
    s:stop()
    tls.certificate(folder, "old", { expired = true })
    s = start { args = { "--cert", folder .. "/old.pem", "--key", folder .. "/old.key" } }
    told, code = status(s)
    assert.same({ 1, { "the certificate has expired" } }, { code, told.problems })
    s:stop()
    files.remove(folder)
  end)

  it("tells of session stores", function()
    local folder = files.folder()
    local s = start { set = { SESSION_TYPE = "lmdb", SESSION_LMDB_PATH = folder .. "/s.lmdb" } }
    assert.equal(200, get(s, "/session"))
    wait_for(s, function(now) return now.stores.lmdb == "well" end, "the store")
    assert.truthy(ask(s):stdout():find("\nsession store lmdb: well\n", 1, true))
    s:stop()
    local r = redis.start()
    s = start { set = { SESSION_TYPE = "redis", SESSION_REDIS = r.url } }
    assert.equal(200, get(s, "/session"))
    wait_for(s, function(now) return now.stores.redis == "well" end, "Redis")
    r:stop()
    assert.equal(500, get(s, "/session"))
    local told, code = wait_for(s, function(now)
      return now.stores.redis == "failing"
    end, "its end")
    assert.same({ 1, { "the sessions' redis server fails: see the log" } }, { code, told.problems })
    files.remove(folder)
  end)

  it("tells it for people, a line each", function()
    local s = start { workers = 1 }
    get(s, "/hello")
    wait_for(s, function(now)
      return now.workers[1].lua_memory > 0 and now.connections.open == 0
    end, "the figures")
    local text = ask(s):stdout()
    local patterns = {
      "supervisor pid %d+, up [%d.]+ s",
      "qlua %d+%.%d+%.%d+, serving, generation 1, workers 1 of 1",
      "listens on http://127%.0%.0%.1:%d+",
      "requests 1 %([%d.]+/s%)",
      "answers 2xx 1, 3xx 0, 4xx 0, 5xx 0, none 0; errors 0, handlers stopped 0",
      "latency p50 [%d.]+ ms, p90 [%d.]+ ms, p99 [%d.]+ ms, max [%d.]+ ms",
      "connections 0 open, 0 active, 0 idle, 1 accepted; %d+ B in, %d+ B out",
      "restarts 0",
      "reloads 0, failed 0",
      "worker 1: pid %d+, ready, up [%d.]+ s, restarts 0, requests 1 %([%d.]+/s%)",
      "  answers 2xx 1, 3xx 0, 4xx 0, 5xx 0, none 0; errors 0, handlers stopped 0",
      "  latency p50 [%d.]+ ms, p90 [%d.]+ ms, p99 [%d.]+ ms, max [%d.]+ ms",
      "  connections 0 open, 0 active, 0 idle, 1 accepted; %d+ B in, %d+ B out",
      "  generation 1; Lua memory [%d.]+ %a+, RSS [%d.]+ MiB, CPU [%d.]+ s, JIT on, traces %d+",
    }
    local at = 0
    for line in text:gmatch "([^\n]*)\n" do
      at = at + 1
      assert.truthy(line:find("^" .. (patterns[at] or "no more lines") .. "$"), line)
    end
    assert.equal(#patterns, at)
  end)

  it("tells the same without a supervisor, at once", function()
    local s = start { workers = 0 }
    get(s, "/hello")
    local told, code = status(s)
    assert.same({ 0, false, 1, 1 }, { code, told.supervised, told.workers_wanted,
      told.workers_ready })
    assert.same({ 1, 1, 1 }, { told.requests, told.workers[1].requests,
      told.workers[1].generation })
    assert.is_true(told.workers[1].lua_memory > 0)
    s:signal(signal.SIGHUP)
    told = wait_for(s, function(now) return now.reloads.total == 1 end, "the reload")
    assert.same({ 2, 2 }, { told.generation, told.workers[1].generation })
  end)

  it("answers an asker that reads slowly in whole", function()
    local folder = files.folder()
    local s = start { workers = 64, set = { ["server.control"] = folder .. "/control" } }
    local askers = {}
    for i = 1, 8 do
      askers[i] = raw.connect("unix:" .. folder .. "/control")
      askers[i]:send "status json\n"
    end
    for i = 1, 8 do
      local text = askers[i]:read_all()
      assert.equal(64, #cjson.decode((text:gsub("^ok\n", ""))).workers)
      askers[i]:close()
    end
    s:stop()
    files.remove(folder)
  end)
end)
