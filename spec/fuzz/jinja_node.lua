--- Pieces of generated templates: trees of texts, so that a finding can be made small.
--- Flow: jinja_expressions.lua and jinja_statements.lua build them, jinja_minimise.lua cuts them.

local M = {}

---@class fuzz.Node
---@field t string type of an expression ("int", "str", ...), or "stmt"
---@field [integer] string|fuzz.Node

--- A node of a type; parts are texts and nodes.
---@param t string
---@param ... string|fuzz.Node
---@return fuzz.Node
function M.node(t, ...)
  return { t = t, ... }
end

local function put(part, into)
  if type(part) == "string" then
    into[#into + 1] = part
    return
  end
  for _, inner in ipairs(part) do
    put(inner, into)
  end
end

--- The template's source.
function M.text(part)
  local into = {}
  put(part, into)
  return table.concat(into)
end

--- Chance: true once in n times.
function M.once_in(n)
  return math.random(n) == 1
end

function M.pick(list)
  return list[math.random(#list)]
end

--- One of { weight, value } pairs.
function M.weighted(pairs_)
  local total = 0
  for _, pair in ipairs(pairs_) do
    total = total + pair[1]
  end
  local at = math.random(total)
  for _, pair in ipairs(pairs_) do
    at = at - pair[1]
    if at <= 0 then
      return pair[2]
    end
  end
end

return M
