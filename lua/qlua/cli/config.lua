--- `qlua config app.lua`: every setting and key, its value and where it came from.
--- Flow: the core loads the app and calls the function below with the server's settings (JSON of
--- src/server/config_describe.c). What looks like a secret is masked.

local config_store = require "qlua.config_store"
local json = require "qlua.json"
local secrets = require "qlua.secrets"

local MAX_DEPTH = 20

-- ---- values -----------------------------------------------------------------------------------

local function described(value)
  if type(value) == "function" then
    local info = debug.getinfo(value, "S")
    return ("<function %s:%d>"):format(info.short_src, info.linedefined)
  end
  return "<" .. tostring(value) .. ">"
end

local shown

--- A table as one that has a JSON form.
local function shown_table(value, depth)
  if depth > MAX_DEPTH then
    return "<...>"
  end
  local count, copy = 0, {}
  for key in pairs(value) do
    count = count + 1
    if type(key) ~= "number" then
      count = math.huge
    end
  end
  if json.is_array(value) or (count == #value and count > 0) then
    for i = 1, #value do
      copy[i] = shown("", value[i], depth + 1)
    end
    return json.array(copy)
  end
  for key, item in pairs(value) do
    copy[tostring(key)] = shown(key, item, depth + 1)
  end
  return copy
end

--- A value as one that has a JSON form, secrets masked.
function shown(name, value, depth)
  local kind = type(value)
  if value == nil or value == json.null then
    return json.null
  elseif kind == "boolean" then
    return value
  elseif kind == "function" or kind == "userdata" or kind == "thread" or kind == "cdata" then
    return described(value)
  elseif secrets.is_secret(name) and value ~= "" then
    return secrets.MASK
  elseif kind == "string" then
    return secrets.masked_text(value)
  elseif kind == "number" then
    return (value ~= value or value == math.huge or value == -math.huge) and described(value)
      or value
  end
  return shown_table(value, depth)
end

-- ---- rows -------------------------------------------------------------------------------------

---@class qlua.ConfigRow
---@field name string
---@field value any has a JSON form
---@field text? string what stands for a null
---@field from string
---@field where? string

local function server_rows(settings)
  local rows = {}
  for i, setting in ipairs(settings) do
    rows[i] = {
      name = setting.name, from = setting.from, where = setting.where,
      -- these name files, secret as their content may be
      value = setting.name ~= "key" and shown(setting.name, setting.value, 1) or setting.value,
      text = setting.value == json.null and setting.shown or nil,
    }
  end
  return rows
end

--- Where the value of a key came from; DEBUG and ENV follow the server's setting.
local function origin_of(config, key, debug_setting, dotenv)
  local origin = config_store.origin(config, key)
  if origin.from == "default" and (key == "DEBUG" or key == "ENV") then
    return debug_setting
  elseif origin.from == "environment" and dotenv[origin.where] then
    return { from = ".env", where = origin.where }
  end
  return origin
end

local function app_rows(config, debug_setting, dotenv)
  local rows, names = {}, config:keys()
  for _, key in ipairs(require("qlua.config_keys").list) do
    if not config:contains(key.name) then
      names[#names + 1] = key.name
    end
  end
  table.sort(names)
  for i, key in ipairs(names) do
    local origin = origin_of(config, key, debug_setting, dotenv)
    rows[i] = {
      name = key, value = shown(key, config:get(key), 1), from = origin.from, where = origin.where,
    }
  end
  return rows
end

-- ---- output -----------------------------------------------------------------------------------

local TITLES = { name = "Name", value = "Value", from = "From" }
local VALUE_WIDTH = 40 -- longer ones push what follows to the right

local function print_line(row, widths)
  local format = ("%%-%ds  %%-%ds  %%s"):format(widths.name, widths.value)
  print((format:format(row.name, row.value, row.from):gsub("%s+$", "")))
end

local function print_rows(title, rows)
  local lines, widths = { TITLES }, { name = 0, value = 0, from = 0 }
  for i, row in ipairs(rows) do
    local value = row.text or (row.value == json.null and "none") or json.dumps(row.value)
    lines[i + 1] = {
      name = row.name, value = value,
      from = row.where and row.from .. " " .. row.where or row.from,
    }
  end
  for _, line in ipairs(lines) do
    for column in pairs(widths) do
      widths[column] = math.max(widths[column], #line[column])
    end
  end
  widths.value = math.min(widths.value, VALUE_WIDTH)
  print(title)
  for i, line in ipairs(lines) do
    print_line(line, widths)
    if i == 1 then
      print_line({
        name = ("-"):rep(widths.name), value = ("-"):rep(widths.value), from = "----",
      }, widths)
    end
  end
end

local function as_object(rows)
  local out = {}
  for _, row in ipairs(rows) do
    out[row.name] = { value = row.value, from = row.from, where = row.where }
  end
  return out
end

---@param app qlua.App
---@param args string[] the server's settings as JSON, then "--json" or nothing
return function(app, args)
  local server = json.loads(args[1])
  local dotenv, debug_setting = {}, nil
  for _, name in ipairs(server.dotenv) do
    dotenv[name] = true
  end
  for _, setting in ipairs(server.settings) do
    if setting.name == "debug" then
      debug_setting = setting
    end
  end
  local settings = server_rows(server.settings)
  local keys = app_rows(app.config, debug_setting, dotenv)
  if args[2] == "--json" then
    print(json.dumps { server = as_object(settings), app = as_object(keys) })
    return
  end
  print_rows("Server settings", settings)
  print()
  print_rows("App keys", keys)
end
