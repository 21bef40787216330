--- What render_fuzz.c runs for each input: templates compiled and rendered, three times, with
--- answers to what the VM asks for.
--- Called with the core's functions, the first byte of the input as options, and the rest:
--- templates separated by zero bytes. An error that does not begin with "template: " is a finding.

local core, flags, input = ...

local NAMES = { "part1", "part2", "library", "base", "middle" }
local KINDS = { "default", "strict", "chainable", "debug" }

local function bit(n)
  return math.floor(flags / n) % 2 == 1
end

local sources, count = {}, 0
local main = input:match "^%Z*"
for text in input:sub(#main + 1):gmatch "%z(%Z*)" do
  count = count + 1
  sources[NAMES[count] or "none"] = text
end

local core_env = core.template_env {
  extensions = { "do", "loopcontrols", "i18n", "debug" }, undefined = KINDS[flags % 4 + 1],
  trim_blocks = bit(8), lstrip_blocks = bit(8), sandboxed = bit(16),
  filters = { own = function(value) return value end },
  tests = { own = function() return true end },
  globals = { gettext = function(text) return text end, ngettext = function(one) return one end },
  policies = {}, max_output = 100000, max_instructions = 50000, max_depth = 50, max_range = 1000,
}

local function fail(message)
  error("template: " .. message, 0)
end

local function compile(source, name)
  local program, err = core.template_compile(core_env, source, name, bit(4))
  if not program then
    assert(err.kind and err.message ~= "", "an error without words")
    return fail(err.message)
  end
  assert(core.template_listing(program) ~= "")
  return program
end

local env = {}

function env:error(kind, message) -- luacheck: no self
  assert(kind and message ~= "", "an error without words")
  return "template: " .. message
end

-- ---- what the VM asks for -----------------------------------------------------------------------

local programs = {}

local function load(may_miss, names)
  for _, name in ipairs(type(names) == "table" and names or { names }) do
    if sources[name] then
      programs[name] = programs[name] or compile(sources[name], name)
      return programs[name]
    end
  end
  return not may_miss and fail "no such template" or nil
end

local function object()
  return setmetatable({ 3, 1, 2, name = "n" }, {
    __name = "thing",
    __index = function(_, key) return tostring(key) end,
    __call = function() return "called" end,
    __tostring = function() return "<thing>" end,
  })
end

local function call(fn, ...)
  return type(fn) == "function" and (fn(...)) or "called"
end

local function index(of, key)
  return type(of) == "table" and of[key] or nil
end

local function always(make)
  return function()
    return make
  end
end

local asks = core.template_asks
local ANSWERS = { call = call, call_with_keywords = call, index = index, item = index,
  text = tostring, html = always "<b>", length = always(3), truth = always(true),
  list = function() return core.array { 1, 2, 3 } end,
  pairs = function() return core.array { core.array { "k", 1 } } end,
  dict = function() return { k = 1 } end, equal = rawequal, less = always(true),
  contains = always(true), is = always(false), arith = always(1) }

local answers = {}
for name, ask in pairs(asks) do
  answers[ask] = ANSWERS[name]
end

local function answer(ask, ...)
  if ask == asks.load or ask == asks.load_if_any then
    return load(ask == asks.load_if_any, ...)
  end
  return answers[ask](...)
end

-- ---- rendering ----------------------------------------------------------------------------------

local function context()
  return { i1 = 3, i2 = -2, s1 = "a<b", s2 = "caf\195\169 x", b1 = true, n1 = core.null, f1 = 2.5,
    l1 = core.array { 3, 1, 2 }, l2 = core.array { "b", "A" }, d1 = { a = 1, b = 2 },
    r1 = core.array { { age = 1, name = "x" }, { age = 0, name = "y" } },
    safe1 = core.markup "<i>", obj = object(), fn = call,
    tree = core.array { { name = "p", kids = core.array { { name = "q" } } } } }
end

--- The output; with `flush` gathered from pieces of at least so many bytes.
local function render(program, flush)
  local pieces = {}
  local function go(value, state, ask, ...)
    if state == nil then
      pieces[#pieces + 1] = value
      return table.concat(pieces)
    elseif ask == asks.flush then
      pieces[#pieces + 1] = (...)
      return go(core.template_step(state))
    end
    return go(core.template_step(state, answer(ask, ...)))
  end
  return go(core.template_run(env, program, nil, context(), flush))
end

local function has_chance()
  return input:find "random" or input:find "lipsum"
end

local program = compile(main, "main")
local ok, text = pcall(render, program)
for _, flush in ipairs { 0, 7 } do
  local ok_again, again = pcall(render, program, flush > 0 and flush or nil)
  if not has_chance() and (ok ~= ok_again or (ok and text ~= again)) then
    error(("not the same again: %s | %s"):format(tostring(text), tostring(again)), 0)
  end
end
if not ok then
  error(text, 0)
end
