--- Templates for the differential fuzzer: statements of every kind around typed expressions.
--- Flow: jinja_differential.lua asks for a case; jinja_expressions.lua gives the expressions.
---
--- A scope knows which names are visible and of what type; a name keeps its type, so that most of
--- what is generated runs to its end.

local expressions = require "fuzz.jinja_expressions"
local nodes = require "fuzz.jinja_node"

local node, pick, once_in, weighted = nodes.node, nodes.pick, nodes.once_in, nodes.weighted
local make = expressions.make

local M = {}

local TYPES = { "int", "str", "bool", "ints", "strs", "rows", "dict" }
local TEXT = { " ", "\n", "text", "  \n  ", "<p>", "</p>\n", "a b\n\n", "é", "%", "{ ", "}",
  "# x\n", ".",
  "\n\n", "\t", "$1", "x\n" }

-- ---- scopes -----------------------------------------------------------------------------------

local function inner(scope, vars)
  return { vars = vars or {}, outer = scope, loop = scope.loop, depth = scope.depth,
    macros = scope.macros, state = scope.state, buffered = scope.buffered }
end

--- The same for what is written to a text first, not to the output.
local function buffered(scope, vars)
  local made = inner(scope, vars)
  made.buffered = true
  return made
end

local function fresh(scope, prefix)
  local state = scope.state
  state.names = state.names + 1
  return prefix .. state.names
end

--- A name to assign to: one in sight of that type, or a new one of this scope.
local function target(scope, t)
  local known = once_in(2) and expressions.variable(scope, t)
  if known and not known[1]:find "[.(]" then
    return known[1]
  end
  local name = fresh(scope, "v")
  scope.vars[name] = t
  return name
end

-- ---- tags -------------------------------------------------------------------------------------

local function sign()
  return once_in(8) and "-" or once_in(16) and "+" or ""
end

--- A tag with white space control now and then.
local function tag(...)
  return node("tag", "{%", sign(), " ", node("tag", ...), " ", sign(), "%}")
end

local function output(expression)
  local open, close = once_in(10) and "{{- " or "{{ ", once_in(10) and " -}}" or " }}"
  return node("stmt", open, expression, close)
end

local function any(scope)
  if once_in(150) then
    return expressions.broken(scope)
  end
  return make(scope, "any", 3)
end

local body -- body(scope): a node of statements

-- ---- statements -------------------------------------------------------------------------------

local RULES = {}

