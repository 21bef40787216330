--- Templates of an app: what they see, where they lie, what is registered for them.

local files = require "support.files"
local http = require "support.http"
local script = require "support.script"
local server = require "support.server"

local HEAD = [[
local qlua = require "qlua"
local app, request, session, g = qlua.App(...), qlua.request, qlua.session, qlua.g
local render_template, render_template_string = qlua.render_template, qlua.render_template_string
app.secret_key = "s"
]]

local function start(text, templates, options)
  options = options or {}
  options.app = HEAD .. text .. "\nreturn app"
  options.files = {}
  for name, source in pairs(templates or {}) do
    options.files[name] = source
  end
  return server.start(options)
end

--- The body of a GET, which must go well.
local function body(s, path, options)
  local answer = http.get(s, path, options)
  assert.equal(200, answer.status, path .. ": " .. s:stderr())
  return answer.body
end

describe("templating", function()
  after_each(server.stop_all)

  it("renders a file of the app's folder, or the first of several", function()
    local s = start([[
      app:route("/", function() return render_template("a.html", { name = "<Ann>" }) end)
      app:route("/first", function()
        return render_template({ "none.html", "sub/b.txt" }, { name = "<Ann>" }), 201, { X = "1" }
      end)
      app:route("/none", function() return render_template("none.html") end)
    ]], { ["templates/a.html"] = "Hello {{ name }}!\n", ["templates/sub/b.txt"] = "{{ name }}" })
    local answer = http.get(s, "/")
    assert.same({ 200, "Hello &lt;Ann&gt;!", "text/html; charset=utf-8" },
      { answer.status, answer.body, answer.header["content-type"] })
    answer = http.get(s, "/first")
    assert.same({ 201, "<Ann>", "1" }, { answer.status, answer.body, answer.header.x })
    assert.equal(500, http.get(s, "/none").status)
    s:wait_for_stderr "Exception on request GET /none\ntemplate not found: none.html\n"
  end)

  it("renders a string with autoescape on", function()
    local s = start [[
      app:route("/", function() return render_template_string("{{ x }}", { x = "<>&\"'" }) end)
    ]]
    assert.equal("&lt;&gt;&amp;&#34;&#39;", body(s, "/"))
  end)

  it("escapes by the template's name", function()
    local names = { "a.html", "b.htm", "c.xml", "d.xhtml", "e.svg", "f.txt", "g.HTML", "h.html.j2",
      "i" }
    local templates, lines = {}, {}
    for _, name in ipairs(names) do
      templates["templates/" .. name] = "{{ '<' }}"
      lines[#lines + 1] = name .. (name < "f" and " &lt;" or " <")
    end
    local s = start([[
      app:route("/", function()
        local lines = {}
        for _, name in ipairs(app.jinja_env:list_templates()) do
          lines[#lines + 1] = name .. " " .. render_template(name)
        end
        return table.concat(lines, "\n")
      end)
    ]], templates)
    assert.equal(table.concat(lines, "\n"), body(s, "/"))
  end)

  it("has the standard values", function()
    local s = start [[
      app.config.SITE = "here"
      app:route("/hello/<name>", { endpoint = "hello" }, function() return "" end)
      app:route("/", function()
        g.user, session.n = "ann", 5
        return render_template_string("{{ config.SITE }} {{ request.path }} {{ request.args.q }} "
          .. "{{ session.n }} {{ g.user }}{{ g.none }} {{ url_for('hello', name='a b', page=2) }}")
      end)
      app:route("/flash", function() qlua.flash("<m>", "c") return "" end)
      app:route("/flashed", function()
        return render_template_string("{% for c, m in get_flashed_messages(with_categories=true) %}"
          .. "{{ c }} {{ m }}{% endfor %}{{ get_flashed_messages() }}"
          .. "{% for c, m in get_flashed_messages(true, ['c']) %}{{ m }}{% endfor %}")
      end)
      app:route("/imported", function() return render_template("macro.html") end)
    ]]
    assert.equal("here / &lt;q&gt; 5 ann /hello/a%20b?page=2", body(s, "/?q=%3Cq%3E"))
    local cookie = http.get(s, "/flash").header["set-cookie"]:match "^[^;]*"
    assert.equal("c &lt;m&gt;[&#39;&lt;m&gt;&#39;]&lt;m&gt;",
      body(s, "/flashed", { headers = { Cookie = cookie } }))
  end)

  it("gives macros that are imported the standard values too", function()
    local s = start([[
      app:route("/", function() return render_template("main.html") end)
    ]], {
      ["templates/main.html"] = "{% import 'm.html' as m %}{{ m.path() }}",
      ["templates/m.html"] = "{% macro path() %}{{ request.path }}{{ url_for('index') }}"
        .. "{% endmacro %}",
    })
    assert.equal("//", body(s, "/"))
  end)

  it("has request and session only where there is a request", function()
    local s = start [[
      local text
      app:before_serving(function()
        text = app:app_context(function()
          g.x = 1
          return render_template_string("{{ request is defined }} {{ session is defined }} "
            .. "{{ g.x }}")
        end)
      end)
      app:route("/", function() return text end)
    ]]
    assert.equal("False False 1", body(s, "/"))
  end)

  it("lets inner context processors win over outer ones, and given values over all", function()
    local s = start [[
      local bp = qlua.Blueprint("bp", { url_prefix = "/bp" })
      app:context_processor(function() return { a = "app", b = "app", c = "app", d = "app" } end)
      app:context_processor(function() return { b = "app 2" } end)
      bp:context_processor(function() return { c = "bp", d = "bp" } end)
      bp:app_context_processor(function() return { everywhere = "yes" } end)
      local function view()
        return render_template_string("{{ a }} {{ b }} {{ c }} {{ d }} {{ everywhere }}",
          { d = "given" })
      end
      bp:route("/", view)
      app:route("/", view)
      app:register_blueprint(bp)
      app:route("/update", function()
        local values = { d = "given" }
        app:update_template_context(values)
        return values
      end)
    ]]
    assert.equal("app app 2 app given yes", body(s, "/"))
    assert.equal("app app 2 bp given yes", body(s, "/bp/"))
    assert.equal('{"a":"app","b":"app 2","c":"app","d":"given","everywhere":"yes"}\n',
      body(s, "/update"))
  end)

  it("runs context processors that wait, and takes new ones up at once", function()
    local s = start [[
      app:context_processor(function() qlua.sleep(0.001) return { a = 1 } end)
      app:route("/", function() return render_template_string("{{ a }}{{ b }}") end)
      app:route("/add", function()
        app:context_processor(function() return { b = 2 } end)
        return ""
      end)
    ]]
    assert.equal("1", body(s, "/"))
    body(s, "/add")
    assert.equal("12", body(s, "/"))
  end)

  it("has filters, tests and globals of the app and its blueprints", function()
    local s = start [[
      app:template_filter("loud", function(text) return text:upper() .. "!" end)
      app:add_template_filter("join_with", function(list, separator, keywords)
        return table.concat(list, separator) .. (keywords and keywords.last or "")
      end)
      app:template_test("short", function(text) return #text < 3 end)
      app:template_global("double", function(n) return n * 2 end)
      app.jinja_env.globals.site = "S"
      local bp = qlua.Blueprint "bp"
      bp:app_template_filter("soft", function(text) return text:lower() end)
      bp:app_template_test("long", function(text) return #text > 3 end)
      bp:add_app_template_global("triple", function(n) return n * 3 end)
      app:register_blueprint(bp)
      app:route("/", function()
        return render_template_string("{{ 'a'|loud }} {{ [1, 2]|join_with('-', last='.') }} "
          .. "{{ 'a' is short }} {{ double(2) }} {{ site }} {{ 'A'|soft }} {{ 'a' is long }} "
          .. "{{ triple(2) }}")
      end)
    ]]
    assert.equal("A! 1-2. True 4 S a False 6", body(s, "/"))
  end)

  it("takes Jinja's options from app.jinja_options", function()
    local s = start [[
      app.jinja_options = { trim_blocks = true, autoescape = false,
        loader = qlua.DictLoader { x = "{% if 1 %}\n{{ '<' }}{% endif %}" } }
      app:route("/", function() return render_template "x" end)
    ]]
    assert.equal("<", body(s, "/"))
  end)

  it("looks into the app's folder, then those of blueprints as they were registered", function()
    local s = start([[
      for _, name in ipairs { "b", "a", "none" } do
        app:register_blueprint(qlua.Blueprint(name, {
          template_folder = name ~= "none" and name .. "/t" or nil,
        }))
      end
      app:route("/<name>", function(name) return render_template(name) end)
    ]], {
      ["templates/1"] = "app", ["a/t/1"] = "a", ["b/t/1"] = "b", ["a/t/2"] = "a", ["b/t/2"] = "b",
      ["a/t/3"] = "a",
    })
    assert.same({ "app", "b", "a" }, { body(s, "/1"), body(s, "/2"), body(s, "/3") })
  end)

  it("takes another template folder, or none", function()
    local s = start([[
      local other = qlua.App("other", { template_folder = "views" })
      local none = qlua.App("none", { template_folder = false })
      app:route("/", function()
        return other.jinja_env:get_template("x"):render() .. #none.jinja_env:list_templates()
      end)
    ]], { ["views/x"] = "view" })
    assert.equal("view0", body(s, "/"))
  end)

  it("never reads a file outside of its folders", function()
    local s = start([[
      app:route("/", function() return render_template(request.args.name) end)
    ]], { ["templates/a"] = "a", secret = "SECRET" })
    for _, name in ipairs { "../secret", "x/../../secret", "/secret", "%2e%2e/secret", "a%00" } do
      assert.equal(500, http.get(s, "/?name=" .. name).status, name)
    end
    assert.equal("a", body(s, "/?name=a"))
  end)

  it("logs where a template was looked for, with EXPLAIN_TEMPLATE_LOADING", function()
    local s = start([[
      app.config.EXPLAIN_TEMPLATE_LOADING = true
      app:register_blueprint(qlua.Blueprint("bp", { template_folder = "t" }))
      app:route("/<name>", function(name) return render_template(name) end)
    ]], { ["templates/1"] = "1", ["t/2"] = "2" })
    body(s, "/1")
    body(s, "/2")
    http.get(s, "/3")
    local text = s:wait_for_stderr "the template could not be found"
    local folder = s.folder:gsub("%p", "%%%0")
    assert.matches('Locating template "1":\n  1: app "app", folder ' .. folder
      .. "/templates: found %(" .. folder .. '/templates/1%)\n  2: blueprint "bp", folder '
      .. folder .. "/t: not asked\n", text)
    assert.matches('Locating template "2":\n  1: app "app", folder [^\n]*/templates: no match\n'
      .. '  2: blueprint "bp", folder [^\n]*: found %([^\n]*/t/2%)\n', text)
    assert.matches('Locating template "3":\n  1: [^\n]*: no match\n  2: [^\n]*: no match\n'
      .. "Error: the template could not be found\n", text)
  end)

  describe("reloading", function()
    local APP = [[
      app:route("/", function() return render_template "main" end)
    ]]
    local TEMPLATES = {
      ["templates/main"] = "{% extends 'base' %}{% block b %}{% include 'one' %}{% endblock %}",
      ["templates/base"] = "[{% block b %}{% endblock %}]",
      ["templates/one"] = "one {% include 'two' %}", ["templates/two"] = "two-1",
    }

    it("sees a change two includes below, and in what is extended, in debug mode", function()
      local s = start("app.debug = true\n" .. APP, TEMPLATES)
      assert.equal("[one two-1]", body(s, "/"))
      files.write(s.folder .. "/templates/two", "two-2")
      assert.equal("[one two-2]", body(s, "/"))
      files.write(s.folder .. "/templates/base", "({% block b %}{% endblock %})")
      assert.equal("(one two-2)", body(s, "/"))
      os.remove(s.folder .. "/templates/two")
      assert.equal(500, http.get(s, "/").status)
      files.write(s.folder .. "/templates/two", "two-3")
      assert.equal("(one two-3)", body(s, "/"))
    end)

    it("is off otherwise, but for TEMPLATES_AUTO_RELOAD", function()
      local s = start(APP .. [[
        app:route("/set", function() app.config.TEMPLATES_AUTO_RELOAD = true return "" end)
      ]], TEMPLATES)
      assert.equal("[one two-1]", body(s, "/"))
      files.write(s.folder .. "/templates/two", "two-2")
      assert.equal("[one two-1]", body(s, "/"))
      body(s, "/set")
      assert.equal("[one two-2]", body(s, "/"))
    end)
  end)

  it("tells signals of the template and its values", function()
    local s = start([[
      local told = {}
      for _, name in ipairs { "before_render_template", "template_rendered" } do
        qlua.signals[name]:connect(function(sender, extra)
          if name:find "^before" then
            extra.context.added = "!"
          end
          told[#told + 1] = ("%s %s %s %s"):format(name, tostring(sender == app),
            tostring(extra.template.name), tostring(extra.context.x))
        end, app)
      end
      app:route("/", function()
        local text = render_template("a", { x = 1 })
          .. render_template_string("s{{ added }}", { x = 2 })
        told[#told + 1] = text
        return table.concat(told, "\n")
      end)
    ]], { ["templates/a"] = "a{{ added }}" })
    assert.equal("before_render_template true a 1\ntemplate_rendered true a 1\n"
      .. "before_render_template true nil 2\ntemplate_rendered true nil 2\na!s!", body(s, "/"))
  end)

  it("leaves the table that it was given as it is, whatever others add", function()
    local s = start [[
      local given = { x = 1 }
      qlua.signals.before_render_template:connect(function(_, extra) extra.context.y = 2 end)
      app:context_processor(function() return { z = 3 } end)
      app:route("/", function()
        return render_template_string("{{ x }}{{ y }}{{ z }}", given)
          .. tostring(given.y) .. tostring(given.z)
      end)
    ]]
    assert.equal("123nilnil", body(s, "/"))
  end)

  it("has error handlers by class", function()
    local s = start [[
      app:errorhandler(qlua.errors.TemplateNotFound, function(err)
        return "no " .. err.name, 404
      end)
      app:errorhandler(qlua.errors.TemplateError, function(err)
        return err.message .. " at " .. err.lineno, 500
      end)
      app:route("/none", function() return render_template "none.html" end)
      app:route("/syntax", function() return render_template_string("\n{{ }}") end)
      app:route("/undefined", function() return render_template_string("{{ a.b }}") end)
    ]]
    local answer = http.get(s, "/none")
    assert.same({ 404, "no none.html" }, { answer.status, answer.body })
    assert.equal("Expected an expression, got 'end of print statement' at 2",
      http.get(s, "/syntax").body)
    assert.equal("'a' is undefined at 1", http.get(s, "/undefined").body)
    assert.falsy(s:stderr():find "Exception")
  end)

  it("gives macros and values of a template", function()
    local s = start([[
      app:template_filter("wait", function(x) qlua.sleep(0.001) return x end)
      app:route("/", function()
        local hello = qlua.get_template_attribute("m.html", "hello")
        return tostring(hello("<x>")) .. qlua.get_template_attribute("m.html", "version")
      end)
      app:route("/none", function() return qlua.get_template_attribute("m.html", "helo") end)
    ]], { ["templates/m.html"] = "{% set version = 3 %}"
      .. "{% macro hello(x) %}<b>{{ x|wait }}{{ request.path }}</b>{% endmacro %}" })
    assert.equal("<b>&lt;x&gt;/</b>3", body(s, "/"))
    http.get(s, "/none")
    s:wait_for_stderr('get_template_attribute: the template "m.html" exports no "helo" (did you '
      .. 'mean "hello"?)')
  end)

  it("lets an abort in a template be the answer", function()
    local s = start [[
      app:template_global("stop", function(code) qlua.abort(code) end)
      app:route("/", function()
        return render_template_string("{% for i in [1] %}{{ stop(404) }}{% endfor %}")
      end)
    ]]
    assert.equal(404, http.get(s, "/").status)
    assert.falsy(s:stderr():find "Exception")
  end)

  -- view, what the log says
  local MISTAKES = {
    { "render_template(5)",
      "render_template: the template must be a name or a list of names, got the number 5" },
    { "render_template_string({})",
      "render_template_string: source must be a string, got a table" },
    { "render_template_string('x', 5)",
      "render_template_string: the context must be a table of values by name, got the number 5" },
    { "app:template_filter(5, print)", "template_filter: name must be a string, got the number 5" },
    { "app:template_test('x')",
      'template_test "x": the second argument must be a function, got nil' },
    { "app:context_processor(function() end) or render_template_string('x')",
      "app.lua:5) returned nil: return a table of values, {} for none" },
    { "render_template({})", "Tried to select from an empty list of templates" },
  }
  for _, mistake in ipairs(MISTAKES) do
    it("says what is wrong with " .. mistake[1], function()
      local code = mistake[1]:find " or " and mistake[1]:gsub(" or ", " return ") or "return "
        .. mistake[1]
      local s = start(("app:route('/', function() %s end)"):format(code))
      assert.equal(500, http.get(s, "/").status)
      s:wait_for_stderr(mistake[2])
    end)
  end

  it("says so when there is no app", function()
    local s = script.run "require('qlua').render_template_string('x')"
    assert.matches("job.lua:1: Not within an app context: render_template_string was called while "
      .. "no app is at work. Call it in a view or a function it calls; without an app there is "
      .. "qlua.Environment", s.stderr, 1, true)
  end)
end)
