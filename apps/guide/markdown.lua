--- The pages' text: a small part of Markdown, read into blocks and written as HTML.
--- Flow: pages.lua reads a file by parse() and shows it by html(); the specs take the code blocks
--- from the same parse().
---
--- Known are: # headings, paragraphs, lists (- and 1.), tables, ``` code and code that is indented
--- by four; in a line `code`, **strong**, *emphasis* and [text](address). A code block's first line
--- may have attributes behind the language: ```lua file=app.lua before="return app"
---
--- Comments that stand alone are read, too: `<!-- readme: Heading -->` is the part of README.md
--- under that heading; `<!-- code: ... -->` gives attributes to the code below it, `language` among
--- them; `<!-- project: NAME -->` says to which app of the tests the code below it belongs. Other
--- comments are left out.

local highlight = require "highlight"

local M = {}

local MAX_DEPTH = 8

---@class guide.Block
---@field kind "heading"|"paragraph"|"list"|"table"|"definitions"|"code"|"readme"|"project"
---@field line integer in its file
---@field text? string of heading, paragraph and code; the heading of a readme, a project's name
---@field level? integer of a heading
---@field id? string of a heading
---@field language? string of code; "" without one
---@field attributes? table<string, string> of code
---@field items? guide.Block[][] of a list
---@field ordered? boolean
---@field rows? string[][] of a table, the first is its head; of definitions: what, and the words
---@field title? string of definitions, which no text has: reference.lua makes them

-- ---- reading ----------------------------------------------------------------------------------

--- `lua file=app.lua hidden before="a b"`: the language, and { file = , hidden = "", before = }.
---@param text string
---@return string language
---@return table<string, string>
function M.attributes(text)
  local language, rest = text:match "^%s*([%w_-]*)%s*(.*)$"
  local attributes = {}
  while rest ~= "" do
    local name, mark, quoted, after = rest:match "^([%w_-]+)=([\"'])(.-)%2%s*(.*)$"
    if not mark then
      name, quoted, after = rest:match "^([%w_-]+)=(%S+)%s*(.*)$"
    end
    if not name then
      name, after = rest:match "^(%S+)%s*(.*)$"
    end
    attributes[name], rest = quoted or "", after
  end
  return language, attributes
end

--- A heading's text as the name by which links find it.
---@param text string
---@return string
function M.slug(text)
  return (text:lower():gsub("[`*]", ""):gsub("[^%w]+", "-"):gsub("^%-", ""):gsub("%-$", ""))
end

---@class guide.Reader the lines being read
---@field lines string[]
---@field at integer
---@field first integer the line in the file before the first one here
---@field pending? table<string, string> attributes for the next code

local function line_of(reader)
  return reader.lines[reader.at]
end

