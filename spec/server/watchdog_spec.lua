--- The watchdog: a handler that never gives the processor back is stopped at its budget, whatever
--- it loops in; nobody else notices.

local raw = require "support.raw"
local server = require "support.server"

-- Ways to hold the processor. Each is a view's body that begins in line 1 of a file of its own,
-- and the lines where it may be found looping, or instead of them the place as it is told; and
-- what is told of templates.
local LOOPS = {
  { "an empty loop", "while true do end" },
  { "a loop that is compiled, over several lines", [[
local n, t = 0, {}
while n >= 0 do
  n = n + 1
  t[n % 100 + 1] = n
end]], "[2-5]" },
  { "a for loop without end", "for i = 1, math.huge do local x = i * 2 end" },
  { "goto", "local i = 0 ::again:: i = i + 1 goto again" },
  { "string.rep", "while true do local s = ('x'):rep(1000) .. tostring({}) end" },
  { "a pcall", "pcall(function() while true do end end) return 'swallowed'" },
  { "pcalls without end", [[
while true do
  pcall(function()
    while true do end
  end)
end]], "[1-5]" },
  { "a pcall that raises again and again", "while true do pcall(error, 'x') end" },
  { "an xpcall whose handler loops", [[
while true do
  xpcall(function() while true do end end, function() while true do end end)
end]], "2" },
  { "the handler of an xpcall", "xpcall(error, function() while true do end end, 'x')" },
  { "a coroutine", "coroutine.wrap(function() while true do end end)()" },
  { "coroutines and pcalls, one in the other", [[
local function dig(depth)
  while true do
    if depth > 0 then
      pcall(coroutine.wrap(dig), depth - 1)
    end
  end
end
dig(5)]], "[1-8]" },
  { "a generator that yields for ever", [[
local next_one = coroutine.wrap(function()
  while true do pcall(coroutine.yield, 1) end
end)
while true do next_one() end]], "[1-4]" },
  { "an __index metamethod", [[
local t = setmetatable({}, { __index = function() while true do end end })
return t.x]], "1" },
  { "a __tostring metamethod that C calls", [[
return tostring(setmetatable({}, { __tostring = function() while true do end end }))]] },
  { "a comparator of table.sort", [[
table.sort({ 3, 2, 1 }, function() while true do end end)]] },
  { "pcalls in a comparator of table.sort", [[
table.sort({ 3, 2, 1 }, function()
  while true do pcall(function() while true do end end) end
end)]], "2" },
  { "the handler of an xpcall in a comparator", [[
table.sort({ 3, 2, 1 }, function()
  while true do
    xpcall(function() while true do end end, function() while true do end end)
  end
end)]], "[2-4]" },
  { "a callback of string.gsub", "(('x'):rep(9)):gsub('.', function() while true do end end)" },
  { "string.gsub in pcalls", [[
while true do
  pcall(string.gsub, 'xxx', '.', function() while true do end end)
end]], "[12]" },
  { "a recursion", [[
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
return tostring(fib(90))]], "1" },
  { "tail calls", "local function f(n) return f(n + 1) end return f(1)" },
  { "a recursion that overflows again and again", [[
local function f() return 1 + f() end
while true do pcall(f) end]], "[12]" },
  { "require of a module that loops", "package.preload.looping = function() while true do end end "
    .. "return require 'looping'" },
  { "a template", "return require 'qlua'.render_template_string('{% for i in range(1000000000) %}"
    .. "{% endfor %}')", nil, "", "  in template <string>, line 1: {%% for [^\n]+\n" },
  { "a template in pcalls, whose filters take long", [[
local qlua = require "qlua"
while true do
  pcall(qlua.render_template_string,
    "{% for i in range(1000000000) %}{% set t = range(999)|sort %}{% endfor %}")
end]], "3", nil, "  in template <string>, line 1: {%% for [^\n]+\n" },
  { "code that was loaded without names of lines", [[
return loadstring(string.dump(loadstring "while true do end", true))()]], nil, "" },
}

local APP = [[
local ffi = require "ffi"
local qlua = require "qlua"
ffi.cdef "int getpid(void);"
local app = qlua.App(...)
app:route("/ok", function() return "ok" end)
app:route("/pid", function() return tostring(ffi.C.getpid()) end)
function loop() while true do end end
%s
return app
]]

