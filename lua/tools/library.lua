--- The types of the public API for editors (lua-language-server), made of the annotations in
--- lua/qlua: prints one file that says what `require "qlua"` gives. Run by make.
---
--- What is public is asked of a running qlua (surface.lua); of the other types those are added that
--- are named on the way.

local surface = require "qlua.cli.surface"

package.path = "lua/tools/?.lua;" .. package.path
local index = require("sources").index()

local function is_public(part)
  return part.visibility == "public" and not (part.name or ""):find "^_"
end

--- A block of annotations without what is qlua's own.
local function public_lines(entry)
  local lines, skips = {}, false
  for _, line in ipairs(entry.source) do
    local field = line:match "^%-%-%-@field%s+(%S+)"
    if field then
      skips = field == "private" or field == "package" or field == "protected"
    elseif line:find "^%-%-%-@" then
      skips = false
    end
    if not skips then
      lines[#lines + 1] = line
    end
  end
  return lines
end

-- ---- functions --------------------------------------------------------------------------------

local function function_text(entry, holder, separator, name)
  local lines = public_lines(entry)
  lines[#lines + 1] = ("function %s%s%s(%s) end"):format(holder, separator, name,
    entry.arguments or "...")
  return table.concat(lines, "\n")
end

--- The functions that belong to a class, by name.
local function methods_of(class_name)
  local list = {}
  for name, member in pairs(index.classes[class_name].members) do
    if member.kind == "function" and is_public { visibility = member.visibility, name = name } then
      list[#list + 1] = { name = name, entry = member, separator = member.name:match "[.:]" }
    end
  end
  return list
end

--- Add the methods of an owner that are functions said elsewhere.
local function add_borrowed(list, owner)
  for name, value in pairs(surface.names(owner)) do
    local said = type(value) == "function" and not surface.member(index, owner.name, name)
      and surface.said(index, owner, name, value)
    if said and said.kind == "function" and said.visibility == "public" then
      list[#list + 1] = { name = name, entry = said, separator = "." }
    end
  end
  return list
end

--- A module's classes that no field of it tells of, as fields.
local function class_fields(owner)
  local lines = {}
  for name, value in pairs(surface.names(owner)) do
    local said = type(value) == "table" and surface.said(index, owner, name, value)
    if said and (said.kind == "class" or said.kind == "value") and is_public(said) then
      lines[#lines + 1] = ("---@field %s %s %s"):format(name,
        said.kind == "class" and said.name or said.type or "qlua.Class",
        (said.text:gsub("\n+", " ")))
    end
  end
  table.sort(lines)
  return table.concat(lines, "\n") .. (lines[1] and "\n" or "")
end

--- The functions of a module's table: what is said where each begins.
local function functions_of(owner)
  local list = {}
  for name, value in pairs(surface.names(owner)) do
    local said = type(value) == "function" and surface.said(index, owner, name, value)
    if said and said.kind == "function" and said.visibility == "public" then
      list[#list + 1] = { name = name, entry = said, separator = "." }
    end
  end
  return list
end

-- ---- classes ----------------------------------------------------------------------------------

local owners = {}
for _, owner in ipairs(surface.owners()) do
  owners[owner.name] = owner
end

--- All blocks of a class as one: some are said in several files.
local function head_of(class_name)
  local lines
  for _, entry in ipairs(index.entries) do
    if entry.kind == "class" and entry.name == class_name then
      if not lines then
        lines = public_lines(entry)
      else
        for _, line in ipairs(public_lines(entry)) do
          lines[#lines + 1] = line:find "^%-%-%-@field" and line or nil
        end
      end
    end
  end
  return lines or { "---@class " .. class_name }
end

local function class_text(class_name)
  local owner = owners[class_name]
  local list = owner and owner.is_module and functions_of(owner)
    or owner and add_borrowed(methods_of(class_name), owner) or methods_of(class_name)
  table.sort(list, function(a, b)
    return a.name < b.name
  end)
  local holder = class_name:match "[^.]*$"
  local head = table.concat(head_of(class_name), "\n") .. "\n"
  if owner and owner.is_module then
    head = head .. class_fields(owner)
  end
  local parts = { head .. "local " .. holder .. " = {}" }
  for _, one in ipairs(list) do
    parts[#parts + 1] = function_text(one.entry, holder, one.separator, one.name)
  end
  return "do\n" .. table.concat(parts, "\n\n") .. "\nend"
end

-- ---- all of it --------------------------------------------------------------------------------

local texts, done = {}, {}

local function is_own(name)
  return not name:find "^qlua%.core%f[^%w]"
end

local aliases = {}
for _, entry in ipairs(index.entries) do
  if entry.kind == "alias" then
    aliases[entry.name] = entry
  end
end

--- Add a type, and those that its text names.
local function add(name)
  if done[name] or not is_own(name) or not (index.classes[name] or aliases[name]) then
    return
  end
  done[name] = true
  local text = aliases[name] and table.concat(aliases[name].source, "\n") or class_text(name)
  if name ~= "qlua" then
    texts[#texts + 1] = text
  end
  for other in text:gmatch "qlua%.[%w_.]*[%w_]" do
    add(other)
  end
  return text
end

local root = add "qlua"
local names = {}
for name in pairs(owners) do
  names[#names + 1] = name
end
table.sort(names)
for _, name in ipairs(names) do
  add(name)
end

print "---@meta qlua"
print "--- The types of qlua's API, for editors. Made of the annotations in lua/qlua."
print "-- luacheck: ignore\n"
print(table.concat(texts, "\n\n"))
print("\n" .. root:gsub("^do\n", ""):gsub("\nend$", "") .. "\n\nreturn qlua")
