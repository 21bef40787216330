--- Worker processes under work: killed, retired, full, and what the app's own children inherit.

local cjson = require "cjson"
local signal = require "posix.signal"
local stat = require "posix.sys.stat"
local unistd = require "posix.unistd"

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/hello", function() return "Hello, World!" end)
app:route("/pid", function() return tostring(qlua.worker.pid) end)
app:route("/sleep/<int:ms>", function(ms)
  qlua.sleep(ms / 1000)
  return tostring(qlua.worker.pid)
end)
app:route("/ids", function()
  local pipe = io.popen "id -u; id -g; id -G"
  local text = pipe:read "*a"
  pipe:close()
  return text
end)
app:route("/masks", function()
  local pipe = io.popen "grep -E 'Sig(Blk|Ign)' /proc/self/status"
  local text = pipe:read "*a"
  pipe:close()
  return text
end)
return app
]]

local function status(s, ...)
  return server.run({ argv = { "status", "--port", tostring(s.port), ... } }, 10)
end

describe("processes", function()
  after_each(server.stop_all)

  --- Start and wait until all workers serve.
  local function start(options)
    options.app = APP
    local s = server.launch(options)
    s:wait_for_stderr "CTRL + C"
    return s
  end

  --- A connection whose first answer said which worker it is with.
  local function bound(s)
    local c = raw.connect(s)
    c:send "GET /pid HTTP/1.1\r\nHost: x\r\n\r\n"
    return c, tonumber(c:response().body)
  end

  it("lose only the requests of the worker that is killed", function()
    local s = start { workers = 2 }
    local of = {} ---@type table<integer, spec.Raw[]>
    s:wait_for(function()
      local c, pid = bound(s)
      of[pid] = of[pid] or {}
      table.insert(of[pid], c)
      local one, other = unpack(s:children())
      return of[one] and of[other] and #of[one] >= 2 and #of[other] >= 2
    end, 10, "connections with both workers")
    local victim, other = unpack(s:children())
    for _, connections in pairs(of) do
      for _, c in ipairs(connections) do
        c:send "GET /sleep/300 HTTP/1.1\r\nHost: x\r\n\r\n"
      end
    end
    signal.kill(victim, signal.SIGKILL)
    local from = wait.now()
    s:wait_for(function()
      local now = s:children()
      return #now == 2 and now[1] ~= victim and now[2] ~= victim
    end, 5, "a replacement")
    assert.truthy(wait.now() - from < 0.5)
    for _, c in ipairs(of[other]) do
      assert.equal(tostring(other), c:response().body)
    end
    for _, c in ipairs(of[victim]) do
      assert.is_true(c:is_closed())
    end
    assert.equal("Hello, World!", http.get(s, "/hello").body)
    s:stop()
  end)

  it("retire after max_requests without a request lost", function()
    local s = start { set = { ["server.max_requests"] = 5 } }
    local pids, c = {}, nil
    local function distinct()
      local count = 0
      for _ in pairs(pids) do
        count = count + 1
      end
      return count
    end
    s:wait_for(function()
      c = c or raw.connect(s)
      c:send "GET /pid HTTP/1.1\r\nHost: x\r\n\r\n"
      local answer = c:response()
      pids[assert(answer, "a request was lost").body] = true
      if answer.header.connection == "close" then
        c:close()
        c = nil
      end
      return distinct() >= 4
    end, 10, "three replacements")
    assert.is_nil(s:stderr():find("ended by", 1, true))
    s:stop()
  end)

  it("leave connections above max_connections in the backlog until there is room", function()
    local s = start { set = { ["server.max_connections"] = 3 } }
    local held = {}
    for i = 1, 3 do
      held[i] = bound(s)
    end
    local c = raw.connect(s)
    c:send "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    assert.is_true(c:is_silent(0.1))
    held[1]:close()
    assert.equal("Hello, World!", c:response().body)
    s:stop()
  end)

  it("take no more connections than rlimit_nofile allows", function()
    local s = start { set = { ["server.rlimit_nofile"] = 128 } }
    assert.truthy(s:stderr():find("max_connections is 95 instead of 16384: a process may have 128 "
      .. "files open (rlimit_nofile)\n", 1, true))
    local connections = {}
    for i = 1, 95 do
      connections[i] = bound(s)
    end
    connections[96] = raw.connect(s)
    connections[96]:send "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    assert.is_true(connections[96]:is_silent(0.1))
    connections[1]:close()
    assert.equal("Hello, World!", connections[96]:response().body)
    assert.is_nil(s:stderr():find("cannot accept", 1, true))
    s:stop()
  end)

  it("say nothing of limits that are wide enough", function()
    local s = start { set = { ["server.rlimit_nofile"] = 256, ["server.max_connections"] = 200 } }
    assert.is_nil(s:stderr():find("max_connections", 1, true))
    s:stop()
  end)

  for _, workers in ipairs { 1, 0 } do
    it(("give an app's own programs clean signals (--workers %d)"):format(workers), function()
      local s = start { workers = workers }
      local text = http.get(s, "/masks").body
      assert.truthy(text:find "SigBlk:%s+0000000000000000\n", text)
      assert.truthy(text:find "SigIgn:%s+%x*0000000\n", text) -- the first 28, SIGPIPE among them
      s:stop()
    end)
  end

  describe("of another user", function()
    local folder
    before_each(function()
      folder = files.folder { ["app.lua"] = APP }
      stat.chmod(folder, 493) -- 0755
    end)
    after_each(function()
      server.stop_all()
      files.remove(folder)
    end)

    for _, workers in ipairs { 1, 0 } do
      it(("have that user's ids and no further ones (--workers %d)"):format(workers), function()
        if unistd.geteuid() ~= 0 then
          return -- only root may
        end
        local s = server.start { path = folder .. "/app.lua", folder = folder, workers = workers,
          set = { ["server.user"] = "65534", ["server.group"] = "65533" } }
        assert.equal("65534\n65533\n65533\n", http.get(s, "/ids").body)
        s:stop()
      end)
    end
  end)

  describe("without a supervisor", function()
    it("answer qlua status themselves", function()
      local s = start { workers = 0 }
      assert.equal("Hello, World!", http.get(s, "/hello").body)
      s:wait_for(function()
        return status(s):stdout():find "requests 1 .-connections 0 open"
      end, 5, "the worker's figures")
      assert.truthy(status(s):stdout():find(("^no supervisor, pid %d, up [%%d.]+ s\n.*\n"
        .. "worker 1: pid %d, ready, up [%%d.]+ s, restarts 0, requests 1 ")
        :format(s.pid, s.pid)))
      local told = cjson.decode(status(s, "--json"):stdout())
      assert.same({ s.pid, false, "serving", 1 }, { told.pid, told.supervised, told.state,
        #told.workers })
      assert.same({ 1, s.pid, "ready" }, { told.workers[1].id, told.workers[1].pid,
        told.workers[1].state })
      s:stop()
      local asked = status(s)
      assert.equal(3, asked:exit_code())
      assert.truthy(asked:stderr():find("no server answers there", 1, true))
    end)

    it("bear more askers than there is room for", function()
      local s = start { workers = 0 }
      local path = (os.getenv "XDG_RUNTIME_DIR" or os.getenv "TMPDIR" or "/tmp")
        .. ("/qlua-%d.sock"):format(s.port)
      local silent = {}
      for i = 1, 8 do
        silent[i] = raw.connect("unix:" .. path)
      end
      local last = raw.connect("unix:" .. path)
      last:send "status\n"
      assert.is_true(last:is_silent(0.1))
      silent[1]:close()
      assert.truthy(last:read_all():find "^ok\nno supervisor")
      s:stop()
    end)
  end)
end)
