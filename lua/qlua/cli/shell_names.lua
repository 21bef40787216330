--- What Tab offers in `qlua shell`: the names at hand, and behind a dot or colon those of a value.

local surface = require "qlua.cli.surface"

local M = {}

--- All names of a value: of a table its keys, of an object what it shows.
local function names_of(value)
  local kind = type(value)
  if kind == "string" then
    return string
  elseif kind ~= "table" and kind ~= "userdata" then
    return {}
  end
  local ok, names = pcall(surface.names, { name = "", value = value, is_module = false })
  return ok and names or {}
end

--- The value of `a.b.c`, read without calling anything of the app's but __index; nil: none.
local function value_of(environment, path)
  local value = environment
  for name in path:gmatch "[^.:]+" do
    local ok, inner = pcall(function()
      return value[name]
    end)
    if not ok or inner == nil then
      return nil
    end
    value = inner
  end
  return value
end

--- Names that begin so, sorted.
local function matching(names, prefix, only_functions)
  local list = {}
  for name, value in pairs(names) do
    if type(name) == "string" and name:sub(1, #prefix) == prefix and name:find "^[%a_][%w_]*$"
      and (name:sub(1, 1) ~= "_" or prefix ~= "")
      and (not only_functions or type(value) == "function") then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

--- The words that may stand at the end of a text, and how many bytes of it they begin with.
---@param environment table
---@param before string
---@return string[] words
---@return integer typed
function M.complete(environment, before)
  local path, separator, prefix = before:match "([%a_][%w_.:]*)([.:])([%w_]*)$"
  if path then
    local value = value_of(environment, path)
    return matching(names_of(value), prefix, separator == ":" and type(value) == "table"), #prefix
  end
  prefix = before:match "([%a_][%w_]*)$"
  if not prefix then
    return {}, 0
  end
  local names = {}
  for _, table in ipairs { _G, environment } do
    for name, value in pairs(table) do
      names[name] = value
    end
  end
  return matching(names, prefix), #prefix
end

return M
