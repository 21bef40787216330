--- The annotated sources of the API, read: for library.lua and lint_api.lua, which run in the
--- project's folder with QLUA_LUA_DIR=lua.

local core = require "qlua.core"
local surface = require "qlua.cli.surface"

local M = {}

---@param path string
---@return string
function M.read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

---@return qlua.AnnotationIndex
function M.index()
  local sources = {}
  for _, path in ipairs(core.files_below "lua/qlua") do
    if path:find "%.lua$" and not path:find "^cli/" then
      sources[#sources + 1] = { "lua/qlua/" .. path, M.read("lua/qlua/" .. path) }
    end
  end
  table.sort(sources, function(a, b)
    return a[1] < b[1]
  end)
  return surface.index(sources)
end

return M
