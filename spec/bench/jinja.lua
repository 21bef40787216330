--- Templates against Jinja2, in the same run: build/qlua spec/bench/jinja.lua [ROUNDS] [SET]
---
--- For each of the four sets of ../shared/jinja/perf both sides render by turns; what counts is the
--- median of the ratios of CPU time. "first": a fresh environment, so parse, compile and run.

package.path = "./spec/?.lua;" .. package.path

local PERF = "../shared/jinja/perf"
local SECONDS = 0.15
local rounds, only = tonumber(arg[1]) or 7, arg[2]

-- set, what it is to reach
local SETS = {
  { "a_small", "warm", 15 }, { "b_table", "warm", 12 }, { "c_page", "warm", 15 },
  { "d_fortunes", "warm", 15 }, { "c_page", "first", 20 },
}

local in_qlua, qlua = pcall(require, "qlua")
if not in_qlua then
  require "support.template"
  qlua = { Environment = require("qlua.environment").Environment,
    DictLoader = require("qlua.template_loaders").DictLoader }
end
local core = require "qlua.core"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function load(name)
  local folder, templates = PERF .. "/" .. name, {}
  local list = io.popen("ls " .. folder)
  for file in list:lines() do
    if file:find "%.html$" and file ~= "expected.html" then
      templates[file] = read(folder .. "/" .. file)
    end
  end
  list:close()
  return templates, core.json_decode(read(folder .. "/context.json")),
    read(folder .. "/expected.html")
end

local function environment(templates)
  return qlua.Environment { loader = qlua.DictLoader(templates), auto_reload = false,
    autoescape = true }
end

--- A function that renders once.
local function renderer(name, kind)
  local templates, context, expected = load(name)
  local function first()
    return environment(templates):get_template("main.html"):render(context)
  end
  assert(first() == expected, name .. ": the output is not Jinja's")
  if kind == "first" then
    return first
  end
  local template = environment(templates):get_template "main.html"
  return function()
    return template:render(context)
  end
end

--- Microseconds of CPU a call.
local function time(render)
  local n, batch, start = 0, 1, os.clock()
  local spent
  repeat
    for _ = 1, batch do
      render()
    end
    n = n + batch
    spent = os.clock() - start
    batch = math.min(batch * 2, 1000)
  until spent >= SECONDS
  return 1e6 * spent / n
end

local function start_jinja()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path) == 0)
  local input = assert(io.popen(("/usr/bin/python3 spec/support/jinja_bench.py %s >%s"):format(
    PERF, path), "w"))
  local output = assert(io.open(path))
  os.remove(path)
  return function(name, kind)
    input:write(name, " ", SECONDS, " ", kind, "\n")
    input:flush()
    return tonumber(output:read "*l")
  end
end

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

local jinja = start_jinja()
for _, set in ipairs(SETS) do
  local name, kind, goal = set[1], set[2], set[3]
  if not only or name:find(only, 1, true) then
    local render = renderer(name, kind)
    local ratios, ours, theirs = {}, {}, {}
    render()
    for i = 1, rounds do
      theirs[i] = jinja(name, kind)
      ours[i] = time(render)
      ratios[i] = theirs[i] / ours[i]
    end
    print(("%-11s %-5s  jinja %9.2f us   qlua %8.2f us   %5.1f times (goal %d)"):format(name, kind,
      median(theirs), median(ours), median(ratios), goal))
  end
end
