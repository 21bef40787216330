--- Annotations (LuaCATS) of Lua sources, read into tables: what the types for editors, the
--- reference pages and the check of both are made of.
--- Flow: parse() goes through a text line by line; a block of `---` lines belongs to the statement
--- right below it. Types are kept as they are written.

local M = {}

---@class qlua.Annotated what one block of annotations says
---@field kind "file"|"function"|"class"|"alias"|"value"
---@field name string as it is written: `M.redirect`, `Client:open`; of a class its type's name; of
---  a file, whose first lines are meant, the file's
---@field class? string the class that the variable before `.` or `:` stands for
---@field arguments? string of a function, as written: "path, options"
---@field text string the description, lines joined, paragraphs by an empty line; "" without one
---@field params qlua.AnnotatedPart[]
---@field returns qlua.AnnotatedPart[]
---@field raises string[] the sentences that say what is raised
---@field fields qlua.AnnotatedPart[] of a class
---@field parents string[] of a class
---@field type? string of an alias, or of a value
---@field overloads string[]
---@field generics string[]
---@field visibility "public"|"private"|"package"|"protected"
---@field is_async boolean it may wait
---@field source string[] the block as it stands
---@field file string
---@field line integer of the statement, or of the block's end where there is none

---@class qlua.AnnotatedPart a parameter, a result or a field
---@field name? string
---@field type string
---@field text string
---@field optional boolean
---@field visibility string

-- ---- types ------------------------------------------------------------------------------------

local OPENS, CLOSES = { ["("] = true, ["{"] = true, ["<"] = true, ["["] = true },
  { [")"] = true, ["}"] = true, [">"] = true, ["]"] = true }

--- How deep the brackets are at the end of a text; quotes count as one piece.
local function depth_of(text)
  local depth = 0
  for c in text:gsub('"[^"]*"', ""):gsub("%->", ""):gmatch "." do
    depth = depth + (OPENS[c] and 1 or CLOSES[c] and -1 or 0)
  end
  return depth
end

--- A text that begins with a type: the type, and what follows it. A type ends at a blank outside
--- of brackets, unless a bar or the colon of a function's result says that it goes on.
---@param text string
---@return string type
---@return string rest
function M.split_type(text)
  local at, depth = 1, 0
  while at <= #text do
    local c = text:sub(at, at)
    if c == '"' then
      at = text:find('"', at + 1, true) or #text
    elseif OPENS[c] then
      depth = depth + 1
    elseif CLOSES[c] then
      depth = depth - 1
    elseif c == " " and depth == 0 then
      local before, next_char = text:sub(at - 1, at - 1), text:match("^%s*(.)", at) or ""
      local goes_on = before == "|" or next_char == "|" or before == "," or before == ":"
        or text:sub(1, at - 1) == "async"
      if not goes_on then
        break
      end
    end
    at = at + 1
  end
  return (text:sub(1, at - 1):gsub("%s+$", "")), (text:sub(at):gsub("^%s+", ""))
end

-- ---- tags -------------------------------------------------------------------------------------

local tags = {}

local function part(name, text, visibility)
  local kind, rest = M.split_type(text)
  local optional = name ~= nil and name:sub(-1) == "?"
  return {
    name = optional and name:sub(1, -2) or name, type = kind, text = rest,
    optional = optional or kind:sub(-1) == "?", visibility = visibility or "public",
  }
end

