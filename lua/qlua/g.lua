--- g: values for the time of one request, or of one app context.
--- Flow: a proxy for the table that the running task's context holds; see context.lua. It is made
--- when it is first touched.

local check = require "qlua.check"
local core = require "qlua.core"

local current, context = core.current, core.context

---@class qlua.G values of one request: an object of its own for each
---@field [string] any
local methods = {}

--- The table behind g; `name` is for the message.
local function values_of(name)
  local ctx = current[1] or context()
  if not ctx then
    check.fail("Not within an app context: g.%s was used outside of a request. Use it in a view, "
      .. "a hook or a function they call; values for all requests belong in app.config",
      tostring(name))
  end
  local values = ctx.g
  if not values then
    values = {}
    ctx.g = values
  end
  return values
end

--- The value of a name, or the default.
---@param name string
---@param default? any
---@return any
function methods.get(_, name, default)
  local value = values_of("get")[name]
  if value == nil then
    return default
  end
  return value
end

--- Store a value; for names that are methods' too.
---@param name string
---@param value any
function methods.set(_, name, value)
  values_of("set")[name] = value
end

--- Take a value out.
---@param name string
---@param default? any
---@return any
function methods.pop(_, name, default)
  local values = values_of("pop")
  local value = values[name]
  values[name] = nil
  if value == nil then
    return default
  end
  return value
end

--- The value of a name, which becomes the default when there is none.
---@param name string
---@param default any
---@return any
function methods.setdefault(_, name, default)
  local values = values_of("setdefault")
  if values[name] == nil then
    values[name] = default
  end
  return values[name]
end

--- Is there a value of this name?
---@param name string
---@return boolean
function methods.contains(_, name)
  return values_of("contains")[name] ~= nil
end

--- Iterate: `for name, value in g:items() do`.
function methods.items(_)
  return next, values_of("items"), nil
end

--- The names, sorted.
---@return string[]
function methods.keys(_)
  local names = {}
  for name in next, values_of("keys") do
    names[#names + 1] = name
  end
  table.sort(names)
  return core.array(names)
end

--- A copy as a plain table.
---@return table<string, any>
function methods.to_dict(_)
  local copy = {}
  for name, value in next, values_of("to_dict") do
    copy[name] = value
  end
  return copy
end

--- Store all values of a table.
---@param values table<string, any>
function methods.update(_, values)
  check.type("g:update", "values", values, "table")
  local own = values_of("update")
  for name, value in pairs(values) do
    own[name] = value
  end
end

--- Take a value out.
---@param name string
function methods.remove(_, name)
  values_of("remove")[name] = nil
end

--- Take all values out.
function methods.clear(_)
  local values = values_of("clear")
  for name in next, values do
    values[name] = nil
  end
end

---@type qlua.G
local g = newproxy(true)

local meta = getmetatable(g)
meta.__name = "qlua.G"

function meta.__index(_, name)
  local method = methods[name]
  if method then
    return method
  end
  local ctx = current[1]
  local values = ctx and ctx.g or values_of(name)
  return values[name]
end

function meta.__newindex(_, name, value)
  if methods[name] then
    check.fail("g.%s is a method; use g:set(%q, value)", name, name)
  end
  values_of(name)[name] = value
end

function meta.__tostring()
  return "<qlua.g>"
end

return g
