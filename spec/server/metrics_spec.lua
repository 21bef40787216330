--- metrics_path: the figures for Prometheus.

local signal = require "posix.signal"

local files = require "support.files"
local http = require "support.http"
local process = require "support.process"
local prometheus = require "support.prometheus"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
app.config.SECRET_KEY = "k"
app:before_request(function()
  io.stderr:write("Lua was woken for ", qlua.request.path, "\n")
end)
app:get("/hello", function() return "Hello, World!" end)
app:get("/broken", function() error "out of order" end)
app:get("/loop", function() while true do end end)
app:get("/sleep", function() qlua.sleep(tonumber(qlua.request.args.s)) return "slept" end)
app:get("/metrics", function() return "the app's own" end)
app:get("/session", function() qlua.session.x = 1 return "kept" end)
return app
]]

local function start(options)
  options = options or {}
  options.app = options.app or APP
  options.set = options.set or {}
  options.set["server.metrics_path"] = options.set["server.metrics_path"] or "/metrics"
  local s = server.launch(options) -- start() would connect, and be counted
  s:wait_for_stderr "CTRL + C"
  return s
end

local function scrape(s)
  local answer = http.get(s, "/metrics")
  assert.equal(200, answer.status)
  return prometheus.parse(answer.body), answer
end

--- Scrape until `condition(families)` holds.
local function wait_for(s, condition, what)
  local families
  s:wait_for(function()
    families = scrape(s)
    return condition(families)
  end, 15, what)
  return families
end

local value = prometheus.value

