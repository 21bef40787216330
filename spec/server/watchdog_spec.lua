--- The watchdog: a handler that never gives the processor back is stopped at its budget, whatever
--- it loops in; nobody else notices.

local files = require "support.files"
local raw = require "support.raw"
local server = require "support.server"

-- Ways to hold the processor. Each is a view's body that begins in line 1 of a file of its own,
-- and the lines where it may be found looping.
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
      local response = get(s, path)
      assert.equal(503, response.status)
      assert.truthy(response.body:find "503 Service Unavailable")
      local text = s:wait_for_stderr("GET " .. path .. "\n", 5)
      text = text:sub((text:find("request GET " .. path .. "\n", 1, true)))
      local place = case[4] or ("[^\n]*/v%d.lua:%s: "):format(i, case[3] or "1")
      assert.truthy(text:find("^request GET /v%d+\n" .. place .. "stopped here: the request "
        .. "has used 0.1 seconds of processor time, all that its route's cpu_limit or the "
        .. "server setting handler_cpu_limit allows\nstack traceback[^\n]*\n\t"), text)
      lives(s, pid)
    end)
  end
end)
