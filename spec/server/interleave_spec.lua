--- Contexts of requests that run beside each other are never mixed, and a worker that loses its
--- state is replaced.

local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local APP = [[
local ffi = require "ffi"
local qlua = require "qlua"
local app = qlua.App(...)
local request, g = qlua.request, qlua.g

local function check(where, name)
  local seen = ("%s %s"):format(tostring(request.args.name), tostring(g.name))
  if seen ~= name .. " " .. name then
    error(("%s: %s for %s"):format(where, seen, name), 0)
  end
end

--- Waits of different lengths, so that the requests overtake each other.
local function nap(name, n)
  qlua.sleep((tonumber(name) * 7 + n * 3) % 5 / 1000)
end

app:route("/mix", function()
  local name = request.args.name
  g.name = name
  for n = 1, 3 do
    nap(name, n)
    check("view", name)
  end
  local task = qlua.spawn(function()
    nap(name, 4)
    check("task", name)
    return name
  end)
  local generator = coroutine.wrap(function()
    for n = 5, 7 do
      nap(name, n)
      check("coroutine", name)
      coroutine.yield(n)
    end
  end)
  for _ = 5, 7 do
    generator()
    check("after the generator", name)
  end
  local a, b = qlua.gather(
    function() nap(name, 8) check("gather 1", name) return request.args.name end,
    function() check("gather 2", name) nap(name, 9) check("gather 2", name) return g.name end)
  pcall(function()
    nap(name, 10)
    error "caught"
  end)
  check("after an error", name)
  return table.concat({ name, a, b, task:wait() }, " ")
end)

app:route("/pid", function() return tostring(qlua.worker.pid) end)
app:route("/exit", function() os.exit(0) end)
app:route("/exit/close", function() os.exit(3, true) end)
app:route("/gc", function()
  do
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = function() error "in a finalizer" end
  end
  collectgarbage()
  return "collected"
end)
app:route("/abort", function()
  ffi.cdef "void abort(void);"
  ffi.C.abort()
end)
app:route("/linger", function()
  qlua.spawn(function()
    local _, err = pcall(qlua.sleep, 600)
    print("lingering task: " .. getmetatable(err).__name)
  end)
  return ""
end)
app:route("/print", function()
  print "a line"
  io.write "and half"
  return "printed"
end)
return app
]]

describe("requests beside each other", function()
  local s

  before_each(function() s = server.start { app = APP } end)
  after_each(server.stop_all)

  local function get(path)
    return http.get(s, path)
  end

  it("keep their own request and g, in views, tasks and coroutines", function()
    local clients = {}
    for round = 1, 3 do
      for i = 1, 150 do
        clients[i] = clients[i] or raw.connect(s)
        clients[i]:send(("GET /mix?name=%d HTTP/1.1\r\nHost: x\r\n\r\n"):format(round * 1000 + i))
      end
      for i = 1, 150 do
        local response = clients[i]:response()
        local name = tostring(round * 1000 + i)
        assert.equal(("%s %s %s %s"):format(name, name, name, name), response.body)
      end
    end
    for i = 1, 150 do
      clients[i]:close()
    end
    assert.falsy(s:stderr():find "Exception")
  end)

  it("print to standard output, line by line", function()
    assert.equal("printed", get("/print").body)
    s:wait_for(function() return s:stdout() == "a line\n" end)
  end)

  it("have the clean-up of their tasks run when the worker stops", function()
    get "/linger"
    s:stop()
    assert.truthy(s:stdout():find("lingering task: Cancelled\n", 1, true), s:stdout())
  end)

  it("hear of a finalizer that raises as Lua says it", function()
    assert.equal(500, get("/gc").status)
    s:wait_for_stderr "in a finalizer"
    assert.equal(200, get("/pid").status)
  end)

  for _, path in ipairs { "/exit", "/exit/close", "/abort" } do
    it("get another worker when one ends the process: " .. path, function()
      s:stop()
      s = server.start { app = APP, env = { ASAN_OPTIONS = "detect_leaks=0" } } -- it just ends
      local pid = get("/pid").body
      assert.has_error(function() get(path) end, ("GET %s: closed without an answer"):format(path))
      s:wait_for_stderr "; replaced"
      local other
      s:wait_for(function()
        local ok, response = pcall(get, "/pid")
        other = ok and response.body
        return other
      end)
      assert.not_equal(pid, other)
    end)
  end
end)
