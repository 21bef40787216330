--- Source text for the debug page: the lines around a place, and files' names as people write them.
--- Flow: frames.lua asks for each frame that has a file.

local secrets = require "qlua.debugger.secrets"
local values = require "qlua.debugger.values"

local M = {}

-- lines before and behind the one that matters; of a file no more is read than this
local AROUND, MOST_BYTES, MOST_LINE = 6, 4 * 1024 * 1024, 300

--- A file's lines, or nil when it cannot be read.
---@param path string
---@param cache table<string, string[]|false> of one page
---@return string[]?
function M.lines_of(path, cache)
  if cache[path] == nil then
    cache[path] = false
    local file = io.open(path, "rb")
    local size = file and file:seek "end" or 0
    local text = size <= MOST_BYTES and file and file:seek "set" and file:read "*a"
    if file then
      file:close()
    end
    if text then
      cache[path] = M.split(text)
    end
  end
  return cache[path] or nil
end

---@param text string
---@return string[]
function M.split(text)
  local lines = {}
  for line in (text:gsub("\n$", "") .. "\n"):gmatch "(.-)\r?\n" do
    lines[#lines + 1] = line
  end
  return lines
end

---@class qlua.debugger.Line
---@field number integer
---@field text string
---@field current? boolean

--- The lines around one of them, those at both ends that are empty left out.
---@param lines string[]?
---@param number integer
---@param known string[] secrets, masked
---@return qlua.debugger.Line[]? nil when there is no such line
function M.around(lines, number, known)
  if not lines or not lines[number] then
    return nil
  end
  local from, to = math.max(1, number - AROUND), math.min(#lines, number + AROUND)
  while from < number and lines[from]:find "^%s*$" do
    from = from + 1
  end
  while to > number and lines[to]:find "^%s*$" do
    to = to - 1
  end
  local shown = {}
  for i = from, to do
    local text = secrets.source(secrets.scrub(lines[i], known))
    if #text > MOST_LINE then
      text = text:sub(1, MOST_LINE) .. " …"
    end
    shown[#shown + 1] = {
      number = i, text = values.as_utf8(text:gsub("\t", "    ")), current = i == number or nil,
    }
  end
  return shown
end

--- A path as the app's author knows it: relative to the app's folder.
---@param path string
---@param root? string absolute, without a last slash
---@return string
function M.short(path, root)
  if root and path:sub(1, #root + 1) == root .. "/" then
    return path:sub(#root + 2)
  end
  return path
end

return M
