--- A client of raw bytes for live specs: TCP or Unix, any bytes out, parsed responses in.
---
---   local raw = require "support.raw"
---   local c = raw.connect(server)                 -- a server, a port, "unix:/path"
---   c:send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
---   local r = c:response()                        -- r.status, r.header["content-type"], r.body
---
--- Every wait has a deadline (`timeout`, 10 s): a read that gets nothing raises.

local poll = require "posix.poll"
local signal = require "posix.signal"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"

signal.signal(signal.SIGPIPE, signal.SIG_IGN) -- a write to a closed peer gives an error instead

---@class spec.Response
---@field version string "1.1"
---@field status integer
---@field reason string
---@field headers { [1]: string, [2]: string }[] as they came
---@field header table<string, string> by lower-case name; repeated ones joined with ", "
---@field trailers { [1]: string, [2]: string }[] of a chunked body
---@field chunks? string[] the parts of a chunked body
---@field body string

---@class spec.Raw
---@field fd integer
---@field timeout number seconds a read or write may wait
---@field private _buffer string
---@field private _eof boolean
local Raw = {}
Raw.__index = Raw

local M = {}

local function address(target, host)
  if type(target) == "string" then
    return { family = socket.AF_UNIX, path = target:gsub("^unix:", "") }
  end
  local family = host and host:find(":", 1, true) and socket.AF_INET6 or socket.AF_INET
  return { family = family, addr = host or "127.0.0.1", port = target }
end

