--- A redis-server of a spec's own: on a free port, in a temporary folder, keeping nothing on disk.
---
---   local redis = require "support.redis"
---   after_each(redis.stop_all)               -- a spec leaves no process
---   local r = redis.start { password = "x" } -- r.port, r.url
---   r:cli("GET", "key"); r:stop(); r:start() -- again, on the same port; what it held is gone
---
--- Debian's package redis-server would start a service when it is installed. The program itself
--- comes with redis-tools, where it is called redis-check-rdb: it is what it is called as.

local signal = require "posix.signal"
local unistd = require "posix.unistd"

local files = require "support.files"
local process = require "support.process"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

local START_SECONDS = 10

---@class spec.Redis
---@field port integer
---@field url string redis://... with what it needs
---@field folder string
---@field pid integer
---@field private _options table
---@field private _process spec.Process?
local Redis = {}
Redis.__index = Redis

local M = {}

local running = {} ---@type table<spec.Redis, boolean>

local function find_program()
  for _, name in ipairs { "redis-server", "redis-check-rdb" } do
    for folder in (os.getenv "PATH" .. ":/usr/bin"):gmatch "[^:]+" do
      local path = folder .. "/" .. name
      if unistd.access(path, "x") then
        return path
      end
    end
  end
  error("no redis-server here: install Debian's redis-tools (make deps)")
end

--- A Redis that was given its port and does not run yet: for start() later.
---@param options? { password?: string, user?: string, port?: integer, args?: string[] }
---@return spec.Redis
function M.new(options)
  options = options or {}
  local self = setmetatable({ _options = options }, Redis)
  self.port = options.port or server.free_port()
  self.folder = files.folder()
  local credentials = options.password and (":%s@"):format(options.password) or ""
  self.url = ("redis://%s127.0.0.1:%d"):format(credentials, self.port)
  unistd.link(find_program(), self.folder .. "/redis-server", true)
  running[self] = true
  return self
end

---@param options? { password?: string, user?: string, port?: integer, args?: string[] }
---@return spec.Redis
function M.start(options)
  return M.new(options):start()
end

--- Stop every Redis that a spec has left, and remove its files: `after_each(redis.stop_all)`.
function M.stop_all()
  for self in pairs(running) do
    self:signal(signal.SIGCONT)
    self:kill()
    files.remove(self.folder)
    running[self] = nil
  end
end

--- Start it (again) and wait until it takes connections.
---@return spec.Redis self
function Redis:start()
  local argv = { self.folder .. "/redis-server", "--port", tostring(self.port),
    "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self.folder,
    "--unixsocket", self.folder .. "/socket" }
  if self._options.password then
    argv[#argv + 1] = "--requirepass"
    argv[#argv + 1] = self._options.password
  end
  for _, argument in ipairs(self._options.args or {}) do
    argv[#argv + 1] = argument
  end
  self._process = process.start(argv, { stdout = self.folder .. "/log", cwd = self.folder })
  self.pid = self._process.pid
  local up = wait.until_true(function()
    if self._process:exit_code() then
      return true
    end
    local log = files.read(self.folder .. "/log")
    if not log:find("ready to accept connections at ", 1, true) then
      return false -- its Unix socket, which comes last
    end
    local ok, connection = pcall(raw.connect, self.port)
    return ok and (connection:close() or true)
  end, START_SECONDS)
  if not up or self._process:exit_code() then
    error("redis-server did not start: " .. files.read(self.folder .. "/log"), 2)
  end
  return self
end

--- Send it a signal (SIGSTOP: it hangs).
function Redis:signal(number)
  if self._process then
    self._process:signal(number)
  end
end

--- End it as an operator does, and wait for the end.
function Redis:stop()
  if self._process then
    self._process:finish()
    self._process = nil
  end
end

--- End it without a chance to say good-bye.
function Redis:kill()
  if self._process then
    self._process:signal(signal.SIGKILL)
    self._process:wait(START_SECONDS)
    self._process = nil
  end
end

--- What redis-cli prints for a command.
---@param ... string|integer
---@return string
function Redis:cli(...)
  local words = {}
  for i, word in ipairs { ... } do
    words[i] = "'" .. tostring(word):gsub("'", "'\\''") .. "'"
  end
  local secret = self._options.password
  local command = ("%sredis-cli -p %d %s 2>&1"):format(
    secret and ("REDISCLI_AUTH='%s' "):format(secret) or "", self.port, table.concat(words, " "))
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("\n$", ""))
end

return M
