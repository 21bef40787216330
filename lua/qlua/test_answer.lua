--- Answers to the test client: from the bytes on the wire to a Response.
--- Flow: test_client.lua opens a connection (core.test_open) and hands it over; what is read here
--- is what a socket would have carried, so heads, lengths and chunks are parsed.

local core = require "qlua.core"
local responses = require "qlua.response"
local task = require "qlua.task"

local M = {}

---@class qlua.TestAnswer one answer as it arrives
---@field private _conn qlua.TestConn
---@field private _what string "GET /path", for messages
---@field private _buffer string arrived and not taken yet
---@field private _over boolean nothing more arrives
local Answer = {}
Answer.__index = Answer

---@param conn qlua.TestConn
---@param what string the request, for messages
---@return qlua.TestAnswer
function M.new(conn, what)
  return setmetatable({ _conn = conn, _what = what, _buffer = "", _over = false }, Answer)
end

--- Wait for more bytes; false at the end.
---@async
---@private
function Answer:_more()
  if self._over then
    return false
  end
  task.await(core.test_wait(self._conn))
  local bytes = core.test_read(self._conn)
  if not bytes then
    self._over = true
    return false
  end
  self._buffer = self._buffer .. bytes
  return true
end

---@private
function Answer:_cut(where)
  error(("%s: the connection was cut %s; what the app raised is in the log"):format(self._what,
    where), 0)
end

--- Take what stands before a separator, and the separator.
---@async
---@private
function Answer:_take_until(separator, where)
  while true do
    local first, last = self._buffer:find(separator, 1, true)
    if first then
      local text = self._buffer:sub(1, first - 1)
      self._buffer = self._buffer:sub(last + 1)
      return text
    elseif not self:_more() then
      self:_cut(where)
    end
  end
end

--- Some bytes of the buffer, at most `most`; nil at the end.
---@async
---@private
function Answer:_take(most)
  while self._buffer == "" do
    if not self:_more() then
      return nil
    end
  end
  local piece = self._buffer:sub(1, most)
  self._buffer = self._buffer:sub(#piece + 1)
  return piece
end

-- ---- the head ---------------------------------------------------------------------------------

--- The final status and its headers; "100 Continue" and the like are passed over.
---@async
---@return integer status
---@return qlua.Headers headers
function Answer:head()
  while true do
    local head = self:_take_until("\r\n\r\n", "before it was answered")
    local status = tonumber(head:match "^HTTP/1%.[01] (%d%d%d)")
    if not status then
      error(("%s: the answer is not HTTP: %q"):format(self._what, head:sub(1, 60)), 0)
    elseif status >= 200 then
      local headers = core.headers()
      for name, value in head:gmatch "\r\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
        headers:add(name, value)
      end
      return status, headers
    end
  end
end

-- ---- the body ---------------------------------------------------------------------------------

---@private
function Answer:_of_length(length)
  local left = length
  return function()
    if left == 0 then
      return nil
    end
    local piece = self:_take(left)
    if not piece then
      self:_cut(("after %d of %d bytes"):format(length - left, length))
    end
    left = left - #piece
    return piece
  end
end

---@private
function Answer:_of_chunks()
  local left, sent, over = 0, 0, false
  local where = "before the end of its answer"
  return function()
    if over then
      return nil
    elseif left == 0 then
      left = tonumber(self:_take_until("\r\n", where):match "^%x+", 16)
      if left == 0 then
        over = true
        self:_take_until("\r\n", where)
        return nil
      end
    end
    local piece = self:_take(left)
    if not piece then
      self:_cut(("after %d bytes of its answer"):format(sent))
    end
    left, sent = left - #piece, sent + #piece
    if left == 0 then
      self:_take_until("\r\n", where)
    end
    return piece
  end
end

--- An iterator over the body's pieces as they come.
---@param method string
---@param status integer
---@param headers qlua.Headers
---@return fun(): string?
function Answer:body(method, status, headers)
  if method == "HEAD" or status == 204 or status == 304 then
    return function() end
  elseif (headers:get "Transfer-Encoding" or ""):lower() == "chunked" then
    return self:_of_chunks()
  elseif headers:get "Content-Length" then
    return self:_of_length(tonumber(headers:get "Content-Length"))
  end
  return function()
    return self:_take(65536)
  end
end

--- The body as it is read, for the user: an iterator with a method close(), which tells the app
--- that the client has gone.
---@param next_piece fun(): string? of Answer:body
---@param done function called once at the end
function Answer:pieces(next_piece, done)
  local pieces, is_open = {}, true
  function pieces.close()
    if is_open then
      is_open = false
      core.test_close(self._conn)
      done()
    end
  end
  local function finish(ok, piece)
    if not ok or piece == nil then
      pieces.close()
    end
    if not ok then
      error(piece, 0)
    end
    return piece
  end
  return setmetatable(pieces, {
    __call = function()
      return is_open and finish(pcall(next_piece)) or nil
    end,
  })
end

--- All pieces as one string.
---@async
---@param next_piece fun(): string?
---@return string
function M.collect(next_piece)
  local parts = {}
  for piece in next_piece do
    parts[#parts + 1] = piece
  end
  return table.concat(parts)
end

--- The Response with these parts.
---@param status integer
---@param headers qlua.Headers
---@param body string|fun(): string?
---@return qlua.Response
function M.response(status, headers, body)
  local response = responses.new(body, status)
  response[3], response[4] = headers, nil
  return response
end

return M
