--- Checks of what the user hands in: a mistake raises at once, at the user's own line.
--- Flow: the public functions call it first; nothing of it runs for a request that is well.

local M = {}

-- where qlua's own Lua lies: frames from there are not the user's
local OWN = debug.getinfo(1, "S").source:match "^(.-)check%.lua$" or "=qlua"

local function is_own(info)
  return info.what == "C" or info.source:sub(1, #OWN) == OWN
end

--- The level, for error() in the caller, of the nearest frame outside of qlua; 0 when there is
--- none left, as after `return qlua.f(...)`: a tail call.
local function user_level()
  local level = 3
  while true do
    local info = debug.getinfo(level, "S")
    if not info then
      return 0
    elseif not is_own(info) then
      return level - 1
    end
    level = level + 1
  end
end

--- The view at work as messages name it, for a tail call, which leaves no line of the user's;
--- dispatch.lua knows.
---@return string?
function M.view_at_work()
end

--- Raise a message (string.format) that begins with the user's file and line.
---@param format string
function M.fail(format, ...)
  local level = user_level()
  local view = level == 0 and M.view_at_work()
  error((view and view .. ": " or "") .. format:format(...), level)
end

--- The user's file and line, `app.lua:12`, of the call at work: for messages about it that come
--- later. nil after a tail call.
---@return string?
function M.place()
  local level = user_level()
  if level > 0 then
    local info = debug.getinfo(level, "Sl")
    return ("%s:%d"):format(info.short_src, info.currentline)
  end
end

--- A value as messages show it: `the number 5`, `the string "x"`, `a table`.
---@param value any
---@return string
function M.describe(value)
  local kind = type(value)
  if kind == "nil" then
    return "nil"
  elseif kind == "string" then
    return ("the string %q"):format(#value > 40 and value:sub(1, 40) .. "..." or value)
  elseif kind == "number" or kind == "boolean" then
    return ("the %s %s"):format(kind, tostring(value))
  elseif kind == "table" or kind == "userdata" then
    local meta = debug.getmetatable(value)
    local name = type(meta) == "table" and rawget(meta, "__name")
    return type(name) == "string" and ("an instance of %s"):format(name) or "a " .. kind
  end
  return "a " .. kind
end

--- "a list", "an integer".
local function with_article(kind)
  return (kind:find "^[aeiou]" and "an " or "a ") .. kind
end

--- Raise unless the value has the type.
---@param where string the function's name
---@param what string the argument's name
---@param value any
---@param expected type
---@param optional? boolean nil will do
function M.type(where, what, value, expected, optional)
  if type(value) ~= expected and not (optional and value == nil) then
    M.fail("%s: %s must be %s, got %s", where, what, with_article(expected), M.describe(value))
  end
end

--- How many letters must be inserted, dropped or changed to make one word of the other.
---@param a string
---@param b string
---@return integer
function M.distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local change = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
      diagonal = row[j]
      row[j] = math.min(change, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

--- The nearest of the names to a mistaken one, or nil when none is near.
---@param name string
---@param names table<string, any> the names are its keys
---@return string?
function M.nearest(name, names)
  local best, least = nil, math.floor(#name / 2) + 1
  for candidate in pairs(names) do
    if type(candidate) == "string" then
      local is_start = #name > 2 and candidate:sub(1, #name) == name
      local d = is_start and 1 or M.distance(name:lower(), candidate:lower())
      if d < least or (d == least and best and candidate < best) then
        best, least = candidate, d
      end
    end
  end
  return best
end

--- ` (did you mean "methods"?)`, or the list of what there is.
---@param name string
---@param names table<string, any>
---@return string
function M.hint(name, names)
  local near = M.nearest(name, names)
  if near then
    return (" (did you mean %q?)"):format(near)
  end
  local list = {}
  for candidate in pairs(names) do
    list[#list + 1] = candidate
  end
  table.sort(list)
  return (" (known: %s)"):format(table.concat(list, ", "))
end

-- what a type named in an options table accepts
local ACCEPTS = {
  any = function() return true end,
  list = function(value) return type(value) == "table" end,
  map = function(value) return type(value) == "table" end,
  integer = function(value) return type(value) == "number" and value % 1 == 0 end,
}

--- Check a table of options: each name is known and each value of its type. `known` maps names
--- to a Lua type, "integer", "any", or several divided by "|".
---@param where string
---@param options any nil is {}
---@param known table<string, string>
---@return table options
function M.options(where, options, known)
  M.type(where, "options", options, "table", true)
  for name, value in pairs(options or {}) do
    local expected = known[name]
    if not expected then
      local hint = type(name) == "string" and M.hint(name, known) or ""
      M.fail("%s: unknown option %s%s", where,
        type(name) == "string" and ("%q"):format(name) or tostring(name), hint)
    end
    local fits = false
    for kind in expected:gmatch "[^|]+" do
      local accepts = ACCEPTS[kind]
      fits = fits or (accepts and accepts(value)) or type(value) == kind
    end
    if not fits then
      M.fail("%s: option %q must be %s, got %s", where, name,
        with_article(expected:gsub("|", " or ")), M.describe(value))
    end
  end
  return options or {}
end

return M
