--- Temporary folders for specs: made fresh, filled with files, removed with all they hold.
--- Used by support/server.lua and by specs that need files of their own.

local dirent = require "posix.dirent"
local stat = require "posix.sys.stat"
local stdlib = require "posix.stdlib"
local unistd = require "posix.unistd"

local M = {}

--- The whole text of a file, or "" when there is none.
---@param path string
---@return string
function M.read(path)
  local file = io.open(path, "rb")
  if not file then
    return ""
  end
  local text = file:read "*a"
  file:close()
  return text
end

--- Write a file, making the folders above it.
---@param path string
---@param text string
function M.write(path, text)
  local at = path:find("/", 2, true)
  while at do
    stat.mkdir(path:sub(1, at - 1))
    at = path:find("/", at + 1, true)
  end
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- A fresh folder for one spec; `files` (path within it -> text) are written there.
---@param files? table<string, string>
---@return string path absolute, no slash at its end
function M.folder(files)
  local path = assert(stdlib.mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/qlua-spec-XXXXXX"))
  for name, text in pairs(files or {}) do
    M.write(path .. "/" .. name, text)
  end
  return path
end

--- Remove a file or a folder with all it holds. Links are removed, not followed.
---@param path string
function M.remove(path)
  local info = stat.lstat(path)
  if info and stat.S_ISDIR(info.st_mode) ~= 0 then
    for name in dirent.files(path) do
      if name ~= "." and name ~= ".." then
        M.remove(path .. "/" .. name)
      end
    end
    unistd.rmdir(path)
  elseif info then
    unistd.unlink(path)
  end
end

return M
