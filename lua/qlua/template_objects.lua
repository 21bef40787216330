--- Objects in templates: what a template may do with values that only Lua may touch.
--- Flow: the driver (template_render.lua) comes here when the VM has met a value with a metatable
--- of its own, a userdata or a function: `request.args`, `session`, an instance of a class. All of
--- it may wait.
---
--- A method that an object has from its class (its metatable) is called with the object before the
--- arguments; a function that is its own field, or a value of `g`, `config` or the like, without.

local classes = require "qlua.class"
local core = require "qlua.core"

local M = {}

-- qlua's own dict-likes, by the names of their metatables
local DICTS = {
  ["qlua.MultiDict"] = true, ["qlua.Headers"] = true, ["qlua.Session"] = true, ["qlua.G"] = true,
  ["qlua.Config"] = true,
}

-- of those, and of request: the functions that are methods and not somebody's values
local METHODS = {}
for name in ("get getlist items keys lists to_dict contains set add setlist setdefault remove pop "
  .. "clear update regenerate get_data get_json get_namespace from_mapping"):gmatch "%S+" do
  METHODS[name] = true
end

local function name_of(object)
  local meta = debug.getmetatable(object)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and name or type(object)
end

local function metamethod(object, name)
  local meta = debug.getmetatable(object)
  return type(meta) == "table" and rawget(meta, name) or nil
end

--- Fail at the place in the template where the object was met.
local function fail(format, ...)
  error(require("qlua.template_places").error(format:format(...)), 0) -- late: it knows the driver
end

--- A table with a metatable that is no class, nor an instance of one, is a dict of its own fields.
local function has_fields(object)
  return type(object) == "table" and not classes.class_of(object)
    and not classes.is_class(object) and next(object) ~= nil
end

-- ---- items and attributes ---------------------------------------------------------------------

--- object[key], nil where it cannot be indexed at all.
local function read(object, key)
  if type(object) == "table" then
    return object[key]
  elseif type(object) == "cdata" then
    local ok, value = pcall(function()
      return object[key]
    end)
    return ok and value or nil
  elseif metamethod(object, "__index") then
    return object[key]
  end
end

local function method_of(object, name)
  if type(object) == "function" or (type(object) == "table" and classes.is_class(object)) then
    return nil
  end
  local method = read(object, name)
  return type(method) == "function" and method or nil
end

local function is_dict(object)
  return DICTS[name_of(object)] or (method_of(object, "items") ~= nil)
end

local function values_of(object)
  local list = {}
  for i, pair in ipairs(M.pairs_of(object)) do
    list[i] = pair[2]
  end
  return core.array(list)
end

--- What Python's dicts have under these names, for those of ours: lists in place of iterators, and
--- defaults by keyword.
local OWN = {
  items = function(object)
    return function()
      return M.pairs_of(object)
    end
  end,
  keys = function(object)
    return function()
      return M.list_of(object)
    end
  end,
  values = function(object)
    return function()
      return values_of(object)
    end
  end,
  lists = function(object)
    return function()
      local list = {}
      for key, values in object:lists() do
        list[#list + 1] = core.tuple { key, values }
      end
      return core.array(list)
    end
  end,
}
for _, name in ipairs { "get", "pop", "setdefault" } do
  OWN[name] = function(object)
    return function(key, default, keywords)
      if default == nil and keywords then
        default = keywords.default
      end
      return object[name](object, key, default)
    end
  end
end

local function bound(object, method)
  return function(...)
    return method(object, ...)
  end
end

--- 0-based, from the end when negative, of what has an array part.
local function position(object, key)
  if type(key) == "number" and type(object) == "table" and rawget(object, 1) ~= nil then
    return key >= 0 and key + 1 or #object + key + 1
  end
  return key
end

--- `object.key`: the attribute, else the item; nil when there is neither.
---@async
---@param object any
---@param key any
---@return any
function M.index(object, key)
  if DICTS[name_of(object)] and OWN[key] and read(object, key == "values" and "items" or key) then
    return OWN[key](object)
  end
  local value = read(object, position(object, key))
  if type(value) ~= "function" or (type(object) == "table" and rawget(object, key) ~= nil) then
    return value
  end
  local name = name_of(object)
  if (DICTS[name] or name == "qlua.Request") and not METHODS[key] then
    return value
  end
  return bound(object, value)
end

--- `object[key]`: the item, else the attribute.
---@async
---@param object any
---@param key any
---@return any
function M.item(object, key)
  if METHODS[key] and DICTS[name_of(object)] then
    local value = object:get(key)
    if value ~= nil then
      return value
    end
  end
  return M.index(object, key)
end

-- ---- iteration --------------------------------------------------------------------------------

--- Collect what an iterator gives; several values at once are a list of them.
local function collect(pick, list, f, state, control)
  while true do
    local first, second = f(state, control)
    if first == nil then
      return core.array(list)
    end
    control = first
    list[#list + 1] = pick(first, second)
  end
end

local function first_of(first)
  return first
end

local function pair_of(first, second)
  return core.tuple { first, second == nil and core.null or second }
end

local function one_or_pair(first, second)
  return second == nil and first or core.tuple { first, second }
end

--- object:items() as a list: of its keys (pick first_of), or of pairs.
local function items_of(object, pick)
  if name_of(object) == "qlua.G" then
    local list = {}
    for i, name in ipairs(object:keys()) do -- sorted, as every plain table is
      list[i] = pick(name, object:get(name))
    end
    return core.array(list)
  end
  local f, state, control = object:items()
  if type(f) ~= "table" then
    return collect(pick, {}, f, state, control)
  end
  local list = {}
  for i, pair in ipairs(f) do
    list[i] = pick(pair[1], pair[2])
  end
  return core.array(list)
end

local function array_part(object)
  local list = {}
  local length = metamethod(object, "__len")
  for i = 1, length and length(object) or #object do
    local value = object[i]
    list[i] = value == nil and core.null or value
  end
  return core.array(list)
end

--- A table's own fields, sorted, as a list: of the keys or of pairs.
local function fields_of(object, pick)
  local keys, list = {}, {}
  for key in next, object do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "string" or type(a) == "number") then
      return a < b
    end
    return tostring(a) < tostring(b)
  end)
  for i, key in ipairs(keys) do
    list[i] = pick(key, object[key])
  end
  return core.array(list)
