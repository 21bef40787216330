--- Sessions in Redis, as a user of a server sees them: SESSION_TYPE = "redis".

local signal = require "posix.signal"

local http = require "support.http"
local process = require "support.process"
local files = require "support.files"
local raw = require "support.raw"
local redis = require "support.redis"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app, session, request = qlua.App(...), qlua.session, qlua.request
app.config.SECRET_KEY = "k"
app:get("/", function() return "plain" end)
app:get("/worker", function() return tostring(qlua.worker.id) end)
app:get("/count", function()
  session.n = (session.n or 0) + 1
  return ("%d of worker %d"):format(session.n, qlua.worker.id)
end)
app:get("/set", function()
  session.value = request.args.value
  session.permanent = request.args.permanent == "1"
  return "set"
end)
app:get("/get", function() return session.value or "none" end)
app:get("/login", function()
  session:regenerate()
  session.user = "ann"
  return "in"
end)
app:get("/clear", function()
  session:clear()
  return "cleared"
end)
return app
]]

describe("sessions in Redis", function()
  after_each(function()
    server.stop_all()
    redis.stop_all()
  end)

  local function start(place, options)
    options = options or {}
    options.app = APP
    options.set = options.set or {}
    options.set.SESSION_TYPE = "redis"
    options.set.SESSION_REDIS = place
    return server.start(options)
  end

  --- A client that keeps the session's cookie: visitor "/path" -> response.
  local function visitor(s)
    local cookie
    return function(target, options)
      options = options or {}
      options.headers = { Cookie = cookie }
      local response = http.get(s, target, options)
      local set = response.header["set-cookie"]
      cookie = set and set:match "session=[^;]*" or cookie
      return response
    end
  end

  --- A Redis, a server whose sessions are there, and one visitor.
  local function serve(options)
    local r = redis.start()
    local s = start(r.url, options)
    return r, s, visitor(s)
  end

  local function keys_of(r)
    local keys = {}
    for key in r:cli("KEYS", "*"):gmatch "[^\n]+" do
      keys[#keys + 1] = key
    end
    return keys
  end

  --- Until something else than 500 comes; the seconds it took.
  local function recover(visit, target)
    local begun = wait.now()
    local back = wait.until_true(function() return visit(target or "/count").status == 200 end, 10)
    assert.is_true(back, "no session after 10 s")
    return wait.now() - begun
  end

  it("are shared by workers", function()
    local r, s, visit = serve { workers = 2 }
    local workers, n = {}, 0
    s:wait_for(function()
      n = n + 1
      local count, worker = visit("/count").body:match "^(%d+) of worker (%d)$"
      assert.equal(n, tonumber(count))
      workers[worker] = true
      return workers["1"] and workers["2"]
    end, 20, "an answer of each worker")
    assert.equal(1, #keys_of(r))
    s:stop()
  end)

  it("survive a restart of the server", function()
    local r, s, visit = serve()
    visit "/set?value=kept"
    local folder, port = s.folder, s.port
    s:stop()
    s = start(r.url, { port = port })
    assert.is_true(folder ~= s.folder)
    assert.equal("kept", visit("/get").body)
    s:stop()
  end)

  it("stand under the prefix, and expire there", function()
    local r, s = serve { set = { SESSION_KEY_PREFIX = "shop:" } }
    visitor(s) "/set?value=x"
    local keys = keys_of(r)
    assert.equal(1, #keys)
    assert.truthy(keys[1]:find "^shop:[%w_-]+$")
    local ttl = tonumber(r:cli("TTL", keys[1]))
    assert.is_true(ttl > 86390 and ttl <= 86400, ttl)
    r:cli "FLUSHALL"
    visitor(s) "/set?value=x&permanent=1"
    ttl = tonumber(r:cli("TTL", keys_of(r)[1]))
    assert.is_true(ttl > 2678390 and ttl <= 2678400, ttl)
    s:stop()
  end)

  it("are gone when they have expired", function()
    local r, s, visit = serve()
    visit "/set?value=x"
    assert.equal("x", visit("/get").body)
    local key = keys_of(r)[1]
    r:cli("PEXPIRE", key, 1)
    s:wait_for(function() return r:cli("EXISTS", key) == "0" end)
    assert.equal("none", visit("/get").body)
    visit "/set?value=y"
    assert.equal("y", visit("/get").body)
    assert.is_true(keys_of(r)[1] ~= key) -- an id that nobody knows is not taken over
    s:stop()
  end)

  it("change their key at a login, and leave nothing when they are cleared", function()
    local r, s, visit = serve()
    visit "/set?value=x"
    local before = keys_of(r)
    visit "/login"
    local after = keys_of(r)
    assert.equal(1, #after)
    assert.is_true(after[1] ~= before[1])
    assert.equal("x", visit("/get").body)
    visit "/clear"
    assert.same({}, keys_of(r))
    s:stop()
  end)

  it("are in the database, behind the password, at the host that the URL names", function()
    local r = redis.start { password = "p@ss" }
    local s = start(("redis://:p%%40ss@localhost:%d/4"):format(r.port))
    visitor(s) "/set?value=x"
    assert.truthy(r:cli("-n", 4, "KEYS", "*"):find "^session:[%w_-]+$")
    assert.equal("", s:stderr():match "ERROR.*" or "")
    s:stop()
  end)

  it("end the start when the URL is wrong, and do not show it", function()
    local s = server.run {
      app = APP, set = { SESSION_TYPE = "redis", SESSION_REDIS = "redis://:hush@h:x" },
    }
    assert.equal(1, s:exit_code())
    assert.truthy(s:stderr():find("config.SESSION_REDIS: the session store has a wrong URL: its "
      .. "port is no number from 1 to 65535; the form is redis://", 1, true), s:stderr())
    assert.is_nil(s:stderr():find "hush")
  end)

  it("fail alone while Redis is not there yet, and work once it is", function()
    local r = redis.new()
    local s = start(r.url)
    s:wait_for_stderr(("[ERROR] Redis at 127.0.0.1:%d is away: Connection refused; what is kept "
      .. "there cannot be had meanwhile\n"):format(r.port))
    local visit = visitor(s)
    assert.equal("plain", visit("/").body)
    assert.equal(500, visit("/count").status)
    assert.truthy(s:stderr():find(("the session cannot be saved: Redis at 127.0.0.1:%d is away: "
      .. "Connection refused"):format(r.port), 1, true), s:stderr())
    r:start()
    assert.is_true(recover(visit) < 5.5)
    s:wait_for_stderr "is back after "
    assert.equal("2 of worker 1", visit("/count").body)
    local _, lines = s:stderr():gsub("%[ERROR%] Redis at ", "")
    assert.equal(1, lines)
    s:stop()
  end)

  --- wrk over `seconds` on a target, in the background; :report() waits for its end.
  local function load_on(s, target, seconds, connections, cookie)
    local folder = files.folder()
    local p = process.start({ "wrk", "-t1", "-c" .. connections, ("-d%ds"):format(seconds),
      "--timeout", "10s", "-H", "Cookie: " .. (cookie or "a=b"),
      ("http://127.0.0.1:%d%s"):format(s.port, target) }, { stdout = folder .. "/report" })
    return {
      report = function()
        assert.equal(0, p:wait(seconds + 20))
        local text = files.read(folder .. "/report")
        files.remove(folder)
        return text
      end,
    }
  end

  it("fail fast and come back when Redis is stopped and started under load", function()
    local r, s = serve { workers = 2 }
    s:wait_for(function() return #s:children() == 2 end)
    local pids = s:children()
    local visit = visitor(s)
    visit "/set?value=x"
    local plain = load_on(s, "/", 7, 4)
    local sessions = load_on(s, "/count", 7, 16, "session=forged")
    local stop = wait.now() + 1.5 -- connections that have lasted
    wait.until_true(function()
      assert.equal(200, visit("/count").status)
      return wait.now() > stop
    end, 5)

    r:stop()
    s:wait_for(function()
      local _, lines = s:stderr():gsub("%[ERROR%] Redis at [^\n]* is away: [^\n]*", "")
      return lines >= 2
    end, 5, "a line of each worker")
    stop = wait.now() + 1
    local slowest = 0
    wait.until_true(function()
      local begun = wait.now()
      assert.equal(500, visit("/count").status)
      slowest = math.max(slowest, wait.now() - begun)
      assert.equal("plain", visit("/").body)
      return wait.now() > stop
    end, 5)
    assert.is_true(slowest < 1, slowest)
    assert.truthy(s:stderr():find("the session cannot be read: Redis at 127.0.0.1:" .. r.port
      .. " is away: Connection refused", 1, true))

    r:start()
    assert.is_true(recover(visit) < 5.5)
    s:wait_for(function()
      local _, lines = s:stderr():gsub("is back after ", "")
      return lines == 2
    end, 5.5, "both workers")
    local _, lines = s:stderr():gsub("%[ERROR%] Redis at ", "")
    assert.equal(2, lines)
    assert.equal(200, visit("/count").status)

    local report = plain.report()
    assert.is_nil(report:find "Non%-2xx")
    assert.is_nil(report:find "Socket errors")
    assert.is_nil(sessions.report():find "Socket errors")
    assert.same(pids, s:children()) -- nobody died
    s:stop()
  end)

  it("fail in bounded time when Redis hangs, and others do not notice", function()
    local r, s, visit = serve()
    assert.equal(200, visit("/count").status)
    r:signal(signal.SIGSTOP)
    local waiting = {}
    for i = 1, 5 do
      waiting[i] = raw.connect(s)
      waiting[i]:send(http.bytes("GET", "/count", { headers = { Cookie = "session=x" } }))
    end
    local begun = wait.now()
    local slow = raw.connect(s)
    slow:send(http.bytes("GET", "/set?value=y"))
    assert.equal("plain", visit("/").body)
    assert.is_true(wait.now() - begun < 0.5)
    assert.equal(500, slow:response("GET").status)
    assert.is_true(wait.now() - begun < 3, wait.now() - begun)
    s:wait_for_stderr "is away: it did not answer within 2 s"
    begun = wait.now()
    assert.equal(500, visit("/count").status)
    assert.is_true(wait.now() - begun < 0.5)
    r:signal(signal.SIGCONT)
    assert.is_true(recover(visit) < 7.5) -- an attempt of 2 s, a pause
    for _, connection in ipairs(waiting) do
      connection:close()
    end
    slow:close()
    s:stop()
  end)

  it("wait for nobody whose client is gone", function()
    local r, s, visit = serve()
    visit "/set?value=x"
    r:signal(signal.SIGSTOP)
    for _ = 1, 20 do
      local connection = raw.connect(s)
      connection:send(http.bytes("GET", "/set?value=gone"))
      connection:reset()
    end
    r:signal(signal.SIGCONT)
    assert.equal("x", visit("/get").body)
    s:stop()
  end)

  it("let the server stop while Redis hangs", function()
    local r, s = serve()
    assert.equal(200, visitor(s)("/count").status)
    r:signal(signal.SIGSTOP)
    local connection = raw.connect(s)
    connection:send(http.bytes("GET", "/set?value=y"))
    local begun = wait.now()
    s:stop() -- what has begun is answered: here, that it failed
    assert.is_true(wait.now() - begun < 5)
    connection:close()
  end)
end)
