--- What profiles say: those of several workers as one, in total, by route, by line.
--- Flow: cli/profile.lua and debugger/profile.lua decode what src/script/profile.c wrote and ask
--- here; flame.lua draws the trees.

local M = {}

--- What a worker can be at: names of the counters, in the order of src/script/profile.c.
M.STATES = { "compiled", "interpreted", "c", "collector", "compiler" }

---@class qlua.profile.Node a call stack: a function, called by those above it
---@field id integer of the first worker that has it
---@field kind "route"|"lua"|"c"
---@field name string "" when no caller told one
---@field file string "" in C code
---@field line integer of the definition
---@field own integer[] samples in it, by state
---@field total integer[] ... and in what it called
---@field samples integer sum of total
---@field children qlua.profile.Node[] most samples first

---@class qlua.profile.Line
---@field name string the function's
---@field file string
---@field line integer
---@field own integer[]
---@field samples integer

---@class qlua.profile.Profile
---@field seconds number how long it took
---@field cpu_seconds number processor time of the workers meanwhile
---@field samples integer while Lua's tasks ran
---@field outside integer while none did: the server itself
---@field cut integer samples whose stack is not whole, being too deep or one too many
---@field routes qlua.profile.Node[] most samples first
---@field lines qlua.profile.Line[] most samples first
---@field aborts { place: string, reason: string, count: integer }[] most first
---@field workers table[] pid, worker, generation of each
---@field errors string[] of workers that could not

local function zeros()
  return { 0, 0, 0, 0, 0 }
end

local function add(counts, row, first)
  for i = 1, 5 do
    counts[i] = counts[i] + row[first + i - 1]
  end
end

local function sum(counts)
  return counts[1] + counts[2] + counts[3] + counts[4] + counts[5]
end

local function by_samples(a, b)
  return a.samples > b.samples or a.samples == b.samples
    and (a.file .. a.name < b.file .. b.name or a.file .. a.name == b.file .. b.name
      and a.line < b.line)
end

local function key_of(frame)
  return frame[1] == "lua" and frame[3] .. ":" .. frame[4] or frame[1] .. " " .. frame[2]
end

