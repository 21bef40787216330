--- `require` in Lua, so that a module may wait while it loads: a yield does not cross the C one.
--- Flow: replaces the global before the app is loaded; semantics and messages are Lua 5.1's.

local loaded, loaders = package.loaded, package.loaders
local LOADING = {}

local function find_loader(name)
  local tried = {}
  for i = 1, #loaders do
    local found = loaders[i](name)
    if type(found) == "function" then
      return found
    elseif type(found) == "string" then
      tried[#tried + 1] = found
    end
  end
  error(("module '%s' not found:%s"):format(name, table.concat(tried)), 3)
end

---@async
---@param name string
---@return any
function require(name) -- luacheck: ignore 121
  local value = loaded[name]
  if value == LOADING then
    error(("loop or previous error loading module '%s'"):format(name), 2)
  elseif value then
    return value
  end
  local loader = find_loader(name)
  loaded[name] = LOADING
  local ok, result = pcall(loader, name)
  if not ok then
    loaded[name] = nil
    error(result, 0)
  end
  if result ~= nil then
    loaded[name] = result
  elseif loaded[name] == LOADING then
    loaded[name] = true
  end
  return loaded[name]
end

return require
