--- The soak: a million mixed requests against one worker, whose memory and descriptors must stay
--- where they were after the first tenth. Run by `make check-all`.
---   SOAK_REQUESTS=1000000 luajit spec/soak/soak.lua

package.path = "./spec/?.lua;./lua/?.lua;" .. package.path

local posix_dirent = require "posix.dirent"

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local COUNT = tonumber(os.getenv "SOAK_REQUESTS") or 1000000
local WARM = COUNT / 10
local CONNECTIONS = 8
local MAX_GROWTH_KIB = 2048
local MAX_GROWTH_FDS = 2
local ABORT_EVERY = 10 -- batches; an aborted connection each
local RENEW_EVERY = 400 -- batches; all connections anew

local APP = [[
local qlua = require "qlua"
local request = qlua.request
local app = qlua.App(..., { static_folder = "static" })

app:get("/", function() return "Hello, World!" end)
app:get("/json", function() return { message = "hello", list = { 1, 2, 3 } } end)
app:post("/echo", function() return request:get_json() end)
app:post("/form", function() return request.form.name .. "=" .. request.form.value end)
app:get("/stream", function()
  local i = 0
  return function()
    i = i + 1
    if i <= 10 then return ("s"):rep(1000) end
  end
end)
app:get("/user/<int:id>/<name>", function(id, name) return id .. name end)
return app
]]

local ECHO = [[{"a":[1,2.5,null,true],"b":{"c":"déjà vu"}}]]
local STATIC = ("0123456789abcdef"):rep(1024)

-- one of each kind: the request's bytes and what its answer must be
local KINDS = {
  { bytes = http.bytes("GET", "/"), status = 200, length = 13 },
  { bytes = http.bytes("GET", "/json"), status = 200 },
  {
    bytes = http.bytes("POST", "/echo",
      { body = ECHO, headers = { ["Content-Type"] = "application/json" } }),
    status = 200,
  },
  { bytes = http.bytes("GET", "/missing"), status = 404 },
  {
    bytes = http.bytes("POST", "/form", {
      body = "name=soak&value=1%202",
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    }),
    status = 200, length = 8,
  },
  { bytes = http.bytes("GET", "/stream"), status = 200, length = 10000 },
  { bytes = http.bytes("GET", "/static/file.txt"), status = 200, length = #STATIC },
  { bytes = http.bytes("GET", "/user/17/ada"), status = 200, length = 5 },
}

local BATCH = ""
for _, kind in ipairs(KINDS) do
  BATCH = BATCH .. kind.bytes
end

--- Resident memory of all processes in KiB, and the descriptors of the worker.
local function measure(s)
  local kib, fds = 0, 0
  for _, pid in ipairs { s.pid, unpack(s:children()) } do
    kib = kib + files.read(("/proc/%d/status"):format(pid)):match "VmRSS:%s+(%d+) kB"
    fds = #posix_dirent.dir(("/proc/%d/fd"):format(pid)) - 2
  end
  return kib, fds
end

--- One of each kind on a connection, pipelined.
local function exchange(connection)
  assert(connection:send(BATCH))
  for i, kind in ipairs(KINDS) do
    local answer = assert(connection:response(), "closed without an answer")
    if answer.status ~= kind.status or kind.length and #answer.body ~= kind.length then
      error(("request %d of the batch: %d, %d bytes"):format(i, answer.status, #answer.body))
    end
  end
  return #KINDS
end

local POST = "POST /echo HTTP/1.1\r\nHost: x\r\n"
local ABORTED = {
  BATCH, -- the answers are not read
  POST .. "Content-Length: 1000\r\n\r\n{\"a\":", -- the body is half sent
  POST .. "Transfer-Encoding: chunked\r\n\r\nzz\r\n", -- the body is no body
  "GET / HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n",
}

--- Leave in the middle of something: with a reset, or after what the server has to say.
local function abort(s, round)
  local connection = raw.connect(s)
  connection:send(ABORTED[round % #ABORTED + 1])
  if round % #ABORTED >= 2 then
    connection:response()
    connection:close()
  else
    connection:reset()
  end
  return 1
end

local function open_all(s, connections)
  for i = 1, CONNECTIONS do
    if connections[i] then
      connections[i]:close()
    end
    connections[i] = raw.connect(s)
  end
end

--- Requests until `count` are done in all; returns how many are.
local function soak(s, connections, done, count)
  local round = 0
  while done < count do
    round = round + 1
    if round % RENEW_EVERY == 1 then
      open_all(s, connections)
    end
    if round % ABORT_EVERY == 0 then
      done = done + abort(s, round / ABORT_EVERY)
    end
    done = done + exchange(connections[round % CONNECTIONS + 1])
  end
  return done
end

local function main()
  local s = server.start { app = APP, files = { ["static/file.txt"] = STATIC } }
  local connections, began = {}, wait.now()
  local done = soak(s, connections, 0, WARM)
  local kib, fds = measure(s)
  print(("soak: after %d requests %d KiB, %d descriptors"):format(done, kib, fds))
  done = soak(s, connections, done, COUNT)
  local end_kib, end_fds = measure(s)
  print(("soak: after %d requests %d KiB, %d descriptors, %.0f s"):format(done, end_kib, end_fds,
    wait.now() - began))
  for _, connection in ipairs(connections) do
    connection:close()
  end
  s:stop()
  local ok = end_kib - kib <= MAX_GROWTH_KIB and end_fds - fds <= MAX_GROWTH_FDS
  print(("soak: grown by %d KiB (at most %d) and %d descriptors (at most %d): %s"):format(
    end_kib - kib, MAX_GROWTH_KIB, end_fds - fds, MAX_GROWTH_FDS, ok and "ok" or "FAILED"))
  os.exit(ok and 0 or 1)
end

main()
