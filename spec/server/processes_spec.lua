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
app:route("/log/<int:n>", function(n)
  app.logger:warning("line %d", n)
  return ""
end)
app:route("/exit/<int:code>", function(code) os.exit(code) end)
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

  it("are replaced when the app ends them, whatever its exit code means elsewhere", function()
    local s = start { env = server.EXITS }
    for _, code in ipairs { 0, 3, 64 } do
      local pid = s:children()[1]
      pcall(http.get, s, "/exit/" .. code)
      s:wait_for_stderr(("worker 1 (pid %d) ended with exit code %d; replaced"):format(pid, code))
      s:wait_for(function()
        local ok, answer = pcall(http.get, s, "/hello")
        return ok and answer.status == 200
      end)
    end
    s:stop()
  end)

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

  it("serve on until the replacement is ready, and as long as there is none", function()
    local folder = files.folder()
    finally(function() files.remove(folder) end)
    local SLOW = APP:gsub("return app%s*$", ([[
      local gate = io.open(%q)
      if gate then
        local text = gate:read "*a"
        gate:close()
        if text == "broken" then error "broken" end
        while io.open(%q) do qlua.sleep(0.01) end
      end
      return app
    ]]):format(folder .. "/gate", folder .. "/gate"))
    local s = server.start { app = SLOW, set = { ["server.max_requests"] = 3 } }
    local first = http.get(s, "/pid").body
    files.write(folder .. "/gate", "broken")
    for _ = 1, 2 do
      assert.equal(first, http.get(s, "/pid").body)
    end
    s:wait_for_stderr "the replacement of worker 1 "
    files.write(folder .. "/gate", "wait")
    for _ = 1, 3 do -- asks for another one
      assert.equal(first, http.get(s, "/pid").body)
    end
    s:wait_for(function() return #s:children() == 2 end)
    for _ = 1, 10 do -- it loads for as long as it takes
      assert.equal(first, http.get(s, "/pid").body)
    end
    os.remove(folder .. "/gate")
    s:wait_for(function() return #s:children() == 1 end)
    assert.not_equal(first, http.get(s, "/pid").body)
    s:stop()
  end)

  it("retire after max_requests and a part of the jitter, each after its own", function()
    local s = start { set = { ["server.max_requests"] = 3, ["server.max_requests_jitter"] = 40 } }
    local counts, seen, pid = {}, 0, nil
    s:wait_for(function()
      local now = http.get(s, "/pid").body
      if now ~= pid then
        counts[#counts + 1] = pid and seen or nil
        pid, seen = now, 0
        s:wait_for(function() return #s:children() == 1 end)
      end
      seen = seen + 1
      return #counts == 4
    end, 60, "four replacements")
    local differ = false
    for _, count in ipairs(counts) do
      assert.truthy(count >= 3)
      differ = differ or count ~= counts[1]
    end
    assert.is_true(differ)
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
      folder = server.folder { ["app.lua"] = APP }
      stat.chmod(folder, 493) -- 0755
    end)
    after_each(server.stop_all)

    local function start_as(set, args)
      return server.start { path = folder .. "/app.lua", folder = folder, set = set, args = args }
    end

    local function refusal(set)
      local s = server.run { path = folder .. "/app.lua", folder = folder, set = set }
      assert.equal(1, s:exit_code())
      return s:stderr()
    end

    if unistd.geteuid() ~= 0 then
      it("need a start as root", function()
        assert.equal("qlua: the settings user and group need a start as root; leave them out, or "
          .. "start as root\n", refusal { ["server.user"] = "root" })
      end)
      return
    end

    for _, workers in ipairs { 1, 0 } do
      it(("have that user's ids and no further ones (--workers %d)"):format(workers), function()
        local s = server.start { path = folder .. "/app.lua", folder = folder, workers = workers,
          set = { ["server.user"] = "65534", ["server.group"] = "65533" } }
        assert.equal("65534\n65533\n65533\n", http.get(s, "/ids").body)
        s:stop()
      end)
    end

    it("have the user's own group, and a name for it", function()
      local s = start_as { ["server.user"] = "nobody" }
      assert.equal("65534\n65534\n65534\n", http.get(s, "/ids").body)
      s:stop()
    end)

    it("may have another group alone", function()
      local s = start_as { ["server.group"] = "65533" }
      assert.equal("0\n65533\n65533\n", http.get(s, "/ids").body)
      s:stop()
    end)

    it("are never left in root's group", function()
      assert.equal("qlua: user 54321 has no entry on this machine, and so no group; set group as "
        .. "well\n", refusal { ["server.user"] = 54321 })
      local s = start_as { ["server.user"] = 54321, ["server.group"] = 54322 }
      assert.equal("54321\n54322\n54322\n", http.get(s, "/ids").body)
      s:stop()
    end)

    it("are refused when nobody knows them", function()
      assert.equal('qlua: user "no-such-user" is not known on this machine\n',
        refusal { ["server.user"] = "no-such-user" })
      assert.equal('qlua: group "no-such-group" is not known on this machine\n',
        refusal { ["server.group"] = "no-such-group" })
    end)

    it("write to logs that only root may open, after SIGUSR1 as well", function()
      local logs = files.folder() -- 0700
      finally(function() files.remove(logs) end)
      local log, access = logs .. "/log", logs .. "/access"
      local s = start_as({ ["server.user"] = "nobody", ["server.log"] = log },
        { "--access-log", access })
      for round = 1, 2 do
        http.get(s, "/nowhere" .. round)
        http.get(s, "/log/" .. round)
        s:wait_for(function()
          return files.read(access):find("GET /nowhere" .. round, 1, true)
            and files.read(log):find("line " .. round, 1, true)
        end)
        os.rename(log, log .. round)
        os.rename(access, access .. round)
        s:signal(signal.SIGUSR1)
        s:wait_for(function() return stat.stat(access) end)
      end
      s:stop()
    end)

    it("may leave core files where rlimit_core asks for them", function()
      local function owner(set)
        set["server.user"] = "nobody"
        local s = start_as(set)
        http.get(s, "/hello")
        local place = "/proc/" .. s:children()[1]
        local uid = stat.stat(place .. "/io").st_uid -- root's, while there is no core file
        local limits = files.read(place .. "/limits")
        s:stop()
        return uid, limits
      end
      assert.equal(0, (owner {}))
      local uid, limits = owner { ["server.rlimit_core"] = 1000000, ["server.rlimit_nofile"] = 777 }
      assert.equal(65534, uid)
      assert.matches("Max core file size +1000000 ", limits)
      assert.matches("Max open files +777 ", limits)
    end)
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
