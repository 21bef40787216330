--- Errors in handlers: nothing of them reaches the client, all of them the log.

local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)

local function inner() error "boom" end
local function view(path, fn) app:route(path, fn) end

view("/string", function() inner() end)
view("/table", function() error { code = 5 } end)
local Text = { __tostring = function() return "my text" end }
view("/named", function() error(setmetatable({}, Text)) end)
view("/nothing", function() error() end)
local Own = qlua.class("Own", qlua.errors.Exception)
view("/instance", function() error(Own "own text") end)
view("/evil", function()
  error(setmetatable({}, { __tostring = function() error "in __tostring" end }))
end)
view("/strange", function()
  error(setmetatable({}, { __tostring = function() return {} end }))
end)
view("/overflow", function()
  local function deeper(n) return 1 + deeper(n + 1) end
  return tostring(deeper(1))
end)
view("/coroutine", function()
  local function generate()
    coroutine.yield(1)
    qlua.sleep(0.001)
    inner()
  end
  local outer = coroutine.wrap(function()
    for value in coroutine.wrap(generate) do coroutine.yield(value) end
  end)
  outer()
  outer()
end)
view("/caught", function()
  coroutine.resume(coroutine.create(function() error("old news", 0) end))
  return qlua.gather(function() error("old news", 0) end)
end)
view("/stream", function()
  local count = 0
  return function()
    count = count + 1
    if count == 3 then inner() end
    return "piece " .. count
  end
end)
view("/status", function() return "x", 99 end)
app.url_map.converters.odd = { to_lua = function(_, text)
  if text == "bad" then error "converter broke" end
  return text
end }
view("/odd/<odd:x>", function(x) return x end)
local Broken = qlua.class("Broken", qlua.errors.HTTPException)
Broken.code = 400
function Broken:get_response() error "no response" end
view("/broken", function() error(Broken()) end)
view("/fine", function() return "fine" end)
view("/closure", function()
  local secret = "secret of the first"
  escaped = function() return secret end
  error "leaves its coroutine behind"
end)
view("/next", function()
  local secret = "secret of the next"
  local seen = escaped and escaped()
  return tostring(seen ~= secret and seen)
end)
return app
]]

describe("an error in a handler", function()
  local s

  setup(function() s = server.start { app = APP } end)
  teardown(server.stop_all)

  local function get(path)
    return http.get(s, path)
  end

  --- The status and body of a failing view, and what the log has of it.
  local function failure(path)
    local before = #s:stderr()
    local response = get(path)
    local text
    s:wait_for(function()
      text = s:stderr():sub(before + 1)
      return text:find("Exception[^\n]* GET " .. path:gsub("%p", "%%%0") .. "\n.-\n")
    end, 5, "a log of " .. path)
    return response, text
  end

  it("answers 500 without any detail", function()
    local response = failure "/string"
    assert.equal(500, response.status)
    assert.truthy(response.body:find "Internal Server Error")
    assert.falsy(response.body:find "boom" or response.body:find "app.lua")
  end)

  it("is logged with the request, the message and the frames", function()
    local _, text = failure "/string"
    assert.truthy(text:find("[ERROR] Exception on request GET /string\n", 1, true))
    assert.truthy(text:find("GET /string\n[^\n]*/app.lua:4: boom\nstack traceback:\n.*app.lua:4: "
      .. "in function 'inner'\n.*app.lua:7: in function"), text)
  end)

  for path, expected in pairs {
    table = "\ntable: 0x%x+ { code = 5 }\n", named = "\nmy text\n", instance = "\nown text\n",
    nothing = "\nnil: error was called without a message\n",
    evil = "\n%(an error value of type table, whose __tostring fails%)\n",
    strange = "\n%(an error value of type table, whose __tostring fails%)\n",
  } do
    it("may be anything: " .. path, function()
      local response, text = failure("/" .. path)
      assert.equal(500, response.status)
      assert.truthy(text:find(expected), text)
      assert.truthy(text:find "stack traceback:\n.*app.lua:%d+: in function", text)
    end)
  end

  it("may be a stack overflow", function()
    local response, text = failure "/overflow"
    assert.equal(500, response.status)
    assert.truthy(text:find "app.lua:21: stack overflow", text)
    assert.is_true(select(2, text:gsub("\n", "")) < 60)
    assert.equal("fine", get("/fine").body)
  end)

  it("keeps the frames of the coroutines that died of it", function()
    local _, text = failure "/coroutine"
    local first = text:find("of a coroutine:\n.-app.lua:28: in")
    local second = text:find("of a coroutine:\n.-app.lua:31: in", first and first + 10)
    local last = text:find("\nstack traceback:\n.-app.lua:34: in", second)
    assert.truthy(first and second and last, text)
  end)

  it("does not get the frames of an older one with the same text", function()
    local _, text = failure "/caught"
    assert.equal(1, select(2, text:gsub("of a coroutine:", "")), text)
    assert.truthy(text:find("app.lua:38: in", 1, true), text)
    assert.falsy(text:find("app.lua:37: in", 1, true), text)
  end)

  it("cuts the connection once the head is out", function()
    local before = #s:stderr()
    local c = raw.connect(s)
    c:send "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
    local all = c:read_all()
    c:close()
    assert.truthy(all:find "piece 2\r\n$", all)
    assert.falsy(all:find("\r\n0\r\n", 1, true))
    local text = s:stderr():sub(before + 1)
    assert.truthy(text:find("request GET /stream\n[^\n]*app.lua:4: boom\n.*app.lua:44: in"), text)
  end)

  it("is told of a status that is none", function()
    local _, text = failure "/status"
    assert.truthy(text:find("second value", 1, true), text)
  end)

  it("is a 500 when a custom converter raises", function()
    local response, text = failure "/odd/bad"
    assert.equal(500, response.status)
    assert.truthy(text:find("app.lua:50: converter broke\nin a custom converter's to_lua", 1, true),
      text)
    assert.equal("good", get("/odd/good").body)
  end)

  it("is a 500 when an error's own answer cannot be made", function()
    local response, text = failure "/broken"
    assert.equal(500, response.status)
    assert.truthy(text:find("app.lua:56: no response", 1, true), text)
  end)

  it("leaves no view of the next request to a closure that escaped", function()
    for _ = 1, 50 do
      get "/closure"
      assert.equal("secret of the first", get("/next").body)
    end
  end)
end)
