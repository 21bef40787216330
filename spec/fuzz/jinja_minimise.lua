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

--- The nodes of a type within a node.
local function within(tree, t, into)
  for _, part in ipairs(tree) do
    if type(part) == "table" then
      if part.t == t or t == "any" and expressions.SIMPLEST[part.t] then
        into[#into + 1] = part
      end
      within(part, t, into)
    end
  end
  return into
end

--- What may stand for a node: the simplest first.
local function replacements(part)
  local found = {}
  if part.t == "stmt" then
    found[1] = ""
  end
  for _, text in ipairs(expressions.SIMPLEST[part.t] or {}) do
    if not (type(part[1]) == "string" and part[1] == text and #part == 1) then
      found[#found + 1] = { t = part.t, text }
    end
  end
  if part.t ~= "tag" then
    for _, inner in ipairs(within(part, part.t, {})) do
      found[#found + 1] = inner
    end
  end
  return found
end

--- Try all replacements at one place; true when one was kept.
local function shrink(case, place, differs)
  local holder, index = place[1], place[2]
  local original = holder[index]
  for _, smaller in ipairs(replacements(original)) do
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

local function shrink_templates(case, differs)
  local changed = false
  for name, tree in pairs(case.templates) do
    local root = { tree }
    case.templates[name] = root
    local all, at = places(root, {}), 1
    while at <= #all do
      if shrink(case, all[at], differs) then
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
  for _ = 1, 5 do
    local templates = shrink_templates(case, differs)
    if not shrink_context(case, differs) and not templates then
      break
    end
  end
  return case
end

return M