local function rule(weight, make_statement)
  RULES[#RULES + 1] = { weight, make_statement }
end

rule(10, function()
  return node("stmt", pick(TEXT))
end)

rule(14, function(scope)
  return output(any(scope))
end)

rule(4, function(scope)
  local parts = { "stmt", tag("if ", make(scope, "bool", 2)), body(scope) }
  if once_in(3) then
    parts[#parts + 1] = node("stmt", tag("elif ", make(scope, "any", 2)), body(scope))
  end
  if once_in(2) then
    parts[#parts + 1] = node("stmt", tag "else", body(scope))
  end
  parts[#parts + 1] = tag "endif"
  return node(unpack(parts))
end)

local LOOP = { "loop.index", "loop.index0", "loop.revindex", "loop.revindex0", "loop.first",
  "loop.last", "loop.length", "loop.depth", "loop.depth0", "loop.cycle('a', 'b', 'c')",
  "loop.previtem", "loop.nextitem", "loop.previtem is defined", "loop.changed(loop.index // 2)",
  "loop.cycle(1, 2)" }

--- What a loop walks over: its source, the names and types of its target.
local function walked(scope)
  local item = once_in(6) and "i1" or fresh(scope, "x")
  return weighted {
    { 4, function() return make(scope, "ints", 2), item, { [item] = "int" } end },
    { 4, function() return make(scope, "strs", 2), item, { [item] = "str" } end },
    { 2, function() return make(scope, "str", 1), item, { [item] = "str" } end },
    { 3, function() return make(scope, "rows", 2), item,
      { [item .. ".age"] = "int", [item .. ".name"] = "str", [item] = "any" } end },
    { 2, function() return make(scope, "dict", 1), item, { [item] = "str" } end },
    { 3, function()
      return node("any", "(", make(scope, "dict", 1), pick { ").items()", ")|dictsort",
        ")|items" }),
        "k, v", { k = "str", v = "int" }
    end },
    { 1, function() return node("any", "[]"), item, { [item] = "int" } end },
    { 1, function() return node("any", "missing"), item, { [item] = "int" } end },
    { 1, function()
      return node("any", "(", make(scope, "rows", 1), ")|groupby('name')"), "g, gs",
        { g = "str", gs = "rows" }
    end },
    { 1, function()
      return node("any", "[(1, ('a', 2)), (3, ('b', 4))]"), "n, (s, m)", { n = "int", s = "str",
        m = "int" }
    end },
    { 1, function() return node("any", "(", make(scope, "ints", 1), ")|map('string')"), item,
      { [item] = "str" } end },
  }()
end

rule(6, function(scope)
  if scope.depth >= 3 then
    return output(any(scope))
  end
  local source, names, vars = walked(scope)
  local within = inner(scope, vars)
  within.depth, within.loop = scope.depth + 1, true
  local filter = once_in(5) and node("tag", " if ", make(within, "bool", 1)) or ""
  within.vars["loop.index"], within.vars["loop.first"] = "int", "bool"
  local parts = { "stmt", tag("for ", names, " in ", source, filter), body(within) }
  if once_in(5) and scope.state.loopcontrols then
    parts[#parts + 1] = node("stmt", tag("if ", make(within, "bool", 1)),
      tag(pick { "break", "continue" }), tag "endif", body(within))
  end
  if once_in(4) then
    parts[#parts + 1] = node("stmt", tag "else", body(scope))
  end
  parts[#parts + 1] = tag "endfor"
  return node(unpack(parts))
end)

rule(4, function(scope)
  return output(scope.loop and node("any", pick(LOOP)) or any(scope))
end)

rule(1, function(scope)
  return node("stmt", tag "for t in tree recursive", output(node("any", "t.name")),
    output(node("any", pick(LOOP))), body(buffered(scope, { ["t.name"] = "str" })),
    tag "if t.kids", "(", output(node("any", "loop(t.kids)")), ")", tag "endif", tag "endfor")
end)

rule(7, function(scope)
  local t = pick(TYPES)
  local value = make(scope, t, 3)
  return node("stmt", tag("set ", target(scope, t), " = ", value))
end)

rule(1, function(scope)
  local a, b = make(scope, "int", 2), make(scope, "str", 2)
  return node("stmt", tag("set ", target(scope, "int"), ", ", target(scope, "str"), " = ", a, ", ",
    b))
end)

rule(2, function(scope)
  local text = body(buffered(scope))
  local filters = pick { "", "", " | upper", " | replace('a', 'b') | trim", " | escape" }
  return node("stmt", tag("set ", target(scope, "str"), filters), text, tag "endset")
end)

rule(3, function(scope)
  local known = expressions.variable(scope, "namespace")
  if known then
    return node("stmt", tag("set ", known[1], ".n = ", make(scope, "int", 2)))
  end
  local name = fresh(scope, "ns")
  local value = make(scope, "int", 2)
  scope.vars[name], scope.vars[name .. ".n"] = "namespace", "int"
  return node("stmt", tag("set ", name, " = namespace(n=", value, ", s='x')"))
end)

rule(2, function(scope)
  local within = inner(scope)
  local a, b = fresh(scope, "w"), fresh(scope, "w")
  local first, second = make(scope, "int", 2), make(scope, "str", 2)
  within.vars[a], within.vars[b] = "int", "str"
  return node("stmt", tag("with ", a, " = ", first, ", ", b, " = ", second), body(within),
    tag "endwith")
end)

rule(2, function(scope)
  return node("stmt", tag("filter ", pick { "upper", "escape", "replace('a', '<b>')|lower", "trim",
    "indent(3)", "safe", "wordwrap(10)", "title", "striptags" }), body(buffered(scope)),
    tag "endfilter")
end)

rule(2, function(scope)
  return node("stmt", tag("autoescape ", pick { "true", "false", "not false" }), body(inner(scope)),
    tag "endautoescape")
end)

rule(1, function()
  return node("stmt", "{# comment {{ x }} ", sign(), "#}")
end)

rule(1, function()
  return node("stmt", "{% raw ", once_in(4) and "-" or "", "%}", pick { "{{ raw }}", " {% if %} ",
    "\n#\n" },
    "{%", sign(), " endraw ", sign(), "%}")
end)

rule(1, function(scope)
  return node("stmt", tag("print ", any(scope)))
end)

rule(1, function(scope)
  if not scope.state.ext_do then
    return output(any(scope))
  end
  local list = fresh(scope, "l")
  scope.vars[list] = "ints"
  return node("stmt", "{% set ", list, " = [1] %}",
    tag("do ", list, pick { ".append(", ".insert(0, ", ".remove(1) or (" },
      make(scope, "int", 1), ")"))
end)

rule(1, function(scope)
  if not scope.state.i18n then
    return output(any(scope))
  end
  -- not an undefined: a Lua function gets nil for it
  local count, name = node("int", tostring(math.random(0, 3))), make(scope, "str", 1)
  return pick {
    node("stmt", tag("trans n=", count, ", who=", name), "100% {{ n }} {{ who }}", tag "pluralize",
      "many {{ n }} <{{ who }}>", tag "endtrans"),
    node("stmt", tag("trans who=", name), "hello {{ who }} & co", tag "endtrans"),
    node("stmt", tag "trans trimmed", "\n  plain %\n  text ", tag "endtrans"),
    output(node("any", "_('x <b>')")), output(node("any", "ngettext('one', 'more', ", count, ")")),
  }
end)

rule(1, function(scope)
  local name = fresh(scope, "c")
  return node("stmt", tag("set ", name, " = cycler('a', ", make(scope, "int", 1), ", 'c')"),
    "{% for x in [1, 2, 3, 4] %}{{ ", name, ".next() }}{{ ", name, ".current }}{% endfor %}",
    pick { "", "{{ " .. name .. ".reset() }}{{ " .. name .. ".current }}" })
end)

rule(1, function(scope)
  local name = fresh(scope, "j")
  return node("stmt", tag("set ", name, " = joiner(", make(scope, "str", 1), ")"),
    tag("for x in ", make(scope, "ints", 1)), "{{ ", name, "() }}{{ x }}", tag "endfor")
end)

-- ---- macros -----------------------------------------------------------------------------------

--- The arguments of a call: by position or by name, some left to their defaults.
local function arguments(scope, macro)
  local parts, named = {}, false
  for i, param in ipairs(macro.params) do
    local given = not param.optional or not once_in(3)
    named = named or once_in(3) or not given
    if given then
      parts[#parts + 1] = i > 1 and #parts > 0 and ", " or ""
      parts[#parts + 1] = named and param.name .. "=" or ""
      parts[#parts + 1] = make(scope, param.t, 2)
    end
  end
  if macro.varargs and not named and once_in(2) then
    parts[#parts + 1] = (#parts > 0 and ", " or "") .. "7, 'more'"
  end
  if macro.kwargs and once_in(2) then
    parts[#parts + 1] = (#parts > 0 and ", " or "") .. "extra=1, other='<o>'"
  end
  return node("tag", unpack(parts))
end

--- The head of a macro and the scope of its body.
local function signature(scope, macro)
  local within = buffered(scope)
  within.loop, within.depth = false, scope.depth + 1
  local parts = {}
  for i, param in ipairs(macro.params) do
    within.vars[param.name] = param.t
    parts[#parts + 1] = (i > 1 and ", " or "") .. param.name
    if param.optional then
      parts[#parts + 1] = node("tag", " = ", make(scope, param.t, 1))
    end
  end
  return node("tag", unpack(parts)), within
end

local function new_macro(scope)
  local macro = { name = fresh(scope, "m"), params = {}, varargs = once_in(3), kwargs = once_in(3),
    caller = once_in(3) }
  for i = 1, math.random(0, 3) do
    macro.params[i] = { name = fresh(scope, "p"), t = pick(TYPES),
      optional = macro.params[i - 1] and macro.params[i - 1].optional or once_in(3) }
  end
  return macro
end

--- A macro that calls itself.
rule(1, function(scope)
  if scope.depth > 1 then
    return output(any(scope))
  end
  local name, within = fresh(scope, "f"), buffered(scope, { n = "int" })
  within.depth, within.loop = 3, false
  return node("stmt", tag("macro ", name, "(n)"), body(within), "{{ n }}{% if n > 0 %}{{ ", name,
    "(n - 1) }}{% endif %}", tag "endmacro", "{{ ", name, "(2) }}")
end)

--- {% macro %} ... {% endmacro %}; it is known to the scope afterwards.
local function define(scope, prefix)
  local macro = new_macro(scope)
  local head, within = signature(scope, macro)
  within.macros = {}
  local parts = { "stmt", tag("macro ", macro.name, "(", head, ")"), body(within) }
  if macro.varargs then
    parts[#parts + 1] = "{{ varargs }}"
  end
  if macro.kwargs then
    parts[#parts + 1] = "{{ kwargs|dictsort }}"
  end
  if macro.caller then
    parts[#parts + 1] = pick { "[{{ caller(3) }}]", "{% if caller %}{{ caller(1) }}{% endif %}" }
  end
  parts[#parts + 1] = tag "endmacro"
  macro.name = (prefix or "") .. macro.name
  scope.macros[#scope.macros + 1] = macro
  return node(unpack(parts))
end

rule(3, function(scope)
  if scope.depth > 1 then
    return output(any(scope))
  end
  scope.macros = { unpack(scope.macros) }
  return define(scope)
end)

rule(5, function(scope)
  if #scope.macros == 0 then
    return output(any(scope))
  end
  local macro = pick(scope.macros)
  local call = node("any", macro.name, "(", once_in(12) and node("tag", pick { "*", "**" },
    make(scope, pick { "ints", "dict" }, 1)) or arguments(scope, macro), ")")
  if macro.caller and not once_in(6) or once_in(12) then
    local within = buffered(scope, { c = "int" })
    return node("stmt", tag("call(c", pick { "", "=5" }, ") ", call), body(within), tag "endcall")
  end
  if once_in(4) then
    return output(node("any", call, pick { "|upper", " ~ '<x>'", "|length", "|escape", "|trim" }))
  end
  return output(call)
end)

rule(1, function(scope)
  if #scope.macros == 0 then
    return output(any(scope))
  end
  local macro = pick(scope.macros).name
  return output(node("any", macro, pick { ".name", ".arguments", ".catch_varargs", ".catch_kwargs",
    ".caller" }))
end)

-- ---- other templates --------------------------------------------------------------------------

rule(2, function(scope)
  local others = scope.state.includes
  local name = #others > 0 and pick(others)
  if not name then
    return output(any(scope))
  end
  local from = pick { "'" .. name .. "'", "['nope', '" .. name .. "']", "'" .. name .. "'" }
  -- Jinja writes the included text to the wrong place when it is without context in a buffer
  return node("stmt", tag("include ", from, pick(scope.buffered and { "", " ignore missing" }
    or { "", "", " ignore missing", " without context", " with context",
      " ignore missing without context" })))
end)

--- A block where it stands; its name is known to no other template.
rule(1, function(scope)
  if scope.buffered and once_in(2) then
    return output(any(scope))
  end
  local within = inner(scope)
  within.loop = false
  return node("stmt", tag("block ", fresh(scope, "b"), pick { "", " scoped", " scoped" }),
    body(within),
    tag "endblock")
end)

rule(1, function()
  return node("stmt", tag(pick { "include 'nope' ignore missing",
    "include ['no', 'pe'] ignore missing" }))
end)

body = function(scope)
  local parts = { "stmt" }
  scope.state.budget = scope.state.budget - 1
  local count = scope.state.budget > 0 and math.random(1, 3) or 1
  for i = 1, count do
    if scope.state.budget > 0 then
      parts[i + 1] = weighted(RULES)(scope)
    else
      parts[i + 1] = output(make(scope, pick { "int", "str" }, 1))
    end
  end
  return node(unpack(parts))
end
M.body = body

--- Statements at the top of a template.
function M.top(scope, count)
  local parts = { "stmt" }
  for i = 1, count do
    parts[i + 1] = weighted(RULES)(scope)
  end
  return node(unpack(parts))
end

M.define, M.tag, M.inner, M.fresh = define, tag, inner, fresh

return M
