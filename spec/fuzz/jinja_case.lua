--- Whole cases for the differential fuzzer: options, context, and the templates of one page.
--- Flow: jinja_differential.lua asks for the case of a seed and compares what becomes of it.

local nodes = require "fuzz.jinja_node"
local statements = require "fuzz.jinja_statements"

local node, pick, once_in = nodes.node, nodes.pick, nodes.once_in

local M = {}

-- ---- context ----------------------------------------------------------------------------------

local WORDS = { "", "x", "Foo", "<b>", "a&b", "it's", "\"q\"", "é", "日本", " pad ", "12", "-3",
  "a,b",
  "multi\nline", "UPPER", "under_score", "ß", "0" }

local function list(make_item, least)
  local items = { [0] = "list" }
  for i = 1, math.random(least or 0, 4) do
    items[i] = make_item()
  end
  return items
end

local function int()
  return math.random(-5, 30)
end

local function word()
  return pick(WORDS)
end

local function row()
  return { age = int(), name = word() }
end

local function dict()
  local made = {}
  for _, key in ipairs { "a", "b", "k", "z" } do
    if once_in(2) then
      made[key] = int()
    end
  end
  made.a = int() -- never empty: {} is also the empty list
  return made
end

local function tree(depth)
  return list(function()
    return { name = word(), kids = depth > 0 and tree(depth - 1) or { [0] = "list" } }
  end, depth > 1 and 1 or 0)
end

--- A context and the types of its names. A table with [0] is a list, { markup = text } a Markup.
local function context()
  return { i1 = int(), i2 = int(), s1 = word(), s2 = word(), b1 = once_in(2), n1 = M.NULL,
    safe1 = { markup = pick { "<i>safe</i>", "&amp;", "plain" } }, l1 = list(int), l2 = list(word),
    r1 = list(row), d1 = dict(), f1 = math.random(1, 99) + 0.5, tree = tree(2) }
end

M.NULL = setmetatable({}, { __tostring = function() return "null" end })

local TYPES = { i1 = "int", i2 = "int", s1 = "str", s2 = "str", b1 = "bool", n1 = "any",
  safe1 = "str", l1 = "ints", l2 = "strs", r1 = "rows", d1 = "dict", f1 = "num" }

-- ---- templates --------------------------------------------------------------------------------

local function root(state, budget)
  state.budget = budget
  local vars = {}
  for name, t in pairs(TYPES) do
    vars[name] = t
  end
  return { vars = vars, depth = 0, macros = {}, state = state }
end

--- Macros in a template of their own, and the statement that makes them known.
local function library(state, scope, templates)
  local defined = { vars = {}, depth = 0, macros = {}, state = state }
  state.budget = 10
  local parts = { "stmt" }
  for i = 1, math.random(1, 3) do
    parts[i + 1] = statements.define(defined)
  end
  templates.library = node(unpack(parts))
  local names = {}
  local whole = once_in(2)
  for _, macro in ipairs(defined.macros) do
    names[#names + 1] = macro.name
    macro.name = (whole and "lib." or "") .. macro.name
    scope.macros[#scope.macros + 1] = macro
  end
  local how = pick { "", " with context", " without context" }
  return whole and node("stmt", "{% import 'library' as lib", how, " %}")
    or node("stmt", "{% from 'library' import ", table.concat(names, ", "), how, " %}")
end

local function block(scope, name, extra)
  local options = pick { "", "", " scoped" }
  return node("stmt", statements.tag("block ", name, options),
    statements.body(statements.inner(scope)),
    extra or "", statements.tag("endblock", once_in(3) and " " .. name or ""))
end

--- A base with blocks, maybe one between, and a page that fills them.
local function inheritance(state, templates, main)
  local base = root(state, 12)
  templates.base = node("stmt", statements.top(base, 2), block(base, "one"), "|",
    block(base, "two", once_in(12) and "{% block inside required %}{% endblock %}" or ""),
    once_in(3) and "{{ self.one() }}" or "", statements.top(base, 1))
  local parent = "base"
  if once_in(3) then
    local middle = root(state, 8)
    templates.middle = node("stmt", "{% extends 'base' %}", block(middle, "one", "{{ super() }}"))
    parent = "middle"
  end
  local page = root(state, 12)
  local extends = pick { "{% extends '" .. parent .. "' %}",
    "{% extends '" .. parent .. "' if b1 or not b1 %}",
    "{% set p = '" .. parent .. "' %}{% extends p %}",
    "out {% if true %}{% extends '" .. parent .. "' %}{% endif %}" }
  local super = pick { "", "{{ super() }}", "{{ super()|upper }}",
    "{% set s = super() %}{{ s }}{{ s }}",
    parent == "middle" and "{{ super.super() }}" or "" }
  return node("stmt", extends, main, block(page, "one", super), once_in(2) and block(page,
    "two") or "")
end

local function options()
  local env = { autoescape = once_in(2), extensions = { [0] = "list" } }
  if once_in(4) then
    env.trim_blocks = true
  end
  if once_in(4) then
    env.lstrip_blocks = true
  end
  if once_in(10) then
    env.keep_trailing_newline = true
  end
  if once_in(6) then
    env.undefined = pick { "strict", "chainable", "debug" }
  end
  for _, name in ipairs { "do", "loopcontrols", "i18n" } do
    if once_in(2) then
      table.insert(env.extensions, name)
      if name == "i18n" then
        env.i18n = pick { "newstyle", "oldstyle" }
      end
    end
  end
  return env
end

local function has(extensions, name)
  for _, one in ipairs(extensions) do
    if one == name then
      return true
    end
  end
  return false
end

--- The case of a seed: { env =, context =, templates = { name -> node } }, "main" being rendered.
function M.make(seed)
  math.randomseed(seed)
  local env, templates = options(), {}
  local state = { names = 0, budget = 0, includes = {}, ext_do = has(env.extensions, "do"),
    loopcontrols = has(env.extensions, "loopcontrols"), i18n = has(env.extensions, "i18n") }
  for i = 1, math.random(0, 2) do
    templates["part" .. i] = statements.top(root(state, 8), math.random(1, 3))
    state.includes[i] = "part" .. i
  end
  local scope = root(state, 25)
  local head = once_in(3) and library(state, scope, templates) or ""
  state.budget = 25
  local main = node("stmt", head, statements.top(scope, math.random(2, 6)))
  templates.main = once_in(5) and inheritance(state, templates, main) or main
  return { env = env, context = context(), templates = templates, seed = seed }
end

return M
