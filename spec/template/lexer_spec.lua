--- template/lexer: text, white space, comments, raw, lines and literals, as Jinja reads them.

local parser = require "support.template_parser"

--- The texts (of data and strings) of a template's tree, joined by "|".
local function texts(source, env)
  local parsed = parser.parse(source, env)
  assert(parsed.tree, parsed.error and parsed.error.message)
  local found = {}
  for text in parsed.tree:gmatch "%((%l+:%d+ \"[^\"]*\")" do
    local kind, value = text:match "^(%l+):%d+ \"(.*)\"$"
    if kind == "data" or kind == "string" then
      found[#found + 1] = value:gsub("\\x(%x%x)", function(hex)
        return string.char(tonumber(hex, 16))
      end)
    end
  end
  return table.concat(found, "|")
end

--- Jinja finds the same in every one of these.
local function as_jinja(list, env)
  local cases = {}
  for i, source in ipairs(list) do
    cases[i] = { source = source, env = env or { trim_blocks = false } }
  end
  for i, want in ipairs(parser.jinja(cases)) do
    assert.same(want, parser.parse(cases[i].source, cases[i].env), cases[i].source)
  end
end

describe("template lexer", function()
  describe("of white space", function()
    it("drops one newline at the end, unless it is kept", function()
      assert.equal("a", texts "a\n")
      assert.equal("a\n", texts "a\n\n")
      assert.equal("a\n", texts("a\n", { keep_trailing_newline = true }))
    end)

    it("knows three newlines and writes one", function()
      assert.equal("a\nb\nc\nd", texts "a\r\nb\rc\nd\r\n")
      assert.equal("a\r\nb", texts("a\nb", { newline_sequence = "\r\n" }))
      assert.equal("x\r\ny", texts("{{ 'x\ny' }}", { newline_sequence = "\r\n" }))
    end)

    it("goes with the signs of tags", function()
      assert.equal("a|b", texts "a \n {%- if x -%} \n b{% endif %}")
      assert.equal("a|b", texts "a \194\160\226\128\131{{- x -}} \194\133 b")
      assert.equal("a|b", texts "a {#- c -#} b")
      as_jinja { "a {{+ x }} b", "{{-1}}", "{{ x -}}\n\n{{ y }}",
        "a\n\n{%- if x %}{{ y }}{% endif %}",
        "{{ x +}}", "{%+ if x +%}\n{% endif %}", "{%-raw-%} a {%-endraw-%} b" }
    end)

    it("goes with trim_blocks and lstrip_blocks", function()
      local both = { trim_blocks = true, lstrip_blocks = true }
      assert.equal("a\n|  b\n|c", texts("a\n  {% if x %}\n  b\n\t{% endif %}\nc", both))
      as_jinja({ "  {% if x %}\n\n{% endif %} \n", "  {{ x }}\n", "  {# c #}\n  x",
        " a {% if x %}\n{% endif %}",
        "  {%+ if x +%}\n {%- endif %}", "  {% raw %}\n x\n  {% endraw %}\n y",
        "{{ x }}  {% if x %}{% endif %}",
        "{% if x %}\n  {% if y %}{% endif %}{% endif %}", "\194\160{% if x %}{% endif %}" }, both)
    end)
  end)

  it("skips comments and leaves raw text as it is", function()
    assert.equal("a|b", texts "a{# {{ x }} {% if %} #}b")
    assert.equal("{{ x }} {# y #}", texts "{% raw %}{{ x }} {# y #}{% endraw %}")
    as_jinja { "{# a", "a {#", "{% raw %}", "{% raw %}a", "{%raw%}{% endraw%}",
      "{% raw %}\n{{ x }}\n{%  endraw\n%}\n{{ ! }}",
      "{% raw x %}", "{% endraw %}", "{#\n\n#}{{ ! }}", "{#-#}{##}{#+#}",
      "{% raw +%}{% endraw +%}" }
  end)

  it("reads line statements and line comments", function()
    local lines = { line_statement_prefix = "#", line_comment_prefix = "##" }
    as_jinja({ "# if x:\n  a\n# endif", "  # for x in [1,\n2]\n{{ x }} ## c\n# endfor\n",
      "a # if x", "#- if x\n#- endif",
      "# if x\n\n\n  y\n# endif\n\nz", "## a\nb", "a ## b\n ## c\nd", "a## b", "# set x = 1",
      "# set x = (1,\n\n2)\n{{ ! }}",
      "# for i in x ## why", "# if x", "#", "a\n\t\v# if x\n#endif", "a\f# if x\n# endif" }, lines)
    as_jinja({ "% if x\n  % endif", "{{ x }}% if", "%% if", "{% if x %}\n% endif" },
      { line_statement_prefix = "%", lstrip_blocks = true })
  end)

  it("takes the longest delimiter that fits", function()
    as_jinja({ "<% if x %><%= x %><%# c #%><% endif %>", "<%= a > b %>", "<%-= x %>" },
      { block_start_string = "<%", block_end_string = "%>", variable_start_string = "<%=",
        variable_end_string = "%>",
        comment_start_string = "<%#", comment_end_string = "#%>" })
    as_jinja({ "${x}<if a>$ {y}<!-- c --></if><endif>", "${{1: 2}[1]}", "<if (a > b)><endif>",
      "<if a > b><endif>" },
      { block_start_string = "<", block_end_string = ">", variable_start_string = "${",
        variable_end_string = "}",
        comment_start_string = "<!--", comment_end_string = "-->" })
    as_jinja({ "«x» {% if x %}{% endif %}", "««" }, { variable_start_string = "«",
      variable_end_string = "»" })
  end)

  it("decodes escapes as Python does", function()
    as_jinja { [[{{ "\\ \' \" \a\b\f\n\r\t\v \0 \12 \377" }}]],
      [[{{ "\x41 \u00e9 \U0001f40d \N{DEGREE SIGN}" }}]], [[{{ '\q \é \€ \🐍' }}]],
      "{{ 'a\\\nb' }}", [[{{ '\x4' }}]], [[{{ '\xg' }}]], [[{{ '\u12' }}]], [[{{ '\U0001f40' }}]],
      [[{{ '\U00110000' }}]],
      [[{{ '\N' }}]], [[{{ '\N{}' }}]], [[{{ '\N{no such name}' }}]], [[{{ '\N{snowman}' }}]],
      [[{{ '\ud800' }}]], [[{{ '\']],
      [[{{ '\u00é' }}]], [[{{ "a" 'b' "\"" }}]] }
    as_jinja({ "{{ 'a\\\nb\n' }}" }, { newline_sequence = "\r\n" })
  end)

  it("reads numbers as Python does", function()
    as_jinja { "{{ 1 1_000 }}", "{{ 1_000, 0, 00, 0_0, 0b101, 0B_1, 0o17, 0xfF, 0x_f }}",
      "{{ 0x }}", "{{ 0b12 }}", "{{ 012 }}",
      "{{ 1_ }}", "{{ 1__0 }}", "{{ 1.5, 1e5, 1E-5, 1.5e+3, 007.5, 1_0.0_1, 0e0 }}", "{{ 1.e5 }}",
      "{{ 1. }}", "{{ .5 }}", "{{ 1e }}",
      "{{ 1.2.3 }}", "{{ x.1.2 }}", "{{ x. 1.2 }}", "{{ 123456789012345678901234567890 }}",
      "{{ 1e400 }}", "{{ 1٢ }}", "{{ ٣ }}",
      "{{ 0.1, 1e-7, 1e22, 9007199254740993, 5e-324, 1.7976931348623157e308 }}", "{{ 1abc }}" }
  end)

  it("reads names of any script", function()
    as_jinja { "{{ é_1 }}", "{{ ² }}", "{{ a² }}", "{{ a·b }}", "{{ ·a }}", "{{ 变量 }}",
      "{{ a🐍 }}", "{{ _ }}", "{{ a\194\173b }}", "{{ ª℘℮ }}" }
  end)

  it("minds brackets", function()
    as_jinja { "{{ {'a': {}} }}", "{{ (] }}", "{{ ) }}", "{{ [1 }}", "{{ {'}}': 1} }}",
      "{{ ( }} ) }}", "{% if (a %}{% endif %}" }
  end)
end)
