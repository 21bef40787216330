--- What a server costs: CPU time and memory of its processes, and the load that makes it work.
--- Flow: run.lua calls round() for each server in turn; start.lua and idle.lua use the parts.

local dirent = require "posix.dirent"

local files = require "support.files"
local process = require "support.process"

local CONNECTIONS = 64
local TICK_US = 10000 -- of utime and stime in /proc/PID/stat, on every Linux

local M = {}

--- CPU of one process in us: the scheduler's own count where the kernel keeps it (ns), else
--- user and system time in ticks. Both are the time its threads were running.
local function process_cpu_us(pid)
  local ns = 0
  local folder = ("/proc/%d/task"):format(pid)
  for thread in dirent.files(folder) do
    if thread:find "^%d" then
      ns = ns + (tonumber(files.read(folder .. "/" .. thread .. "/schedstat"):match "^%d+") or 0)
    end
  end
  if ns > 0 then
    return ns / 1000
  end
  local after_name = files.read(("/proc/%d/stat"):format(pid)):match "%) (.*)$"
  local user, system = after_name:match(("%S+ "):rep(11) .. "(%d+) (%d+)")
  return (user + system) * TICK_US
end

--- CPU in us that the processes have used so far.
---@param pids integer[]
---@return number
function M.cpu_us(pids)
  local sum = 0
  for _, pid in ipairs(pids) do
    sum = sum + process_cpu_us(pid)
  end
  return sum
end

--- Resident memory of the processes together, in KiB.
---@param pids integer[]
---@return number
function M.rss_kib(pids)
  local sum = 0
  for _, pid in ipairs(pids) do
    sum = sum + files.read(("/proc/%d/status"):format(pid)):match "VmRSS:%s+(%d+) kB"
  end
  return sum
end

--- Run wrk on its core and return its figures by name.
local function load_with_wrk(server, cpu, seconds)
  local job = server.job
  local folder = files.folder()
  local out = folder .. "/out"
  local wrk = process.start({
    "taskset", "-c", tostring(cpu), "wrk", "-t1", "-c" .. CONNECTIONS, "-d" .. seconds .. "s",
    "-s", "spec/bench/load.lua",
    ("%s://127.0.0.1:%d%s"):format(server.scheme, server.port, job.path),
    "--", job.method or "GET", tostring(job.depth or 1), server.cookie,
  }, { stdout = out, stderr = out })
  local code = wrk:wait(seconds + 20)
  wrk:finish()
  local text = files.read(out)
  files.remove(folder)
  local line = text:match "RESULT ([^\n]+)"
  if code ~= 0 or not line then
    error("wrk failed: " .. text)
  end
  local figures = {}
  for name, value in line:gmatch "(%w+)=(%d+)" do
    figures[name] = tonumber(value)
  end
  return figures
end

---@class bench.Figures of one round
---@field us number server CPU per request
---@field rate number requests per second
---@field p50 number us
---@field p99 number us

--- One round: load one server for some seconds.
---@param server bench.Server
---@param cpu integer for wrk
---@param seconds integer
---@return bench.Figures
function M.round(server, cpu, seconds)
  local pids = server.process:tree()
  local before = M.cpu_us(pids)
  local load = load_with_wrk(server, cpu, seconds)
  local used = M.cpu_us(pids) - before
  if load.errors > 0 or load.requests == 0 then
    error(("%s, %s: %d errors in %d requests"):format(server.job.name, server.name, load.errors,
      load.requests))
  end
  return {
    us = used / load.requests, rate = load.requests / (load.us / 1e6),
    p50 = load.p50, p99 = load.p99,
  }
end

return M
