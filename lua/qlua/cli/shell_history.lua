--- The lines that were typed into `qlua shell`, kept from one time to the next in a file of the
--- user's: $XDG_STATE_HOME/qlua/history, or ~/.local/state/qlua/history.

local core = require "qlua.core"

local M = {}

local MOST = 1000

local function state_folder()
  local folder, home = os.getenv "XDG_STATE_HOME", os.getenv "HOME"
  if folder and folder:sub(1, 1) == "/" then
    return folder
  end
  return home and home:sub(1, 1) == "/" and home .. "/.local/state" or nil
end

--- The file, its folder made; nil when there is no place for one.
---@return string?
function M.path()
  local folder = state_folder()
  if not folder then
    return nil
  end
  folder = folder .. "/qlua"
  for at in folder:gmatch "()/" do
    if at > 1 then
      core.make_folder(folder:sub(1, at - 1))
    end
  end
  core.make_folder(folder, true) -- what was typed is nobody else's
  return folder .. "/history"
end

--- The lines of the file, oldest first. One that has grown is written anew.
---@param path? string
---@return string[]
function M.read(path)
  local lines, file = {}, path and io.open(path)
  if not file then
    return lines
  end
  for line in file:lines() do
    lines[#lines + 1] = line
  end
  file:close()
  if #lines > 2 * MOST then
    lines = { unpack(lines, #lines - MOST + 1) }
    file = io.open(path, "w")
    if file then
      file:write(table.concat(lines, "\n"), "\n")
      file:close()
    end
  end
  return lines
end

--- Add a line to the file; where it cannot be written it is not.
---@param path? string
---@param line string
function M.append(path, line)
  local file = path and io.open(path, "a")
  if file then
    file:write(line, "\n")
    file:close()
  end
end

return M