local function get(s, path)
  local c = raw.connect(s, { timeout = 60 })
  c:send(("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):format(path))
  local response = c:response()
  c:close()
  return response
end

local function start(code, set, more, options)
  options = options or {}
  options.app, options.files, options.set = APP:format(code), more, set or {}
  options.set["server.handler_cpu_limit"] = options.set["server.handler_cpu_limit"] or 0.1
  return server.start(options)
end

--- The server's only worker is the one that it began with, and serves.
local function lives(s, pid)
  assert.equal("ok", get(s, "/ok").body)
  assert.equal(pid, get(s, "/pid").body)
end

describe("the watchdog stops", function()
  local s, pid

  setup(function()
    local texts, code = {}, {}
    for i, case in ipairs(LOOPS) do
      texts[("v%d.lua"):format(i)] = "return function() " .. case[2] .. " end"
      code[i] = ("app:route('/v%d', require 'v%d')"):format(i, i)
    end
    s = start(table.concat(code, "\n"), nil, texts)
    pid = get(s, "/pid").body
  end)

  teardown(server.stop_all)

  for i, case in ipairs(LOOPS) do
    it(case[1], function()
      local path = "/v" .. i
      for _ = 1, 2 do -- it leaves nothing behind that the next one would meet
        local response = get(s, path)
        assert.equal(503, response.status)
        assert.truthy(response.body:find "503 Service Unavailable")
      end
      local text = s:wait_for_stderr("GET " .. path .. "\n", 20)
      text = text:sub((text:find("request GET " .. path .. "\n", 1, true)))
      local place = case[4] or ("[^\n]*/v%d.lua:%s: "):format(i, case[3] or "1")
      assert.truthy(text:find("^request GET /v%d+\n" .. place .. "stopped here: the request "
        .. "has used 0.1 seconds of processor time, all that its route's cpu_limit or the "
        .. "server setting handler_cpu_limit allows\n" .. (case[5] or "")
        .. "stack traceback[^\n]*\n\t"), text)
      lives(s, pid)
    end)
  end
end)

-- Where Lua of the app's runs, beside views: the code that makes it loop for GET /there, and how
-- often it says so.
local PLACES = {
  { "a before_request hook", [[
    app:before_request(function() if there() then loop() end end)]] },
  { "an after_request hook", [[
    app:after_request(function(r) if there() then loop() end return r end)]] },
  { "an after_this_request function", [[
    app:before_request(function()
      if there() then qlua.after_this_request(function() loop() end) end
    end)]] },
  { "a teardown_request hook", [[
    app:teardown_request(function() if there() then loop() end end)]] },
  { "a teardown_appcontext hook", [[
    app:teardown_appcontext(function() if there() then loop() end end)]] },
  { "a url_value_preprocessor", [[
    app:url_value_preprocessor(function() if there() then loop() end end)]] },
  { "a receiver of request_started", [[
    qlua.signals.request_started:connect(function() if there() then loop() end end)]] },
  { "a receiver of request_finished", [[
    qlua.signals.request_finished:connect(function() if there() then loop() end end)]] },
  { "a receiver of request_tearing_down", [[
    qlua.signals.request_tearing_down:connect(function() if there() then loop() end end)]] },
  { "the handler of an error", [[
    app:errorhandler(qlua.errors.Exception, function() loop() end)
    app:before_request(function() if there() then error "boom" end end)]] },
  { "the handler of a status", [[
    app:errorhandler(418, function() loop() end)
    app:before_request(function() if there() then qlua.abort(418) end end)]] },
  { "the handler of 500", [[
    app:errorhandler(500, function() loop() end)
    app:before_request(function() if there() then error "boom" end end)]] },
  { "the handler of the 503 itself", [[
    app:errorhandler(503, function() loop() end)
    app:before_request(function() if there() then loop() end end)]] },
  { "handlers, hooks and teardown, all of them", [[
    app:errorhandler(503, function() loop() end)
    app:errorhandler(500, function() loop() end)
    app:errorhandler(qlua.errors.Exception, function() loop() end)
    app:before_request(function() if there() then loop() end end)
    app:after_request(function(r) if there() then loop() end return r end)
    app:teardown_request(function() if there() then pcall(loop) loop() end end)
    app:teardown_appcontext(function() if there() then loop() end end)]] },
  { "middleware", [[
    local inner = app.asgi_app
    app.asgi_app = function(scope, receive, send)
      if scope.path == "/there" then loop() end
      return inner(scope, receive, send)
    end]] },
  { "a view behind middleware", [[
    local inner = app.asgi_app
    app.asgi_app = function(...) return inner(...) end
    app:before_request(function() if there() then loop() end end)
    app:teardown_request(function() io.stderr:write "torn down\n" end)]] },
  { "a task that the view spawned and waits for", [[
    app:before_request(function() if there() then qlua.spawn(loop):wait() end end)]] },
  { "gather", [[
    app:before_request(function() if there() then qlua.gather(loop, loop) end end)]] },
  { "timeout", [[
    app:before_request(function() if there() then qlua.timeout(10, loop) end end)]] },
}

describe("the watchdog stops a loop in", function()
  after_each(server.stop_all)

  for _, case in ipairs(PLACES) do
    it(case[1], function()
      local s = start("local function there() return qlua.request.path == '/there' end\n"
        .. "app:route('/there', function() return 'there' end)\n" .. case[2])
      local pid = get(s, "/pid").body
      for _ = 1, 2 do
        assert.equal(503, get(s, "/there").status)
        lives(s, pid)
      end
      s:wait_for_stderr "app.lua:7: stopped here: the request has used"
    end)
  end

  it("a custom converter, which runs outside of tasks", function()
    local s = start [[
      app.url_map.converters.stuck = { to_lua = function(_, text)
        if text == "there" then pcall(loop) end
        return text
      end }
      app:route("/stuck/<stuck:x>", function(x) return x end)]]
    local pid = get(s, "/pid").body
    assert.equal(500, get(s, "/stuck/there").status)
    assert.equal("well", get(s, "/stuck/well").body)
    lives(s, pid)
    s:wait_for_stderr("app.lua:10: stopped here: it used 0.1 seconds of processor time without a "
      .. "wait, more than the server setting handler_cpu_limit allows\nin a custom converter")
  end)

  it("the app file, at three quarters of start_timeout", function()
    local s = server.run({
      app = "local function work()\n  while true do end\nend\npcall(work)\nwork()",
      set = { ["server.start_timeout"] = 4 },
    }, 10)
    assert.equal(1, s:exit_code())
    assert.truthy(s:stderr():find("app.lua:2: stopped here: loading takes longer than 3 "
      .. "seconds, three quarters of the server setting start_timeout\nstack traceback:\n"
      .. "\t[^\n]*app.lua:2: in function"), s:stderr())
  end)

  it("before_serving", function()
    local s = server.run({
      app = APP:format "app:before_serving(function() qlua.sleep(0) loop() end)",
      set = { ["server.start_timeout"] = 4 },
    }, 10)
    assert.equal(1, s:exit_code())
    assert.truthy(s:stderr():find "app.lua:7: stopped here: loading takes longer than 3 seconds")
  end)

  it("after_serving, so that the worker can end", function()
    local s = start "app:after_serving(function() loop() end)"
    assert.equal("ok", get(s, "/ok").body) -- it serves: before that there is no after_serving
    s:stop(0)
    s:wait_for_stderr "app.lua:7: stopped here: it used 0.1 seconds"
  end)

  it("a background task, from one wait to the next", function()
    local s = start [[
      app:before_serving(function()
        app:add_background_task(function()
          qlua.sleep(0.01)
          pcall(loop)
        end)
      end)]]
    s:wait_for_stderr("app.lua:7: stopped here: it used 0.1 seconds of processor time without a "
      .. "wait", 10)
    lives(s, get(s, "/pid").body)
  end)

  it("a streamed body: the connection is cut", function()
    local s = start [[
      app:route("/stream", function()
        return function()
          if not qlua.g.begun then
            qlua.g.begun = true
            return "first"
          end
          loop()
        end
      end)]]
    local pid = get(s, "/pid").body
    local c = raw.connect(s, { timeout = 20 })
    c:send "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
    local bytes = c:read_all()
    c:close()
    assert.truthy(bytes:find "^HTTP/1.1 200 OK\r\n")
    assert.truthy(bytes:find "first\r\n$", bytes) -- no last chunk
    lives(s, pid)
    s:wait_for_stderr "app.lua:7: stopped here: it used 0.1 seconds"
  end)

  it("a view under the test client", function()
    local folder = require("support.files").folder {
      ["app.lua"] = APP:format "app:route('/there', function() loop() end)",
      ["spec/app_spec.lua"] = [[
        local qlua = require "qlua"
        describe("the app", function()
          it("is stopped, and goes on", function()
            local client = qlua.testing.load():test_client()
            assert.equal(503, client:get("/there").status_code)
            assert.equal("ok", client:get("/ok").data)
            local t0 = os.clock()
            while os.clock() - t0 < 0.3 do end -- the spec itself may take its time
          end)
        end)]],
    }
    local s = server.run({
      argv = { "test" }, folder = folder, cwd = folder,
      env = { QLUA_SERVER__HANDLER_CPU_LIMIT = "0.1" },
    }, 30)
    assert.equal(0, s:exit_code(), s:stdout() .. s:stderr())
    require("support.files").remove(folder)
  end)
end)

describe("the watchdog", function()
  after_each(server.stop_all)

  local WORK = [[
    local function work(seconds)
      local t0 = os.clock()
      while os.clock() - t0 < seconds do end
    end
  ]]

  it("counts over all waits of a request", function()
    local s = start(WORK .. [[
      app:route("/bits", function()
        for _ = 1, 100 do work(0.02) qlua.sleep(0) end
        return "done"
      end)]], { ["server.handler_cpu_limit"] = 0.5 })
    assert.equal(503, get(s, "/bits").status)
    s:wait_for_stderr "the request has used 0.5 seconds of processor time"
  end)

  it("lets a stream and a background task use as much again after each wait", function()
    local s = start(WORK .. [[
      app:route("/stream", function()
        local n = 0
        return function()
          n = n + 1
          work(0.03)
          qlua.sleep(0.001)
          return n <= 20 and "x" or nil
        end
      end)
      app:before_serving(function()
        app:add_background_task(function()
          for _ = 1, 20 do work(0.03) qlua.sleep(0.001) end
          io.stderr:write "the background task is done\n"
        end)
      end)]], { ["server.handler_cpu_limit"] = 0.2 })
    assert.equal(("x"):rep(20), get(s, "/stream").body)
    assert.falsy(s:wait_for_stderr("the background task is done", 20):find "stopped")
  end)

  it("takes a route's cpu_limit in its place; 0 is none", function()
    local s = start(WORK .. [[
      app:route("/more", { cpu_limit = 2 }, function() work(0.5) return "more" end)
      app:route("/none", { cpu_limit = 0 }, function() work(0.5) return "none" end)
      app:route("/less", { cpu_limit = 0.05 }, function() work(0.15) return "less" end)
      app:route("/same", function() work(0.5) return "same" end)]],
      { ["server.handler_cpu_limit"] = 0.2 })
    assert.equal("more", get(s, "/more").body)
    assert.equal("none", get(s, "/none").body)
    assert.equal(503, get(s, "/less").status)
    s:wait_for_stderr "the request has used 0.05 seconds"
    assert.equal(503, get(s, "/same").status)
  end)

  it("serves a route's cpu_limit when handler_cpu_limit is off", function()
    local s = start(WORK .. [[
      app:route("/free", function() work(0.5) return "free" end)
      app:route("/bound", { cpu_limit = 0.1 }, function() loop() end)]],
      { ["server.handler_cpu_limit"] = 0 })
    assert.equal("free", get(s, "/free").body)
    assert.equal(503, get(s, "/bound").status)
  end)

  it("refuses a cpu_limit that is no length of time", function()
    local s = server.run({ app = APP:format "app:route('/x', { cpu_limit = -1 }, loop)" }, 10)
    assert.equal(1, s:exit_code())
    assert.truthy(s:stderr():find("app.lua:8: route \"/x\": cpu_limit must be seconds from 0 on "
      .. "(0: no limit), got -1", 1, true), s:stderr())
  end)

  it("lets a handler of 503 answer, with what there is to say", function()
    local s = start [[
      app:errorhandler(503, function(err)
        assert(qlua.errors.CpuLimitExceeded == getmetatable(err))
        return "busy: " .. err.message:match "stopped.*", 503, { ["Retry-After"] = "7" }
      end)
      app:route("/there", loop)]]
    local response = get(s, "/there")
    assert.equal(503, response.status)
    assert.equal("7", response.header["retry-after"])
    assert.truthy(response.body:find "^busy: stopped here: the request has used 0.1 seconds")
  end)

  it("loses no request beside the loop, and no more than its time", function()
    local s = start("app:route('/there', loop)", { ["server.handler_cpu_limit"] = 0.3 })
    local pid = get(s, "/pid").body
    local others = {}
    for i = 1, 8 do
      others[i] = raw.connect(s, { timeout = 30 })
    end
    local good = 0
    local function round()
      for _, c in ipairs(others) do
        c:send(("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n"):rep(20))
      end
      for _, c in ipairs(others) do
        for _ = 1, 20 do
          good = good + (c:response().body == "ok" and 1 or 0)
        end
      end
    end
    round()
    local c = raw.connect(s, { timeout = 30 })
    c:send "GET /there HTTP/1.1\r\nHost: x\r\n\r\n"
    for _ = 1, 20 do round() end
    assert.equal(503, c:response().status)
    for _ = 1, 20 do round() end
    assert.equal(41 * 160, good)
    lives(s, pid)
  end)

  it("stops a thousand loops, one after the other, without growing", function()
    local s = start([[
      app:route("/deep", { cpu_limit = 0.01 }, function()
        local t = {}
        for i = 1, 1000 do t[i] = { i } end
        while true do pcall(coroutine.wrap(loop)) end
      end)
      app:route("/used", function()
        collectgarbage() collectgarbage()
        return tostring(collectgarbage "count")
      end)]])
    for _ = 1, 10 do get(s, "/deep") end
    local before = tonumber(get(s, "/used").body)
    for _ = 1, 100 do assert.equal(503, get(s, "/deep").status) end
    assert.is_true(tonumber(get(s, "/used").body) < before + 100)
  end)

  it("leaves what runs in C to the heartbeat: only that worker is replaced", function()
    local s = start([[
      app:route("/find", function()
        return tostring((("a"):rep(200000)):find(".-.-.-.-.-b"))
      end)]], { ["server.worker_timeout"] = 1 }, nil, { workers = 2 })
    local c = raw.connect(s, { timeout = 30 })
    c:send "GET /find HTTP/1.1\r\nHost: x\r\n\r\n"
    assert.equal("", c:read_all())
    c:close()
    s:wait_for_stderr("gave no sign of life", 10)
    s:wait_for_stderr("ended by signal 9; replaced", 10)
    assert.equal("ok", get(s, "/ok").body)
  end)
end)

describe("the watchdog, over a reload,", function()
  after_each(server.stop_all)

  local files = require "support.files"

  local function start_reloading(code)
    local s = start(code, { ["server.start_timeout"] = 4 }, nil, { args = { "--reload" } })
    s:wait_for_stderr "CTRL + C"
    return s
  end

  local function change(s, from, to)
    local path = s.folder .. "/app.lua"
    local text, count = files.read(path):gsub(from, to)
    assert.equal(1, count)
    files.write(path, text)
  end

  it("stops a loop in the old code, in the new, and in the one after", function()
    local s = start_reloading [[
      local VERSION = 1
      app:route("/late", function() qlua.sleep(1) while true do end end)
      app:route("/loop", loop)
      app:route("/version", function() return tostring(VERSION) end)]]
    local pid = get(s, "/pid").body
    assert.equal(503, get(s, "/loop").status)
    local c = raw.connect(s, { timeout = 30 })
    c:send "GET /late HTTP/1.1\r\nHost: x\r\n\r\n"
    for version = 2, 3 do
      change(s, "VERSION = " .. version - 1, "VERSION = " .. version)
      s:wait_for(function() return get(s, "/version").body == tostring(version) end, 10,
        "version " .. version)
      assert.equal(503, get(s, "/loop").status)
    end
    assert.equal(503, c:response().status)
    s:wait_for_stderr "app.lua:9: stopped here"
    lives(s, pid)
  end)

  it("stops new code that loops while it is loaded; the old serves meanwhile and after", function()
    local s = start_reloading [[
      local loops = false
      if loops then qlua.spawn(loop) while true do end end
      app:route("/loop", loop)]]
    local pid = get(s, "/pid").body
    change(s, "loops = false", "loops = true")
    s:wait_for(function()
      assert.equal("ok", get(s, "/ok").body)
      return s:stderr():find "generation 2 does not load"
    end, 60, "the new code to be given up")
    -- on a busy machine start_timeout is over before three quarters of it are used
    local log = s:stderr()
    assert.truthy(log:find "app.lua:9: stopped here: loading takes longer than 3 seconds"
      or log:find("it was not ready in time (start_timeout)", 1, true), log)
    assert.equal(503, get(s, "/loop").status)
    change(s, "loops = true", "loops = false")
    s:wait_for_stderr("serves after", 60)
    assert.equal(503, get(s, "/loop").status)
    lives(s, pid)
  end)
end)
