--- The guide and README: the guide's pages are served, its links lead somewhere, and the code of
--- both does what it says.

local browser = require "support.browser"
local files = require "support.files"
local http = require "support.http"
local replay = require "support.replay"
local server = require "support.server"

package.path = "./apps/guide/?.lua;" .. package.path
local contents = require "contents"
local markdown = require "markdown"

local MOST_NOT_RUN = 6

local function names_of_pages()
  local names = {}
  for _, section in ipairs(contents) do
    for _, name in ipairs(section.pages) do
      names[#names + 1] = name
    end
  end
  return names
end

--- Every code block of a text, those in lists too, with the project it belongs to.
local function add_blocks(list, blocks, from, project)
  for _, block in ipairs(blocks) do
    if block.kind == "project" then
      project = block.text
    elseif block.kind == "code" then
      block.from, block.project = from, project
      list[#list + 1] = block
    end
    for _, item in ipairs(block.items or {}) do
      add_blocks(list, item, from, project)
    end
  end
end

--- The projects of the guide in the order of its pages: { name, blocks }.
local function projects()
  local blocks, list, by_name = {}, {}, {}
  for _, name in ipairs(names_of_pages()) do
    local path = ("apps/guide/pages/%s.md"):format(name)
    add_blocks(blocks, markdown.parse(files.read(path)), path, name)
  end
  for _, block in ipairs(blocks) do
    local project = by_name[block.project]
    if not project then
      project = { name = block.project, blocks = {} }
      by_name[block.project], list[#list + 1] = project, project
    end
    table.insert(project.blocks, block)
  end
  return list
end

describe("the code of the guide", function()
  local reader
  after_each(function()
    if reader then
      reader:close()
      reader = nil
    end
  end)

  for _, project in ipairs(projects()) do
    it("does what it says: " .. project.name, function()
      reader = replay.new()
      for _, block in ipairs(project.blocks) do
        reader:block(block)
      end
      reader:check()
    end)
  end

  it("is run but for a few blocks, which say why not", function()
    local left_out, why = 0, {}
    for _, project in ipairs(projects()) do
      for _, block in ipairs(project.blocks) do
        local reason = block.attributes["no-run"]
        if reason then
          assert.truthy(#reason > 5, ("%s:%d"):format(block.from, block.line))
          left_out = left_out + 1
          why[left_out] = ("%s:%d: %s"):format(block.from, block.line, reason)
        end
      end
    end
    assert.truthy(left_out <= MOST_NOT_RUN, table.concat(why, "\n"))
  end)
end)

describe("the code of README", function()
  local blocks = {}
  add_blocks(blocks, markdown.parse(files.read "README.md"), "README.md", "README")

  it("does what it says", function()
    local reader = replay.new()
    finally(function() reader:close() end)
    -- what its lines name
    for path, text in pairs {
      ["settings.lua"] = "return { Production = { DB = {} } }", ["settings.json"] = "{}",
      [".env"] = "APP_SETTINGS=settings.lua",
      ["templates/base.html"] = "{% block body %}{% endblock %}",
    } do
      files.write(reader.folder .. "/" .. path, text)
    end
    local done = 0
    for _, block in ipairs(blocks) do
      done = done + (reader:block(block) and 1 or 0)
    end
    reader:check()
    assert.truthy(done > 5)
  end)

  it("is run but for a few blocks, or held by another spec that there is", function()
    local left_out, pipe = 0, assert(io.popen "cat spec/*_spec.lua spec/*/*_spec.lua")
    local specs = pipe:read "*a"
    pipe:close()
    for _, block in ipairs(blocks) do
      local held = block.attributes.held
      assert.truthy(not held or specs:find('it("' .. held .. '"', 1, true), held)
      left_out = left_out + (block.attributes["no-run"] and 1 or 0)
    end
    assert.truthy(left_out <= MOST_NOT_RUN, left_out)
  end)
end)

describe("the guide", function()
  local s
  setup(function()
    s = server.start { path = "apps/guide/app.lua" }
  end)
  teardown(server.stop_all)

  it("has every page of its folder in its contents", function()
    local known = {}
    for _, name in ipairs(names_of_pages()) do
      known[name] = true
    end
    local pipe = io.popen "cd apps/guide/pages && find . -name '*.md'"
    for path in pipe:lines() do
      assert.truthy(known[path:match "^%./(.*)%.md$"], path)
    end
    pipe:close()
  end)

  it("serves its pages, and their links lead somewhere", function()
    local ids, links = {}, {}
    local function take(path)
      local answer = http.get(s, path)
      assert.equal(200, answer.status, path)
      ids[path] = {}
      for id in answer.body:gmatch '<[^>]* id="([^"]*)"' do
        assert.is_nil(ids[path][id], ("%s has two ids %s"):format(path, id))
        ids[path][id] = true
      end
      for link in answer.body:gmatch ' href="([^"]*)"' do
        links[#links + 1] = { path, link }
      end
    end
    take "/"
    for _, name in ipairs(names_of_pages()) do
      take("/" .. name)
    end
    for _, link in ipairs(links) do
      local from, to = link[1], link[2]
      local path, id = to:match "^([^#]*)#?(.*)$"
      path = path == "" and from or path
      if path:find "^/static/" then
        assert.equal(200, http.get(s, path).status, to)
      elseif not path:find "^https?:" then
        assert.truthy(ids[path], ("%s: there is no %s"):format(from, to))
        assert.truthy(id == "" or ids[path][id], ("%s: there is no %s"):format(from, to))
      end
    end
  end)

  it("needs nothing from elsewhere, and no script", function()
    for _, name in ipairs(names_of_pages()) do
      local body = http.get(s, "/" .. name).body
      assert.is_nil(body:find("<script", 1, true), name)
      assert.is_nil(body:find ' src="', name)
      assert.is_nil(body:find '<link[^>]* href="[^/]', name)
    end
    assert.is_nil(http.get(s, "/static/guide.css").body:find("url(", 1, true))
  end)

  it("says so where there is no page", function()
    local answer = http.get(s, "/no/<such>")
    assert.equal(404, answer.status)
    assert.truthy(answer.body:find("/no/&lt;such&gt;", 1, true))
  end)
end)

describe("the guide's reference", function()
  local s
  setup(function()
    s = server.start { path = "apps/guide/app.lua" }
  end)
  teardown(server.stop_all)

  --- All pages whose names begin so, as one text without tags and entities.
  local function text_of(prefix)
    local out = {}
    for _, name in ipairs(names_of_pages()) do
      if name:find(prefix, 1, true) == 1 then
        out[#out + 1] = http.get(s, "/" .. name).body
      end
    end
    return (table.concat(out):gsub("<[^>]*>", " "):gsub("&lt;", "<"):gsub("&gt;", ">")
      :gsub("&#34;", '"'):gsub("&amp;", "&"))
  end

  it("has every public name of the API", function()
    local text, names = text_of "reference/", {}
    local list = server.run { argv = { "spec/data/public_names.lua" },
      env = { QLUA_LUA_DIR = "lua" } }
    assert.equal(0, list:exit_code(), list:stderr())
    for owner, name in list:stdout():gmatch "(%S+) (%S+)\n" do
      names[#names + 1] = name
      assert.truthy(text:find("%f[%w_]" .. name .. "%f[^%w_]"), owner .. "." .. name)
    end
    assert.truthy(#names > 300)
  end)

  it("has the settings and commands that the program has", function()
    local text = text_of "reference/settings"
    local help = server.run({ argv = { "run", "--help" } }):stdout()
    for name in help:match "Server settings[^\n]*\n(.*)$":gmatch "  ([%l_]+) [^\n]*\n" do
      assert.truthy(text:find(" " .. name .. " ", 1, true), name)
    end
    for _, key in ipairs(require("qlua.config_keys").list) do
      assert.truthy(text:find(" " .. key.name .. " ", 1, true), key.name)
    end
    text = text_of "reference/commands"
    for name in server.run({ argv = { "--help" } }):stdout():gmatch "\n  qlua (%l+) " do
      assert.truthy(text:find("qlua " .. name, 1, true), name)
    end
  end)

  it("has a line for every filter, test and global, with its parameters", function()
    local source = files.read "src/template/filter.c"
    local at = source:find("tests[] =", 1, true)
    local globals = files.read "src/template/filter_global.c":match "globals%[%] = (.*)$"
    local words = require "template_words"
    for i, part in ipairs { source:sub(1, at), source:sub(at), globals } do
      local known = {}
      for name, parameters in part:gmatch '{"([^"]+)",%s*"([^"]*)",%s*[%w_]+}' do
        parameters = (", " .. parameters):gsub(", [is]:", ", "):gsub("%*%.%.%.", "*"):sub(3)
        known[name] = i == 3 and parameters or parameters:match "^[^,]*,? ?(.*)$"
      end
      for _, word in ipairs(words[i]) do
        assert.equal(known[word[1]], word[2], word[1])
        assert.truthy(#word[3] > 3)
        known[word[1]] = nil
      end
      assert.same({}, known)
    end
  end)
end)

describe("the guide in a browser", function()
  local s, b
  setup(function()
    s = server.start { path = "apps/guide/app.lua" }
    b = browser.start()
  end)
  teardown(function()
    browser.close_all()
    server.stop_all()
  end)

  local function open(name)
    b:open(("http://127.0.0.1:%d/%s"):format(s.port, name))
  end

  for _, width in ipairs { 400, 1400 } do
    it(("has no page wider than %d pixels"):format(width), function()
      b:show_as("light", width, 900)
      for _, name in ipairs(names_of_pages()) do
        open(name)
        assert.equal(width, b:eval "return document.documentElement.scrollWidth", name)
      end
    end)
  end

  it("has its contents beside the text where there is room, else folded above it", function()
    local shown = "return getComputedStyle(document.querySelector('%s')).display"
    open "quickstart"
    b:show_as("light", 1400, 900)
    assert.equal("none", b:eval(shown:format ".menu"))
    assert.not_equal("none", b:eval(shown:format ".side"))
    b:show_as("light", 400, 900)
    assert.equal("none", b:eval(shown:format ".side"))
    b:click ".menu summary"
    b:click ".menu a[href='/tutorial/cart']"
    b:wait_for "return location.pathname == '/tutorial/cart' && document.querySelector('h1')"
    assert.equal("A cart", b:text "h1")
  end)

  it("can be read in the light and in the dark", function()
    -- relative luminance and contrast: WCAG 2.2, 1.4.3
    local contrast = [[
      function light(colour) {
        const part = colour.match(/[\d.]+/g).slice(0, 3).map(c => c / 255)
          .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
      }
      function ground(element) {
        for (let e = element; e; e = e.parentElement) {
          const colour = getComputedStyle(e).backgroundColor;
          if (colour != "rgba(0, 0, 0, 0)") return colour;
        }
      }
      let least = 21, where = "";
      for (const e of document.querySelectorAll("main *, nav *, header *")) {
        if (!e.checkVisibility() || e.matches(".anchor")) continue;
        const a = light(getComputedStyle(e).color), b = light(ground(e));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < least) { least = ratio; where = e.outerHTML.slice(0, 80); }
      }
      return [least, where];
    ]]
    for _, scheme in ipairs { "light", "dark" } do
      b:show_as(scheme, 1400, 900)
      for _, name in ipairs { "tutorial/cart", "differences/quart", "reference/app" } do
        open(name)
        local found = b:eval(contrast)
        assert.truthy(found[1] >= 4.5, ("%s, %s: %g at %s"):format(name, scheme, found[1],
          found[2]))
      end
    end
    local grounds = {}
    for i, scheme in ipairs { "light", "dark" } do
      b:show_as(scheme, 1400, 900)
      grounds[i] = b:eval "return getComputedStyle(document.body).backgroundColor"
    end
    assert.not_equal(grounds[1], grounds[2])
  end)
end)