--- Connect to a server of support/server.lua, a port of 127.0.0.1 or "unix:/path".
---@param target spec.Server|integer|string
---@param options? { host?: string, timeout?: number, rcvbuf?: integer }
---@return spec.Raw
function M.connect(target, options)
  options = options or {}
  local to = address(type(target) == "table" and target.address or target, options.host)
  local fd = assert(socket.socket(to.family, socket.SOCK_STREAM, 0))
  if options.rcvbuf then
    socket.setsockopt(fd, socket.SOL_SOCKET, socket.SO_RCVBUF, options.rcvbuf)
  end
  local ok, message = socket.connect(fd, to)
  if not ok then
    unistd.close(fd)
    error("connect: " .. message, 2)
  end
  if to.port then
    socket.setsockopt(fd, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
  end
  local self = { fd = fd, timeout = options.timeout or 10, _buffer = "", _eof = false }
  return setmetatable(self, Raw)
end

--- Wait until the socket can be read ("IN") or written ("OUT").
function Raw:_await(event)
  local fds = { [self.fd] = { events = { [event] = true } } }
  if poll.poll(fds, math.floor(self.timeout * 1000)) == 0 then
    error(("no %s within %g s"):format(event == "IN" and "answer" or "room to write",
      self.timeout), 3)
  end
end

--- Send all bytes. Returns false and a message when the peer has closed.
---@param bytes string
---@return boolean ok
---@return string? message
function Raw:send(bytes)
  while #bytes > 0 do
    self:_await "OUT"
    local n, message = socket.send(self.fd, #bytes > 65536 and bytes:sub(1, 65536) or bytes)
    if not n then
      return false, message
    end
    bytes = bytes:sub(n + 1)
  end
  return true
end

--- Send one byte at a time, each in a packet of its own.
---@param bytes string
function Raw:trickle(bytes)
  for i = 1, #bytes do
    if not self:send(bytes:sub(i, i)) then
      return false
    end
  end
  return true
end

--- Receive what is there, waiting for the first byte. False at the end; `reset` tells of a reset.
function Raw:_more()
  if self._eof then
    return false
  end
  self:_await "IN"
  local bytes, message = socket.recv(self.fd, 65536)
  if not bytes or bytes == "" then
    self._eof = true
    self.was_reset = bytes == nil and message or nil
    return false
  end
  self._buffer = self._buffer .. bytes
  return true
end

--- Receive at least one byte and all that is there; nil when the peer has closed.
---@return string?
function Raw:read_some()
  if self._buffer == "" and not self:_more() then
    return nil
  end
  return self:_take(#self._buffer)
end

function Raw:_take(n)
  local bytes = self._buffer:sub(1, n)
  self._buffer = self._buffer:sub(n + 1)
  return bytes
end

--- Exactly n bytes; fewer when the peer closes before.
---@param n integer
---@return string
function Raw:read(n)
  local parts, got = { self._buffer }, #self._buffer
  while got < n do
    self._buffer = ""
    if not self:_more() then
      break
    end
    parts[#parts + 1], got = self._buffer, got + #self._buffer
  end
  self._buffer = table.concat(parts)
  return self:_take(n)
end

--- Everything until the peer closes.
---@return string
function Raw:read_all()
  return self:read(2 ^ 30)
end

--- Bytes up to and including `mark` (plain text); nil when the peer closes before.
---@param mark string
---@return string?
function Raw:read_until(mark)
  local from = 1
  while true do
    local _, last = self._buffer:find(mark, from, true)
    if last then
      return self:_take(last)
    end
    from = math.max(1, #self._buffer - #mark + 2)
    if not self:_more() then
      return nil
    end
  end
end

function Raw:_read_fields(into, map)
  while true do
    local line = assert(self:read_until "\r\n", "closed inside the headers"):sub(1, -3)
    if line == "" then
      return
    end
    local name, value = line:match "^([^:%s]+):[ \t]*(.-)[ \t]*$"
    assert(name, "not a header line: " .. line)
    into[#into + 1] = { name, value }
    local key = name:lower()
    map[key] = map[key] and map[key] .. ", " .. value or value
  end
end

function Raw:_read_chunks(response)
  response.chunks = {}
  while true do
    local line = assert(self:read_until "\r\n", "closed inside the chunked body")
    local size = assert(tonumber(line:match "^(%x+)\r\n$" or line:match "^(%x+);", 16),
      "not a chunk size: " .. line)
    if size == 0 then
      return self:_read_fields(response.trailers, {})
    end
    local chunk = self:read(size + 2)
    assert(#chunk == size + 2 and chunk:sub(-2) == "\r\n", "closed inside a chunk")
    response.chunks[#response.chunks + 1] = chunk:sub(1, -3)
  end
end

function Raw:_read_body(response, method)
  local status, header = response.status, response.header
  if method == "HEAD" or status < 200 or status == 204 or status == 304 then
    return ""
  end
  if (header["transfer-encoding"] or ""):lower():find "chunked" then
    self:_read_chunks(response)
    return table.concat(response.chunks)
  end
  if not header["content-length"] then
    return self:read_all()
  end
  local n = assert(tonumber(header["content-length"]), "Content-Length is no number")
  local body = self:read(n)
  assert(#body == n, ("closed inside the body: %d of %d"):format(#body, n))
  return body
end

--- The next response (also an interim one, 1xx); nil when the peer closes before its first byte.
---@param method? string of the request: "HEAD" has no body
---@return spec.Response?
function Raw:response(method)
  local line = self:read_until "\r\n"
  if not line then
    assert(self._buffer == "", "closed inside the status line: " .. self._buffer)
    return nil
  end
  local version, status, reason = line:match "^HTTP/(%d%.%d) (%d%d%d) ?(.-)\r\n$"
  assert(version, "not a status line: " .. line)
  local response = {
    version = version, status = tonumber(status), reason = reason,
    headers = {}, header = {}, trailers = {},
  }
  self:_read_fields(response.headers, response.header)
  response.body = self:_read_body(response, method)
  return response
end

--- True when the peer has closed and everything was read. Waits up to `timeout` for it.
---@return boolean
function Raw:is_closed()
  return self._buffer == "" and not self:_more()
end

--- True when nothing arrives within `seconds`: for answers that must not come yet.
---@param seconds number
---@return boolean
function Raw:is_silent(seconds)
  local fds = { [self.fd] = { events = { IN = true } } }
  return self._buffer == "" and poll.poll(fds, math.floor(seconds * 1000)) == 0
end

--- Close our direction: the server reads the end of input and may still answer.
function Raw:half_close()
  socket.shutdown(self.fd, socket.SHUT_WR)
end

--- Close at once with a reset.
function Raw:reset()
  socket.setsockopt(self.fd, socket.SOL_SOCKET, socket.SO_LINGER, 1, 0)
  self:close()
end

function Raw:close()
  if self.fd then
    unistd.close(self.fd)
    self.fd, self._eof = nil, true
  end
end

return M
