--- Renders generated templates in Jinja and in qlua and compares: output, or the kind of error.
---
---   luajit spec/fuzz/jinja_differential.lua [--seed N] [--count N] [--only N] [--most N]
---     [--tries N]
---
--- Case n of a seed is always the same; --only shows one. It ends after --most differences [10],
--- each made small in --tries steps [3000], and exits with 1 when there was any. BUILD names the
--- folder of the qlua to test [build].

package.path = "spec/?.lua;" .. package.path

local cjson = require "cjson"
local cases = require "fuzz.jinja_case"
local json = require "fuzz.jinja_json"
local minimise = require "fuzz.jinja_minimise"

local options = { seed = 1, count = 20000, most = 10, tries = 3000 }
io.stdout:setvbuf "line"
for i = 1, #arg, 2 do
  options[arg[i]:match "^%-%-(%l+)$" or error("unknown option " .. arg[i])] = tonumber(arg[i + 1])
end

--- A process that answers each line with a line.
local function start(command)
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path) == 0)
  local input = assert(io.popen(("%s >%s"):format(command, path), "w"))
  local output = assert(io.open(path))
  os.remove(path)
  input:setvbuf "full"
  return { input = input, output = output, command = command }
end

local function ask(side, line)
  side.input:write(line, "\n")
  side.input:flush()
end

--- The answer; "crash" when the process has ended, and then another is started.
local function answer(side)
  local text = side.output:read "*l"
  if text then
    return cjson.decode(text)
  end
  side.input:close()
  side.output:close()
  local again = start(side.command)
  side.input, side.output = again.input, again.output
  return { error = "crash", message = "the process has ended" }
end

local jinja = start "/usr/bin/python3 spec/support/jinja_render.py"
local qlua = start((os.getenv "BUILD" or "build") .. "/qlua spec/fuzz/jinja_qlua.lua")

local function is_same(a, b)
  if a.error or b.error then
    return a.error == b.error
  end
  return a.output == b.output
end

--- Both sides' answers to a case.
local function both(case)
  local line = json.line(case)
  ask(jinja, line)
  ask(qlua, line)
  return answer(jinja), answer(qlua)
end

local function shown(result)
  return result.error and ("%s: %s"):format(result.error, result.message) or result.output
end

local function report(number, case)
  local want, got = both(case)
  print(("---- case %d"):format(number))
  print(json.line(case))
  for name, source in pairs(json.sources(case)) do
    print(("  %s:\n%s"):format(name, source))
  end
  print("  Jinja: " .. shown(want))
  print("  qlua:  " .. shown(got))
end

--- Make a difference small: both must go on to answer in the same way, output or that error.
local function make_small(case)
  local first_want, first_got = both(case)
  local tries = 0
  return minimise.minimise(case, function(smaller)
    tries = tries + 1
    if tries > options.tries then
      return false
    end
    local want, got = both(smaller)
    return want.error == first_want.error and got.error == first_got.error
      and not is_same(want, got)
  end)
end

local function run()
  local differences, failed = 0, 0
  local from = options.only or 1
  local last = options.only or options.count
  for number = from, last do
    local case = cases.make(options.seed * 1000000 + number)
    local want, got = both(case)
    failed = failed + (want.error and 1 or 0)
    if not is_same(want, got) then
      differences = differences + 1
      report(number, make_small(case))
      if differences >= options.most then
        break
      end
    end
    if number % 2000 == 0 then
      print(("%d templates, %d of them errors in both"):format(number, failed))
    end
  end
  print(("fuzz-jinja: seed %d, %d differences"):format(options.seed, differences))
  return differences
end

os.exit(run() == 0 and 0 or 1)