end

--- A list of what the object iterates over: the keys of a dict-like (it has `items`), what a
--- function or a __call gives until it is nil, an array part, the names of a table's own fields.
---@async
---@param object any
---@return any[]
function M.list_of(object)
  local kind = type(object)
  if kind == "function" then
    return collect(one_or_pair, {}, object)
  elseif method_of(object, "items") then
    return items_of(object, first_of)
  elseif kind == "table" and (rawget(object, 1) ~= nil or metamethod(object, "__len")) then
    return array_part(object)
  elseif metamethod(object, "__call") and not classes.is_class(object) then
    return collect(one_or_pair, {}, object)
  elseif kind == "userdata" and metamethod(object, "__len") then
    return array_part(object)
  elseif has_fields(object) then
    return fields_of(object, first_of)
  end
  fail("'%s' object is not iterable", name_of(object))
end

--- A list of (key, value) tuples: of a dict-like, or of a table's own fields, sorted.
---@async
---@param object any
---@return any[][]
function M.pairs_of(object)
  local iterate = metamethod(object, "__pairs")
  if method_of(object, "items") then
    return items_of(object, pair_of)
  elseif iterate then
    return collect(pair_of, {}, iterate(object))
  elseif has_fields(object) then
    return fields_of(object, pair_of)
  end
  fail("'%s' object has no items: it is not a mapping", name_of(object))
end

-- ---- length, truth, membership ----------------------------------------------------------------

--- Python's len(): `__len`, how many keys a dict-like has, an array part.
---@async
---@param object any
---@return number
function M.length_of(object)
  local length = metamethod(object, "__len")
  if length then
    return length(object)
  elseif method_of(object, "items") then
    return #M.list_of(object)
  elseif type(object) == "table" and rawget(object, 1) ~= nil then
    return #object
  elseif has_fields(object) then
    return #fields_of(object, first_of)
  end
  fail("object of type '%s' has no len()", name_of(object))
end

--- Python's bool(): what has a length is true when that is not 0; anything else is true. `g` is
--- always true, as Quart's.
---@async
---@param object any
---@return boolean
function M.truth_of(object)
  local length = metamethod(object, "__len")
  if length then
    return length(object) ~= 0
  elseif name_of(object) ~= "qlua.G" and is_dict(object) then
    local f, state, control = object:items()
    if type(f) == "table" then
      return f[1] ~= nil
    end
    return f(state, control) ~= nil
  end
  return true
end

--- `item in object`: a key of a dict-like, or equal to something it iterates over.
---@async
---@param object any
---@param item any
---@return boolean
function M.contains(object, item)
  local contains = method_of(object, "contains")
  if contains then
    return contains(object, item) and true or false
  end
  for _, value in ipairs(M.list_of(object)) do
    if value == item then
      return true
    end
  end
  return false
end

-- ---- what it can be used as --------------------------------------------------------------------

--- g can be walked, but is no dict, as Quart's.
local function is_mapping(object)
  return name_of(object) ~= "qlua.G" and is_dict(object)
end

local function has_length(object)
  return metamethod(object, "__len") ~= nil or is_mapping(object)
    or (type(object) == "table" and rawget(object, 1) ~= nil) or has_fields(object)
end

-- the tests of templates on objects
local USES = {
  mapping = function(object)
    return is_mapping(object) or metamethod(object, "__pairs") ~= nil
      or (has_fields(object) and rawget(object, 1) == nil)
  end,
  sequence = has_length,
  iterable = function(object)
    return has_length(object) or is_dict(object)
      or (metamethod(object, "__call") ~= nil and not classes.is_class(object))
  end,
  callable = function(object)
    return metamethod(object, "__call") ~= nil
  end,
  escaped = function(object)
    return (metamethod(object, "__html") or method_of(object, "__html")) ~= nil
  end,
}

--- Can it be used so? What `object is mapping` and the like say.
---@async
---@param object any
---@param use "mapping"|"sequence"|"iterable"|"callable"|"escaped"
---@return boolean
function M.is(object, use)
  return USES[use](object)
end

-- ---- text -------------------------------------------------------------------------------------

--- What stands for the object in HTML: its __html (metamethod or method) as Markup, nil without
--- one.
---@async
---@param object any
---@return qlua.Markup?
function M.html_of(object)
  local html = metamethod(object, "__html") or method_of(object, "__html")
  if html then
    local text = html(object)
    return type(text) == "string" and core.markup(text) or text
  end
end

return M
