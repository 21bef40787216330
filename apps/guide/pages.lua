--- The guide's pages: read once, when the app loads, and kept as HTML.
--- Flow: app.lua asks find() for the page of a URL. Markdown pages come from pages/, those of the
--- reference from reference.lua; README.md is asked for what it says already.

local contents = require "contents"
local markdown = require "markdown"

local M = {}

---@class guide.Page
---@field name string "tutorial/cart": its URL without the first "/"
---@field title string
---@field html string
---@field headings { text: string, id: string }[] of level 2
---@field section string the title of the part of the contents it is in
---@field previous? guide.Page
---@field next? guide.Page

---@param path string
---@return string
local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

--- The blocks of README.md between a heading and the next one of its level, without the heading.
---@param blocks guide.Block[] of README.md
---@param heading string
---@return guide.Block[]
local function part_of(blocks, heading)
  local part, level = {}, nil
  for _, block in ipairs(blocks) do
    local is_heading = block.kind == "heading"
    if level and is_heading and block.level <= level then
      break
    elseif level then
      part[#part + 1] = block
    elseif is_heading and block.text == heading then
      level = block.level
    end
  end
  return assert(level and part, "README.md has no heading " .. heading)
end

local function read_page(root, name)
  local ok, blocks = pcall(markdown.parse, read(("%s/pages/%s.md"):format(root, name)))
  return ok and blocks or error(("pages/%s.md: %s"):format(name, blocks), 0)
end

--- A page from its blocks.
---@param name string
---@param blocks guide.Block[]
---@param readme guide.Block[]
---@return guide.Page
local function page_of(name, blocks, readme)
  local title, headings, body = nil, {}, {}
  for _, block in ipairs(blocks) do
    local level = block.kind == "heading" and block.level
    if level == 1 and not title then
      title = block.text
    else
      body[#body + 1] = block
    end
    if level == 2 then
      headings[#headings + 1] = { text = block.text:gsub("`", ""), id = block.id }
    end
  end
  local html = markdown.html(body, {
    readme = function(heading) return part_of(readme, heading) end,
  })
  return { name = name, html = html, headings = headings,
    title = assert(title, "pages/" .. name .. ".md: a page begins with a line `# Title`") }
end

---@class guide.Pages
---@field list guide.Page[] in the order of reading
---@field by_name table<string, guide.Page>
---@field sections { title: string, pages: guide.Page[] }[]

--- Read everything.
---@param root string the app's folder
---@param generated table<string, fun(): guide.Block[]> the pages that are made, by name
---@return guide.Pages
function M.load(root, generated)
  local pages = { list = {}, by_name = {}, sections = {} }
  local readme = markdown.parse(read(root .. "/../../README.md"))
  for i, section in ipairs(contents) do
    pages.sections[i] = { title = section.title, pages = {} }
    for j, name in ipairs(section.pages) do
      local make = generated[name]
      local page = page_of(name, make and make() or read_page(root, name), readme)
      local last = pages.list[#pages.list]
      page.section, page.previous = section.title, last
      if last then
        last.next = page
      end
      pages.list[#pages.list + 1], pages.by_name[name] = page, page
      pages.sections[i].pages[j] = page
    end
  end
  return pages
end

return M
