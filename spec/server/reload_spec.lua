--- New code without a restart: --reload, SIGHUP, `qlua reload`; two phases, generations, errors.

local signal = require "posix.signal"
local unistd = require "posix.unistd"

local files = require "support.files"
local http = require "support.http"
local process = require "support.process"
local raw = require "support.raw"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local mod = require "mod"
local app = qlua.App(...)
app:get("/version", function() return "app-1 " .. mod end)
app:get("/generation", function() return tostring(qlua.worker.generation) end)
app:get("/pid", function() return tostring(qlua.worker.pid) end)
app:get("/sleep", function() qlua.sleep(tonumber(qlua.request.args.s)) return "app-1 slept" end)
%s
return app
]]

local function start(options)
  options = options or {}
  options.app = options.app or APP:format(options.more or "")
  options.files = options.files or {}
  options.files["mod.lua"] = options.files["mod.lua"] or 'return "mod-1"\n'
  options.args = options.args or { "--reload" }
  local s = server.start(options)
  s:wait_for_stderr "CTRL + C" -- every worker has loaded its code
  return s
end

local function get(s, path)
  return http.get(s, path).body
end

--- Write the file anew in one of the ways that editors have.
local ways = {
  ["in place"] = files.write,
  ["by renaming a new file"] = function(path, text)
    files.write(path .. "~new", text)
    assert(os.rename(path .. "~new", path))
  end,
  ["by moving the old one away first"] = function(path, text)
    assert(os.rename(path, path .. "~"))
    files.write(path, text)
  end,
  ["by removing it first"] = function(path, text)
    assert(unistd.unlink(path))
    files.write(path, text)
  end,
}

local function edit(s, name, from, to, way)
  local path = s.folder .. "/" .. name
  local text, count = files.read(path):gsub(from, to)
  assert.equal(1, math.min(count, 1))
  ways[way or "in place"](path, text)
end

local function wait_for(s, path, text)
  return s:wait_for(function()
    return get(s, path) == text
  end, 5, path .. " to be " .. text)
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

local function reload(s, ...)
  return server.run({ argv = { "reload", "--port", tostring(s.port), ... } }, 20)
end