local function fenced(reader)
  local mark, info = line_of(reader):match "^(```+)(.*)$"
  if not mark then
    return nil
  end
  local from, lines = reader.at, {}
  reader.at = reader.at + 1
  while line_of(reader) and line_of(reader):match "^(```+)%s*$" ~= mark do
    lines[#lines + 1] = line_of(reader)
    reader.at = reader.at + 1
  end
  if not line_of(reader) then
    error(("line %d: the code that begins here has no end"):format(reader.first + from), 0)
  end
  reader.at = reader.at + 1
  local language, attributes = M.attributes(info)
  for name, value in pairs(reader.pending or {}) do
    attributes[name] = value
  end
  reader.pending = nil
  return { kind = "code", language = language, attributes = attributes, line = reader.first + from,
    text = table.concat(lines, "\n") .. "\n" }
end

local function indented(reader)
  if not line_of(reader):find "^    %S" then
    return nil
  end
  local from, lines = reader.at, {}
  while line_of(reader) and (line_of(reader):find "^    " or line_of(reader) == "") do
    lines[#lines + 1] = line_of(reader):sub(5)
    reader.at = reader.at + 1
  end
  local attributes = reader.pending or {}
  reader.pending = nil
  return { kind = "code", language = attributes.language or "", attributes = attributes,
    line = reader.first + from, text = table.concat(lines, "\n"):gsub("\n+$", "") .. "\n" }
end

local function comment(reader)
  if not line_of(reader):find "^<!%-%-" then
    return nil
  end
  local from, lines = reader.at, {}
  repeat
    lines[#lines + 1] = line_of(reader)
    reader.at = reader.at + 1
  until not line_of(reader) or lines[#lines]:find("-->", 1, true)
  local kind, rest = table.concat(lines, " "):match "^<!%-%-%s*(%l+):%s*(.-)%s*%-%->"
  if kind == "code" then
    reader.pending = select(2, M.attributes("_ " .. rest))
  elseif kind == "readme" or kind == "project" then
    return { kind = kind, text = rest, line = reader.first + from }
  end
  return false
end

local function heading(reader)
  local marks, text = line_of(reader):match "^(#+) +(.*)$"
  if not marks then
    return nil
  end
  reader.at = reader.at + 1
  return { kind = "heading", level = #marks, text = text, id = M.slug(text),
    line = reader.first + reader.at - 1 }
end

--- The cells of a table's line; a bar in `code` or behind a backslash does not part them.
local function cells_of(line)
  local cells, cell, in_code = {}, "", false
  local text = line:gsub("^%s*|", ""):gsub("|%s*$", "")
  local at = 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == "\\" and text:sub(at + 1, at + 1) == "|" then
      cell, at = cell .. "|", at + 1
    elseif c == "|" and not in_code then
      cells[#cells + 1], cell = cell:match "^%s*(.-)%s*$", ""
    else
      in_code = in_code ~= (c == "`")
      cell = cell .. c
    end
    at = at + 1
  end
  cells[#cells + 1] = cell:match "^%s*(.-)%s*$"
  return cells
end

local function table_of(reader)
  if not line_of(reader):find "^|" then
    return nil
  end
  local from, rows = reader.at, {}
  while line_of(reader) and line_of(reader):find "^|" do
    if not line_of(reader):find "^|[%s|:-]+$" or #rows ~= 1 then
      rows[#rows + 1] = cells_of(line_of(reader))
    end
    reader.at = reader.at + 1
  end
  return { kind = "table", rows = rows, line = reader.first + from }
end

local function marker_of(line)
  local mark = line and (line:match "^(%- +)%S" or line:match "^(%d+%. +)%S")
  return mark
end

--- A list: what follows an item's marker, indented, is the item's own blocks.
local function list(reader, depth)
  local mark = marker_of(line_of(reader))
  if not mark then
    return nil
  end
  local block = { kind = "list", ordered = mark:find "^%d" ~= nil, items = {},
    line = reader.first + reader.at }
  while mark do
    local lines, from = { line_of(reader):sub(#mark + 1) }, reader.at
    reader.at = reader.at + 1
    while line_of(reader) do
      local line, below = line_of(reader), reader.lines[reader.at + 1]
      if line == "" and not (below and below:find "^  ") then
        break
      elseif line ~= "" and not line:find "^  " then
        break
      end
      lines[#lines + 1] = line:gsub("^" .. (" "):rep(math.min(#mark, #line:match "^ *")), "")
      reader.at = reader.at + 1
    end
    block.items[#block.items + 1] = M.parse(lines, reader.first + from - 1, depth + 1)
    if line_of(reader) == "" and marker_of(reader.lines[reader.at + 1]) then
      reader.at = reader.at + 1
    end
    mark = marker_of(line_of(reader))
  end
  return block
end

local function begins_other(line)
  return line == "" or line:find "^```" or line:find "^#+ " or line:find "^|" or marker_of(line)
    or line:find "^<!%-%-"
end

local function paragraph(reader)
  local from, lines = reader.at, {}
  repeat
    lines[#lines + 1] = line_of(reader)
    reader.at = reader.at + 1
  until not line_of(reader) or begins_other(line_of(reader))
  return { kind = "paragraph", text = table.concat(lines, "\n"), line = reader.first + from }
end

local function block_of(reader, depth)
  for _, read in ipairs { fenced, indented, heading, table_of, list } do
    local block = read(reader, depth)
    if block then
      return block
    end
  end
  local said = comment(reader)
  if said ~= nil then
    return said
  end
  return paragraph(reader)
end

local function split(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- A text's blocks.
---@param text string|string[] or its lines
---@param first? integer the number of the line before the first (0)
---@param depth? integer of lists around it
---@return guide.Block[]
function M.parse(text, first, depth)
  depth = depth or 0
  if depth > MAX_DEPTH then
    error(("line %d: lists deeper than %d"):format(first or 0, MAX_DEPTH), 0)
  end
  local reader = { lines = type(text) == "table" and text or split(text), at = 1,
    first = first or 0 }
  local blocks = {}
  while reader.at <= #reader.lines do
    if line_of(reader) == "" then
      reader.at = reader.at + 1
    else
      blocks[#blocks + 1] = block_of(reader, depth) or nil
    end
  end
  return blocks
end

-- ---- writing ----------------------------------------------------------------------------------

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&#34;" }

---@param text string
---@return string
function M.escape(text)
  return (text:gsub('[&<>"]', ENTITIES))
end

--- Text between pieces of code: links, strong, emphasis.
local function plain(text)
  text = M.escape(text)
  text = text:gsub("%[([^%]]+)%]%(([^%s)]+)%)", '<a href="%2">%1</a>')
  text = text:gsub("%*%*([^*]+)%*%*", "<strong>%1</strong>")
  return (text:gsub("%f[%w*]%*([^%s*][^*]*)%*%f[^%w*]", "<em>%1</em>"))
end

--- A line's text as HTML.
---@param text string
---@return string
function M.inline(text)
  local codes = {}
  -- a piece of code is put aside, so that a link may have one as its text
  local marked = text:gsub("(`+)(.-)%1", function(_, code)
    codes[#codes + 1] = "<code>" .. M.escape(code) .. "</code>"
    return "\1" .. #codes .. "\2"
  end)
  return (plain(marked):gsub("\1(%d+)\2", function(number)
    return codes[tonumber(number)]
  end))
end

--- What a code block's attributes say of it, for the reader.
local function caption_of(attributes)
  local file = attributes.file or attributes.add or attributes.change
  if not file then
    return nil
  end
  local text = "<code>" .. M.escape(file) .. "</code>"
  for _, where in ipairs { "before", "after" } do
    if attributes[where] then
      text = ("%s, %s <code>%s</code>"):format(text, where, M.escape(attributes[where]))
    end
  end
  if attributes.add and not attributes.before and not attributes.after then
    text = text .. ", at the end"
  elseif attributes.change then
    text = ("%s, in place of <code>%s</code>"):format(text, M.escape(attributes.from))
  end
  return text
end

local writers = {}

function writers.heading(block)
  return ('<h%d id="%s">%s <a class="anchor" href="#%s" aria-label="link to this">#</a></h%d>')
    :format(block.level, block.id, M.inline(block.text), block.id, block.level)
end

function writers.paragraph(block)
  return "<p>" .. M.inline(block.text) .. "</p>"
end

function writers.code(block)
  local attributes = block.attributes
  if attributes.hidden then
    return ""
  end
  local caption, note = caption_of(attributes), attributes["no-run"]
  return table.concat {
    '<figure class="code">', caption and "<figcaption>" .. caption .. "</figcaption>" or "",
    '<pre tabindex="0"><code>', highlight.html(block.text, block.language), "</code></pre>",
    note and '<p class="note">Not run by the tests: ' .. M.inline(note) .. "</p>" or "",
    "</figure>",
  }
end

function writers.list(block, options)
  local out, tag = {}, block.ordered and "ol" or "ul"
  for i, item in ipairs(block.items) do
    local only = #item == 1 and item[1].kind == "paragraph"
    local text = item[1] and item[1].kind == "paragraph" and M.inline(item[1].text)
    local rest = only and "" or M.html({ unpack(item, text and 2 or 1) }, options)
    out[i] = ("<li>%s%s</li>"):format(text or "", rest)
  end
  return ("<%s>%s</%s>"):format(tag, table.concat(out), tag)
end

writers["table"] = function(block)
  local out = { '<div class="wide" tabindex="0"><table>' }
  for i, row in ipairs(block.rows) do
    local cell = i == 1 and "th" or "td"
    local filled = table.concat(row) ~= ""
    if filled then
      out[#out + 1] = "<tr>"
      for _, text in ipairs(row) do
        out[#out + 1] = ("<%s>%s</%s>"):format(cell, M.inline(text), cell)
      end
      out[#out + 1] = "</tr>"
    end
  end
  out[#out + 1] = "</table></div>"
  return table.concat(out)
end

function writers.definitions(block)
  local out = { block.title and ('<p class="what">%s</p>'):format(M.inline(block.title)) or "",
    "<dl>" }
  for _, row in ipairs(block.rows) do
    out[#out + 1] = ("<dt>%s</dt><dd>%s</dd>"):format(M.inline(row[1]), M.inline(row[2]))
  end
  return table.concat(out) .. "</dl>"
end

function writers.project()
  return ""
end

function writers.readme(block, options)
  return M.html(options.readme(block.text), options)
end

--- Blocks as HTML.
---@param blocks guide.Block[]
---@param options? { readme: fun(heading: string): guide.Block[] }
---@return string
function M.html(blocks, options)
  local out = {}
  for i, block in ipairs(blocks) do
    out[i] = writers[block.kind](block, options)
  end
  return table.concat(out, "\n")
end

return M
