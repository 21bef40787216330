--- Classes: what `qlua.class` makes, for errors and whatever an app wants a class for.
--- Flow: errors.lua builds its tree with it; handlers find an error's class through parent().

local check = require "qlua.check"

---@class qlua.Class a table that is called to make an instance
---@field __name string
---@field init? fun(self: table, ...)

local M = {}

--- `Class(...)`: an instance, set up by init, or with its message when there is none.
local function construct(class, ...)
  local self = setmetatable({}, class)
  local init = class.init
  if init then
    init(self, ...)
  else
    self.message = (...)
  end
  return self
end

local function instance_text(self)
  local message = self.message
  if message == nil then
    return getmetatable(self).__name
  end
  return tostring(message)
end

local function class_text(class)
  return ("<class %s>"):format(class.__name)
end

--- A class. Its instances have it as their metatable; what it lacks comes from the parent, whose
--- metamethods are copied.
---@param name string
---@param parent? qlua.Class
---@return qlua.Class
function M.class(name, parent)
  check.type("class", "name", name, "string")
  if parent ~= nil and not M.is_class(parent) then
    check.fail("class %q: the parent must be a class, got %s", name, check.describe(parent))
  end
  local class = { __name = name, __tostring = instance_text }
  for key, value in pairs(parent or {}) do
    if type(key) == "string" and key:sub(1, 2) == "__" and key ~= "__name" then
      class[key] = value
    end
  end
  class.__index = class
  return setmetatable(class, { __index = parent, __call = construct, __tostring = class_text })
end

--- Is this a class: what M.class made, or a table that is its own __index, as classes made by hand
--- are?
---@param value any
---@return boolean
function M.is_class(value)
  return type(value) == "table" and rawget(value, "__index") == value
end

--- The class of an instance, or nil.
---@param value any
---@return qlua.Class?
function M.class_of(value)
  local class = type(value) == "table" and getmetatable(value)
  return M.is_class(class) and class or nil
end

--- The class above this one, or nil.
---@param class qlua.Class
---@return qlua.Class?
function M.parent(class)
  local meta = getmetatable(class)
  local parent = type(meta) == "table" and meta.__index
  return type(parent) == "table" and parent or nil
end

--- Is the value an instance of the class, or of one below it?
---@param value any
---@param class qlua.Class
---@return boolean
function M.is_a(value, class)
  local at = M.class_of(value)
  while at and at ~= class do
    at = M.parent(at)
  end
  return at ~= nil
end

---@class qlua.Exception parent of everything raised: a handler for it gets any error
---@field message string what is wrong; what tostring gives
M.Exception = M.class "Exception"

return M
