--- Expressions of known type for generated templates.
--- Flow: jinja_statements.lua asks for one of a type. Types: int, num (may have a fraction), str,
--- bool, ints, strs (lists), rows (a list of dicts), dict, any (whatever prints the same in both).
---
--- Kept out, because Lua's values are what they are: printing a num, integers beyond 2^53, dicts
--- whose keys are no texts, texts of generators, chance. A dict of the context has its keys in
--- sorted order.

local nodes = require "fuzz.jinja_node"

local node, pick, once_in, weighted = nodes.node, nodes.pick, nodes.once_in, nodes.weighted

local M = {}

local WORDS = { "", "a", "Foo bar", "<b>x</b>", "a & b", "it's", 'say "x"', "é ß Ñ", "日本語",
  "  pad ", "line\nbreak", "10", "-7", "3.5", "abcABC", "tab\there", "100%", "x,y,z", "a-b_c.d",
  "The quick brown fox jumps over the lazy dog", "http://example.com/?a=1&b=2 see",
  "ﬁ ǆ İ", "{{ no }}", "\\back\\slash", "null", "True" }

local function quote(text)
  local mark = once_in(2) and "'" or '"'
  return mark .. text:gsub("\\", "\\\\"):gsub("\n", "\\n"):gsub("\t", "\\t")
    :gsub(mark, "\\" .. mark) .. mark
end

--- A text literal, as an expression.
function M.literal_text(text)
  return node("str", quote(text))
end

-- ---- variables --------------------------------------------------------------------------------

