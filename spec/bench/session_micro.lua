--- JOB=session-micro: a session of 200 bytes loaded and saved (verify, inflate if need be, decode;
--- encode, deflate if it pays, sign), CPU per time: qlua's C functions on Lua values, the bare
--- calls of OpenSSL and zlib, Python's itsdangerous with Flask's serializer. In turns.

local data = require "data"
local servers = require "servers"
local statistics = require "statistics"

local ROUNDS = tonumber(os.getenv "ROUNDS") or 15
local C_TIMES, PYTHON_TIMES = 10000, 2000
local GOAL_BARE, GOAL_PYTHON = 1.50, 4

local M = {}

--- Run a command on the servers' core; its figures by name.
local function figures_of(command, times)
  local pipe = io.popen(("taskset -c %d %s '%s' %d"):format(servers.CPU, command,
    data.session_text, times))
  local text, figures = pipe:read "*a", {}
  pipe:close()
  for name, value in text:gmatch "(%w+)=([%d.]+)" do
    figures[name] = tonumber(value)
  end
  if not next(figures) then
    error(command .. " failed: " .. text, 0)
  end
  return figures
end

local function print_ratio(what, ratios, goal, is_reached)
  local median = statistics.median(ratios)
  local low, high = statistics.median_interval(ratios)
  print(("  %-12s %.2f [%.2f, %.2f]   goal: %s, %s"):format(what, median, low, high, goal,
    is_reached(median) and "reached" or "missed"))
end

function M.run()
  local all = { qlua = {}, bare = {}, python = {}, over_bare = {}, under_python = {} }
  local deflated
  for round = 1, ROUNDS do
    local here = figures_of("build/bench/session_micro", C_TIMES)
    local python = figures_of("/usr/bin/python3 spec/bench/session_micro.py", PYTHON_TIMES).python
    all.qlua[round], all.bare[round], all.python[round] = here.qlua, here.bare, python
    all.over_bare[round], all.under_python[round] = here.qlua / here.bare, python / here.qlua
    deflated = here.deflated == 1
  end
  print(("\nsession-micro: %d bytes of JSON, %s, loaded and saved (%d rounds)"):format(
    #data.session_text, deflated and "deflated" or "not deflated", ROUNDS))
  print(("  qlua %.2f us, bare %.2f us, python %.2f us"):format(statistics.median(all.qlua),
    statistics.median(all.bare), statistics.median(all.python)))
  print_ratio("qlua/bare", all.over_bare, ("at most %.2f"):format(GOAL_BARE), function(ratio)
    return ratio <= GOAL_BARE
  end)
  print_ratio("python/qlua", all.under_python, ("at least %d"):format(GOAL_PYTHON), function(ratio)
    return ratio >= GOAL_PYTHON
  end)
end

return M
