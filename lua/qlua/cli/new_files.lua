--- What `qlua new` writes, in this order. @NAME@, @TITLE@, @SECRET@ and @LIBRARY@ are filled in.

---@type { path: string, what?: string, text: string }[]
local files = {}

local function file(path, what, text)
  files[#files + 1] = { path = path, what = what, text = text }
end

file("app.lua", "the app: config, blueprint, first page", [[
local qlua = require "qlua"

local app = qlua.App(...)
app.config:from_json "config.json"
app.config:from_prefixed_env() -- QLUA_SECRET_KEY and the like; .env has some

app:register_blueprint(require "notes")

app:get("/", function()
  return qlua.render_template("index.html", { greeting = "Hello from @NAME@!" })
end)

return app
]])

file("notes.lua", "a blueprint: notes that a visitor's session keeps", [[
--- Notes: what a visitor has written down. The session keeps them.

local qlua = require "qlua"
local request, session = qlua.request, qlua.session

local notes = qlua.Blueprint("notes", ..., { url_prefix = "/notes" })

notes:route("/", {
  get = function()
    return qlua.render_template("notes.html", { notes = session:get("notes", {}) })
  end,

  post = function()
    local text = request.form.text or ""
    if text == "" then
      qlua.flash "Write something first."
    else
      local list = session:get("notes", {})
      list[#list + 1] = text
      session.notes = list
    end
    return qlua.redirect(qlua.url_for ".index", 303)
  end,
})

return notes
]])

file("templates/base.html", "what the pages have in common", [[
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{% block title %}{{ config.TITLE }}{% endblock %}</title>
<link rel="stylesheet" href="{{ url_for('static', filename='style.css') }}">
<nav>
  <a href="{{ url_for('index') }}">{{ config.TITLE }}</a>
  <a href="{{ url_for('notes.index') }}">Notes</a>
</nav>
{% for message in get_flashed_messages() %}
<p class="message">{{ message }}</p>
{% endfor %}
{% block body %}{% endblock %}
</html>
]])

file("templates/index.html", nil, [[
{% extends "base.html" %}
{% block body %}
<h1>{{ greeting }}</h1>
<p>Edit <code>app.lua</code> and reload this page.</p>
{% endblock %}
]])

file("templates/notes.html", nil, [[
{% extends "base.html" %}
{% block title %}Notes - {{ super() }}{% endblock %}
{% block body %}
<h1>Notes</h1>
<ul>
  {% for note in notes %}
  <li>{{ note }}</li>
  {% else %}
  <li>none yet</li>
  {% endfor %}
</ul>
<form method="post">
  <input name="text" aria-label="note" autofocus>
  <button>Keep</button>
</form>
{% endblock %}
]])

file("static/style.css", "a static file", [[
:root { color-scheme: light dark; }
body { font-family: system-ui, sans-serif; line-height: 1.5; max-width: 40rem; margin: 2rem auto;
  padding: 0 1rem; }
nav a { margin-right: 1rem; }
.message { border-left: 0.25rem solid; padding-left: 0.75rem; }
]])

file("config.json", "keys of app.config", [[
{
  "TITLE": "@TITLE@",
  "SESSION_COOKIE_SAMESITE": "Lax"
}
]])

file(".env", "the secret key of this machine; not for git", [[
QLUA_SECRET_KEY=@SECRET@
]])

file("spec/app_spec.lua", "specs: qlua test runs them", [[
local qlua = require "qlua"

describe("@NAME@", function()
  local app = qlua.testing.load()
  app.config.SECRET_KEY = "only for these specs"

  it("greets", function()
    local response = app:test_client():get "/"
    assert.equal(200, response.status_code)
    assert.truthy(response.data:find("Hello from @NAME@!", 1, true))
  end)

  it("keeps a note, in this visitor's session", function()
    local client = app:test_client()
    local options = { form = { text = "buy <milk>" }, follow_redirects = true }
    local response = client:post("/notes/", options)
    assert.truthy(response.data:find("<li>buy &lt;milk&gt;</li>", 1, true))
    assert.truthy(app:test_client():get("/notes/").data:find("none yet", 1, true))
  end)

  it("says so when there is nothing to keep", function()
    local response = app:test_client():post("/notes/", { follow_redirects = true })
    assert.truthy(response.data:find("Write something first.", 1, true))
  end)

  it("serves the style sheet", function()
    assert.equal("text/css", app:test_client():get("/static/style.css").mimetype)
  end)
end)
]])

file(".gitignore", nil, [[
.env
*.lmdb
*.lmdb-lock
]])

file(".editorconfig", nil, [[
root = true

[*]
charset = utf-8
end_of_line = lf
insert_final_newline = true
trim_trailing_whitespace = true
indent_style = space
indent_size = 2
]])

file(".luarc.json", "editors: the types of qlua's API (lua-language-server)", [[
{
  "runtime.version": "LuaJIT",
  "runtime.path": ["?.lua", "?/init.lua"],
  "workspace.library": ["@LIBRARY@"],
  "workspace.checkThirdParty": false,
  "diagnostics.globals": ["describe", "it", "setup", "teardown", "before_each", "after_each"]
}
]])

file(".luacheckrc", nil, [[
std = "luajit"
files["spec"] = { std = "+busted" }
]])

return files
