--- Servers that are upgraded in place: the program lies in the server's folder, where a spec may
--- replace it, and a pid file says which process serves.
---
---   local upgrade = require "support.upgrade"
---   after_each(upgrade.stop_all)
---   local s = upgrade.start { app = APP, workers = 2 }
---   s:upgrade()                                  -- SIGUSR2; raises when nobody takes over
---   s:current(), s.server:stderr()
---
--- This process takes the orphans among its descendants for children, so that it sees how the
--- servers end which others started.

local ffi = require "ffi"
local signal = require "posix.signal"
local stat = require "posix.sys.stat"
local syswait = require "posix.sys.wait"
local unistd = require "posix.unistd"

local files = require "support.files"
local server = require "support.server"
local wait = require "support.wait"

local PR_SET_CHILD_SUBREAPER = 36

---@class spec.Upgradable
---@field server spec.Server the first one; all write to its standard error
---@field program string path of the program, in a folder of its own
---@field pid_file string
---@field private _codes table<integer, integer> exit codes of later ones, by pid
local Upgradable = {}
Upgradable.__index = Upgradable

local M = {}

local running = {} ---@type table<spec.Upgradable, boolean>

--- Whether a process runs (one that has ended and was not collected does not).
---@param pid integer
function M.runs(pid)
  local state = files.read(("/proc/%d/stat"):format(pid)):match "%) (%a)"
  return state ~= nil and state ~= "Z" and state ~= "X"
end

--- The pids of the children of a process.
---@param pid integer
---@return integer[]
function M.children(pid)
  local pids = {}
  for child in files.read(("/proc/%d/task/%d/children"):format(pid, pid)):gmatch "%d+" do
    pids[#pids + 1] = tonumber(child)
  end
  return pids
end

local function copy(from, to)
  files.write(to .. ".new", files.read(from))
  assert(stat.chmod(to .. ".new", 493)) -- 0755
  assert(os.rename(to .. ".new", to))
end

--- Start a server from a copy of the program and wait until it serves.
---@param options spec.ServerOptions
---@param prepare? fun(self: spec.Upgradable, options: spec.ServerOptions) called before the start
---@return spec.Upgradable
function M.start(options, prepare)
  ffi.C.prctl(PR_SET_CHILD_SUBREAPER, ffi.cast("unsigned long", 1))
  local self = setmetatable({ folder = files.folder(), _codes = {} }, Upgradable)
  self.program = self.folder .. "/qlua"
  self.pid_file = self.folder .. "/pid"
  copy(server.program(), self.program)
  options.program = self.program
  options.set = options.set or {}
  options.set["server.pid_file"] = self.pid_file
  options.set["server.control"] = self.folder .. "/control"
  if prepare then
    prepare(self, options)
  end
  self.server = server.launch(options)
  running[self] = true
  self.server:wait_for_stderr "CTRL + C"
  return self
end

--- Put the program at its path anew, or `text` in its place.
---@param text? string
function Upgradable:replace(text)
  if not text then
    return copy(server.program(), self.program)
  end
  files.write(self.folder .. "/text", text)
  copy(self.folder .. "/text", self.program)
end

--- The process that serves, by the pid file.
---@return integer
function Upgradable:current()
  return tonumber((files.read(self.pid_file))) or 0
end

--- Send a signal to the process that serves (default SIGUSR2).
---@param number? integer
function Upgradable:signal(number)
  signal.kill(self:current(), number or signal.SIGUSR2)
end

--- Upgrade, and wait until the new one has taken over and the old one has ended.
---@return integer pid of the new one
function Upgradable:upgrade()
  local before = self:current()
  self:signal()
  self.server:wait_for(function()
    return self:current() ~= before and self:current() ~= 0
  end, 20, "another process in the pid file")
  self.server:wait_for(function() return self:code(before) end, 20, "the old server's end")
  return self:current()
end

--- The exit code of one of the servers once it has ended (a signal as its negative number).
---@param pid integer
---@return integer?
function Upgradable:code(pid)
  if pid == self.server.pid then
    return self.server:exit_code()
  end
  if not self._codes[pid] then
    local ended, how, code = syswait.wait(pid, syswait.WNOHANG)
    if ended == pid and how ~= "running" then
      self._codes[pid] = how == "exited" and code or -code
    end
  end
  return self._codes[pid]
end

--- Stop the one that serves; raises when its exit code is not 0.
function Upgradable:stop()
  local pid = self:current()
  signal.kill(pid, signal.SIGTERM)
  self.server:wait_for(function() return self:code(pid) end, 15, "the end")
  assert(self:code(pid) == 0, self.server:stderr())
end

--- End all that a spec has left: `after_each(upgrade.stop_all)`.
function M.stop_all()
  for self in pairs(running) do
    local pid = self:current()
    if pid ~= 0 and M.runs(pid) then
      signal.kill(pid, signal.SIGTERM)
      if not wait.until_true(function() return not M.runs(pid) end, 15) then
        signal.kill(pid, signal.SIGKILL)
      end
    end
    files.remove(self.folder)
  end
  running = {}
  server.stop_all()
  while (syswait.wait(-1, syswait.WNOHANG) or 0) > 0 do
    unistd.getpid() -- an orphan was collected
  end
end

return M
