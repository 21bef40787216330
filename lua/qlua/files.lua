--- Uploaded files: what `request.files` holds.
--- Flow: the core's form parser makes a table for each (src/bind/form.c), form.lua gives it to
--- adopt. Small files are strings, large ones lie on disk until the request has ended.

local check = require "qlua.check"
local core = require "qlua.core"
local header_values = require "qlua.header_values"
local task = require "qlua.task"

---@class qlua.UploadedFile
---@field name string of the form's field
---@field filename string as the client says; "" when it says none. Never a path to trust
---@field content_type? string
---@field mimetype string in lower case, without parameters; "" when there is none
---@field mimetype_params table<string, string>
---@field headers qlua.MultiDict of the part, names without regard to case
---@field size number bytes
---@field private _data? string the content in memory
---@field private _upload? userdata the content on disk
---@field private _at integer where the next read begins
local UploadedFile = { __name = "qlua.UploadedFile" }
UploadedFile.__index = UploadedFile

local M = { UploadedFile = UploadedFile }

local PIECE = 256 * 1024 -- of a copy
local PIECES_A_TURN = 16 -- copied before others have their turn

--- Make a file of what the core has parsed.
---@param file table
---@return qlua.UploadedFile
function M.adopt(file)
  local mimetype, params = header_values.params(file.content_type or "")
  file.mimetype = mimetype:lower()
  file.mimetype_params = params
  file._at = 0
  return setmetatable(file, UploadedFile)
end

function UploadedFile:__tostring()
  return ("<UploadedFile %q %d bytes>"):format(self.filename, self.size)
end

--- Up to `count` bytes from place `at` on.
local function read_at(self, at, count)
  if self._data then
    return self._data:sub(at + 1, at + count)
  end
  local bytes, message
  if self._upload then
    bytes, message = self._upload:read(at, count)
  end
  if not bytes then
    check.fail("file %q cannot be read: %s", self.filename, message or "it is closed")
  end
  return bytes
end

--- The next `n` bytes, or all that are left. At the end: nil for `read(n)`, "" for `read()`.
---@param n? integer
---@return string?
function UploadedFile:read(n)
  if n ~= nil and (type(n) ~= "number" or n < 0) then
    check.fail("file:read: the number of bytes must be at least 0, got %s", check.describe(n))
  end
  local pieces, left = {}, n or math.huge
  while left > 0 do
    local piece = read_at(self, self._at, math.min(left, PIECE, self.size - self._at))
    if piece == "" then
      break
    end
    pieces[#pieces + 1] = piece
    self._at = self._at + #piece
    left = left - #piece
  end
  if #pieces == 0 and n and n > 0 then
    return nil
  end
  return table.concat(pieces)
end

--- Set where the next read begins, counted from the start.
---@param at? integer default 0
---@return integer at
function UploadedFile:seek(at)
  at = at or 0
  if type(at) ~= "number" or at < 0 then
    check.fail("file:seek: a place of at least 0 expected, got %s", check.describe(at))
  end
  self._at = math.min(math.floor(at), self.size)
  return self._at
end

---@return integer at where the next read begins
function UploadedFile:tell()
  return self._at
end

local function cannot_write(path, message)
  check.fail("file:save: cannot write %s: %s", path, message)
end

--- Write all of the content to an open file, letting others have their turn. Returns nil, or
--- what went wrong.
local function copy(self, out)
  local at, pieces = 0, 0
  while at < self.size do
    local piece = read_at(self, at, PIECE)
    if piece == "" then
      return "the uploaded file has become shorter"
    end
    local ok, message = out:write(piece)
    if not ok then
      return message
    end
    at, pieces = at + #piece, pieces + 1
    if pieces % PIECES_A_TURN == 0 then
      task.await(core.sleep(0))
    end
  end
end

--- Save the whole content, whatever was read before. Waits for large files.
---@async
---@param path string relative to the app's folder
function UploadedFile:save(path)
  check.type("file:save", "path", path, "string")
  if path:sub(1, 1) ~= "/" then
    path = core.app_root() .. "/" .. path
  end
  local out, message = io.open(path, "wb")
  if not out then
    check.fail("file:save: cannot write %s", message)
  end
  local ok, failure = pcall(copy, self, out)
  local closed, close_message = out:close()
  if not ok or failure or not closed then
    os.remove(path)
    if not ok then
      error(failure, 0)
    end
    cannot_write(path, failure or close_message)
  end
end

--- Give the content back; reading raises afterwards.
function UploadedFile:close()
  if self._upload then
    self._upload:close()
  end
  self._data, self._upload = nil, nil
end

return M
