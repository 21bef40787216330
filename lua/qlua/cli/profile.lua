--- `qlua profile [PID]`: where the processor time of a running server goes.
--- Flow: src/server/profile_ask.c has got a line of JSON of each worker; the core calls the
--- function at the end with these, "json" or "text", and the file for a page.

local core = require "qlua.core"
local data = require "qlua.profile.data"
local environments = require "qlua.environment"
local json = require "qlua.json"
local loaders = require "qlua.template_loaders"
local templates = require "qlua.debugger.templates"
local view = require "qlua.profile.view"

-- so many of each are printed
local ROUTES, FUNCTIONS, LINES, ABORTS = 10, 10, 10, 10

local function parse(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    list[#list + 1] = json.loads(line)
  end
  return list
end

local HEADS = { "samples", "share", "compiled", "interpr.", "C", "collector", "compiler" }
local FORMAT = "%8s %7s %9s %9s %7s %10s %9s  %s"

local function print_heads(what)
  HEADS[8] = what
  print(FORMAT:format(unpack(HEADS)))
end

local function print_row(samples, whole, counts, what)
  local cells = { samples, data.share(samples, whole) }
  for i = 1, #data.STATES do
    cells[#cells + 1] = data.share(counts[i], samples)
  end
  cells[#cells + 1] = what
  print(FORMAT:format(unpack(cells)))
end

local function print_routes(profile)
  print()
  print_heads "route"
  for i = 1, math.min(#profile.routes, ROUTES) do
    local route = profile.routes[i]
    print_row(route.samples, profile.samples, route.total, route.name)
  end
  if #profile.routes > 1 then
    print_row(profile.samples, profile.samples, profile.total, "all")
  end
end

--- Functions by the samples in themselves, wherever they were called.
local function hot_functions(profile)
  local list, known = {}, {}
  local function visit(node)
    local name, place = data.title(node)
    local key = place or name
    local one = known[key]
    if node.kind ~= "route" and not one then
      one = { title = name .. (place and " " .. place or ""), own = { 0, 0, 0, 0, 0 }, samples = 0 }
      known[key], list[#list + 1] = one, one
    end
    for i = 1, one and 5 or 0 do
      one.own[i], one.samples = one.own[i] + node.own[i], one.samples + node.own[i]
    end
    for _, child in ipairs(node.children) do
      visit(child)
    end
  end
  for _, route in ipairs(profile.routes) do
    visit(route)
  end
  table.sort(list, function(a, b)
    return a.samples > b.samples or a.samples == b.samples and a.title < b.title
  end)
  return list
end

local function print_hottest(list, most, whole, head, title)
  if #list == 0 then
    return
  end
  print()
  print_heads(head)
  for i = 1, math.min(#list, most) do
    if list[i].samples > 0 then
      print_row(list[i].samples, whole, list[i].own, title(list[i]))
    end
  end
end

local function print_text(profile)
  local ticks = profile.samples + profile.outside
  print(("%d samples in %.1f s of %d worker%s, which used %.2f s of processor time"):format(
    profile.samples, profile.seconds, #profile.workers, #profile.workers == 1 and "" or "s",
    profile.cpu_seconds))
  print(("outside of Lua, in the server itself: %s"):format(data.share(profile.outside, ticks)))
  if profile.samples == 0 then
    return
  end
  print_routes(profile)
  print_hottest(hot_functions(profile), FUNCTIONS, profile.samples, "function", function(one)
    return one.title
  end)
  print_hottest(profile.lines, LINES, profile.samples, "line", function(line)
    return ("%s:%d"):format(line.file, line.line)
  end)
  for i = 1, math.min(#profile.aborts, ABORTS) do
    local abort = profile.aborts[i]
    if i == 1 then
      print "\ntraces that the JIT compiler gave up:"
    end
    print(("%8d  %s: %s"):format(abort.count, abort.place, abort.reason))
  end
end

local function write_page(profile, path)
  local environment = environments.Environment {
    autoescape = true, trim_blocks = true, loader = loaders.DictLoader(templates),
  }
  local text = environment:get_template("profile.html"):render {
    title = "Profile", style = require "qlua.debugger.style", nonce = "", base = "",
    generation = "", page = { profile = view.of(profile, {}) },
  }
  local file, why = io.open(path, "wb")
  if not file then
    io.stderr:write(("qlua: the page cannot be written: %s\n"):format(why))
    return false
  end
  local ok, reason = file:write(text)
  file:close()
  if not ok then
    io.stderr:write(("qlua: the page cannot be written: %s: %s\n"):format(path, reason))
  end
  return ok ~= nil
end

return function(_, words)
  local profile = data.merge(parse(words[1]))
  for _, text in ipairs(profile.errors) do
    io.stderr:write(("qlua: no profile of %s\n"):format(text))
  end
  if #profile.workers == 0 or words[3] and not write_page(profile, words[3]) then
    core.set_exit_code(1)
  elseif words[2] == "json" then
    print(json.dumps(data.plain(profile)))
  elseif not words[3] then
    print_text(profile)
  end
end
