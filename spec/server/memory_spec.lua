--- The memory cap: who makes the heap grow fails, nobody else, and the worker lives on.

local files = require "support.files"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local MIB = 1024 * 1024

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local LIVE = %d -- MiB, in pieces as apps have them
kept = {}
for i = 1, LIVE * 64 do
  kept[i] = ("%%08d"):format(i):rep(2048) -- 16 KiB
end
app:route("/harmless", function()
  local t = {}
  for i = 1, 40 do t[i] = { name = "n" .. i, value = tostring(i) .. "text" } end
  return t
end)
app:route("/hog", function()
  local t = {}
  while true do t[#t + 1] = ("h" .. #t):rep(500000) end
end)
app:route("/hog/slow", function()
  local t = {}
  while true do
    t[#t + 1] = ("h" .. #t):rep(500000)
    qlua.sleep(0)
  end
end)
app:route("/hog/caught", function()
  local tries = 0
  for _ = 1, 5 do
    local ok, err = pcall(function()
      local t = {}
      while true do t[#t + 1] = ("h" .. #t):rep(500000) end
    end)
    if not ok and err:find "not enough memory" then tries = tries + 1 end
  end
  return tostring(tries)
end)
app:route("/used", function()
  collectgarbage()
  return tostring(collectgarbage "count")
end)
app:route("/leak", function()
  kept[#kept + 1] = ("l" .. #kept):rep(250000)
  return "kept"
end)
return app
]]

describe("the memory cap", function()
  local sanitized = os.getenv "SANITIZER"

  after_each(server.stop_all)

  local function start(limit, live)
    return server.start {
      app = APP:format(live), set = { ["server.lua_memory_limit"] = limit * MIB },
    }
  end

  local function get(s, path)
    local c = raw.connect(s, { timeout = 30 })
    c:send(("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):format(path))
    local response = c:response()
    c:close()
    return response
  end

  --- How many of `count` requests on one connection are answered with 200, and the seconds.
  local function many(s, path, count)
    local c, good, t0 = raw.connect(s, { timeout = 30 }), 0, wait.now()
    local request = ("GET %s HTTP/1.1\r\nHost: x\r\n\r\n"):format(path)
    for _ = 1, count / 50 do
      c:send(request:rep(50))
      for _ = 1, 50 do
        good = good + (c:response().status == 200 and 1 or 0)
      end
    end
    c:close()
    return good, wait.now() - t0
  end

  local function memory_of(pid, field)
    local kib = files.read(("/proc/%d/status"):format(pid)):match(field .. ":%s*(%d+)")
    return tonumber(kib) / 1024
  end

  it("lets all harmless requests pass while much is live", function()
    local s = start(64, 36)
    assert.equal(2000, (many(s, "/harmless", 2000)))
    assert.falsy(s:stderr():find "Exception")
  end)

  it("lets them pass above three quarters of it", function()
    local s = start(64, 54)
    assert.equal(2000, (many(s, "/harmless", 2000)))
    assert.falsy(s:stderr():find "Exception")
  end)

  it("fails the request that grows without end; the worker lives and has its memory", function()
    local s = start(64, 4)
    get(s, "/harmless") -- it has loaded
    local pid = s:children()[1]
    local before = memory_of(pid, "VmRSS")
    for _ = 1, 3 do
      assert.equal(500, get(s, "/hog").status)
      assert.equal(200, get(s, "/harmless").status)
    end
    assert.equal(pid, s:children()[1])
    assert.is_true(tonumber(get(s, "/used").body) < 8 * 1024)
    if not sanitized then
      assert.is_true(memory_of(pid, "VmRSS") < before + 16, memory_of(pid, "VmRSS"))
      assert.is_true(memory_of(pid, "VmHWM") < before + 64 * 2 + 16, memory_of(pid, "VmHWM"))
    end
    local text = s:wait_for_stderr "/hog\n"
    assert.truthy(text:find("Exception on request GET /hog\n[^\n]*not enough memory\nstack "
      .. "traceback:\n.*app.lua[:%d]*: in .*\nThe Lua memory of this worker is at its limit, and "
      .. "this request made it grow: let it hold less at a time, or raise the server setting "
      .. "lua_memory_limit\n"), text)
  end)

  it("fails one that grows slowly too, and nobody beside it", function()
    local s = start(64, 4)
    local hog = raw.connect(s, { timeout = 30 })
    hog:send "GET /hog/slow HTTP/1.1\r\nHost: x\r\n\r\n"
    local good, count = 0, 0
    repeat
      good, count = good + (many(s, "/harmless", 50)), count + 50
    until s:stderr():find "/hog/slow" or count > 20000
    assert.equal(count, good)
    assert.equal(500, hog:response().status)
    hog:close()
  end)

  it("holds when a handler catches the error and goes on", function()
    local s = start(64, 4)
    get(s, "/harmless") -- it has loaded
    local pid = s:children()[1]
    local before = memory_of(pid, "VmRSS")
    assert.equal("5", get(s, "/hog/caught").body)
    assert.equal(200, get(s, "/harmless").status)
    if not sanitized then
      assert.is_true(memory_of(pid, "VmHWM") < before + 64 * 2 + 16, memory_of(pid, "VmHWM"))
    end
  end)

  it("does not make harmless requests slow when much is live", function()
    local few, much = start(256, 0), start(256, 100)
    many(few, "/harmless", 500)
    many(much, "/harmless", 500)
    local _, with_none = many(few, "/harmless", 1000)
    local _, with_much = many(much, "/harmless", 1000)
    if not sanitized then
      assert.is_true(with_much < 10 * with_none + 0.05, with_much .. " " .. with_none)
    end
  end)

  it("says when so much stays live that it is near its limit", function()
    local s = start(64, 4)
    local count = 0
    repeat -- no further: a generation that takes the place of this one would say so, too
      get(s, "/leak")
      count = count + 1
    until count == 110 or s:stderr():find "stay in use"
    for _ = 1, 5 do
      get(s, "/leak")
    end
    local text = s:wait_for_stderr "MiB of Lua memory stay in use"
    assert.truthy(text:find("%[WARNING%] %d+ MiB of Lua memory stay in use, near lua_memory_limit "
      .. "%(64 MiB%); find what the app keeps, or raise the limit"), text)
    assert.equal(1, select(2, text:gsub("stay in use", "")))
  end)

  it("has new code soon where memory stays full, whatever was refused before", function()
    local s = start(64, 4)
    assert.equal(500, get(s, "/hog").status)
    s:wait_for_stderr "the one before ran out of Lua memory"
    local t0 = wait.now()
    for number = 3, 4 do
      local full = "generation " .. number .. " serves in worker 1 [^\n]*nearly used up"
      assert(wait.until_true(function()
        get(s, "/leak")
        return s:stderr():find(full)
      end, 30), s:stderr())
      assert.equal(200, get(s, "/harmless").status)
    end
    assert.is_true(wait.now() - t0 < 50)
  end)

  it("is off with 0", function()
    local s = server.start {
      app = APP:format(0):gsub("while true do t%[", "for _ = 1, 100 do t["),
      set = { ["server.lua_memory_limit"] = 0 },
    }
    get(s, "/hog")
    assert.falsy(s:stderr():find "not enough memory")
  end)
end)
