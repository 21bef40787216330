--- Sessions in a store, as an app and its visitors see them: in process, and in servers whose
--- workers share an LMDB file, are restarted and killed.

local signal = require "posix.signal"
local unistd = require "posix.unistd"

local files = require "support.files"
local http = require "support.http"
local process = require "support.process"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local FOLDER = unistd.getcwd() .. "/spec/data/session/"

local APP = [[
local qlua = require "qlua"
local app, session = qlua.App(...), qlua.session
app.config.SESSION_TYPE, app.config.SECRET_KEY = "lmdb", "dev-secret"
app:get("/pid", function() return tostring(qlua.worker.pid) end)
app:get("/none", function() return "untouched" end)
app:get("/count", function()
  session.n = (session.n or 0) + 1
  return tostring(session.n)
end)
app:get("/n", function() return tostring(session.n) end)
app:get("/fill/<int:bytes>", function(bytes)
  session.text = ("x"):rep(bytes)
  return "filled"
end)
app:get("/permanent", function()
  session.permanent, session.n = true, 1
  return "permanent"
end)
return app
]]

describe("a session in a store", function()
  local given = {}

  --- A folder that outlives a server.
  local function folder()
    given[#given + 1] = files.folder()
    return given[#given]
  end

  after_each(function()
    server.stop_all()
    for _, path in ipairs(given) do
      files.remove(path)
    end
    given = {}
  end)

  local function start(options)
    options = options or {}
    options.app = options.app or APP
    local s = server.launch(options)
    s:wait_for_stderr "CTRL + C"
    return s
  end

  --- The session cookie of an answer, as a request sends it.
  local function cookie(answer)
    return answer.header["set-cookie"]:match "^(session=[^;]+)"
  end

  local function get(s, path, with)
    return http.get(s, path, { headers = { Cookie = with } })
  end

  --- A connection, and the process it is with.
  local function bound(s)
    local c = raw.connect(s)
    c:send "GET /pid HTTP/1.1\r\nHost: x\r\n\r\n"
    return c, tonumber(c:response().body)
  end

  it("behaves as one in a cookie does, but for what it is", function()
    local ended = server.run({
      argv = { "test", FOLDER .. "store.lua" }, env = { FOLDER = folder() },
    }, 60)
    if ended:exit_code() ~= 0 then
      error(ended:stdout() .. "\n" .. ended:stderr(), 0)
    end
  end)

  it("is seen by every worker once the answer was sent", function()
    local s = start { workers = 2 }
    local one, pid = bound(s)
    local two, other
    s:wait_for(function()
      if two then
        two:close()
      end
      two, other = bound(s)
      return other ~= pid
    end)
    local with = ""
    for i = 1, 200 do
      local c = i % 2 == 1 and one or two
      c:send(("GET /count HTTP/1.1\r\nHost: x\r\n%s\r\n"):format(with))
      local answer = c:response()
      assert.same({ 200, tostring(i) }, { answer.status, answer.body })
      with = "Cookie: " .. cookie(answer) .. "\r\n"
    end
    s:stop()
  end)

  it("outlives a restart", function()
    local at = folder()
    local s = start { folder = at, workers = 2 }
    local first = get(s, "/count")
    s:stop()
    s = start { folder = at, workers = 2 }
    assert.equal("2", get(s, "/count", cookie(first)).body)
    s:stop()
  end)

  it("is kept beside the app file, or where the config says", function()
    local at = folder()
    local s = start { folder = at }
    get(s, "/count")
    s:stop()
    assert.not_equal("", files.read(at .. "/session.lmdb"))
    s = start { folder = at, set = { SESSION_LMDB_PATH = "./other.db" } }
    get(s, "/count")
    s:stop()
    assert.not_equal("", files.read(at .. "/other.db"))
  end)

  it("that was answered for is there when its worker is killed, again and again", function()
    local s = start { workers = 2, args = { "--set", "server.max_restarts=1000" } }
    local load = process.start { "wrk", "-t1", "-c8", "-d60", ("http://127.0.0.1:%d/count")
      :format(s.port) }
    local kept = {}
    for round = 1, 6 do
      for _ = 1, 30 do
        local ok, answer = pcall(get, s, "/count")
        if ok then
          kept[#kept + 1] = cookie(answer)
        end
      end
      local children = s:children()
      local victim = children[round % #children + 1]
      signal.kill(victim, signal.SIGKILL)
      s:wait_for(function()
        local now = s:children()
        return #now == 2 and now[1] ~= victim and now[2] ~= victim
      end)
      s:wait_for(function() return pcall(get, s, "/none") end)
    end
    load:finish()
    assert.is_true(#kept > 100)
    for _, with in ipairs(kept) do
      assert.equal("1", get(s, "/n", with).body)
    end
    assert.equal("2", get(s, "/count", kept[1]).body)
    s:stop()
  end)

  --- A process that holds the write lock.
  local function hold(s)
    local sign = s.folder .. "/held"
    local holder = process.start({ "luajit", "spec/data/store/hold.lua",
      s.folder .. "/session.lmdb", sign }, { stderr = s.folder .. "/hold-stderr" })
    local held = wait.until_true(function()
      return io.open(sign) or holder:exit_code()
    end, 10)
    assert.is_true(io.type(held) == "file", files.read(s.folder .. "/hold-stderr"))
    held:close()
    return holder
  end

  it("is written although a process was killed in the middle of a write", function()
    local s = start { workers = 2 }
    local first = get(s, "/count")
    local holder = hold(s)
    local c = raw.connect(s)
    c:send(("GET /count HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n"):format(cookie(first)))
    assert.is_true(c:is_silent(0.2)) -- it waits for the lock; nothing else does
    assert.equal("untouched", get(s, "/none").body)
    assert.matches("^[12]$", get(s, "/n", cookie(first)).body) -- its own worker knows it already
    holder:signal(signal.SIGKILL)
    holder:wait(10)
    assert.equal("2", c:response().body)
    for i = 3, 10 do
      assert.equal(tostring(i), get(s, "/count", cookie(first)).body)
    end
    s:stop()
  end)

  it("fails in bounded time while a process holds the file, and goes on after it", function()
    local s = start {}
    local first = get(s, "/count")
    local holder = hold(s)
    local answer = http.get(s, "/count", { timeout = 20, headers = { Cookie = cookie(first) } })
    assert.equal(500, answer.status)
    local log = s:wait_for_stderr "session store: writes wait"
    assert.matches("the session cannot be saved: " .. s.folder .. "/session.lmdb cannot be "
      .. "written: a process holds its lock, or the disk hangs", log, 1, true)
    local before = wait.now()
    assert.equal(500, get(s, "/count").status) -- at once now
    assert.is_true(wait.now() - before < 5)
    assert.equal("untouched", get(s, "/none").body)
    holder:signal(signal.SIGKILL)
    holder:wait(10)
    s:wait_for(function() return get(s, "/count").status == 200 end)
    s:stop()
  end)

  it("answers 500 and says why when the file is full; what is there stays", function()
    local s = start { set = { SESSION_LMDB_SIZE = 1048576 } }
    local first, status = get(s, "/count"), 200
    for _ = 1, 1000 do
      status = get(s, "/fill/3000").status
      if status ~= 200 then
        break
      end
    end
    assert.equal(500, status)
    assert.matches("the session cannot be saved: " .. s.folder .. "/session.lmdb is full: it may "
      .. "grow to 1048576 bytes; raise SESSION_LMDB_SIZE, or let sessions expire sooner",
      s:stderr(), 1, true)
    assert.equal("untouched", get(s, "/none").body)
    assert.equal("1", get(s, "/n", cookie(first)).body)
    s:stop()
  end)

  it("ends with its time", function()
    local s = start { set = { PERMANENT_SESSION_LIFETIME = 1 } }
    local with = cookie(get(s, "/permanent"))
    assert.equal("1", get(s, "/n", with).body)
    s:wait_for(function() return get(s, "/n", with).body == "nil" end)
    s:stop()
  end)

  it("stands many writers at once", function()
    local s = start { workers = 2 }
    local with = cookie(get(s, "/count"))
    local pipe = io.popen(("wrk -t1 -c32 -d2 -H 'Cookie: %s' http://127.0.0.1:%d/count")
      :format(with, s.port))
    local report = pipe:read "*a"
    pipe:close()
    assert.is_nil(report:find "Non%-2xx")
    assert.is_nil(report:find "Socket errors")
    assert.is_true(tonumber(get(s, "/n", with).body) > 1)
    assert.is_nil(s:stderr():find "ERROR")
    s:stop()
  end)

  it("is not lost by a client that goes before its answer", function()
    local s = start {}
    local first = get(s, "/count")
    local holder = hold(s)
    for _ = 1, 5 do
      local c = raw.connect(s)
      c:send(("GET /count HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n"):format(cookie(first)))
      assert.is_true(c:is_silent(0.05))
      c:reset()
    end
    holder:signal(signal.SIGKILL)
    holder:wait(10)
    s:wait_for(function() return tonumber(get(s, "/n", cookie(first)).body) > 1 end)
    s:stop()
  end)

  describe("ends the start", function()
    local function fails(options)
      options.app = APP
      local s = server.run(options)
      assert.equal(1, s:exit_code())
      return s:stderr()
    end

    it("when its folder is not there", function()
      assert.matches("config.SESSION_LMDB_PATH: the session store /no/such/s.lmdb cannot be opened:"
        .. " No such file or directory", fails { set = { SESSION_LMDB_PATH = "/no/such/s.lmdb" } },
        1, true)
    end)

    it("when it may not write there", function()
      local at = folder()
      assert.equal(0, os.execute(("chmod 711 %s && mkdir -m 700 %s/private"):format(at, at)))
      local text = fails {
        set = { SESSION_LMDB_PATH = at .. "/private/s.lmdb" },
        args = unistd.geteuid() == 0 and { "--set", "server.user=nobody" } or {},
        files = { ["x"] = "" }, folder = at,
      }
      if unistd.geteuid() == 0 then
        assert.matches("config.SESSION_LMDB_PATH: the session store " .. at .. "/private/s.lmdb "
          .. "cannot be opened: Permission denied", text, 1, true)
      end
    end)

    it("when it is another file", function()
      assert.matches("app.lua cannot be opened: it is no LMDB file",
        fails { set = { SESSION_LMDB_PATH = "app.lua" } }, 1, true)
    end)

    it("when its size cannot be", function()
      assert.matches("SESSION_LMDB_SIZE must be from 1 MiB (1048576 bytes) to 64 TiB; got 1000",
        fails { set = { SESSION_LMDB_SIZE = 1000 } }, 1, true)
    end)
  end)
end)
