--- Routing help: rules near a path that none matches.
--- Flow: init.lua shows them on the pages of a 404 and a 405 in debug mode.

local check = require "qlua.check"

local M = {}

-- of the path so much may differ; so many are shown
local FURTHEST, MOST = 0.5, 5

local function segments(text)
  local list = {}
  for part in (text .. "/"):gmatch "([^/]*)/" do
    list[#list + 1] = part
  end
  return list
end

local DIGITS = { int = true, float = true }

--- What stands in for a rule's segment: its variable takes what the path has there.
local function stand_in(pattern, given)
  if not pattern:find("<", 1, true) then
    return pattern
  elseif not given or given == "" then
    return "<>"
  end
  local converter = pattern:match "<(%w+)[(:]"
  if converter and DIGITS[converter] and not given:find "%d" then
    return "<>" -- it takes numbers, and this is none
  end
  return (pattern:gsub("%b<>", (given:gsub("%%", "%%%%"))))
end

--- How far a path is from a rule: 0 is a match, 1 has nothing in common.
---@param rule string
---@param path string
---@return number
function M.far(rule, path)
  local wanted, given = segments(rule), segments(path)
  for i, pattern in ipairs(wanted) do
    wanted[i] = stand_in(pattern, given[i])
  end
  local text = table.concat(wanted, "/")
  local a, b = text:lower(), path:lower()
  if #a > 200 or #b > 200 then
    return a == b and 0 or 1
  end
  return check.distance(a, b) / math.max(#a, #b, 1)
end

--- The rules nearest to a path, nearest first.
---@param rules qlua.debugger.Rule[]
---@param path string
---@return qlua.debugger.Rule[]
function M.near(rules, path)
  local found = {}
  for i, rule in ipairs(rules) do
    local far = M.far(rule.rule, path)
    if far <= FURTHEST then
      found[#found + 1] = { rule = rule, far = far, place = i }
    end
  end
  table.sort(found, function(a, b)
    return a.far < b.far or a.far == b.far and a.place < b.place
  end)
  local near = {}
  for i = 1, math.min(#found, MOST) do
    near[i] = found[i].rule
  end
  return near
end

return M
