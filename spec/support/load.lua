--- A client that checks: keep-alive connections that ask and ask, where every request must be
--- answered whole. For stops, upgrades and other ends under load.
---
---   local load = load.new(s.port, { connections = 32, path = "/hello", body = "Hello, World!" })
---   load:run_for(1)                                -- or load:run(function() return done end)
---   assert.same({}, load.failures)
---
--- A connection may be closed when nothing is asked on it; a request that was sent must be
--- answered, whatever becomes of the connection. All happens in run(): between two calls nothing
--- is sent and nothing is read.

local poll = require "posix.poll"
local signal = require "posix.signal"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"

local wait = require "support.wait"

signal.signal(signal.SIGPIPE, signal.SIG_IGN)

---@class spec.Load
---@field done integer requests that were answered as they should be
---@field failures string[] what became of the others
---@field refused integer connections that were not taken
---@field connects integer connections that were opened
---@field stopping boolean set it when connections may be refused: no more are opened then
local Load = {}
Load.__index = Load

local M = {}

---@class spec.LoadOptions
---@field connections? integer default 16
---@field path? string default "/hello"
---@field body? string what the answer must be; default: any
---@field pause? number seconds between an answer and the next request, at most; default 0
---@field single? boolean a connection for each request

--- Open the connections. `target` is a port of 127.0.0.1 or "unix:/path".
---@param target integer|string
---@param options? spec.LoadOptions
---@return spec.Load
function M.new(target, options)
  options = options or {}
  local self = setmetatable({
    target = target, done = 0, failures = {}, refused = 0, connects = 0, stopping = false,
    fds = {}, conns = {}, pause = options.pause or 0, body = options.body,
    request = ("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n"):format(options.path or "/hello",
      options.single and "Connection: close\r\n" or ""),
  }, Load)
  for _ = 1, options.connections or 16 do
    self:_connect()
  end
  return self
end

function Load:_connect()
  local target = self.target
  local to = type(target) == "string" and { family = socket.AF_UNIX, path = target:sub(6) }
    or { family = socket.AF_INET, addr = "127.0.0.1", port = target }
  local fd = assert(socket.socket(to.family, socket.SOCK_STREAM, 0))
  local ok = socket.connect(fd, to)
  if not ok then
    unistd.close(fd)
    self.refused = self.refused + 1
    return
  end
  self.connects = self.connects + 1
  self.fds[fd] = { events = { IN = true } }
  self.conns[fd] = { due = wait.now() + math.random() * self.pause }
end

function Load:_close(fd)
  unistd.close(fd)
  self.fds[fd], self.conns[fd] = nil, nil
  if not self.stopping then
    self:_connect()
  end
end

function Load:_fail(fd, why)
  self.failures[#self.failures + 1] = why
  self:_close(fd)
end

--- Whether the answer in `text` is whole: its length, or nil.
local function answer_end(text)
  local _, head = text:find("\r\n\r\n", 1, true)
  local length = head and text:match "\r\n[Cc]ontent%-[Ll]ength: (%d+)\r\n"
  return length and #text >= head + length and head + length or nil, head
end

function Load:_answered(fd, conn, last, head)
  local text = conn.text
  local body = text:sub(head + 1, last)
  if #text > last then
    return self:_fail(fd, "more than one answer: " .. text)
  elseif not text:find "^HTTP/1.1 200 " or (self.body and body ~= self.body) then
    return self:_fail(fd, "a wrong answer: " .. text)
  end
  self.done = self.done + 1
  conn.sent, conn.text = nil, nil
  conn.due = wait.now() + math.random() * self.pause
  if text:sub(1, head):find "\r\n[Cc]onnection: close\r\n" then
    self:_close(fd)
  end
end

function Load:_read(fd)
  local conn = self.conns[fd]
  local bytes, message = socket.recv(fd, 65536)
  if bytes and bytes ~= "" then
    conn.text = (conn.text or "") .. bytes
    local last, head = answer_end(conn.text)
    if not conn.sent then
      self:_fail(fd, "an answer to nothing: " .. conn.text)
    elseif last then
      self:_answered(fd, conn, last, head)
    end
  elseif conn.sent then
    self:_fail(fd, ("closed without a whole answer (%s) after %.3f s: %q"):format(message or "end",
      wait.now() - conn.sent, conn.text or ""))
  else
    self:_close(fd)
  end
end

function Load:_send(fd)
  local conn = self.conns[fd]
  conn.sent = wait.now()
  if not socket.send(fd, self.request) then
    self:_read(fd)
  end
end

--- Ask what is due on connections that are still open, wait for something to read, read it.
function Load:_turn()
  local now, soonest = wait.now(), 0.01
  if poll.poll(self.fds, 0) > 0 then -- who has closed an idle connection is seen before asking
    self:_read_ready()
  end
  local due = {}
  for fd, conn in pairs(self.conns) do
    if not conn.sent and conn.due <= now then
      due[#due + 1] = fd
    elseif not conn.sent then
      soonest = math.min(soonest, conn.due - now)
    end
  end
  for _, fd in ipairs(due) do
    self:_send(fd)
  end
  if poll.poll(self.fds, math.ceil(soonest * 1000)) > 0 then
    self:_read_ready()
  end
end

function Load:_read_ready()
  local ready = {}
  for fd, entry in pairs(self.fds) do
    local events = entry.revents
    if events and (events.IN or events.HUP or events.ERR) then
      ready[#ready + 1] = fd
    end
  end
  for _, fd in ipairs(ready) do
    self:_read(fd)
  end
end

--- Ask and read until `over()` gives something true, or `seconds` have passed; that, or nil.
---@generic T
---@param over fun(): T
---@param seconds? number default 20
---@return T?
function Load:run(over, seconds)
  local till = wait.now() + (seconds or 20)
  repeat
    self:_turn()
    local result = over()
    if result then
      return result
    end
  until wait.now() >= till or not next(self.conns)
end

--- Ask and read for so long.
---@param seconds number
function Load:run_for(seconds)
  self:run(function() return false end, seconds)
end

--- Read what was asked for, ask no more, close all.
function Load:finish()
  self.stopping = true
  local till = wait.now() + 10
  for fd, conn in pairs(self.conns) do
    conn.due = math.huge
    if not conn.sent then
      unistd.close(fd)
      self.fds[fd], self.conns[fd] = nil, nil
    end
  end
  while next(self.conns) and wait.now() < till do
    if poll.poll(self.fds, 100) > 0 then
      self:_read_ready()
    end
    for fd, conn in pairs(self.conns) do
      if not conn.sent then
        unistd.close(fd)
        self.fds[fd], self.conns[fd] = nil, nil
      end
    end
  end
  for fd in pairs(self.conns) do
    self:_fail(fd, "no answer within 10 s")
  end
end

return M
