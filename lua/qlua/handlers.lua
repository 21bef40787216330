--- Error handlers: who registered one for which errors, and which one an error gets.
--- Flow: scaffold.lua registers, dispatch.lua looks up what a view, hook or handler raised.
---
--- Kept as scope -> code (false: none) -> class -> function, as Flask keeps them.

local check = require "qlua.check"
local classes = require "qlua.class"
local errors = require "qlua.errors"

local M = {}

--- The key under which a handler for this code or class is kept.
---@return integer|false code, qlua.Class class
local function key_of(where, what)
  if type(what) == "number" then
    local class = errors.default_exceptions[what]
    if not class then
      check.fail("%s: there is no HTTP error with the code %s; codes that have one are the keys " ..
        "of qlua.errors.default_exceptions", where, tostring(what))
    end
    return what, class
  elseif classes.is_class(what) then
    return type(what.code) == "number" and what.code or false, what
  end
  local hint = classes.class_of(what) and ": give the class, not an instance" or ""
  check.fail("%s: the first argument must be a status code or an error class, got %s%s", where,
    check.describe(what), hint)
end

--- Register a handler.
---@param handlers table
---@param where string
---@param scope string
---@param what integer|qlua.Class
---@param fn fun(err: any): any
function M.add(handlers, where, scope, what, fn)
  local code, class = key_of(where, what)
  check.type(where, "the handler", fn, "function")
  local by_code = handlers[scope] or {}
  handlers[scope] = by_code
  by_code[code] = by_code[code] or {}
  by_code[code][class] = fn
end

--- Append the scope "" of one set of handlers to a scope of another: a blueprint is registered.
function M.merge(into, scope, from)
  for code, by_class in pairs(from[""] or {}) do
    for class, fn in pairs(by_class) do
      into[scope] = into[scope] or {}
      into[scope][code] = into[scope][code] or {}
      into[scope][code][class] = fn
    end
  end
end

--- The handler of the nearest class, in one map of classes.
local function nearest(by_class, class)
  while class do
    if by_class[class] then
      return by_class[class]
    end
    class = classes.parent(class)
  end
  return by_class[errors.Exception] -- whatever is raised counts as one
end

--- In one scope after the other, from the innermost outward.
local function in_scopes(handlers, scopes, code, class)
  for i = #scopes, 1, -1 do
    local by_code = handlers[scopes[i]]
    local by_class = by_code and by_code[code]
    local fn = by_class and nearest(by_class, class)
    if fn then
      return fn
    end
  end
end

--- The handler for an error, or nil: by code in all scopes first, then by class.
---@param handlers table
---@param scopes string[] from the app inward
---@param err any
---@return function?
function M.find(handlers, scopes, err)
  if not next(handlers) then
    return nil
  end
  local class = classes.class_of(err)
  local code = classes.is_a(err, errors.HTTPException) and err.code
  return code and in_scopes(handlers, scopes, code, class) or
    in_scopes(handlers, scopes, false, class)
end

return M
