--- `qlua render FILE [--data FILE.json|-] [NAME=VALUE ...]`: a template to standard output.
--- Flow: the core calls the function below with the data's file ("" without one), the template's
--- and the values. What the template includes or extends is looked for in its own folder.

local app_environment = require "qlua.app_environment"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local environments = require "qlua.environment"
local loaders = require "qlua.template_loaders"

local function fail(format, ...)
  error({ text = format:format(...) }, 0)
end

local function read(path)
  if path == "-" then
    return io.read "*a"
  end
  local file, message = io.open(path, "rb")
  local text = file and file:read "*a" -- nil: a folder
  if file then
    file:close()
  end
  if not text then
    fail("%s", message or path .. ": not a file")
  end
  return text
end

--- The values of a JSON file.
local function data_of(path)
  local data, message = core.json_decode(read(path))
  local shown = path == "-" and "standard input" or path
  if data == nil then
    fail("%s: %s", shown, message)
  elseif type(data) ~= "table" or core.is_array(data) then
    fail("%s: a JSON object with the template's values is expected", shown)
  end
  return data
end

--- NAME=VALUE into values; VALUE is JSON when it parses as JSON, else text.
local function take(values, word)
  local name, text = word:match "^([^=]+)=(.*)$"
  if not name then
    fail("%q is no value: NAME=VALUE is expected", word)
  end
  local value = core.json_decode(text)
  if value == nil then
    value = text
  end
  values[name] = value
end

---@async
local function run(args)
  local data, file = args[1], args[2]
  local words = { unpack(args, 3) }
  if words[1] == "-" then
    data = table.remove(words, 1)
  end
  local values = data ~= "" and data_of(data) or {}
  for _, word in ipairs(words) do
    take(values, word)
  end
  local folder, name = file:match "^(.-)([^/]*)$"
  if name == "" then
    fail("%s: name a template, not a folder", file)
  end
  read(file) -- what is wrong with the file itself, in the system's words
  local environment = environments.Environment {
    autoescape = app_environment.select_autoescape, keep_trailing_newline = true,
    loader = loaders.FileSystemLoader(folder == "" and "." or folder:gsub("(.)/$", "%1")),
  }
  io.write((environment:get_template(name):render(values))) -- all of it, or an error
end

---@param _ any no app
---@param args string[]
return function(_, args)
  local ok, err = pcall(run, args)
  if not ok then
    io.stderr:write("qlua render: ", type(err) == "table" and err.text
      or coroutines.text_of(err), "\n")
    core.set_exit_code(1)
  end
end
