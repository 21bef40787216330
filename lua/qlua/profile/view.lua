--- A profile as the template profile.html shows it.
--- Flow: debugger/profile.lua and cli/profile.lua (--html) render what comes from here.

local data = require "qlua.profile.data"
local flame = require "qlua.profile.flame"
local source = require "qlua.debugger.source"
local values = require "qlua.debugger.values"

local M = {}

-- so many are shown
local ROUTES, LINES, ABORTS = 20, 15, 50

local function shares(counts, whole)
  local list = {}
  for i = 1, #data.STATES do
    list[i] = whole > 0 and ("%.0f %%"):format(counts[i] / whole * 100) or "0 %"
  end
  return list
end

local function route_rows(profile, options)
  local rows = {}
  for i = 1, math.min(#profile.routes, ROUTES) do
    local route = profile.routes[i]
    rows[i] = {
      name = values.as_utf8(route.name), samples = route.samples,
      share = data.share(route.samples, profile.samples),
      states = shares(route.total, route.samples), link = options.link and options.link(route),
    }
  end
  return rows
end

local function flames(profile, options)
  local list, nodes = {}, {}
  if options.below then
    nodes = { options.below }
  else
    for i = 1, math.min(#profile.routes, ROUTES) do
      nodes[i] = profile.routes[i]
    end
  end
  for i, node in ipairs(nodes) do
    local boxes, height = flame.layout(node, options)
    for _, box in ipairs(boxes) do
      box.title, box.label = values.as_utf8(box.title), values.as_utf8(box.label)
    end
    list[i] = {
      title = values.as_utf8(flame.label(node, options.root)), boxes = boxes, height = height,
      width = flame.WIDTH, row = flame.ROW,
    }
  end
  return list
end

local function text_of(line, cache, known)
  local lines = source.around(source.lines_of(line.file, cache), line.line, known)
  for _, shown in ipairs(lines or {}) do
    if shown.current then
      return shown.text:match "^%s*(.-)%s*$"
    end
  end
end

local function line_rows(profile, options)
  local rows, cache = {}, {}
  for i = 1, math.min(#profile.lines, LINES) do
    local line = profile.lines[i]
    rows[i] = {
      place = values.as_utf8(("%s:%d"):format(source.short(line.file, options.root), line.line)),
      name = values.as_utf8(line.name), samples = line.samples,
      share = data.share(line.samples, profile.samples), states = shares(line.own, line.samples),
      text = text_of(line, cache, options.known or {}),
    }
  end
  return rows
end

local function abort_rows(profile, options)
  local rows = {}
  for i = 1, math.min(#profile.aborts, ABORTS) do
    local abort = profile.aborts[i]
    rows[i] = {
      place = values.as_utf8(source.short(abort.place, options.root)),
      reason = values.as_utf8(abort.reason), count = abort.count,
    }
  end
  return rows
end

local function shown(list)
  return #list > 0 and list or nil
end

--- What the template is given as `page.profile`.
---@param profile qlua.profile.Profile
---@param options { root?: string, known?: string[], below?: qlua.profile.Node,
---  link?: fun(node: qlua.profile.Node): string }
---@return table
function M.of(profile, options)
  local ticks = profile.samples + profile.outside
  return {
    seconds = ("%.1f"):format(profile.seconds), cpu = ("%.2f"):format(profile.cpu_seconds),
    samples = profile.samples, outside = data.share(profile.outside, ticks), cut = profile.cut,
    states = shares(profile.total, profile.samples), workers = #profile.workers,
    errors = shown(profile.errors), routes = shown(route_rows(profile, options)),
    flames = profile.samples > 0 and flames(profile, options) or nil,
    lines = shown(line_rows(profile, options)), aborts = shown(abort_rows(profile, options)),
  }
end

return M
