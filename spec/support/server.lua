--- The real build/qlua with an app, for specs that need a socket or a process.
---
---   local server = require "support.server"
---   after_each(server.stop_all)              -- a spec leaves no process and no file
---   before_each(function() folder = server.folder { ["data.json"] = "{}" } end)
---   local s = server.start { app = [[ ... return app ]], files = { ["static/a.txt"] = "A" } }
---   s.port, s.pid, s.folder, s:stderr(), s:stop()
---
--- QLUA names another binary (the sanitizers' one).

local signal = require "posix.signal"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"

local files = require "support.files"
local process = require "support.process"
local wait = require "support.wait"

local START_SECONDS = 20
local STOP_SECONDS = 15

---@class spec.Server
---@field pid integer of the supervisor (of the worker itself with workers = 0)
---@field port integer
---@field address integer|string what support/raw.lua connects to: the port or "unix:/path"
---@field folder string where the app's text and files are; removed by stop unless it was given
---@field app string path of the app file
---@field private _process spec.Process
---@field private _bind string[]
local Server = {}
Server.__index = Server

local M = {}

local running = {} ---@type table<spec.Server, boolean>
local folders = {} ---@type table<string, boolean>

--- The path of the program under test, absolute.
---@return string
function M.program()
  local path = os.getenv "QLUA" or "build/qlua"
  return path:sub(1, 1) == "/" and path or unistd.getcwd() .. "/" .. path
end

--- Environment for an app that calls os.exit: what it leaves is a leak to a sanitizer, whose exit
--- code would take the place of the app's.
M.EXITS = { ASAN_OPTIONS = "detect_leaks=0" }

--- A TCP port of 127.0.0.1 that is free now, chosen by the kernel.
---@return integer
function M.free_port()
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  assert(socket.setsockopt(fd, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1))
  assert(socket.bind(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = 0 }))
  local port = assert(socket.getsockname(fd)).port
  unistd.close(fd)
  return port
end

