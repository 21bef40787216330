--- The servers under test, each with one worker pinned to the servers' core: qlua, Debian's nginx
--- with its Lua module, and the floor.

local stat = require "posix.sys.stat"
local unistd = require "posix.unistd"

local files = require "support.files"
local process = require "support.process"
local raw = require "support.raw"
local support = require "support.server"
local tls = require "support.tls"
local wait = require "support.wait"

local START_SECONDS = 20

local M = {}

M.CPU = 0 -- the servers' core; the load comes from the other one

---@class bench.Server
---@field name string
---@field port integer
---@field job bench.Job what it is asked
---@field cookie? string what its requests bring
---@field scheme string "http" or "https"
---@field process spec.Process
---@field private _folder string
local Server = {}
Server.__index = Server

local command = {}

function command.qlua(port, folder, app, secure)
  local argv = { support.program(), "run", app, "--host", "127.0.0.1", "--port", tostring(port),
    "--workers", "1", "--no-reload" }
  if secure then
    argv[#argv + 1], argv[#argv + 2] = "--cert", folder .. "/cert.pem"
    argv[#argv + 1], argv[#argv + 2] = "--key", folder .. "/cert.key"
  end
  return argv
end

command["nginx+lua"] = function(port, folder, _, secure)
  local here = unistd.getcwd() .. "/spec/bench"
  local values = { PORT = tostring(port), HERE = here, TEMP = folder, SSL = secure and " ssl" or "",
    CERTIFICATE = secure and files.read(here .. "/nginx/tls.conf"):gsub("@TEMP@", folder) or "" }
  local text = files.read(here .. "/nginx/nginx.conf"):gsub("@(%u+)@", values)
  files.write(folder .. "/nginx.conf", text)
  stat.chmod(folder, 493) -- 0755: its worker has given up root
  return { "/usr/sbin/nginx", "-p", folder, "-e", "stderr", "-c", folder .. "/nginx.conf" }
end

function command.floor(port)
  return { "build/bench/floor", tostring(port) }
end

--- Start a server without waiting for it.
---@param name string one of the commands above; else qlua serves the app
---@param app? string what qlua serves
---@param secure? boolean over TLS, with a certificate made for it
---@return bench.Server
function M.launch(name, app, secure)
  local self = setmetatable({ name = name, port = support.free_port() }, Server)
  self._folder = files.folder()
  self.scheme = secure and "https" or "http"
  if secure then
    tls.certificate(self._folder)
  end
  local argv = { "taskset", "-c", tostring(M.CPU), unpack((command[name] or command.qlua)(self.port,
    self._folder, app, secure)) }
  local log = self._folder .. "/log"
  self.process = process.start(argv, { stdout = log, stderr = log })
  return self
end

--- Start a server and wait until it accepts connections.
---@param name string
---@param app? string
---@param secure? boolean
---@return bench.Server
function M.start(name, app, secure)
  local self = M.launch(name, app, secure)
  local up = wait.until_true(function()
    local ok, connection = pcall(raw.connect, self.port)
    if ok then
      connection:close()
    end
    return ok or self.process:exit_code()
  end, START_SECONDS)
  if up ~= true then
    local log = files.read(self._folder .. "/log")
    self:stop()
    error(name .. " does not start: " .. log, 0)
  end
  return self
end

function Server:stop()
  self.process:finish()
  files.remove(self._folder)
end

return M
