--- Hooks: the functions around a view, as App and Blueprint wrote them down.
--- Flow: scaffold.lua adds to the lists here, pipeline.lua makes one flat list of each kind for an
--- endpoint. Nothing of this runs for a request.

local check = require "qlua.check"

local M = {}

--- Kinds that belong to a scope: "" is the app, else a blueprint by its dotted name.
M.KINDS = {
  "url_value_preprocessor", "before_request", "after_request", "teardown_request", "url_defaults",
  "context_processor",
}

---@class qlua.Hooks kind -> scope -> functions in order of registration
---@return table<string, table<string, function[]>>
function M.new()
  local hooks = {}
  for _, kind in ipairs(M.KINDS) do
    hooks[kind] = {}
  end
  return hooks
end

--- Add a function to a scope.
---@param hooks qlua.Hooks
---@param kind string
---@param scope string
---@param fn function
function M.add(hooks, kind, scope, fn)
  check.type(kind, "the hook", fn, "function")
  local lists = hooks[kind]
  local list = lists[scope] or {}
  lists[scope] = list
  list[#list + 1] = fn
end

--- Append the scope "" of one set of hooks to a scope of another: a blueprint is registered.
---@param into qlua.Hooks
---@param scope string
---@param from qlua.Hooks
function M.merge(into, scope, from)
  for _, kind in ipairs(M.KINDS) do
    for _, fn in ipairs(from[kind][""] or {}) do
      M.add(into, kind, scope, fn)
    end
  end
end

--- The scopes of an endpoint, from the app inward: `{ "", "par", "par.ch" }` of "par.ch.view".
---@param endpoint? string
---@return string[]
function M.scopes_of(endpoint)
  local scopes, at = { "" }, 0
  while endpoint do
    at = endpoint:find(".", at + 1, true)
    if not at then
      break
    end
    scopes[#scopes + 1] = endpoint:sub(1, at - 1)
  end
  return scopes
end

--- One list of a kind for an endpoint's scopes, from the app inward in order of registration; with
--- reversed, from the innermost outward, last registered first. nil when there is none.
---@param hooks qlua.Hooks
---@param kind string
---@param scopes string[]
---@param reversed? boolean
---@return function[]?
function M.flat(hooks, kind, scopes, reversed)
  local out, lists = {}, hooks[kind]
  for _, scope in ipairs(scopes) do
    for _, fn in ipairs(lists[scope] or {}) do
      out[#out + 1] = fn
    end
  end
  if reversed then
    for i = 1, math.floor(#out / 2) do
      out[i], out[#out + 1 - i] = out[#out + 1 - i], out[i]
    end
  end
  return #out > 0 and out or nil
end

return M