local function append(list, ...)
  for i = 1, select("#", ...) do
    list[#list + 1] = tostring((select(i, ...)))
  end
end

--- `qlua run APP` and its options, as start() describes them.
local function command_line(self, options)
  local argv = { options.program or M.program(), "run", self.app, "--workers",
    tostring(options.workers or 1) }
  for _, address in ipairs(options.bind or {}) do
    append(argv, "--bind", address)
  end
  if not options.bind then
    append(argv, "--host", "127.0.0.1", "--port", self.port)
  end
  for key, value in pairs(options.set or {}) do
    append(argv, "--set", key .. "=" .. tostring(value))
  end
  append(argv, unpack(options.args or {}))
  return argv
end

local function place(options)
  local folder = options.folder or files.folder()
  for name, text in pairs(options.files or {}) do
    files.write(folder .. "/" .. name, text)
  end
  if options.path then
    local path = options.path
    return folder, path:sub(1, 1) == "/" and path or unistd.getcwd() .. "/" .. path
  end
  files.write(folder .. "/app.lua", assert(options.app, "server: app (text) or path is missing"))
  return folder, folder .. "/app.lua"
end

---@class spec.ServerOptions
---@field app? string text of the app file
---@field path? string or the path of one
---@field files? table<string, string> further files beside the app: path -> text
---@field folder? string an existing folder to use (see support/files.lua)
---@field workers? integer default 1; 0 is one worker without a supervisor
---@field bind? string[] addresses instead of host and port; the first is waited for
---@field port? integer instead of a free one
---@field set? table<string, any> `--set KEY=VALUE`
---@field args? string[] further arguments
---@field argv? string[] the whole command line behind the program's name, instead of `run ...`
---@field env? table<string, string|false> variables to set, or to remove with false
---@field cwd? string
---@field program? string another one than M.program()

--- Start qlua and return at once. Most specs want start() or run().
---@param options spec.ServerOptions
---@return spec.Server
function M.launch(options)
  local self = setmetatable({ port = options.port or M.free_port() }, Server)
  self._bind = options.bind or { "127.0.0.1:" .. self.port }
  self.address = self._bind[1]:match "^unix:" and self._bind[1]
    or tonumber(self._bind[1]:match ":(%d+)$")
  self._logs = files.folder()
  self._given_folder = options.folder ~= nil
  local argv
  if options.argv then
    argv = { M.program(), unpack(options.argv) }
    self.folder = options.folder or files.folder(options.files)
  else
    self.folder, self.app = place(options)
    argv = command_line(self, options)
  end
  self._process = process.start(argv, {
    stdout = self._logs .. "/stdout", stderr = self._logs .. "/stderr",
    cwd = options.cwd, env = options.env,
  })
  self.pid = self._process.pid
  running[self] = true
  return self
end

--- Start qlua and wait until it accepts connections. Raises with its stderr when it ends first.
---@param options spec.ServerOptions
---@return spec.Server
function M.start(options)
  local self = M.launch(options)
  local up = wait.until_true(function()
    return self:exit_code() or self:is_listening()
  end, START_SECONDS)
  if not up or self:exit_code() then
    local why = self:exit_code() and "ended with " .. self:exit_code() or "does not listen"
    local text = self:stderr()
    self:kill()
    error(("server %s at its start: %s"):format(why, text), 2)
  end
  return self
end

--- Run qlua to its end: for starts that must fail and for subcommands (options.argv).
--- Returns the ended server: its exit_code(), stdout() and stderr().
---@param options spec.ServerOptions
---@param seconds? number how long it may take (default 20)
---@return spec.Server
function M.run(options, seconds)
  local self = M.launch(options)
  if not self._process:wait(seconds or START_SECONDS) then
    local text = self:stderr()
    self:kill()
    error("server: still running: " .. text, 2)
  end
  return self
end

--- A fresh folder for one spec, which stop_all removes when the servers have ended.
---@param texts? table<string, string> path within it -> text
---@return string path absolute, no slash at its end
function M.folder(texts)
  local path = files.folder(texts)
  folders[path] = true
  return path
end

--- End every server a spec has left: `after_each(server.stop_all)`. Removes their files.
function M.stop_all()
  for self in pairs(running) do
    self:kill()
  end
  for path in pairs(folders) do
    files.remove(path)
    folders[path] = nil
  end
end

--- True when a connection to the first address is accepted.
---@return boolean
function Server:is_listening()
  local path = self._bind[1]:match "^unix:(.*)$"
  local host, port = self._bind[1]:match "^%[?(.-)%]?:(%d+)$"
  local family = path and socket.AF_UNIX or host:find ":" and socket.AF_INET6 or socket.AF_INET
  local fd = assert(socket.socket(family, socket.SOCK_STREAM, 0))
  local to = path and { family = family, path = path }
    or { family = family, addr = host, port = tonumber(port) }
  local ok = socket.connect(fd, to)
  unistd.close(fd)
  return ok ~= nil
end

--- The exit code once the process has ended (a signal as its negative number), else nil.
---@return integer?
function Server:exit_code()
  return self._process:exit_code()
end

--- Send a signal (default SIGTERM) to the process.
---@param number? integer
function Server:signal(number)
  self._process:signal(number)
end

--- Stop with SIGTERM and wait for the end; raises when it does not come or is not an exit with 0.
---@param expected? integer another exit code that is right
---@return integer code
function Server:stop(expected)
  self:signal(signal.SIGTERM)
  self._process:wait(STOP_SECONDS)
  local code, text = self:exit_code(), self:stderr()
  self:kill()
  if code ~= (expected or 0) then
    local what = code and "ended with " .. code or "did not end on SIGTERM"
    error(("server %s; its stderr: %s"):format(what, text), 2)
  end
  return code
end

--- End the process whatever its state and remove its files; the logs stay readable.
function Server:kill()
  self._process:finish()
  if running[self] then
    running[self] = nil
    self._stdout, self._stderr = self:stdout(), self:stderr()
    files.remove(self._logs)
    if not self._given_folder then
      files.remove(self.folder)
    end
  end
end

--- What the processes have written to standard output so far.
---@return string
function Server:stdout()
  return self._stdout or files.read(self._logs .. "/stdout")
end

--- What the processes have written to standard error so far.
---@return string
function Server:stderr()
  return self._stderr or files.read(self._logs .. "/stderr")
end

--- Poll `condition` until it gives something true and return that; raise after `seconds`.
---@generic T
---@param condition fun(): T
---@param seconds? number default 10
---@param what? string for the message
---@return T
function Server:wait_for(condition, seconds, what)
  local result = wait.until_true(condition, seconds or 10)
  if not result then
    error(("waited %g s for %s; stderr: %s"):format(seconds or 10, what or "a condition",
      self:stderr()), 2)
  end
  return result
end

--- Wait until standard error holds `text` (plain), and return all of it. Raises at once when the
--- process has ended without saying it.
---@param text string
---@param seconds? number
---@return string
function Server:wait_for_stderr(text, seconds)
  self:wait_for(function()
    return self:exit_code() or self:stderr():find(text, 1, true)
  end, seconds, ("stderr to hold %q"):format(text))
  local all = self:stderr()
  if not all:find(text, 1, true) then
    error(("ended with %d before its stderr held %q: %s"):format(self:exit_code(), text, all), 2)
  end
  return all
end

--- The pids of the direct children: the workers.
---@return integer[]
function Server:children()
  return self._process:children()
end

return M
