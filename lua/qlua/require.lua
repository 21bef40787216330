--- `require` in Lua, so that a module may wait while it loads: a yield does not cross the C one.
--- Flow: replaces the global before the app is loaded; semantics and messages are Lua 5.1's. A
--- task that needs a module which another one is loading waits for it.

local check = require "qlua.check"
local core = require "qlua.core"
local task = require "qlua.task"

local loaded, loaders = package.loaded, package.loaders
local LOADING = {}

--- Which task loads a module, and for which module a task waits: ids.
local loading_by, waits_for = {}, {}

--- The files where a module is looked for, up to the one that is there: each may change, or come
--- to be.
local function watch_places(name)
  local path = name:gsub("%.", "/")
  for _, list in ipairs { package.path, package.cpath } do
    for template in list:gmatch "[^;]+" do
      if core.watch((template:gsub("%?", (path:gsub("%%", "%%%%"))))) then
        return
      end
    end
  end
end

local function find_loader(name)
  local tried = {}
  if core.watching() and not package.preload[name] and not name:find "^qlua%f[.%z]" then
    watch_places(name)
  end
  for i = 1, #loaders do
    local found = loaders[i](name)
    if type(found) == "function" then
      return found
    elseif type(found) == "string" then
      tried[#tried + 1] = found
    end
  end
  check.fail("module '%s' not found:%s", name, table.concat(tried))
end

--- Who loaded it was stopped (errors.CpuLimitExceeded) or abandoned, and could not clean up.
local function was_left(name)
  local owner = loading_by[name]
  return owner and not core.task_lives(owner)
end

--- Would waiting for this module be waiting for oneself?
local function is_loop(name, me)
  while name do
    local owner = loading_by[name]
    if not owner or owner == me then
      return true
    end
    name = waits_for[owner]
  end
  return false
end

--- Another task loads it: wait until it has.
---@async
local function wait_for(name)
  local me = core.task_id()
  while loaded[name] == LOADING do
    if was_left(name) then
      loaded[name], loading_by[name] = nil, nil
      return
    elseif is_loop(name, me) then
      check.fail("loop or previous error loading module '%s'", name)
    end
    waits_for[me] = name
    local ok, err = core.sleep(0)
    waits_for[me] = nil
    task.await(ok, err)
  end
end

---@async
local function load(name)
  local loader = find_loader(name)
  loaded[name], loading_by[name] = LOADING, core.task_id()
  local ok, result = pcall(loader, name)
  loading_by[name] = nil
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

---@async
---@param name string
---@return any
function require(name) -- luacheck: ignore 121
  local value = loaded[name]
  if value == LOADING then
    wait_for(name)
    value = loaded[name]
  end
  return value or load(name)
end

return require
