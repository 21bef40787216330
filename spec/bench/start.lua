--- JOB=start: from exec to the first answer of the hello app, median of 20 starts, files warm.

local time = require "posix.time"

local raw = require "support.raw"
local servers = require "servers"
local statistics = require "statistics"
local wait = require "support.wait"

local STARTS = 20
local GOAL_MS = 40
local REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
local PAUSE = { tv_sec = 0, tv_nsec = 200000 }

local M = {}

--- Milliseconds until a fresh server has answered.
local function start_once()
  local began = wait.now()
  local server = servers.launch("qlua", "apps/hello")
  local ok, connection
  repeat
    ok, connection = pcall(raw.connect, server.port)
    if not ok then
      time.nanosleep(PAUSE)
    end
  until ok or server.process:exit_code() or wait.now() > began + 10
  local answer
  if ok then
    connection:send(REQUEST)
    answer = connection:response()
    connection:close()
  end
  local ms = (wait.now() - began) * 1000
  server:stop()
  assert(answer and answer.status == 200, "start: the hello app does not answer")
  return ms
end

function M.run()
  start_once() -- warms the files
  local times = {}
  for i = 1, STARTS do
    times[i] = start_once()
  end
  local median = statistics.median(times)
  local low, high = statistics.median_interval(times)
  print(("\nstart: exec to first answer %.1f ms [%.1f, %.1f], median of %d   goal: at most %d, %s")
    :format(median, low, high, STARTS, GOAL_MS, median <= GOAL_MS and "reached" or "missed"))
end

return M