--- A visible variable of a type, or nil.
local function variable(scope, t)
  local found = {}
  while scope do
    for name, of in pairs(scope.vars) do
      if of == t then
        found[#found + 1] = name
      end
    end
    scope = scope.outer
  end
  table.sort(found)
  return #found > 0 and node(t, pick(found)) or nil
end
M.variable = variable

local LITERALS = {}

function LITERALS.int()
  return node("int", tostring(math.random(0, 20)))
end

function LITERALS.num()
  return node("num", pick { "0.5", "1.25", "2.5", "10.75", "3.125e1", "0.1" })
end

function LITERALS.str()
  return node("str", quote(pick(WORDS)))
end

function LITERALS.bool()
  return node("bool", pick { "true", "false", "True", "False" })
end

function LITERALS.ints()
  return node("ints", pick { "[]", "[3, 1, 2]", "[0]", "(4, 4, 5)|list", "[1, 2, 3, 4, 5, 6, 7]",
    "range(5)|list", "[-1, 20, 7]" })
end

function LITERALS.strs()
  return node("strs", pick { "[]", "['b', 'A', 'c']", "['<x>', '&']", "('one',)|list",
    "['é', 'z', 'Z', '']", "'a,b,c'.split(',')" })
end

function LITERALS.rows()
  return node("rows", pick { "[]", "[{'age': 3, 'name': 'x'}]",
    "[{'age': 9, 'name': 'B'}, {'age': 2, 'name': 'a'}, {'age': 9, 'name': '<c>'}]" })
end

function LITERALS.dict()
  return node("dict", pick { "{}", "{'a': 1}", "{'z': 1, 'a': 3, 'm': 2}", "dict(b=2, a=1)",
    "dict({'q': 1}, r=2)" })
end

function LITERALS.any()
  return node("any", pick { "none", "missing", "''", "0", "false", "[]", "{}" })
end

--- The simplest expression of a type, for making findings small.
M.SIMPLEST = { int = { "1", "0" }, num = { "0.5" }, str = { "'a'", "''" },
  bool = { "true", "false" },
  ints = { "[1]", "[]", "[2, 1]" }, strs = { "['a']", "[]", "['b', 'a']" },
  rows = { "[{'age': 1, 'name': 'a'}]", "[]" }, dict = { "{'a': 1}", "{}" },
  any = { "none", "1", "'a'", "missing" } }

local function leaf(scope, t)
  local found = not once_in(3) and variable(scope, t)
  return found or LITERALS[t]()
end

-- ---- by type ----------------------------------------------------------------------------------

local make -- make(scope, t, depth)

--- `make` for the arguments of one rule: e "int" gives an int one level down, e("int", true) a
--- variable or a literal, e("int", "name") a variable: Jinja works out what is constant when it
--- compiles, where some of it fails in other ways.
local function maker(scope, depth)
  return function(t, simple)
    if simple == "name" then
      return variable(scope, t) or node(t, "nothing")
    end
    return simple and leaf(scope, t) or make(scope, t, depth - 1)
  end
end

local RULES = {}

RULES.int = {
  { 6, function(e) return "(", e "int", pick { " + ", " - ", "-", "+" }, e "int", ")" end },
  { 3, function(e) return "(", e "int", " * ", tostring(math.random(0, 4)), ")" end },
  { 3, function(e) return e "int", pick { " // ", " % " }, pick { "3", "7", "(-4)", "10" } end },
  { 1, function(e) return "(", e "int", " % 9) ** ", pick { "0", "1", "2", "3" } end },
  { 2, function(e) return "(-", e "int", ")" end },
  { 2, function(e) return "(", e "int", ")|abs" end },
  { 3, function(e) return "(", e(pick { "str", "ints", "strs", "rows", "dict" }), ")|",
    pick { "length", "count" } end },
  { 3, function(e) return "(", e "ints", ")|", pick { "sum", "first", "last", "max", "min",
    "sum(start=3)" } end },
  { 2, function(e) return "(", e "rows", ")|sum(attribute='age')" end },
  { 2, function(e) return "(", e "ints", ")[", pick { "0", "-1", "1" }, "]" end },
  { 2, function(e) return "(", e "dict", ").", pick { "a", "b", "get('a', 5)",
    "get('zz', 1)" } end },
  { 2, function(e) return "(", e("str", true), ")|", pick { "int", "int(7)", "int(base=16)",
    "wordcount", "int(default=3)" } end },
  { 2, function(e) return "(", e "num", ")|int" end },
  { 1, function(e) return "((", e "num", ")|round|int)" end },
  { 1, function(e) return "(", e "num", ")|round(1, '", pick { "ceil", "floor" }, "')|int" end },
  { 2, function(e) return "(", e "int", " if ", e "bool", " else ", e "int", ")" end },
  { 1, function(e) return "(", e "str", ").", pick { "find('a')", "count('a')",
    "rfind('x')" } end },
  { 1, function(e) return "(", e "ints", ").count(", e "int", ")" end },
  { 1, function(e) return "(", e "int", " or ", e "int", ")" end },
  { 1, function(e) return "(", e "int", " and ", e "int", ")" end },
  { 1, function(e) return "(missing|default(", e "int", "))" end },
  { 1, function(e) return "(", e "int", "|default(3, true))" end },
  { 1, function(e) return "(", e "int", ")|int" end },
  { 1, function(e) return "(", e "bool", " + ", e "int", ")" end },
  { 1, function(e) return "(", e "rows", ")|", pick { "max", "min" },
    "(attribute='age')|attr('nope')",
    "|d(4)" end },
  { 1, function(e) return "(", e "rows", ")|map(attribute='age')|", pick { "sum", "max", "min",
    "list|length" } end },
  { 1, function(e) return "(", e "ints", ")[(", e "int", ") % 3]" end },
  { 1, function(e) return "range(", e "int", ")|", pick { "length", "sum", "list|last|d(0)" } end },
}

RULES.num = {
  { 3, function(e) return "(", e "num", pick { " + ", " - ", " * " }, "0.25)" end },
  { 3, function(e) return "(", e "int", " / ", pick { "2", "4", "7" }, ")" end },
  { 1, function(e) return "(", e "int", ")|float" end },
  { 1, function(e) return "(", e "num", ")|round(", pick { "1", "2", "0" }, ")" end },
  { 1, function(e) return "(-", e "num", ")" end },
  { 1, function(e) return "(", e "str", ")|float(default=1.5)" end },
}

local TEXT_FILTERS = { "upper", "lower", "title", "capitalize", "trim", "escape", "e", "safe",
  "striptags", "forceescape", "string", "urlencode", "string|reverse", "center(12)", "indent",
    "indent(2)",
  "indent(1, true)", "indent('> ', blank=true)", "truncate(5)", "truncate(9, true)",
  "truncate(8, false, '..', 0)", "wordwrap(6)", "wordwrap(4, false)", "wordwrap(9, wrapstring='|')",
  "replace('a', '<A>')", "replace('b', 'x', 1)", "tojson", "urlize", "urlize(10, nofollow=true)",
  "urlize(target='_blank')", "trim('a ')", "default('d')", "d('x', true)", "center(7)|trim",
  "first", "last", "list|join('-')", "pprint" }

local TEXT_METHODS = { "upper()", "lower()", "strip()", "lstrip()", "rstrip('x ')", "title()",
  "capitalize()", "swapcase()", "replace('a', 'b')", "zfill(5)", "center(9, '*')", "ljust(6)",
  "rjust(6, '.')", "expandtabs(4)", "partition(',')[0]", "rpartition('-')[2]", "casefold()",
  "removeprefix('a')", "removesuffix('c')" }

RULES.str = {
  { 6, function(e) return "(", e "any", " ~ ", e "any", ")" end },
  { 3, function(e) return "(", e "str", " + ", e "str", ")" end },
  { 12, function(e) return "(", e "str", ")|", pick(TEXT_FILTERS) end },
  { 6, function(e) return "(", e "str", ").", pick(TEXT_METHODS) end },
  { 3, function(e) return "(", e(pick { "strs", "ints" }), ")|join(", e "str", ")" end },
  { 2, function(e) return "(", e "rows", ")|join(', ', attribute='name')" end },
  { 2, function(e) return "(", e "strs", ")|", pick { "first", "last", "max", "min", "join" } end },
  { 1, function(e) return "(", e "str", ").join(", e "strs", ")" end },
  { 3, function(e) return "(", e "str", ")[", pick { "0", "-1", "1:3", ":-1", "::-1", "::2", "2:",
    "-3:-1", "5:1:-2" }, "]" end },
  { 2, function(e) return "(", e "int", ")|", pick { "string", "filesizeformat", "escape",
    "e|upper", "filesizeformat(true)", "tojson", "pprint" } end },
  { 2, function(e) return pick { "'%s|%s'", "'<%s> %s'", "('%s & %s'|safe)", "'%5s%-4s.'" },
    pick { " % (", "|format(" }, e "any", ", ", e "str", ")" end },
  { 2, function(e) return "'%d %05d %x'", pick { " % (", "|format(" }, e "int", ", ", e "int", ", ",
    "(", e "int", ")|abs", ")" end },
  { 2, function(e) return "'%.2f %e %g'", " % (", e "num", ", ", e "num", ", ", e "num", ")" end },
  { 2, function(e) return pick { "'{} {}'", "'{0}{1}{0}'", "'<{:>8}|{:^9}>'", "'{!r:10}{!s}'" },
    ".format(", e "str", ", ", e "str", ")" end },
  { 1, function(e) return "'{:,} {:+d} {:b}'.format(", e "int", ", ", e "int", ", ", e "int",
    ")" end },
  { 1, function(e) return "'{:.3f}'.format(", e "num", ")" end },
  { 2, function(e) return "(", e "str", " if ", e "bool", " else ", e "str", ")" end },
  { 1, function(e) return "(", e "str", " * ", pick { "0", "1", "2", "3" }, ")" end },
  { 2, function(e) return "(", e(pick { "dict", "ints", "strs", "rows" }), ")|", pick { "tojson",
    "tojson(indent=2)", "string", "pprint" } end },
  { 1, function(e) return "({'id': ", e "str", ", 'n': ", e "int", ", 'x': none})|xmlattr" end },
  { 1, function(e) return "({'q': ", e "str", ", 'n': ", e "int", "})|urlencode" end },
  { 1, function(e) return "(", e "str", " or ", e "str", ")" end },
  { 1, function(e) return "(missing|default(", e "str", "))" end },
  { 1, function(e) return "(", e "rows", ")|map(attribute='name')|", pick { "first|default('-')",
    "join('/')", "list|last|d" } end },
  { 1, function(e) return "(", e "str", ")|attr('upper')()" end },
  { 1, function(e) return "(", e "str", ")[", e("int", true), ":", e("int", true), "]" end },
  { 1, function(e) return "(", e "str", ")[(", e "int", ") % 4]" end },
  { 1, function(e) return "(", e "any", ")|", pick { "string|upper", "e|length|string",
    "string|replace('1', '<one>')", "string|wordwrap(5)", "string|truncate(6)",
      "string|list|first" }
  end },
  { 1, function(e) return "'%s %r' % (", e "any", ", ", e "any", ")" end },
  { 1, function(e) return "'%(a)s-%(z)s' % dict(a=", e "str", ", z=", e "int", ")" end },
  { 1, function(e) return "'{a}{b!s:>5}'.format(a=", e "str", ", b=", e "int", ")" end },
  { 1, function(e) return "[", e "str", ", ", e "any", "]|join(", e("str", true), ")" end },
  { 1, function(e) return "(", e "strs", ")|map('", pick { "upper", "e", "replace('a', 'b'", "trim",
    "center(5", "format('x'" }:gsub("%(", "', "):gsub("^([^,]+)$", "%1'"), ")|join" end },
  { 1, function() return pick { "'a' 'b'", "'x'\n  \"y\"", "'\\u00e9\\x41\\101'" } end },
}

RULES.bool = {
  { 6, function(e) return "(", e "int", pick { " < ", " <= ", " > ", " >= ", " == ", " != " },
    e "int", ")" end },
  { 2, function(e) return "(", e "num", pick { " < ", " >= " }, e "num", ")" end },
  { 3, function(e) return "(", e "str", pick { " == ", " != ", " < ", " > " }, e "str", ")" end },
  { 2, function(e) return "(", e "int", " < ", e "int", " <= ", e "int", ")" end },
  { 2, function(e) return "(", e "int", pick { " in ", " not in " }, e "ints", ")" end },
  { 2, function(e) return "(", e "str", pick { " in ", " not in " }, e(pick { "str", "strs",
    "dict" }), ")" end },
  { 3, function(e) return "(not ", e "bool", ")" end },
  { 4, function(e) return "(", e "bool", pick { " and ", " or " }, e "bool", ")" end },
  { 5, function(e) return "(", e "any", pick { " is ", " is not " }, pick { "defined", "undefined",
    "none", "string", "number", "mapping", "iterable", "sequence", "callable", "boolean", "escaped",
    "true", "false", "sameas none", "sameas(true)" }, ")" end },
  { 3, function(e) return "(", e "int", pick { " is ", " is not " }, pick { "odd", "even",
    "integer", "divisibleby 3", "divisibleby(2)", "eq 3", "gt(4)", "lt 9", "ne 1", "ge 2", "le(7)",
    "in [1, 2]", "float", "equalto 5", "greaterthan 2", "lessthan(3)" }, ")" end },
  { 2, function(e) return "(", e "str", pick { " is ", " is not " }, pick { "upper", "lower",
    "eq('a')", "in 'abc'", "filter", "test" }, ")" end },
  { 2, function(e) return "(", e "str", ").", pick { "startswith('a')", "endswith(('c', 'x'))",
    "isdigit()", "isalpha()", "isalnum()", "isupper()", "islower()", "isspace()",
    "istitle()" } end },
  { 1, function(e) return "(", e "ints", pick { " == ", " != ", " < " }, e "ints", ")" end },
  { 1, function(e) return "(", e "dict", pick { " == ", " != " }, e "dict", ")" end },
  { 1, function(e) return "(", e "bool", " if ", e "bool", " else ", e "bool", ")" end },
  { 2, function(e) return "(", e "any", pick { " == ", " != " }, e "any", ")" end },
  { 1, function(e) return "(", e "any", " in [", e "any", ", ", e "any", "])" end },
  { 1, function(e) return "(not ", e "any", ")" end },
  { 1, function(e) return "(", e "any", pick { " is eq ", " is ne " }, "(", e "any", "))" end },
}

RULES.ints = {
  { 3, function(e) return "[", e "int", ", ", e "int", "]" end },
  { 2, function(e) return "(", e "ints", " + [", e "int", "])" end },
  { 2, function(e) return "(", e "ints", ")[", pick { "1:", ":2", "::-1", "-2:", "::2" }, "]" end },
  { 4, function(e) return "(", e "ints", ")|", pick { "sort", "sort(true)", "sort(reverse=true)",
    "unique|list", "reverse|list", "list", "map('abs')|list", "select('odd')|list",
    "reject('even')|list", "select('gt', 2)|list", "rejectattr('x')|list", "select|list",
    "reject|list" } end },
  { 2, function(e) return "range(", pick { "3", "1, 6", "9, 0, -3", "0" }, ")|list", e and "" end },
  { 2, function(e) return "(", e "rows", ")|map(attribute='age')|list" end },
  { 1, function(e) return "(", e "dict", ")|map('length')|list" end },
  { 1, function(e) return "(", e "dict", ").values()|list|sort" end },
  { 1, function(e) return "(", e "strs", ")|map('", pick { "length", "wordcount" },
    "')|list" end },
  { 1, function(e) return "(", e "ints", " if ", e "bool", " else ", e "ints", ")" end },
  { 1, function(e) return "(", e "ints", " * 2)" end },
  { 1, function(e) return "(", e "ints", ")[", e("int", true), ":", e("int", true), "]" end },
  { 1, function(e) return "(", e "ints", ")|batch(2)|map('sum')|list" end },
  { 1, function(e) return "(", e "ints", ")|slice(2)|map('length')|list" end },
}

RULES.strs = {
  { 3, function(e) return "[", e "str", ", ", e "str", "]" end },
  { 2, function(e) return "(", e "strs", " + ", e "strs", ")" end },
  { 2, function(e) return "(", e "str", ").", pick { "split()", "split(',')", "splitlines()",
    "rsplit(None, 1)", "split('a', 1)" } end },
  { 2, function(e) return "(", e "str", ")|list" end },
  { 4, function(e) return "(", e "strs", ")|", pick { "sort", "sort(case_sensitive=true)",
    "sort(reverse=true, case_sensitive=false)", "unique|list", "unique(true)|list", "reverse|list",
    "map('upper')|list", "map('replace', 'a', 'o')|list", "select|list", "reject('lower')|list",
    "map('escape')|list", "map('trim')|list", "map('default', 'x', true)|list",
    "select('in', ['a', 'b'])|list" } end },
  { 2, function(e) return "(", e "rows", ")|map(attribute='name'", pick { "", ", default='?'" },
    ")|list" end },
  { 1, function(e) return "(", e "dict", ")", pick { "|list", ".keys()|list" } end },
  { 1, function(e) return "(", e "ints", ")|map('string')|list" end },
}

RULES.rows = {
  { 3, function(e) return "[{'age': ", e "int", ", 'name': ", e "str", "}]" end },
  { 1, function(e) return "(", e "rows", " + ", e "rows", ")" end },
  { 4, function(e) return "(", e "rows", ")|", pick { "sort(attribute='age')",
    "sort(true, attribute='name')", "sort(attribute='age,name')", "selectattr('age')|list",
    "selectattr('age', 'gt', 3)|list", "rejectattr('name', 'eq', 'a')|list", "reverse|list",
    "unique(attribute='age')|list", "selectattr('nope', 'undefined')|list", "list" } end },
}

RULES.dict = {
  { 3, function(e) return "{'k': ", e "int", ", 'a': ", e "int", "}" end },
  { 2, function(e) return "dict(", e "dict", ", x=", e "int", ")" end },
  { 1, function(e) return "(", e "dict", ").copy()" end },
  { 1, function(e) return "dict(**", e "dict", ")" end },
  { 1, function(e) return "dict((", e "dict", ")|dictsort)" end },
  { 1, function(e) return "dict([('p', ", e "int", "), ('o', ", e "int", ")])" end },
  { 1, function(e) return "(", e "dict", " if ", e "bool", " else ", e "dict", ")" end },
}

RULES.any = {
  { 5, function(e) return e "int" end },
  { 5, function(e) return e "str" end },
  { 4, function(e) return e "bool" end },
  { 2, function(e) return e "ints" end },
  { 2, function(e) return e "strs" end },
  { 2, function(e) return e "dict" end },
  { 1, function(e) return e "rows" end },
  { 1, function(e) return "(", e "any", pick { " or ", " and " }, e "any", ")" end },
  { 1, function(e) return "(", e "any", " if ", e "bool", ")" end },
  { 1, function(e) return "(", e "any", ")|", pick { "default('d')", "default('d', true)", "d(1)",
    "string", "e" } end },
  { 1, function(e) return "(", e "any", ", ", e "any", ")" end },
  { 1, function(e) return "[", e "any", ", [", e "any", "]]" end },
  { 1, function(e) return "(", e "dict", ")|", pick { "dictsort", "dictsort(by='value')",
    "dictsort(reverse=true)", "items|list", "dictsort(true)" } end },
  { 1, function(e) return "(", e(pick { "ints", "strs" }), ")|", pick { "batch(2)|list",
    "batch(3, 'fill')|list", "slice(2)|list", "slice(3, '-')|list" } end },
  { 1, function(e) return "(", e "rows", ")|groupby('", pick { "age", "name" }, "')|list" end },
  { 1, function(e) return "(", e "rows", ")|groupby('nope', default='?')|map(attribute=",
    pick { "0", "1", "'grouper'", "'list'" }, ")|list" end },
  { 1, function(e) return e("dict", "name"), ".", pick { "nope", "a", "get('b')",
    "items()|list" } end },
  { 1, function(e) return "(", e "rows", ")|", pick { "first", "last", "max(attribute='age')",
    "min(attribute='name')" } end },
  { 1, function(e) return e("rows", "name"), "[0].", pick { "name", "age", "nope" } end },
  { 1, function(e) return e("dict", "name"), "['", pick { "nope", "a" }, "']" end },
}

--- What often fails: anything done to anything.
RULES.wild = {
  { 1, function(e) return "(", e "any", ")|", pick { "length", "list", "first", "upper", "abs",
    "int", "join", "reverse|list", "sort", "tojson", "sum", "max", "trim", "items|list",
      "urlencode" }
  end },
  { 1, function(e) return "(", e("any", "name"), ").", pick { "name", "x.y", "upper()",
    "nope" } end },
  { 1, function(e) return "(", e("any", "name"), ")[", pick { "0", "'a'", "1:", "-1" }, "]" end },
  { 1, function(e) return "(", e "any", pick { " + ", " * ", " - ", " % " }, e "any", ")" end },
  { 1, function(e) return "(", e "any", pick { " < ", " >= " }, e "any", ")" end },
  { 1, function(e) return "'{0[a]}{1.nope}'.format(", e "dict", ", ", e "str", ")" end },
  { 1, function(e) return "'%d' % (", e "any", ")" end },
}

--- An expression of a type. At depth 0 a variable or a literal.
---@return fuzz.Node
function make(scope, t, depth)
  if depth <= 0 or once_in(4) then
    if t ~= "any" or once_in(4) then
      return leaf(scope, t)
    end
    return leaf(scope, pick { "int", "str", "bool", "ints", "strs", "dict" })
  end
  local rules = t == "any" and once_in(25) and RULES.wild or RULES[t]
  return node(t, weighted(rules)(maker(scope, depth)))
end
M.make = make

--- What fails when it runs, or does not compile.
function M.broken(scope)
  return pick { function() return node("any", "missing.attribute") end,
    function() return node("any", "(", leaf(scope, "int"), " + ", leaf(scope, "str"), ")") end,
    function() return node("any", "(", leaf(scope, "str"), ")|nosuch") end,
    function() return node("any", "(", leaf(scope, "str"), ") is nosuch") end,
    function() return node("any", "missing()") end,
    function() return node("any", "(", leaf(scope, "dict"), ").a.b.c") end,
    function() return node("any", "(", leaf(scope, "int"), " // 0)") end,
    function() return node("any", "(", leaf(scope, "int"), ")()") end,
    function() return node("any", "(", leaf(scope, "ints"), ")|sort(nope=1)") end,
    function() return node("any", "([1, 'a'])|sort") end,
    function() return node("any", "missing + 1") end }()
end

return M
