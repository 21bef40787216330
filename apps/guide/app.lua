--- The guide to qlua, served by qlua: `qlua run apps/guide`.
--- Flow: pages.lua reads pages/ when the app loads (markdown.lua, highlight.lua); a request finds
--- its page and renders templates/page.html around it.

local pages = require "pages"
local qlua = require "qlua"
local reference = require "reference"

local app = qlua.App(...)
app.jinja_env.trim_blocks, app.jinja_env.lstrip_blocks = true, true

local guide = pages.load(app.root_path, reference)

app:context_processor(function()
  return { sections = guide.sections, version = qlua.version }
end)

app:get("/", function()
  return qlua.render_template "contents.html"
end)

app:get("/<path:name>", function(name)
  local page = guide.by_name[name] or qlua.abort(404)
  return qlua.render_template("page.html", { page = page })
end)

app:errorhandler(404, function()
  return qlua.render_template "missing.html", 404
end)

return app
