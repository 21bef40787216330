--- A flame graph: the call stacks of a profile as boxes, as wide as their samples are many.
--- Flow: page.lua has one laid out for each route, or below a frame; templates.lua draws it as SVG.

local data = require "qlua.profile.data"

local M = {}

-- units of the drawing; a letter takes about so many; a narrower box is left out
M.WIDTH, M.ROW = 1200, 20
local LETTER, NARROWEST, DEEPEST = 7, 1, 120

---@class qlua.profile.Box
---@field x number
---@field y number
---@field width number
---@field class string
---@field label string "" when there is no room
---@field title string all that is known, for the pointer that rests on it
---@field link? string

--- A function without a name goes by its place.
---@param node qlua.profile.Node
---@param root? string
---@return string
function M.label(node, root)
  local name, place = data.title(node, root)
  return node.name == "" and place or name
end

local function describe(node, whole, root)
  local name, place = data.title(node, root)
  local parts = {}
  for i, state in ipairs(data.STATES) do
    if node.total[i] > 0 then
      parts[#parts + 1] = ("%s %s"):format(state == "c" and "C" or state,
        data.share(node.total[i], node.samples))
    end
  end
  return ("%s%s: %d samples, %s; %s"):format(name, place and " (" .. place .. ")" or "",
    node.samples, data.share(node.samples, whole), table.concat(parts, ", "))
end

local function is_framework(file)
  return file:sub(1, 9) == "lua/qlua/" -- files of apps are absolute
end

local function class_of(node)
  if node.kind == "lua" then
    return is_framework(node.file) and "own" or "app"
  end
  return node.kind
end

local function fit(text, width)
  local room = math.floor((width - 6) / LETTER)
  if room < 3 then
    return ""
  end
  return #text <= room and text or text:sub(1, room - 1) .. "…"
end

--- Boxes for a node and what it called, the outermost at the top.
---@param node qlua.profile.Node
---@param options { root?: string, link?: fun(node: qlua.profile.Node): string }
---@return qlua.profile.Box[] boxes
---@return integer height
function M.layout(node, options)
  local boxes, deepest = {}, 0
  local unit = M.WIDTH / math.max(node.samples, 1)
  local function place(at, x, depth)
    local width = at.samples * unit
    if width < NARROWEST or depth >= DEEPEST then
      return
    end
    deepest = math.max(deepest, depth)
    boxes[#boxes + 1] = {
      x = ("%.1f"):format(x), y = depth * M.ROW,
      width = ("%.1f"):format(math.max(width - 0.5, 0.5)), -- a gap to the next
      class = class_of(at), label = fit(M.label(at, options.root), width),
      title = describe(at, node.samples, options.root), link = options.link and options.link(at),
    }
    for _, child in ipairs(at.children) do
      place(child, x, depth + 1)
      x = x + child.samples * unit
    end
  end
  place(node, 0, 0)
  return boxes, (deepest + 1) * M.ROW
end

return M
