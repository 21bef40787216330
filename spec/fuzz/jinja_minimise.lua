--- Makes a finding of the differential fuzzer small: statements are left out, expressions become
--- others of their type, as long as the two sides still differ.

local expressions = require "fuzz.jinja_expressions"

local M = {}

--- Every place of a tree: { holder, index }, outer ones first.
local function places(tree, into)
  for index, part in ipairs(tree) do
    if type(part) == "table" then
      into[#into + 1] = { tree, index }
      places(part, into)
    end
  end
  return into
end

local function fits(part, t)
  return part.t == t or t == "any" and expressions.SIMPLEST[part.t] ~= nil
end

--- The nearest nodes within a node that may stand in its place.
local function nearest(tree, t, into)
  for _, part in ipairs(tree) do
    if type(part) == "table" then
      if fits(part, t) then
        into[#into + 1] = part
      else
        nearest(part, t, into)
      end
    end
  end
  return into
end

--- The ways to make a node smaller, the boldest first: what may stand for it.
local WAYS = {
  function(part)
    return part.t == "stmt" and { "" } or {}
  end,
  function(part)
    local found = {}
    for i, text in ipairs(expressions.SIMPLEST[part.t] or {}) do
      if #part == 1 and part[1] == text then
        break -- it is as simple already
      end
      found[i] = { t = part.t, text }
    end
    return found
  end,
  function(part)
    return part.t ~= "tag" and nearest(part, part.t, {}) or {}
  end,
}

--- Try the replacements of one way at one place; true when one was kept.
local function shrink(case, place, way, differs)
  local holder, index = place[1], place[2]
  local original = holder[index]
  for _, smaller in ipairs(way(original)) do
    holder[index] = smaller
    if differs(case) then
      return true
    end
  end
  holder[index] = original
  return false
end

local function shrink_context(case, differs)
  local names, changed = {}, false
  for name in pairs(case.context) do
    names[#names + 1] = name
  end
  for _, name in ipairs(names) do
    local value = case.context[name]
    case.context[name] = nil
    if differs(case) then
      changed = true
    else
      case.context[name] = value
    end
  end
  for name, value in pairs(case.env) do
    if name ~= "extensions" then
      case.env[name] = nil
      if not differs(case) then
        case.env[name] = value
      end
    end
  end
  return changed
end

local function shrink_templates(case, way, differs)
  local changed = false
  for name, tree in pairs(case.templates) do
    local root = { tree }
    case.templates[name] = root
    local all, at = places(root, {}), 1
    while at <= #all do
      if shrink(case, all[at], way, differs) then
        changed = true
        all = places(root, {})
      else
        at = at + 1
      end
    end
  end
  return changed
end

--- Cut the case down in place. differs(case): do the two sides differ still?
function M.minimise(case, differs)
  local changed = true
  while changed do
    changed = false
    for _, way in ipairs(WAYS) do
      changed = shrink_templates(case, way, differs) or changed
    end
    changed = shrink_context(case, differs) or changed
  end
  return case
end

return M
