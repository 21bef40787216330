--- Profiles: where the processor time goes, by `qlua profile` and on the page of debug mode.

local cjson = require "cjson"

local debugged = require "support.debugged"
local files = require "support.files"
local http = require "support.http"
local load = require "support.load"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local kept = 0
local function spin(n)
  for i = 1, n do kept = (kept + i % 7) % 1000003 end
end
local function brief() spin(1000) end
app:get("/hello", function() return "Hello, World!" end)
app:get("/busy/<int:n>", function()
  brief()
  for _ = 1, 40 do spin(1000000) end
  return "done"
end)
app:get("/collect", function()
  for _ = 1, 3 do
    local t = {}
    for i = 1, 100000 do t[i] = { i } end
    for _ = 1, 4 do collectgarbage() end
  end
  return "done"
end)
local text = ("a"):rep(24)
app:get("/search", function()
  for _ = 1, 4 do text:find "a*a*a*a*a*b" end
  return "done"
end)
app:get("/unloved", function()
  local sum = 0
  for i = 1, 20000 do
    local f = function() return i end
    sum = sum + f()
  end
  return tostring(sum)
end)
app:get("/chunks", function()
  local till = os.clock() + 0.4
  local n = 0
  while os.clock() < till do
    n = n + 1
    local body = ("local x = 0 for i = 1, 300 do x = x + i %% %d end return x"):format(n % 7 + 2)
    assert(loadstring(body, ("@made/%d/%d.lua"):format(n, math.random(1e9))))()
  end
  return tostring(n)
end)
local function deep(n) if n == 0 then spin(20000000) return 0 end return 1 + deep(n - 1) end
app:get("/deep", function() return tostring(deep(500)) end)
app:get("/inside", function()
  local co = coroutine.wrap(function() spin(30000000) end)
  co()
  return "done"
end)
return app
]]

local function start(options)
  options = options or {}
  options.app = options.app or APP
  local s = server.start(options)
  s:wait_for_stderr "Running on" -- its workers serve
  return s
end

local function ask(s, ...)
  return server.launch { argv = { "profile", "--port", tostring(s.port), ... } }
end

--- What --json tells of a run in which all of these paths were asked until it was over.
local function profile_of(s, paths, ...)
  local asked = ask(s, "--json", "--seconds", "1", ...)
  while not asked:exit_code() do
    for _, path in ipairs(paths) do
      assert.equal(200, http.get(s, path).status)
    end
  end
  assert.equal("", asked:stderr())
  assert.equal(0, asked:exit_code())
  return cjson.decode(asked:stdout())
end

local function route_of(told, name)
  for _, route in ipairs(told.routes) do
    if route.route == name then
      return route
    end
  end
  error("no route " .. name)
end

local function own_of(counts)
  return counts.compiled + counts.interpreted + counts.c + counts.collector + counts.compiler
end

local function check_sums(told)
  local all = 0
  local function check(node)
    local sum = own_of(node)
    for _, child in ipairs(node.children) do
      check(child)
      sum = sum + child.samples
    end
    assert.equal(node.samples, sum)
  end
  for _, route in ipairs(told.routes) do
    all = all + route.samples
    assert.equal(route.samples, own_of(route))
    local inside = 0
    for _, node in ipairs(route.stacks) do
      check(node)
      inside = inside + node.samples
    end
    assert.is_true(inside <= route.samples)
  end
  assert.equal(told.samples, all)
  assert.equal(told.samples, own_of(told.total))
end