describe("metrics", function()
  after_each(server.stop_all)

  it("are off by default", function()
    local s = server.start { app = APP }
    assert.equal("the app's own", http.get(s, "/metrics").body)
  end)

  it("are answered at their path, in the format's version, before any route", function()
    local s = start()
    local _, answer = scrape(s)
    assert.equal("text/plain; version=0.0.4; charset=utf-8", answer.header["content-type"])
    assert.equal(200, http.get(s, "/metrics?x=1").status)
    assert.equal(200, http.get(s, "/%6detrics").status)
    assert.equal(404, http.get(s, "/metrics/").status)
    local head = http.request(s, "HEAD", "/metrics")
    assert.same({ 200, "" }, { head.status, head.body })
    assert.is_true(tonumber(head.header["content-length"]) > 1000)
    assert.is_nil(s:stderr():find("Lua was woken for /metrics\n", 1, true))
  end)

  it("refuse other methods, and keep the connection", function()
    local s = start()
    local c = raw.connect(s)
    c:send(http.bytes("POST", "/metrics", { body = "x=1" }))
    local refused = c:response()
    assert.same({ 405, "GET, HEAD" }, { refused.status, refused.header.allow })
    c:send(http.bytes("GET", "/metrics"))
    assert.equal(200, c:response().status)
    c:close()
  end)

  it("tell what was answered, in all workers, whoever is asked", function()
    local s = start { workers = 2, set = { ["server.handler_cpu_limit"] = 0.1 } }
    for path, count in pairs { ["/hello"] = 20, ["/none"] = 3, ["/broken"] = 2, ["/loop"] = 1 } do
      for _ = 1, count do
        http.get(s, path)
      end
    end
    local families = scrape(s)
    for class, count in pairs { ["1xx"] = 0, ["2xx"] = 20, ["3xx"] = 0, ["4xx"] = 3, ["5xx"] = 3,
      none = 0 } do
      assert.equal(count, value(families, "qlua_http_responses_total", { class = class }), class)
    end
    -- the scrape is a request as any other: it has begun, and is not answered yet
    assert.equal(27, value(families, "qlua_http_requests_total"))
    assert.equal(26, value(families, "qlua_http_request_duration_seconds_count"))
    assert.is_true(value(families, "qlua_http_request_duration_seconds_sum") > 0.1)
    assert.equal(27, value(families, "qlua_http_connections_accepted_total"))
    assert.equal(1, value(families, "qlua_http_connections", { state = "active" }))
    assert.same({ 3, 1 }, { value(families, "qlua_errors_total"),
      value(families, "qlua_handlers_stopped_total") })
    assert.is_true(value(families, "qlua_http_received_bytes_total") > 27 * 30)
    assert.is_true(value(families, "qlua_http_sent_bytes_total") > 27 * 30)
    assert.equal(21, value(scrape(s), "qlua_http_responses_total", { class = "2xx" }))
  end)

  it("tell how the service and its workers are", function()
    local before = os.time()
    local s = start { workers = 2, set = { SESSION_TYPE = "lmdb" } }
    http.get(s, "/session")
    local families = wait_for(s, function(now)
      return value(now, "qlua_worker_lua_memory_bytes", { worker = "1" }) > 0
        and value(now, "qlua_worker_lua_memory_bytes", { worker = "2" }) > 0
        and #now.qlua_session_store_up.samples > 0
    end, "the figures of the second")
    assert.same({ 2, 2, 1, 1 }, { value(families, "qlua_workers_wanted"),
      value(families, "qlua_workers_ready"), value(families, "qlua_generation"),
      value(families, "qlua_last_reload_successful") })
    assert.is_true(math.abs(value(families, "qlua_start_time_seconds") - before) <= 5)
    local version = families.qlua_build_info.samples[1].labels.version
    assert.truthy(version:find "^%d+%.%d+%.%d+$")
    for id, pid in ipairs(s:children()) do
      local worker = { worker = tostring(id) }
      local kib = files.read(("/proc/%d/status"):format(pid)):match "VmRSS:%s+(%d+)"
      local rss = value(families, "qlua_worker_resident_memory_bytes", worker)
      assert.is_true(math.abs(rss / 1024 - tonumber(kib)) < 2048)
      assert.equal(1, value(families, "qlua_worker_jit_enabled", worker))
      assert.is_true(value(families, "qlua_worker_cpu_seconds_total", worker) >= 0)
    end
    assert.equal("lmdb", families.qlua_session_store_up.samples[1].labels.store)
    assert.equal(1, families.qlua_session_store_up.samples[1].value)
  end)

  it("tell generations, reloads and their failures", function()
    local s = start()
    local slow = raw.connect(s)
    slow:send(http.bytes("GET", "/sleep?s=3"))
    wait_for(s, function(now)
      return value(now, "qlua_http_connections", { state = "active" }) == 2
    end, "the slow request")
    s:signal(signal.SIGHUP)
    local families = wait_for(s, function(now) return value(now, "qlua_generation") == 2 end, "it")
    assert.equal(1, value(families, "qlua_generation_requests", { generation = "1" }))
    assert.equal(2, #families.qlua_generation_requests.samples)
    files.write(s.folder .. "/app.lua", "error 'not today'")
    s:signal(signal.SIGHUP)
    families = wait_for(s, function(now)
      return value(now, "qlua_last_reload_successful") == 0
    end, "the failure")
    assert.same({ 1, 1 }, { value(families, "qlua_reloads_total", { result = "success" }),
      value(families, "qlua_reloads_total", { result = "failure" }) })
    assert.equal("slept", slow:response().body)
    slow:close()
  end)

  it("never count backwards, while workers are replaced under load", function()
    local s = start { workers = 2, set = { ["server.max_restarts"] = 1000,
      ["server.max_requests"] = 300 } }
    local load = process.start { "wrk", "-t1", "-c8", "-d4s",
      ("http://127.0.0.1:%d/hello"):format(s.port) }
    finally(function() load:finish() end)
    local former = {}
    local function check(families)
      for name, family in pairs(families) do
        for i, sample in ipairs(family.type ~= "gauge" and family.samples or {}) do
          local key = name .. i
          assert.is_true(sample.value >= (former[key] or 0), key)
          former[key] = sample.value
        end
      end
    end
    local kills = 0
    while not load:exit_code() do
      local ok, families = pcall(scrape, s) -- a worker that is killed may hold the connection
      if ok then
        check(families)
      end
      if kills < 3 and former["qlua_http_requests_total1"] then
        signal.kill(s:children()[1] or 0, signal.SIGKILL)
        kills = kills + 1
        wait.until_true(function() return #s:children() == 2 end, 5)
      end
    end
    local families = wait_for(s, function(now)
      return value(now, "qlua_workers_ready") == 2
    end, "both workers")
    check(families)
    local function reason(name)
      return value(families, "qlua_worker_restarts_total", { reason = name })
    end
    assert.is_true(reason "signal" >= 1)
    assert.is_true(reason "max_requests" >= 1)
    assert.is_true(value(families, "qlua_worker_cpu_seconds_total") > 0)
  end)

  it("are answered without a supervisor, and while the app does not load in debug mode", function()
    local s = start { workers = 0, args = { "--debug", "--no-reload" } }
    http.get(s, "/hello")
    local families = scrape(s)
    assert.equal(2, value(families, "qlua_http_requests_total", { worker = "1" }))
    assert.equal(1, value(families, "qlua_workers_ready"))
    files.write(s.folder .. "/app.lua", "error 'not today'")
    s:signal(signal.SIGHUP)
    wait_for(s, function(now) return value(now, "qlua_last_reload_successful") == 0 end, "failure")
    assert.equal(500, http.get(s, "/hello").status)
  end)

  it("need a path that begins with a slash", function()
    for _, path in ipairs { "metrics", "/metrics?x", "/a#b" } do
      local s = server.run { app = APP, set = { ["server.metrics_path"] = path } }
      assert.equal(2, s:exit_code())
      assert.equal(('qlua: --set server.metrics_path: metrics_path must begin with "/" and hold no '
        .. '"?" or "#", not "%s"\n'):format(path), s:stderr())
    end
  end)
end)