--- The child of a node for a frame, made when it is new.
local function child_of(parent, frame, id)
  local key = key_of(frame)
  local child = parent.known[key]
  if not child then
    child = {
      id = id, kind = frame[1], name = frame[2], file = frame[3], line = frame[4], own = zeros(),
      total = zeros(), samples = 0, children = {}, known = {},
    }
    parent.known[key] = child
    parent.children[#parent.children + 1] = child
  end
  return child
end

-- a parent stands before its children
local function add_nodes(root, one)
  local made = {}
  for i, row in ipairs(one.nodes) do
    local parent = row[1] < 0 and root or made[row[1] + 1]
    made[i] = child_of(parent, one.frames[row[2] + 1], i)
    add(made[i].own, row, 3)
  end
end

local function settle(node)
  add(node.total, node.own, 1)
  for _, child in ipairs(node.children) do
    settle(child)
    add(node.total, child.total, 1)
  end
  table.sort(node.children, by_samples)
  node.samples, node.known = sum(node.total), nil
end

local function add_lines(lines, known, one)
  for _, row in ipairs(one.lines) do
    local frame = one.frames[row[1] + 1]
    local key = key_of(frame) .. ":" .. row[2]
    local line = known[key]
    if not line then
      line = { name = frame[2], file = frame[3], line = row[2], own = zeros() }
      known[key], lines[#lines + 1] = line, line
    end
    add(line.own, row, 3)
  end
end

local function add_aborts(aborts, known, one)
  for _, row in ipairs(one.aborts) do
    local key = row[1] .. "\n" .. row[2]
    if not known[key] then
      known[key] = { place = row[1], reason = row[2], count = 0 }
      aborts[#aborts + 1] = known[key]
    end
    known[key].count = known[key].count + row[3]
  end
end

--- Several workers' profiles as one.
---@param list table[] what core.profile_json gives, decoded
---@return qlua.profile.Profile
function M.merge(list)
  local root = { children = {}, known = {}, own = zeros(), total = zeros() }
  local profile = {
    seconds = 0, cpu_seconds = 0, samples = 0, outside = 0, cut = 0, lines = {}, aborts = {},
    workers = {}, errors = {},
  }
  local known_lines, known_aborts = {}, {}
  for _, one in ipairs(list) do
    if one.error then
      profile.errors[#profile.errors + 1] = ("worker process %d: %s"):format(one.pid, one.error)
    else
      profile.seconds = math.max(profile.seconds, one.seconds)
      profile.cpu_seconds = profile.cpu_seconds + one.nanoseconds / 1e9
      for _, name in ipairs { "samples", "outside", "cut" } do
        profile[name] = profile[name] + one[name]
      end
      profile.workers[#profile.workers + 1] = {
        pid = one.pid, worker = one.worker, generation = one.generation, samples = one.samples,
      }
      profile.taking = profile.taking or one.taking
      add_nodes(root, one)
      add_lines(profile.lines, known_lines, one)
      add_aborts(profile.aborts, known_aborts, one)
    end
  end
  settle(root)
  for _, line in ipairs(profile.lines) do
    line.samples = sum(line.own)
  end
  table.sort(profile.lines, by_samples)
  table.sort(profile.aborts, function(a, b)
    return a.count > b.count or a.count == b.count and a.place .. a.reason < b.place .. b.reason
  end)
  profile.routes, profile.total = root.children, root.total
  return profile
end

--- The node with this number, and the nodes above it.
---@param profile qlua.profile.Profile
---@param id integer
---@return qlua.profile.Node?
---@return qlua.profile.Node[] path outermost first, the node itself last
function M.find(profile, id)
  local path = {}
  local function look(list)
    for _, node in ipairs(list) do
      path[#path + 1] = node
      if node.id == id or look(node.children) then
        return true
      end
      path[#path] = nil
    end
  end
  look(profile.routes)
  return path[#path], path
end

--- How a frame is called: "render (views.lua:12)".
---@param node { kind?: string, name: string, file: string, line: integer }
---@param root? string the app's folder
---@return string name
---@return string? place
function M.title(node, root)
  if node.kind == "route" then
    return node.name
  elseif node.kind == "c" then
    return node.name ~= "" and node.name or "C code", nil
  end
  local file = node.file
  if root and file:sub(1, #root + 1) == root .. "/" then
    file = file:sub(#root + 2)
  end
  return node.name ~= "" and node.name or "function", ("%s:%d"):format(file, node.line)
end

--- "12.5 %"
---@param part number
---@param whole number
---@return string
function M.share(part, whole)
  return ("%.1f %%"):format(whole > 0 and part / whole * 100 or 0)
end

--- Counters by name.
---@param counts integer[]
---@return table<string, integer>
function M.named(counts)
  local named = {}
  for i, name in ipairs(M.STATES) do
    named[name] = counts[i]
  end
  return named
end

-- ---- as JSON ----------------------------------------------------------------------------------

local function plain_node(node, json)
  local plain = M.named(node.own)
  plain.samples, plain.kind, plain.name = node.samples, node.kind, node.name
  if node.kind == "lua" then
    plain.file, plain.line = node.file, node.line
  end
  plain.children = json.array {}
  for i, child in ipairs(node.children) do
    plain.children[i] = plain_node(child, json)
  end
  return plain
end

--- All of it as plain tables.
---@param profile qlua.profile.Profile
---@return table
function M.plain(profile)
  local json = require "qlua.json"
  local out = {
    seconds = profile.seconds, cpu_seconds = profile.cpu_seconds, samples = profile.samples,
    outside = profile.outside, cut = profile.cut, total = M.named(profile.total),
    workers = json.array(profile.workers), errors = json.array(profile.errors),
    aborts = json.array(profile.aborts), routes = json.array {}, lines = json.array {},
  }
  for i, route in ipairs(profile.routes) do
    local row = M.named(route.total)
    row.route, row.samples = route.name, route.samples
    row.stacks = plain_node(route, json).children
    out.routes[i] = row
  end
  for i, line in ipairs(profile.lines) do
    local row = M.named(line.own)
    row.file, row.line, row.name, row.samples = line.file, line.line, line.name, line.samples
    out.lines[i] = row
  end
  return out
end

return M
