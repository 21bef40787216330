--- What the program says of itself, for the reference: its settings and commands as `--help` shows
--- them, which is made of the tables it works with, and the keys of app.config.

local config_keys = require "qlua.config_keys"
local core = require "qlua.core"

local M = {}

--- What a shell command prints. The words are the program's own.
local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local program = "'" .. assert(core.program()):gsub("'", "'\\''") .. "'"

--- `  name   text`: both.
local function columns(line, width)
  local name, text = line:match "^  (%S.-)   *(%S.*)$"
  if not name or #name > width then
    name, text = line:match "^  (%S+ %S+) (.*)$"
  end
  return name, text
end

---@return guide.Block
function M.settings()
  local rows = {}
  local list = output_of(program .. " run --help"):match "Server settings[^\n]*\n(.*)$"
  for line in list:gmatch "[^\n]+" do
    local name, text, default = line:match "^  (%S+) +(.*) %[(.-)%]$"
    rows[#rows + 1] = { ("`%s` *`%s`*"):format(name, default), text }
  end
  return { kind = "definitions", title = "setting, default", rows = rows }
end

---@return guide.Block
function M.keys()
  local rows = {}
  for i, key in ipairs(config_keys.list) do
    local default = key.default
    local shown = default == nil and "unset" or type(default) == "string" and '"' .. default .. '"'
      or type(default) == "number" and ("%.14g"):format(default) or tostring(default)
    rows[i] = { ("`%s` *`%s`*"):format(key.name, shown), key.effect }
  end
  return { kind = "definitions", title = "key, default", rows = rows }
end

local function options_of(help)
  local rows = { { "option", "" } }
  for line in help:match "^[^\n]*\n(.-)\nServer settings":gmatch "[^\n]+" do
    local name, text = columns(line, 40)
    if name then
      rows[#rows + 1] = { "`" .. name .. "`", text }
    end
  end
  return { kind = "table", rows = rows }
end

---@class guide.Command
---@field name string
---@field arguments string
---@field help string
---@field options guide.Block

---@return guide.Command[]
function M.commands()
  local list, asked = {}, {}
  for line in output_of(program .. " --help"):gmatch "[^\n]+" do
    local name, rest = line:match "^  qlua (%l+) +(%S.*)$"
    if name then
      local arguments, help = rest:match "^(%S.-)   *(%S.*)$"
      list[#list + 1] = { name = name, arguments = arguments or "", help = help or rest }
      asked[#asked + 1] = ("%s %s --help; echo '\1'"):format(program, name)
    end
  end
  local i = 0
  for help in output_of(table.concat(asked, "\n")):gmatch "(.-)\1\n" do
    i = i + 1
    list[i].options = options_of(help .. "\nServer settings")
  end
  return list
end

return M
