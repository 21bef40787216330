--- Environments outside of an app: options, finding templates, their cache, errors, Template.

local script = require "support.script"
local server = require "support.server"

local HEAD = 'local qlua = require "qlua"\n'

local function output(text, files)
  return script.output(HEAD .. text, { files = files })
end

describe("environment", function()
  after_each(server.stop_all)

  describe("options", function()
    -- options, template, output
    local CASES = {
      { "{ autoescape = true }", "{{ '<' }}", "&lt;" },
      { "{}", "{{ '<' }}", "<" },
      { "{ autoescape = function(name) return name == nil end }", "{{ '<' }}", "&lt;" },
      { "{ trim_blocks = true, lstrip_blocks = true }", "  {% if 1 %}\nx\n  {% endif %}\ny",
        "x\ny" },
      { "{ keep_trailing_newline = true }", "x\n", "x\n" },
      { '{ newline_sequence = "\\r\\n" }', "a\nb", "a\r\nb" },
      { '{ block_start_string = "<%", block_end_string = "%>", variable_start_string = "${", '
        .. 'variable_end_string = "}", comment_start_string = "<#", comment_end_string = "#>" }',
        "<% if 1 %>${ 2 }<# no #><% endif %>", "2" },
      { '{ line_statement_prefix = "#", line_comment_prefix = "##" }',
        "# for i in [1, 2]\n{{ i }} ## no\n# endfor\n", "1\n2\n" },
      { '{ extensions = { "do", "loopcontrols" } }',
        "{% set l = [] %}{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}"
        .. "{% do l.append(i) %}{% endfor %}{{ l }}", "[0, 1]" },
      { '{ undefined = "chainable" }', "[{{ a.b.c }}]", "[]" },
      { '{ undefined = "debug" }', "{{ a }}", "{{ a }}" },
      { "{ finalize = function(v) return v == qlua.null and '-' or v end }",
        "{{ none }} {{ 1 }}", "- 1" },
    }
    for _, case in ipairs(CASES) do
      it("has " .. case[1], function()
        assert.equal(case[3], output(("io.write(qlua.Environment(%s):from_string(%q):render())")
          :format(case[1], case[2])))
      end)
    end

    it("count when they are set later, for templates there are too", function()
      assert.equal("&lt;\n<\n", output [[
        local env = qlua.Environment {
          loader = qlua.DictLoader { a = "{{ '<' }}" }, autoescape = true,
        }
        print(env:get_template("a"):render())
        env.autoescape = false
        print(env:get_template("a"):render())
      ]])
    end)

    local MISTAKES = {
      { "{ trim_block = true }", 'unknown option "trim_block" (did you mean "trim_blocks"?)' },
      { "{ trim_blocks = 1 }", 'option "trim_blocks" must be a boolean, got the number 1' },
      { '{ undefined = "lax" }',
        'option "undefined" cannot be "lax" (known: chainable, debug, default, strict)' },
      { '{ extensions = { "loopcontrol" } }',
        'option "extensions" cannot be "loopcontrol" (did you mean "loopcontrols"?)' },
      { '{ newline_sequence = "x" }',
        'option "newline_sequence" must be "\\n", "\\r\\n" or "\\r", got the string "x"' },
      { '{ block_start_string = "" }', 'option "block_start_string" must not be empty' },
      { '{ block_start_string = "{{" }',
        "block, variable and comment start strings must be different" },
      { "{ max_depth = 0 }", 'option "max_depth" must be at least 1, got the number 0' },
    }
    it("names what is wrong, where it was given", function()
      local lines, expected = { 'local qlua = require "qlua"' }, {}
      for i, mistake in ipairs(MISTAKES) do
        lines[#lines + 1] = ("print(select(2, pcall(function() qlua.Environment(%s) end)))"):format(
          mistake[1])
        expected[#expected + 1] = ("job.lua:%d: Environment: %s\n"):format(i + 1, mistake[2])
      end
      assert.equal(table.concat(expected), script.output(table.concat(lines, "\n")))
    end)

    it("are checked when they are set later too", function()
      assert.equal('job.lua:4: Environment: unknown option trim_block (did you mean "trim_blocks"?)'
        .. '\njob.lua:5: Environment: option "trim_blocks" must be a boolean, got nil\n'
        .. "job.lua:6: Environment: filters must be a table, got nil\n", output [[
local env = qlua.Environment()
local function fails(fn) print(select(2, pcall(fn))) end
fails(function() env.trim_block = true end)
fails(function() env.trim_blocks = nil end)
fails(function() env.filters = nil end)
      ]])
    end)
  end)

  it("takes filters, tests and globals up to the last moment", function()
    assert.equal("1 !x! True g\n", output [[
      local env = qlua.Environment()
      env.globals.one = 1
      env.globals.who = function() return "g" end
      env.filters.loud = function(text) return "!" .. text .. "!" end
      env.tests.short = function(text) return #text < 3 end
      print(env:from_string("{{ one }} {{ 'x'|loud }} {{ 'ab' is short }} {{ who() }}"):render())
    ]])
  end)

  it("finds the first of several templates, and takes templates for names", function()
    assert.equal("b b b none of the templates given were found: x, y\n", output [[
      local env = qlua.Environment { loader = qlua.DictLoader { b = "b" } }
      local b = env:select_template { "x", "b" }
      print(b:render(), env:get_template(b):render(), env:select_template({ "x", b }):render(),
        select(2, pcall(env.select_template, env, { "x", "y" })))
    ]]:gsub("\t", " "), nil)
  end)

  it("resolves names by its own join_path", function()
    assert.equal("in d: x of d\n", output [[
      local env = qlua.Environment {
        loader = qlua.DictLoader { ["d/a"] = "in d: {% include 'x' %}", ["d/x"] = "x of d" },
      }
      env.join_path = function(_, name, parent)
        return parent:match "^(.*/)" .. name
      end
      print(env:get_template("d/a"):render())
    ]])
  end)

  describe("cache", function()
    local COUNTING = [[
      local asked = {}
      local env = qlua.Environment {
        cache_size = SIZE, loader = qlua.FunctionLoader(function(name)
          asked[#asked + 1] = name
          return name
        end),
      }
      local function get(names)
        for name in names:gmatch "." do
          assert(env:get_template(name):render() == name)
        end
        print(table.concat(asked))
      end
    ]]
    it("asks the loader once for a name", function()
      assert.equal("ab\nab\n", output(COUNTING:gsub("SIZE", 400) .. 'get "ababab" get "ab"'))
    end)

    it("keeps what is used when it is full", function()
      assert.equal("abc\nabc\nabcdeb\n", output(COUNTING:gsub("SIZE", 2)
        .. 'get "abc" get "acac" get "deb"'))
    end)

    it("may be switched off, or know no bound", function()
      assert.equal("aa\n", output(COUNTING:gsub("SIZE", 0) .. 'get "aa"'))
      assert.equal("abcdef\n", output(COUNTING:gsub("SIZE", -1) .. 'get "abcdefabcdef"'))
    end)

    it("looks at files again, when auto_reload says so", function()
      assert.equal("one\nother\nother\nnew\n", output([[
        local function write(text)
          local file = io.open("t/x", "w")
          file:write(text)
          file:close()
        end
        local env = qlua.Environment { loader = qlua.FileSystemLoader "t" }
        print(env:get_template("x"):render())
        write "other"
        print(env:get_template("x"):render())
        env.auto_reload = false
        print(env:get_template("x"):render())
        write "new"
        env.auto_reload = function() return true end
        print(env:get_template("x"):render())
      ]], { ["t/x"] = "one" }))
    end)
  end)

  describe("errors", function()
    local function failure(source, rest)
      return output(([[
        local env = qlua.Environment { loader = qlua.DictLoader { main = %q, %s } }
        local ok, err = pcall(function() return env:get_template("main"):render() end)
        local E = qlua.errors
        local class = getmetatable(err)
        print(class.__name, err.name, err.lineno, err.message)
        io.write(tostring(err))
      ]]):format(source, rest or ""))
    end

    it("are classes with message, name and line", function()
      assert.equal("TemplateSyntaxError\tmain\t2\tunexpected '}'\nunexpected '}'\n"
        .. "  template main, line 2: {{ } }}", failure "x\n  {{ } }}")
      assert.equal("TemplateAssertionError\tmain\t1\tNo filter named 'nope'.\n"
        .. "No filter named 'nope'.\n  template main, line 1: {{ 1|nope }}",
        failure "{{ 1|nope }}")
      assert.equal("UndefinedError\tmain\t3\t'a' is undefined\n'a' is undefined\n"
        .. "  template main, line 3: {{ a.b }}", failure "\n\n{{ a.b }}")
    end)

    it("name the template they are in, and how it was reached", function()
      assert.equal("UndefinedError\tinner\t2\t'a' is undefined\n'a' is undefined\n"
        .. "  template inner, line 2: {{ a.b }}\n"
        .. "  from template middle, line 1: {% include 'inner' %}\n"
        .. "  from template main, line 2: {% include 'middle' %}",
        failure("\n{% include 'middle' %}",
          [[middle = "{% include 'inner' %}", inner = "\n{{ a.b }}"]]))
    end)

    it("tell from where a missing or broken template was wanted", function()
      assert.equal("TemplateNotFound\tgone\tnil\tgone\ntemplate not found: gone\n"
        .. "  from template main, line 2: {% include 'gone' %}",
        failure "\n{% include 'gone' %}")
      assert.equal("TemplateSyntaxError\tbad\t1\tunexpected '}'\nunexpected '}'\n"
        .. "  template bad, line 1: {{ } }}\n  from template main, line 1: {% include 'bad' %}",
        failure("{% include 'bad' %}", 'bad = "{{ } }}"'))
    end)

    it("tell of the line that extends, whatever comes behind it", function()
      assert.equal("UndefinedError\tbase\t2\t'a' is undefined\n'a' is undefined\n"
        .. "  template base, line 2: {{ a.b }}\n"
        .. "  from template middle, line 1: {% extends 'base' %}\n"
        .. "  from template main, line 2: {% if true %}{% extends 'middle' %}{% endif %}",
        failure("\n{% if true %}{% extends 'middle' %}{% endif %}\n{% set x = 1 %}\n"
          .. "{% block one %}{% endblock %}", "middle = [[{% extends 'base' %}\n\n"
          .. "{% block one %}{% endblock %}]], base = [[<p>\n{{ a.b }}]]"))
    end)

    it("tell where a name was wanted that is none", function()
      assert.equal("TemplatesNotFound\tnil\tnil\tTried to select from an empty list of templates\n"
        .. "Tried to select from an empty list of templates\n"
        .. "  from template main, line 2: {% include none %}", failure "\n{% include none %}")
      assert.equal("TemplateNotFound\tNone\tnil\tNone\ntemplate not found: None\n"
        .. "  from template middle, line 1: {% extends none %}\n"
        .. "  from template main, line 1: {% include 'middle' %}",
        failure("{% include 'middle' %}", [[middle = "{% extends none %}"]]))
      assert.equal("TemplatesNotFound\t1\tnil\tnone of the templates given were found: no, 1\n"
        .. "none of the templates given were found: no, 1\n"
        .. "  from template main, line 1: {% include ['no', 1] %}",
        failure "{% include ['no', 1] %}")
    end)

    it("refuse a parameter that is there twice", function()
      local text = "duplicate argument 'b' in function definition"
      assert.equal(("TemplateSyntaxError\tmain\t2\t%s\n%s\n  template main, line 2: "
        .. "{%% macro m(b, a, b=1) %%}{%% endmacro %%}"):format(text, text),
        failure "\n{% macro m(b, a, b=1) %}{% endmacro %}")
      assert.equal(("TemplateSyntaxError\tmain\t1\t%s\n%s\n  template main, line 1: "
        .. "{%% call(b, b) m() %%}{%% endcall %%}"):format(text, text),
        failure "{% call(b, b) m() %}{% endcall %}")
    end)

    it("are below TemplateError and Exception", function()
      assert.equal("true true true true\n", output [[
        local E = qlua.errors
        local function below(class, parent)
          while class and class ~= parent do
            class = getmetatable(class).__index
          end
          return class ~= nil
        end
        print(below(E.TemplateAssertionError, E.TemplateSyntaxError), below(E.TemplatesNotFound,
          E.TemplateNotFound), below(E.UndefinedError, E.TemplateRuntimeError),
          below(E.SecurityError, E.Exception))
      ]]:gsub("\t", " "), nil)
    end)

    it("of the user's own functions pass through as they are", function()
      assert.equal("true\t404\n", output [[
        local ok, err = pcall(function()
          return qlua.Template("{% if 1 %}{{ f() }}{% endif %}"):render {
            f = function() qlua.abort(404) end,
          }
        end)
        print(getmetatable(err) == qlua.errors.NotFound, err.code)
      ]])
    end)
  end)

  describe("Template", function()
    it("renders, streams and exports", function()
      assert.equal("Hello Ann!\nHello \tAnn!\n5\t<b>x</b>\n", output [[
        local t = qlua.Template "Hello {{ name }}!"
        print(t:render { name = "Ann" })
        local pieces = {}
        for piece in qlua.Template("{{ 'Hello ' }}{{ name }}!"):stream({ name = "Ann" }, 5) do
          pieces[#pieces + 1] = piece
        end
        print(unpack(pieces))
        local module = qlua.Template("{% set n = 5 %}{% macro b(x) %}<b>{{ x }}</b>{% endmacro %}")
          :module()
        print(module.n, module.b("x"))
      ]])
    end)

    it("takes the options of an environment", function()
      assert.equal("&lt;\n", output [[
        print(qlua.Template("{{ '<' }}", { autoescape = true }):render())
      ]])
    end)

    it("refuses a context that is none", function()
      assert.equal("job.lua:3: template:render: the context must be a table, got the number 5\n",
        output [[
local t = qlua.Template "x"
print(select(2, pcall(function() local _ = t:render(5) end)))
        ]])
    end)
  end)

  describe("translations", function()
    it("call the functions that were installed", function()
      assert.equal("[Hi] [2 apples]\n", output [[
        local env = qlua.Environment { extensions = { "i18n" } }
        env:install_gettext_callables(
          function(text) return "[" .. text .. "]" end,
          function(one, many, n) return "[" .. (n == 1 and one or many) .. "]" end,
          { newstyle = true })
        print(env:from_string("{{ gettext('Hi') }} "
          .. "{% trans n=2 %}{{ n }} apple{% pluralize %}{{ n }} apples{% endtrans %}"):render())
      ]])
    end)

    it("are plain by install_null_translations", function()
      assert.equal("Hi Ann, &lt;b&gt;\n", output [[
        local env = qlua.Environment { extensions = { "i18n" }, autoescape = true }
        env:install_null_translations { newstyle = true }
        print(env:from_string("{{ _('Hi %(name)s', name='Ann') }}, {{ gettext('%(x)s', x='<b>') }}")
          :render())
      ]])
    end)

    it("are missed with an error that says what to do", function()
      local result = script.run(HEAD .. [[
        qlua.Template("{{ _('x') }}", { extensions = { "i18n" } }):render()
      ]])
      assert.matches("_ was called in a template, but no gettext is installed; "
        .. "env:install_gettext_callables installs one", result.stderr, 1, true)
    end)
  end)
end)