describe("qlua profile", function()
  after_each(server.stop_all)

  it("shows the function that takes the time, and adds up", function()
    local s = start()
    local told = profile_of(s, { "/busy/1", "/hello" })
    check_sums(told)
    local busy = route_of(told, "GET /busy/<int:n>")
    assert.equal("GET /busy/<int:n>", told.routes[1].route)
    local view = busy.stacks[1]
    assert.equal(9, view.line)
    assert.equal("spin", view.children[1].name)
    assert.equal(4, view.children[1].line)
    assert.is_true(view.children[1].samples > busy.samples * 0.8)
    assert.is_true(busy.compiled > busy.samples * 0.8)
    assert.equal(5, told.lines[1].line)
    assert.is_true(told.cpu_seconds > 0 and told.cpu_seconds < 5)
  end)

  it("prints tables for people", function()
    local s = start()
    local asked = ask(s, "--seconds", "2")
    while not asked:exit_code() do
      http.get(s, "/collect")
      for _ = 1, 5 do
        http.get(s, "/unloved")
      end
    end
    local text = asked:stdout()
    assert.matches("^%d+ samples in 2%.%d s of 1 worker, which used [%d.]+ s of processor time\n"
      .. "outside of Lua, in the server itself: [%d.]+ %%\n\n"
      .. " samples   share  compiled  interpr%.       C  collector  compiler  route\n", text)
    for _, row in ipairs { "GET /collect", "GET /unloved", "all",
      "function [^\n]*app%.lua:14", "[^\n]*app%.lua:18" } do
      assert.matches(" %d+ +[%d.]+ %% +[%d.]+ %% +[%d.]+ %% +[%d.]+ %% +[%d.]+ %% +[%d.]+ %%  "
        .. row .. "\n", text)
    end
    assert.matches("\ntraces that the JIT compiler gave up:\n +%d+  [^\n]*app%.lua:%d+: ", text)
  end)

  it("tells the collector and C code apart", function()
    local s = start()
    local told = profile_of(s, { "/collect", "/search" })
    local collect, search = route_of(told, "GET /collect"), route_of(told, "GET /search")
    assert.is_true(collect.collector > collect.samples * 0.5)
    assert.is_true(search.c > search.samples * 0.5)
    check_sums(told)
  end)

  it("lists traces that were given up, with line and reason", function()
    local told = profile_of(start(), { "/unloved" })
    local found
    for _, abort in ipairs(told.aborts) do
      found = found or abort.place:find "app%.lua:30$" and abort.reason == "NYI: bytecode FNEW"
        and abort.count > 0
    end
    assert.truthy(found, cjson.encode(told.aborts))
  end)

  it("shows who resumed a coroutine", function()
    local told = profile_of(start(), { "/inside" })
    local view = route_of(told, "GET /inside").stacks[1]
    local names = {}
    while view do
      names[#names + 1] = view.kind == "lua" and view.line or "C"
      view = view.children[1]
    end
    assert.matches("^47 .*48 4$", table.concat(names, " "))
  end)

  it("stays bounded whatever the stacks", function()
    local s = start()
    local told = profile_of(s, { "/chunks", "/deep" })
    check_sums(told)
    assert.is_true(told.cut > 0) -- the stacks of /deep are not whole
    local function depth(node)
      local most = 0
      for _, child in ipairs(node.children) do
        most = math.max(most, depth(child))
      end
      return most + 1
    end
    assert.equal(91, depth { children = route_of(told, "GET /deep").stacks })
  end)

  it("adds up the workers, or takes one by its process id", function()
    local s = start { args = { "--workers", "2" } }
    local workers = s:wait_for(function()
      local list = s:children()
      return #list == 2 and list
    end, 20, "two workers")
    local told = profile_of(s, { "/busy/1", "/hello", "/hello" })
    assert.equal(2, #told.workers)
    assert.equal(told.samples, told.workers[1].samples + told.workers[2].samples)
    local one = server.launch { argv = { "profile", tostring(workers[1]), "--seconds", "1",
      "--json" } }
    one:wait_for(function() return one:exit_code() end, 20, "the end")
    assert.equal(0, one:exit_code(), one:stderr())
    told = cjson.decode(one:stdout())
    assert.equal(1, #told.workers)
    assert.equal(tonumber(workers[1]), told.workers[1].pid)
  end)

  it("fails no request of a worker under load", function()
    local s = start()
    local clients = load.new(s.port, { connections = 8, path = "/hello", body = "Hello, World!" })
    local asked = ask(s, "--seconds", "1")
    clients:run(function() return asked:exit_code() ~= nil end)
    assert.equal(0, asked:exit_code(), asked:stderr())
    assert.matches("samples in 1%.%d s of 1 worker, which used", asked:stdout())
    assert.matches("\noutside of Lua, in the server itself: [%d.]+ %%\n", asked:stdout())
    assert.same({}, clients.failures)
    assert.is_true(clients.done > 100)
  end)

  it("works without a supervisor and without handler_cpu_limit", function()
    local s = start { args = { "--workers", "0", "--set", "server.handler_cpu_limit=0" } }
    local told = profile_of(s, { "/busy/1" })
    assert.is_true(route_of(told, "GET /busy/<int:n>").samples > 10)
    told = profile_of(s, { "/busy/2" })
    assert.is_true(route_of(told, "GET /busy/<int:n>").samples > 10)
  end)

  it("writes a page with a flame graph, without scripts", function()
    local s = start()
    local path = files.folder() .. "/p.html"
    local asked = ask(s, "--seconds", "1", "--html", path)
    while not asked:exit_code() do
      http.get(s, "/busy/1")
    end
    assert.equal(0, asked:exit_code(), asked:stderr())
    local page = files.read(path)
    assert.matches("<svg class=\"flame\"", page)
    assert.matches("<title>spin %([^)]*app%.lua:4%): %d+ samples, [%d.]+ %%; compiled", page)
    assert.matches("GET /busy/&lt;int:n&gt;", page)
    assert.is_nil(page:find("<script", 1, true))
    assert.is_nil(page:find("http%-equiv") or page:find "<a ")
  end)

  it("says what is wrong", function()
    local s = start()
    local function fails(code, text, ...)
      local asked = server.run({ argv = { "profile", ... } }, 20)
      assert.equal(code, asked:exit_code(), asked:stderr())
      assert.truthy(asked:stderr():find(text, 1, true), asked:stderr())
    end
    local port = tostring(s.port)
    fails(2, "--seconds takes a whole number from 1 to 600, not 0", "--seconds", "0")
    fails(2, "x is no process id: qlua profile [PID]", "x")
    fails(3, "there is no process 4194305", "4194305")
    fails(3, "is no server or worker of qlua with a control socket that you may ask", "1")
    fails(3, "no server answers there", "--port", tostring(server.free_port()))
    fails(1, "the page cannot be written: /nowhere/p.html", "--port", port, "--seconds", "1",
      "--html", "/nowhere/p.html")
    local two = { ask(s, "--seconds", "30"), ask(s, "--seconds", "30") }
    s:wait_for(function() -- the later one is refused
      for _, asked in ipairs(two) do
        if asked:exit_code() then
          assert.equal(4, asked:exit_code())
          assert.matches("a profile is being taken already; try again", asked:stderr())
          return true
        end
      end
    end, 20, "the refusal")
  end)
end)

describe("the page of the profile", function()
  after_each(server.stop_all)

  local function prefix(d)
    return d.server:wait_for_stderr("Debugger: "):match "(/__qlua__/%x+/)"
  end

  it("begins one, shows it, and what is below a frame", function()
    local d = debugged.start { app = APP }
    local url = prefix(d) .. "profile"
    local none = d:request("GET", url).body
    assert.matches("No profile has been taken", none)
    assert.is_true(d:post(url, { seconds = "60" }).ok)
    local taking = d:post(url, { seconds = "1" })
    assert.matches("a profile is being taken already", taking.error)
    for _ = 1, 5 do
      assert.equal(200, d:request("GET", "/busy/1").status)
    end
    assert.matches('http%-equiv="refresh"', d:request("GET", url).body)
    assert.is_true(d:post(url, { ["end"] = "1" }).ok)
    local page = d:request("GET", url).body
    assert.is_nil(page:find('http-equiv="refresh"', 1, true))
    assert.is_nil(page:find("<script", 1, true))
    assert.matches("app%.lua:5", page)
    assert.matches("<code>for i = 1, n do kept = ", page)
    local link = assert(page:match '<a href="([^"]+)"><g class="app"><title>spin ')
    local below = d:request("GET", link).body
    assert.matches("All routes</a>", below)
    assert.matches("<b>spin</b>", below)
    local told = d:get(url)
    check_sums(told)
    assert.matches("above 0, at most 600", d:post(url, { seconds = "x" }).error)
  end)

  it("outlives a reload of the code", function()
    local d = debugged.start { app = APP }
    local url = prefix(d) .. "profile"
    assert.is_true(d:post(url, { seconds = "60" }).ok)
    assert.equal(200, d:request("GET", "/busy/1").status)
    assert.equal(0, server.run({ argv = { "reload", "--port", tostring(d.server.port) } },
      20):exit_code())
    local told
    d.server:wait_for(function()
      told = d:get(url)
      return told.samples > 0
    end, 20, "the profile of the code before")
    assert.is_false(told.taking)
    assert.truthy(route_of(told, "GET /busy/<int:n>"))
  end)

  it("is not there without debug mode, nor for pages elsewhere", function()
    local s = start()
    for _, path in ipairs { "/__qlua__/", "/__qlua__/profile",
      "/__qlua__/" .. ("0"):rep(32) .. "/profile" } do
      assert.equal(404, http.get(s, path).status)
      assert.equal(404, http.post(s, path).status)
    end
    local d = debugged.start { app = APP }
    local _, answer = d:post(prefix(d) .. "profile", { seconds = "1" },
      { Origin = "http://evil.example" })
    assert.equal(403, answer.status)
    assert.equal(0, d:get(prefix(d) .. "profile").samples)
  end)
end)
