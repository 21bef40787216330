--- Templates that are nearly right: those of the corpus with pieces cut out, doubled and put in.
--- The same seed gives the same templates.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef "bool utf8_is_valid(struct slice text);"

local PIECES = { "{{", "}}", "{%", "%}", "{#", "#}", "-%}", "{%-", "{%+", "+%}", "-}}", "{{-", "(",
  ")", "[", "]", "{", "}", "'", "\"", "|", ".", " is ", " not ", " in ", " if ", " else ", " and ",
  " or ", ",", ":", "=", "*", "**", "//", "~", " for ", "endfor", "endif", "{% endif %}",
  "{% endfor %}", "{% else %}", "{% elif x %}", "{% raw %}", "{% endraw %}", "1", "1.5", "0x1f",
  "1_000", "1e5", "\n", "\n\n", "\r\n", "\r", " ", "\t", "\\", "\\n", "é", "²", "🐍", "\194\160",
  "#", "##", "%", "$", "`", "!", "?", "<", ">", "==", "!=", "<=", ">=", "with context",
  "without context", "ignore missing", "recursive", "scoped", "required", "caller", "loop",
  "super()", "{% block a %}", "{% endblock %}", "{% macro m(a, b=1) %}", "{% endmacro %}",
  "{% set x %}", "{% endset %}", "{% set x = 1 %}", "{% call f() %}", "{% endcall %}",
  "{% filter upper %}", "{% endfilter %}", "{% trans %}", "{% endtrans %}", "{% pluralize %}",
  "{% with a=1 %}", "{% endwith %}", "{% do x %}", "{% break %}", "{% debug %}",
  "{% from 'a' import b %}", "{% import 'a' as b %}", "{% include 'a' %}", "{% extends 'a' %}",
  "{% autoescape true %}", "{% endautoescape %}", "true", "none", "None", "_", "__a", "x", "0",
  "00", "9.", ".5", "e5", "'a' 'b'", "\\x4", "\\u00e9", "\\8", "\\101", "{% print a, b %}", "a.b",
  "a[1:2]", "a[1]", "f(a=1)", "*a", "**b" }

local OPTIONS = {
  { extensions = { "do", "loopcontrols", "i18n", "debug" } },
  { trim_blocks = true, lstrip_blocks = true, extensions = { "do" } },
  { line_statement_prefix = "#", line_comment_prefix = "##" },
  { line_statement_prefix = "%", lstrip_blocks = true, line_comment_prefix = "//" },
  { block_start_string = "<%", block_end_string = "%>", variable_start_string = "<%=",
    variable_end_string = "%>", comment_start_string = "<#", comment_end_string = "#>" },
  { newline_sequence = "\r\n", keep_trailing_newline = true },
  { variable_start_string = "${", variable_end_string = "}", block_start_string = "<",
    block_end_string = ">", comment_start_string = "<!--", comment_end_string = "-->",
    trim_blocks = true },
  { extensions = { "i18n" }, i18n = "newstyle" },
  { line_statement_prefix = "  $", line_comment_prefix = " #", lstrip_blocks = true },
  { line_statement_prefix = "{%" },
}

local M = {}

local function chance(n)
  return math.random(n)
end

local function insert(text, at, piece)
  return text:sub(1, at) .. piece .. text:sub(at + 1)
end

--- One change of a text; others are what pieces of templates are taken from.
local function change(text, others)
  local kind, at = chance(6), math.random(0, #text)
  if kind == 1 then
    return text:sub(1, at) .. text:sub(at + 1 + chance(4))
  elseif kind <= 3 then
    return insert(text, at, PIECES[chance(#PIECES)])
  elseif kind == 4 then
    return text:sub(1, at) .. text:sub(at + chance(20))
  elseif kind == 5 then
    local from = math.random(0, #text)
    return insert(text, at, text:sub(from, from + chance(12)))
  end
  local other = others[chance(#others)].source
  local from = chance(#other + 1)
  return insert(text, at, other:sub(from, from + 2 + chance(23)))
end

--- `count` templates made from others.
---@param originals { source: string, env: table }[]
---@return { source: string, env: table }[]
function M.make(originals, seed, count)
  math.randomseed(seed)
  local made = {}
  while #made < count do
    local original = originals[chance(#originals)]
    local text = original.source
    for _ = 1, chance(3) do
      text = change(text, originals)
    end
    if native.lib.utf8_is_valid(native.slice(text)) then -- Jinja takes no other
      made[#made + 1] = { source = text,
        env = chance(3) == 1 and OPTIONS[chance(#OPTIONS)] or original.env }
    end
  end
  return made
end

return M
