--- `qlua check [FILE] [--json]`: an app is loaded, every template of it compiled, those it names
--- looked for; luacheck looks at the code.

local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:template_filter("known", tostring)
app:register_blueprint(qlua.Blueprint("bp", { template_folder = "more" }))
return app
]]

describe("qlua check", function()
  local folder
  after_each(server.stop_all)

  local function run(texts, ...)
    folder = server.folder(texts)
    local ended = server.run({ argv = { "check", ... }, folder = folder, cwd = folder }, 20)
    return ended:stdout(), ended:stderr(), ended:exit_code()
  end

  local GOOD = {
    ["app.lua"] = APP, ["templates/a.html"] = "{{ 1|known }}", ["templates/sub/b.txt"] = "b",
    ["more/a.html"] = "{% extends 'a.html' %}",
  }
  local BAD = {
    ["app.lua"] = APP, ["templates/a.html"] = "a\n{{ 1|unknown }}",
    ["templates/sub/b.txt"] = "{% if x %}", ["templates/fine"] = "fine",
    ["more/a.html"] = "\n\n{% block b %}{% endblock %}{% block b %}{% endblock %}",
  }

  it("is content when all compile", function()
    assert.same({ "3 templates, 0 errors\n", "", 0 }, { run(GOOD) })
    assert.same({ '{"errors":[],"templates":3,"warnings":[]}\n', "", 0 },
      { run(GOOD, "app.lua", "--json") })
  end)

  it("tells every error with file and line, also in a template that another hides", function()
    local stdout, stderr, code = run(BAD)
    assert.same({ "4 templates, 3 errors\n", 1 }, { stdout, code })
    assert.equal("templates/a.html:2: No filter named 'unknown'.\n"
      .. "templates/sub/b.txt:1: Unexpected end of template. Jinja was looking for the following "
      .. "tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.\n"
      .. "more/a.html:3: block 'b' defined twice\n", stderr)
  end)

  it("tells them as JSON", function()
    local stdout, stderr, code = run(BAD, "--json")
    assert.same({ "", 1 }, { stderr, code })
    assert.matches('{"errors":[{"file":"templates/a.html","line":2,"message":"No filter named '
      .. "'unknown'.\"},", stdout, 1, true)
    assert.matches('"templates":4,"warnings":[]}\n', stdout, 1, true)
  end)

  it("looks for the templates that are extended, included and imported by name", function()
    local stdout, stderr, code = run {
      ["app.lua"] = APP, ["templates/sub/there.html"] = "there",
      ["templates/a.html"] = '{% extends "no1" %}\n{% block b %}{% if x %}{% include "no2" %}\n'
        .. '{% elif y %}{% import "no3" as m %}{% elif z %}{% for i in x %}\n'
        .. '{% from "no4" import m %}{% endfor %}{% else %}{% include ["no5", "no6"] %}{% endif %}'
        .. '{% endblock %}',
      ["templates/b.html"] = '{% include "sub/there.html" %}{% include ["no", "a.html"] %}'
        .. '{% include "no" ignore missing %}{% include x %}{% include ["no", x] %}'
        .. '{% include "more.html" %}',
      ["more/more.html"] = '{% include "a.html" %}',
    }
    assert.same({ "4 templates, 5 errors\n", 1 }, { stdout, code })
    assert.equal("templates/a.html:1: there is no template 'no1'\n"
      .. "templates/a.html:2: there is no template 'no2'\n"
      .. "templates/a.html:3: there is no template 'no3'\n"
      .. "templates/a.html:4: there is no template 'no4'\n"
      .. "templates/a.html:4: there is no template 'no5', 'no6'\n", stderr)
  end)

  it("tells of an error in macros that others import, at its own place", function()
    local stdout, stderr, code = run { ["app.lua"] = APP,
      ["templates/page.html"] = "{% from 'sub/macros.html' import m %}{{ m(1) }}",
      ["templates/sub/macros.html"] = "ok\n{% macro m(x) %}\n{{ x | }}\n{% endmacro %}" }
    assert.equal("2 templates, 1 error\n", stdout)
    assert.equal("templates/sub/macros.html:3: expected token 'name', got 'end of print statement'"
      .. "\n", stderr)
    assert.equal(1, code)
  end)

  it("warns of endpoints that the app does not have", function()
    local stdout, stderr, code = run {
      ["app.lua"] = APP, ["templates/a.html"] = "{{ url_for('static', filename='x') }}\n"
        .. "{{ url_for(\"sttic\") }}{{ url_for('.index') }}{{ url_for(x) }}{# url_for('no')\n#}\n"
        .. "<a href=\"{{ url_for( 'shop.buy', id=1) }}\">",
    }
    assert.same({ "1 template, 0 errors, 2 warnings\n", 0 }, { stdout, code })
    assert.equal("templates/a.html:2: warning: url_for: there is no endpoint 'sttic'; did you mean "
      .. "'static'?\ntemplates/a.html:4: warning: url_for: there is no endpoint 'shop.buy'\n",
      stderr)
  end)

  it("asks an environment's own join_path", function()
    assert.same({ "2 templates, 0 errors\n", "", 0 }, { run {
      ["app.lua"] = APP:gsub("return app", [[
        function app.jinja_env.join_path(_, name, parent)
          return parent:match "^(.*/)[^/]*$" .. name
        end
        return app]]),
      ["templates/sub/a.html"] = '{% include "b.html" %}', ["templates/sub/b.html"] = "b",
    } })
  end)

  it("tells of rules without a view", function()
    local _, stderr, code = run { ["app.lua"] = APP:gsub("return app",
      'app:add_url_rule("/later", "later") return app') }
    assert.same({ 'app.lua: the rule /later has no view: nothing was registered for its endpoint '
      .. '"later"\n', 1 }, { stderr, code })
  end)

  it("warns of keys that are nearly known ones, which is no error", function()
    local stdout, stderr, code = run { ["app.lua"] = APP:gsub("return app",
      'app.config.SECRET_KYE = "x"\nreturn app') }
    assert.same({ "0 templates, 0 errors, 1 warning\n", 0 }, { stdout, code })
    assert.equal("app.lua:5: warning: config.SECRET_KYE is no key that qlua knows; did you mean "
      .. "SECRET_KEY?\n", stderr)
  end)

  it("tells of a value that is none for its key", function()
    local _, stderr, code = run { ["app.lua"] = APP:gsub("return app",
      'app.config.BODY_TIMEOUT = "soon"\nreturn app') }
    assert.equal(1, code)
    assert.matches("^app.lua:5: .*BODY_TIMEOUT", stderr)
  end)

  it("tells what luacheck says of the app's own files", function()
    local stdout, stderr, code = run({
      ["app.lua"] = 'local unused = 1\nrequire "sub.part"\nrequire "cjson"\n' .. APP,
      ["sub/part.lua"] = "return function() undefined_thing() end\n",
      ["other.lua"] = "local not_loaded",
    }, "app.lua")
    assert.same({ "0 templates, 0 errors, 2 warnings\n", 0 }, { stdout, code })
    assert.equal("app.lua:1: warning: unused variable 'unused'\n"
      .. "sub/part.lua:1: warning: accessing undefined variable 'undefined_thing'\n", stderr)
  end)

  it("leaves luacheck's settings of the app in force", function()
    assert.same({ "0 templates, 0 errors\n", "", 0 }, { run {
      ["app.lua"] = "local unused = 1\n" .. APP, [".luacheckrc"] = "unused = false",
    } })
  end)

  it("tells why the app does not load", function()
    local stdout, stderr, code = run { ["app.lua"] = "local x = 1\nerror 'no way'" }
    assert.same({ "", "app.lua:2: no way\n", 1 }, { stdout, stderr, code })
    stdout, stderr, code = run({ ["app.lua"] = "local x = 1\n)" }, "--json")
    assert.same({ "", 1 }, { stderr, code })
    assert.matches('{"errors":[{"file":"app.lua","line":2,"message":"', stdout, 1, true)
    stdout, stderr, code = run { ["app.lua"] = "return 5" }
    assert.same({ "", 1 }, { stdout, code })
    assert.matches("^app.lua: .*makes no app", stderr)
  end)

  it("looks at the config file, too", function()
    local _, stderr, code = run({ ["app.lua"] = APP, ["c.json"] = '{"server": {"prot": 1}}' },
      "--config", "c.json")
    assert.equal(1, code)
    assert.matches('c.json.*unknown server setting "prot"; did you mean "port"?', stderr)
    _, stderr, code = run({ ["app.lua"] = APP, ["c.json"] = '{"app": {"BODY_TIMEOUT": "soon"}}' },
      "--config", "c.json")
    assert.equal(1, code)
    assert.matches("c.json.*BODY_TIMEOUT", stderr)
  end)

  it("says when there is no app file", function()
    local _, stderr, code = run({}, "none.lua")
    assert.same({ "qlua: none.lua: no such file; name the app file: qlua check FILE.lua\n", 1 },
      { stderr, code })
  end)
end)