function tags.param(entry, text)
  local name, rest = text:match "^(%S+)%s*(.*)$"
  entry.params[#entry.params + 1] = part(name, rest)
end

--- A result: its type, then a name when one word follows, else what it is. Several with names may
--- stand on one line, parted by commas.
tags["return"] = function(entry, text)
  repeat
    local kind, rest = M.split_type(text)
    local name, comma, after = rest:match "^([%a_][%w_]*)(,?)%s*(.*)$"
    local is_name = name and (comma == "," or after == "")
    entry.returns[#entry.returns + 1] = {
      name = is_name and name or nil, type = kind, text = is_name and "" or rest,
      optional = kind:sub(-1) == "?", visibility = "public",
    }
    text = comma == "," and after or nil
  until not text
end

function tags.field(entry, text)
  local visibility, rest = text:match "^(%l+)%s+(%S.*)$"
  if visibility == "private" or visibility == "package" or visibility == "protected" then
    text = rest
  else
    visibility = nil
  end
  local name, after = text:match "^(%b[])%s*(.*)$"
  if not name then
    name, after = text:match "^(%S+)%s*(.*)$"
  end
  entry.fields[#entry.fields + 1] = part(name, after, visibility)
end

tags["class"] = function(entry, text)
  local name, rest = text:match "^([%w_.]+)%s*(.*)$"
  entry.kind, entry.name = "class", name
  local parents = rest:match "^:%s*(.*)$"
  while parents do
    local parent, comma, after = parents:match "^([%w_.]+)(,?)%s*(.*)$"
    entry.parents[#entry.parents + 1] = parent
    parents, rest = comma == "," and after or nil, after or ""
  end
  if rest ~= "" then
    entry.lines[#entry.lines + 1] = rest
  end
end

function tags.alias(entry, text)
  local name, rest = text:match "^(%S+)%s*(.*)$"
  entry.kind, entry.name = "alias", name
  local kind, after = M.split_type(rest)
  entry.type = kind
  if after ~= "" then
    entry.lines[#entry.lines + 1] = after
  end
end

function tags.type(entry, text)
  entry.type = M.split_type(text)
end

function tags.overload(entry, text)
  entry.overloads[#entry.overloads + 1] = text
end

function tags.generic(entry, text)
  entry.generics[#entry.generics + 1] = text
end

function tags.async(entry)
  entry.is_async = true
end

for _, name in ipairs { "private", "package", "protected" } do
  tags[name] = function(entry)
    entry.visibility = name
  end
end

-- ---- blocks -----------------------------------------------------------------------------------

--- A block's lines, each tag with the lines that go on with it: those within its brackets, and
--- those that are indented.
local function joined(block)
  local out = {}
  for _, line in ipairs(block) do
    local last, text = out[#out], line:sub(4)
    local is_tag = last and last:find "^@"
    if is_tag and not text:find "^@" and (depth_of(last) > 0 or text:find "^%s%s+%S") then
      out[#out] = last .. " " .. text:gsub("^%s+", "")
    else
      out[#out + 1] = text:gsub("^%s", "", text:find "^%s@" and 0 or 1)
    end
  end
  return out
end

--- Paragraphs of the lines; what is indented, or a list's item, begins a line of its own.
local function text_of(lines)
  local out, break_before = "", false
  for _, line in ipairs(lines) do
    if line == "" then
      break_before = true
    else
      local stands_alone = line:find "^%s" or line:find "^%- "
      local join = out == "" and "" or break_before and "\n\n" or stands_alone and "\n" or " "
      out, break_before = out .. join .. line, false
    end
  end
  return out
end

--- The sentences that say what is raised.
local function raises_of(text)
  local list = {}
  for line in (text:gsub("\n%s*\n", "\0"):gsub("\n", " ") .. "\0"):gmatch "([^%z]*)%z" do
    for sentence in (line .. " "):gmatch "(.-[.:])%s+" do
      if sentence:find "%f[%a][Rr]aise[sd]?%f[%A]" then
        list[#list + 1] = sentence
      end
    end
  end
  return list
end

--- What a block says, before it is known what it stands above.
local function read_block(block)
  local entry = {
    kind = "value", text = "", params = {}, returns = {}, raises = {}, fields = {}, parents = {},
    overloads = {}, generics = {}, visibility = "public", is_async = false, lines = {},
    source = block,
  }
  for _, line in ipairs(joined(block)) do
    local tag, rest = line:match "^@(%l+)%s*(.*)$"
    if not tag then
      entry.lines[#entry.lines + 1] = line
    elseif tags[tag] then
      tags[tag](entry, rest)
    end
  end
  entry.text = text_of(entry.lines)
  entry.raises = raises_of(entry.text .. " ")
  entry.lines = nil
  return entry
end

-- ---- statements -------------------------------------------------------------------------------

--- The name and arguments of the function that a line begins, or nil.
local function function_of(line)
  local name, arguments = line:match "^%s*function%s+([%w_.:]+)%s*(%b())"
  if not name then
    name, arguments = line:match "^%s*local%s+function%s+([%w_]+)%s*(%b())"
  end
  if not name then
    name, arguments = line:match "^%s*l?o?c?a?l?%s*([%w_.:]+)%s*=%s*function%s*(%b())"
  end
  return name, arguments and arguments:sub(2, -2)
end

--- The variable that a line sets, or nil.
local function variable_of(line)
  return line:match "^%s*local%s+([%w_]+)%s*=" or line:match "^%s*local%s+([%w_]+)%s*$"
    or line:match "^%s*([%a_][%w_.]*)%s*="
end

--- Join the block to the statement below it. A class names the variable that it stands above.
local function attach(entry, line, classes)
  local name, arguments = function_of(line)
  local variable = variable_of(line)
  if entry.kind == "class" and variable then
    classes[variable] = entry.name
  elseif name and entry.kind == "value" then
    entry.kind, entry.name, entry.arguments = "function", name, arguments
  elseif entry.kind == "value" then
    entry.name = variable
  end
  local base = entry.kind ~= "class" and entry.name and entry.name:match "^(.*)[.:][^.:]+$"
  entry.class = base and classes[base]
  return entry.name ~= nil
end

--- All that the annotations of a source say, in the order of the source. Functions without any are
--- not told of.
---@param text string the source
---@param file string its name
---@return qlua.Annotated[]
function M.parse(text, file)
  local entries, block, classes, number = {}, {}, {}, 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local comment = line:match "^%s*(%-%-%-.*)$"
    if comment and not comment:find "^%-%-%-%-" then
      block[#block + 1] = comment
    elseif #block > 0 then
      local entry = read_block(block)
      entry.file, entry.line = file, number
      if attach(entry, line, classes) then
        entries[#entries + 1] = entry
      elseif number == #block + 1 then
        entry.kind, entry.name = "file", file
        entries[#entries + 1] = entry
      end
      block = {}
    end
  end
  return entries
end

return M