describe("reload", function()
  after_each(server.stop_all)

  describe("of a changed file", function()
    for way in pairs(ways) do
      it("written " .. way, function()
        local s = start()
        edit(s, "mod.lua", "mod%-1", "mod-2", way)
        wait_for(s, "/version", "app-1 mod-2")
        edit(s, "mod.lua", "mod%-2", "mod-3", way)
        wait_for(s, "/version", "app-1 mod-3")
        edit(s, "app.lua", "app%-1", "app-2", way)
        wait_for(s, "/version", "app-2 mod-3")
        assert.equal("4", get(s, "/generation"))
        s:stop()
      end)
    end

    it("tells once what changed, how long it took, and the generation", function()
      local s = start { workers = 2 }
      edit(s, "mod.lua", "mod%-1", "mod-2")
      local log = s:wait_for_stderr "generation 2 serves"
      assert.truthy(log:find "%[INFO%] generation 2 serves after %d+ ms: mod%.lua changed\n")
      assert.equal(1, count(s:stderr(), "generation 2"))
      s:stop()
    end)

    it("that is one of several", function()
      local s = start()
      edit(s, "mod.lua", "mod%-1", "mod-2")
      edit(s, "app.lua", "app%-1", "app-2")
      wait_for(s, "/version", "app-2 mod-2")
      assert.equal("2", get(s, "/generation"))
      local log = s:stderr()
      assert.truthy(log:find("app.lua, mod.lua changed", 1, true)
        or log:find("mod.lua, app.lua changed", 1, true))
    end)

    it("that a link leads to, or the link itself", function()
      local folder = files.folder { ["one/mod.lua"] = 'return "mod-1"\n',
        ["two/mod.lua"] = 'return "mod-2"\n', ["app.lua"] = APP:format "" }
      files.write(folder .. "/app.lua",
        'package.path = "' .. folder .. '/now/?.lua;" .. package.path\n' .. APP:format "")
      assert(unistd.link("one", folder .. "/now", true))
      local s = server.start { path = folder .. "/app.lua", args = { "--reload" } }
      s:wait_for_stderr "CTRL + C"
      assert.equal("app-1 mod-1", get(s, "/version"))
      files.write(folder .. "/one/mod.lua", 'return "mod-one"\n')
      wait_for(s, "/version", "app-1 mod-one")
      assert(unistd.link("two", folder .. "/next", true))
      assert(os.rename(folder .. "/next", folder .. "/now"))
      wait_for(s, "/version", "app-1 mod-2")
      files.write(folder .. "/two/mod.lua", 'return "mod-two"\n')
      wait_for(s, "/version", "app-1 mod-two")
      s:stop()
      files.remove(folder)
    end)

    it("that was looked for and came to be", function()
      local s = start { more = [[
local ok, extra = pcall(require, "parts.extra")
app:get("/extra", function() return ok and extra or "none" end)
]] }
      assert.equal("none", get(s, "/extra"))
      files.write(s.folder .. "/parts/extra.lua", 'return "extra-1"\n')
      wait_for(s, "/extra", "extra-1")
    end)

    it("of the configuration", function()
      local folder = files.folder { ["config.json"] = '{"app": {"NAME": "one"}}' }
      local s = start { args = { "--reload", "--config", folder .. "/config.json" }, more = [[
app:get("/name", function() return app.config.NAME end)
]] }
      assert.equal("one", get(s, "/name"))
      files.write(folder .. "/config.json", '{"app": {"NAME": "two"}}')
      wait_for(s, "/name", "two")
      files.write(folder .. "/config.json", '{"app": {"NAME": }}')
      s:wait_for_stderr "config.json:1:"
      assert.equal("two", get(s, "/name"))
      s:stop()
      files.remove(folder)
    end)

    it("not with --no-reload", function()
      local s = start { args = { "--no-reload" } }
      edit(s, "mod.lua", "mod%-1", "mod-2")
      assert.equal(0, reload(s):exit_code())
      assert.equal("2", get(s, "/generation")) -- that one, and none of the file's own
    end)
  end)

  describe("when it is told to", function()
    it("by SIGHUP, in all workers", function()
      local s = start { workers = 2, args = {} }
      edit(s, "mod.lua", "mod%-1", "mod-2")
      assert.equal("app-1 mod-1", get(s, "/version"))
      s:signal(signal.SIGHUP)
      s:wait_for_stderr "SIGHUP\n"
      for _ = 1, 10 do
        assert.equal("app-1 mod-2", get(s, "/version"))
      end
      s:stop()
    end)

    it("by qlua reload, which waits", function()
      local s = start { workers = 2, args = {} }
      edit(s, "mod.lua", "mod%-1", "mod-2")
      local asked = reload(s)
      assert.equal(0, asked:exit_code())
      assert.truthy(asked:stdout():find "^generation 2 serves after %d+ ms: qlua reload\n$")
      assert.equal("app-1 mod-2", get(s, "/version"))
    end)

    it("by qlua reload, which waits for a worker that is busy at the very moment", function()
      local s = start { workers = 2, args = {}, more = [[
app:before_serving(function()
  if qlua.worker.generation == 1 then return end
  io.stderr:write("worker ", qlua.worker.id, " is ready\n")
  if qlua.worker.id == 1 then qlua.sleep(1) end
end)
app:get("/id", function() return tostring(qlua.worker.id) end)
app:get("/spin", function()
  local start = os.clock()
  while os.clock() - start < 2 do end
  return "spun"
end)
]] }
      local second
      s:wait_for(function()
        second = raw.connect(s)
        second:send(http.bytes("GET", "/id"))
        return second:response().body == "2"
      end, 10, "a connection to the second worker")
      local asked = process.start({ server.program(), "reload", "--port", tostring(s.port) },
        { stdout = s.folder .. "/asked" })
      finally(function() asked:finish() end)
      s:wait_for_stderr "worker 2 is ready"
      second:send(http.bytes("GET", "/spin"))
      assert.equal(0, asked:wait(20))
      second.timeout = 0.2
      assert.equal("spun", second:response().body)
      second:send(http.bytes("GET", "/generation"))
      assert.equal("2", second:response().body)
    end)

    it("by qlua reload, which tells why it cannot", function()
      local s = start { workers = 2, args = {} }
      files.write(s.folder .. "/mod.lua", "return 1\nerror 'load-failure-5d1c'\n")
      local asked = reload(s)
      assert.equal(1, asked:exit_code())
      assert.truthy(asked:stderr():find("generation 2 does not load; generation 1 serves on: ", 1,
        true))
      assert.truthy(asked:stderr():find "mod%.lua:2:")
      assert.equal("app-1 mod-1", get(s, "/version"))
      assert.equal(1, count(s:stderr(), "does not load"))
    end)

    it("without a supervisor", function()
      local s = start { workers = 0 }
      edit(s, "mod.lua", "mod%-1", "mod-2")
      wait_for(s, "/version", "app-1 mod-2")
      s:signal(signal.SIGHUP)
      s:wait_for_stderr "generation 3 serves"
      assert.equal(0, reload(s):exit_code())
      assert.equal("4", get(s, "/generation"))
      files.write(s.folder .. "/mod.lua", ")(")
      s:wait_for_stderr "generation 5 does not load; generation 4 serves on: "
      assert.equal(1, reload(s):exit_code())
      s:stop()
    end)
  end)

  describe("of a broken file", function()
    it("leaves the old code, tells once, and goes on with the next change", function()
      local s = start { workers = 2 }
      edit(s, "app.lua", 'local mod', ")( this is no code\nlocal mod")
      local log = s:wait_for_stderr "generation 2 does not load; generation 1 serves on: "
      assert.truthy(log:find "app%.lua:2: ")
      assert.equal("app-1 mod-1", get(s, "/version"))
      edit(s, "app.lua", "%)%( this is no code\n", "")
      edit(s, "mod.lua", "mod%-1", "mod-2")
      wait_for(s, "/version", "app-1 mod-2")
      assert.equal(1, count(s:stderr(), "does not load"))
      s:stop()
    end)

    it("shows the error to the browser in debug mode", function()
      local s = start { args = { "--debug" } }
      edit(s, "app.lua", "return app", "error '<kaboom>'\nreturn app")
      s:wait_for(function() return http.get(s, "/version").status == 500 end)
      local answer = http.get(s, "/version")
      assert.equal("text/html; charset=utf-8", answer.header["content-type"])
      assert.truthy(answer.body:find "app%.lua:%d+: &lt;kaboom&gt;")
      edit(s, "app.lua", "error '<kaboom>'\n", "")
      wait_for(s, "/version", "app-1 mod-1")
      s:stop()
    end)

    it("never has one worker change over alone", function()
      local s = start { workers = 3, args = {}, more = [[
if qlua.worker.generation > 1 then
  app:before_serving(function()
    if qlua.worker.id == 2 then error "worker two will not" end
  end)
end
]] }
      local asked = reload(s)
      assert.truthy(asked:stderr():find("worker two will not", 1, true))
      for _ = 1, 20 do
        assert.equal("1", get(s, "/generation"))
      end
      s:stop()
    end)
  end)

  describe("of what an app does around its requests", function()
    local LIFE = [[
local function note(text)
  io.stderr:write("note: ", text, " ", qlua.worker.generation, "\n")
end
app:before_serving(function() note "before" end)
app:after_serving(function() note "after" end)
app.config.BACKGROUND_TASK_SHUTDOWN_TIMEOUT = 0.1
app:add_background_task(function()
  note "task begins"
  local ok, err = pcall(qlua.sleep, 100)
  note "task ends"
  error(err, 0)
end)
]]

    local function notes(s)
      local list = {}
      for note in s:stderr():gmatch "note: ([^\n]+)\n" do
        list[#list + 1] = note
      end
      return list
    end

    it("keeps the order: before_serving, tasks, after_serving", function()
      local s = start { args = {}, more = LIFE }
      reload(s)
      s:wait_for(function() return #notes(s) >= 6 end, 5, "six notes")
      local list = notes(s)
      assert.same({ "before 1", "task begins 1", "before 2", "task ends 1" },
        { unpack(list, 1, 4) })
      table.sort(list)
      assert.same({ "after 1", "before 1", "before 2", "task begins 1", "task begins 2",
        "task ends 1" }, list)
      s:stop()
      assert.equal("after 2", notes(s)[#notes(s)])
    end)

    it("runs after_serving after the last request", function()
      local s = start { args = {}, more = LIFE }
      local c = raw.connect(s.address)
      local seconds = os.getenv "SANITIZER" and 8 or 2 -- longer than the reload takes
      c:send(("GET /sleep?s=%d HTTP/1.1\r\nHost: x\r\n\r\n"):format(seconds))
      s:wait_for(function() return #notes(s) >= 2 end)
      reload(s)
      assert.equal(0, count(table.concat(notes(s), ","), "after 1"))
      assert.truthy(c:response().body:find("app-1 slept", 1, true))
      s:wait_for(function() return count(table.concat(notes(s), ","), "after 1") == 1 end)
      s:stop()
    end)

    it("starts no task of a generation that is dropped", function()
      local s = start { args = {}, more = LIFE .. [[
if qlua.worker.generation == 2 then app:before_serving(function() error "no" end) end
]] }
      assert.equal(1, reload(s):exit_code())
      assert.equal(0, reload(s):exit_code())
      s:wait_for(function() return count(table.concat(notes(s), ","), "task begins 3") == 1 end)
      assert.equal(0, count(table.concat(notes(s), ","), "task begins 2"))
      s:stop()
    end)
  end)

  describe("of requests that last", function()
    it("lets them end in their code, on a connection that goes on in the new one", function()
      local s = start { args = {} }
      local c = raw.connect(s.address)
      c:send "GET /sleep?s=0.3 HTTP/1.1\r\nHost: x\r\n\r\n"
      edit(s, "app.lua", "app%-1", "app-2")
      assert.equal(0, reload(s):exit_code())
      assert.equal("app-2 mod-1", get(s, "/version"))
      assert.equal("app-1 slept", c:response().body)
      c:send "GET /sleep?s=0 HTTP/1.1\r\nHost: x\r\n\r\n"
      assert.equal("app-2 slept", c:response().body)
      s:stop()
    end)

    it("closes them at drain_timeout and names them", function()
      local s = start { args = { "--set", "server.drain_timeout=0.3" } }
      local c = raw.connect(s.address)
      c:send "GET /sleep?s=100 HTTP/1.1\r\nHost: x\r\n\r\n"
      s:wait_for(function() return get(s, "/generation") == "1" end)
      reload(s)
      local log = s:wait_for_stderr "GET /sleep did not end\n"
      assert.truthy(log:find("generation 1 is closed after 0.3 s (drain_timeout): GET /sleep", 1,
        true))
      assert.equal(500, c:response().status)
      s:stop()
    end)

    it("keeps three generations at most", function()
      local s = start { args = {} }
      local c = {}
      for i = 1, 3 do
        c[i] = raw.connect(s.address)
        c[i]:send "GET /sleep?s=100 HTTP/1.1\r\nHost: x\r\n\r\n"
        assert.equal(tostring(i), get(s, "/generation"))
        assert.equal(0, reload(s):exit_code())
      end
      s:wait_for_stderr "generation 1 is closed because three newer ones live: GET /sleep did not"
      assert.equal(500, c[1]:response().status)
      assert.equal(0, count(s:stderr(), "generation 2 is closed"))
    end)
  end)

  it("loads code that waits again and again, after pieces of work", function()
    local s = start { args = {}, more = [[
app:before_serving(function()
  for _ = 1, 300 do
    local began = os.clock()
    while os.clock() - began < 0.0004 do end
    qlua.sleep(0)
  end
end)
]] }
    for generation = 2, 4 do
      local asked = reload(s)
      assert.equal("", asked:stderr())
      assert.equal(tostring(generation), get(s, "/generation"))
    end
  end)

  local WORK = [[
local function work()
  local t, from = {}, os.clock()
  while os.clock() - from < 0.5 do for i = 1, 100 do t[i] = { i } end end
end
if qlua.worker.generation > 1 then %s end
]]
  for place, code in pairs {
    ["code takes its time to load"] = "work()",
    ["app computes before it serves"] = "app:before_serving(work)",
  } do
    it("goes on serving while the " .. place, function()
      local s = start { args = {}, more = WORK:format(code) }
      s:signal(signal.SIGHUP)
      local served = 0
      s:wait_for(function()
        served = served + (get(s, "/generation") == "1" and 1 or 0)
        return s:stderr():find("generation 2 serves", 1, true)
      end)
      assert.truthy(served > 20)
    end)
  end

  it("of many signals at once ends with the last code and no process more", function()
    local s = start { workers = 2, args = {} }
    for i = 2, 12 do
      edit(s, "mod.lua", "mod%-%d+", "mod-" .. i)
      s:signal(signal.SIGHUP)
    end
    wait_for(s, "/version", "app-1 mod-12")
    assert.equal(2, #s:children())
    s:stop()
  end)

  it("gives a worker a generation of its own when its memory is nearly used up", function()
    local limit = 16 * 1024 * 1024
    local s = start { workers = 2, set = { ["server.lua_memory_limit"] = limit }, more = [[
local kept = {}
app:get("/keep", function()
  for i = 1, 26 do kept[i] = ("x"):rep(500000) .. i end
  return tostring(qlua.worker.id)
end)
]] }
    local id = http.get(s, "/keep").body
    local log = s:wait_for_stderr "nearly used up\n"
    assert.truthy(log:find(("generation 2 serves in worker %s after"):format(id), 1, true))
    assert.equal(2, #s:children())
    assert.equal("app-1 mod-1", get(s, "/version"))
    s:stop()
  end)

  it("replaces the workers when a C module has changed", function()
    local s = start { workers = 2, more = [[
package.cpath = app.root_path .. "/?.so;" .. package.cpath
pcall(require, "native")
]], files = { ["native.so"] = "no library" } }
    local before = s:children()
    files.write(s.folder .. "/native.so", "no library either")
    s:wait_for_stderr "native.so changed: the workers are replaced"
    s:wait_for(function()
      local now = s:children()
      return #now == 2 and now[1] > before[2] and now[2] > before[2]
    end)
    assert.equal("app-1 mod-1", get(s, "/version"))
    s:stop()
  end)
end)
