--- What luacheck, when it is installed, says of an app's code: for `qlua check`.

local core = require "qlua.core"

local M = {}

local function quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- The app file and the modules of its folder that it has loaded, as paths in that folder.
local function files_of(path, root)
  local list, seen = { path:sub(#root + 1) }, { [path] = true }
  for name in pairs(package.loaded) do
    local file = package.searchpath(name, package.path)
    if file and file:sub(1, #root) == root and not seen[file] then
      seen[file] = true
      list[#list + 1] = file:sub(#root + 1)
    end
  end
  table.sort(list)
  return list
end

--- Does luacheck find settings of its own for this folder? It looks in all above, too.
local function has_settings(folder)
  while folder ~= "" do
    if core.file_stat(folder .. "/.luacheckrc") then
      return true
    end
    folder = folder:match "^(.*)/[^/]*$"
  end
  return core.file_stat "/.luacheckrc" ~= nil
end

--- Its warnings; none when it is not installed.
---@param path string the app file, absolute
---@param root string its folder, with the last slash
---@return qlua.Finding[]
function M.luacheck(path, root)
  local words = {}
  for i, file in ipairs(files_of(path, root)) do
    words[i] = quoted("./" .. file)
  end
  local std = has_settings(root:gsub("/$", "")) and "" or "--std luajit"
  local pipe = io.popen(("cd %s && command -v luacheck >/dev/null && luacheck --formatter plain "
    .. "--no-color %s %s 2>/dev/null"):format(quoted(root), std, table.concat(words, " ")))
  local findings = {}
  for line in pipe and pipe:lines() or function() end do
    local file, number, message = line:match "^(.-):(%d+):%d+: (.*)$"
    if file then
      findings[#findings + 1] = {
        file = root .. file:gsub("^%./", ""), line = tonumber(number), message = message,
      }
    end
  end
  if pipe then
    pipe:close()
  end
  return findings
end

return M
