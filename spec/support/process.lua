--- Processes for specs and benchmarks: start one with its output in files, watch it, end it.
--- What is started dies with the process that started it. Under server.lua and spec/bench.

local fcntl = require "posix.fcntl"
local ffi = require "ffi"
local signal = require "posix.signal"
local stdlib = require "posix.stdlib"
local syswait = require "posix.sys.wait"
local unistd = require "posix.unistd"

local files = require "support.files"
local wait = require "support.wait"

ffi.cdef "int prctl(int option, unsigned long argument, ...);"

local PR_SET_PDEATHSIG = 1
local STOP_SECONDS = 15
local HIGHEST_FD = 255 -- a child closes what its parent has open up to this one

---@class spec.Process
---@field pid integer
---@field private _code? integer
local Process = {}
Process.__index = Process

local M = {}

local function open_log(path)
  local flags = fcntl.O_WRONLY + fcntl.O_CREAT + fcntl.O_TRUNC + fcntl.O_APPEND
  return assert(fcntl.open(path, flags, 420))
end

--- In the child: standard streams, nothing else open, default signals, die with the parent.
local function become(argv, options)
  ffi.C.prctl(PR_SET_PDEATHSIG, ffi.cast("unsigned long", signal.SIGKILL))
  unistd.dup2(assert(fcntl.open("/dev/null", fcntl.O_RDONLY)), 0)
  unistd.dup2(open_log(options.stdout or "/dev/null"), 1)
  unistd.dup2(open_log(options.stderr or "/dev/null"), 2)
  for fd = 3, HIGHEST_FD do
    unistd.close(fd)
  end
  signal.signal(signal.SIGPIPE, signal.SIG_DFL)
  if options.cwd then
    unistd.chdir(options.cwd)
  end
  stdlib.setenv("LD_PRELOAD", nil) -- what a sanitized spec needs, a sanitized program has
  if os.getenv "SERVER_ASAN_OPTIONS" then
    stdlib.setenv("ASAN_OPTIONS", os.getenv "SERVER_ASAN_OPTIONS")
  end
  for name, value in pairs(options.env or {}) do
    stdlib.setenv(name, value or nil)
  end
  local arguments = { unpack(argv, 2) }
  unistd.execp(argv[1], arguments)
  unistd._exit(127)
end

---@class spec.ProcessOptions
---@field stdout? string file for standard output (default: dropped)
---@field stderr? string file for standard error (default: dropped)
---@field cwd? string
---@field env? table<string, string|false> variables to set, or to remove with false

--- Start a program (searched in PATH when its name has no slash).
---@param argv string[]
---@param options? spec.ProcessOptions
---@return spec.Process
function M.start(argv, options)
  io.stdout:flush()
  local pid = assert(unistd.fork())
  if pid == 0 then
    pcall(become, argv, options or {})
    unistd._exit(126)
  end
  return setmetatable({ pid = pid }, Process)
end

--- The exit code once the process has ended (a signal as its negative number), else nil.
---@return integer?
function Process:exit_code()
  if not self._code then
    local pid, how, code = syswait.wait(self.pid, syswait.WNOHANG)
    if pid == self.pid and how ~= "running" then
      self._code = how == "exited" and code or -code
    end
  end
  return self._code
end

--- Wait until the process has ended; nil when it still runs after `seconds`.
---@param seconds number
---@return integer? exit_code
function Process:wait(seconds)
  return wait.until_true(function() return self:exit_code() end, seconds)
end

--- Send a signal (default SIGTERM) to the process.
---@param number? integer
function Process:signal(number)
  if not self:exit_code() then
    signal.kill(self.pid, number or signal.SIGTERM)
  end
end

--- End the process: SIGTERM, and SIGKILL when that does not do.
function Process:finish()
  self:signal(signal.SIGTERM)
  if not self:wait(STOP_SECONDS) then
    self:signal(signal.SIGKILL)
    self:wait(STOP_SECONDS)
  end
end

local function children_of(pid)
  local pids = {}
  for child in files.read(("/proc/%d/task/%d/children"):format(pid, pid)):gmatch "%d+" do
    pids[#pids + 1] = tonumber(child)
  end
  return pids
end

--- The pids of the direct children.
---@return integer[]
function Process:children()
  return children_of(self.pid)
end

--- The pids of the process and all its descendants.
---@return integer[]
function Process:tree()
  local pids = { self.pid }
  local at = 1
  while pids[at] do
    for _, child in ipairs(children_of(pids[at])) do
      pids[#pids + 1] = child
    end
    at = at + 1
  end
  return pids
end

return M
