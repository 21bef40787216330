--- `qlua check [FILE] [--json]`: every template of an app is compiled.

local files = require "support.files"
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
  after_each(function()
    server.stop_all()
    files.remove(folder)
  end)

  local function run(texts, ...)
    folder = files.folder(texts)
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
    files.remove(folder)
    assert.same({ '{"errors":[],"templates":3}\n', "", 0 }, { run(GOOD, "app.lua", "--json") })
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
    assert.matches('"templates":4}\n', stdout, 1, true)
  end)

  it("tells why the app does not load", function()
    local stdout, stderr, code = run { ["app.lua"] = "local x = 1\nerror 'no way'" }
    assert.same({ "", "app.lua:2: no way\n", 1 }, { stdout, stderr, code })
    files.remove(folder)
    stdout, stderr, code = run({ ["app.lua"] = "local x = 1\n)" }, "--json")
    assert.same({ "", 1 }, { stderr, code })
    assert.matches('{"errors":[{"file":"app.lua","line":2,"message":"', stdout, 1, true)
    files.remove(folder)
    stdout, stderr, code = run { ["app.lua"] = "return 5" }
    assert.same({ "", 1 }, { stdout, code })
    assert.matches("^app.lua: .*makes no app", stderr)
  end)

  it("says when there is no app file", function()
    local _, stderr, code = run({}, "none.lua")
    assert.same({ "qlua: none.lua: no such file; name the app file: qlua check FILE.lua\n", 1 },
      { stderr, code })
  end)
end)
