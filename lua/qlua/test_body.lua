--- Bodies of the test client's requests: forms, files, JSON.
--- Flow: test_request.lua puts them behind a head.

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

-- ---- texts ------------------------------------------------------------------------------------

local function quoted(text)
  return (text:gsub("[^%w%-%._~ ]", function(c)
    return ("%%%02X"):format(c:byte())
  end):gsub(" ", "+"))
end

--- The pairs of a table whose values may be lists, sorted by name: { name, text }...
local function pairs_of(where, what, values)
  local names, out = {}, {}
  for name in pairs(values) do
    if type(name) ~= "string" then
      check.fail("%s: %s is a table by name, got the key %s", where, what, tostring(name))
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = values[name]
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      local kind = type(one)
      if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
        check.fail("%s: %s.%s must be a string, a number or a list of them, got %s", where, what,
          name, check.describe(one))
      end
      out[#out + 1] = { name, tostring(one) }
    end
  end
  return out
end

--- A table as a query or a form: "a=1&b=2", sorted by name.
---@param where string for messages
---@param what string the option it came by
---@param values table<string, any>
---@return string
function M.urlencoded(where, what, values)
  local parts = {}
  for i, pair in ipairs(pairs_of(where, what, values)) do
    parts[i] = quoted(pair[1]) .. "=" .. quoted(pair[2])
  end
  return table.concat(parts, "&")
end

-- ---- forms and files ---------------------------------------------------------------------------

local function in_quotes(text)
  return '"' .. text:gsub('["\r\n]', { ['"'] = "%22", ["\r"] = "%0D", ["\n"] = "%0A" }) .. '"'
end

local FILE = { data = "string", filename = "string", content_type = "string" }

local function add_file(where, parts, name, file)
  if type(file) == "string" then
    file = { data = file }
  end
  check.type(where, ("files.%s"):format(name), file, "table")
  check.options(("%s: files.%s"):format(where, name), file, FILE)
  if not file.data then
    check.fail("%s: files.%s has no data", where, name)
  end
  local filename = file.filename or name
  parts[#parts + 1] = ("Content-Disposition: form-data; name=%s; filename=%s\r\n"
    .. "Content-Type: %s\r\n\r\n%s"):format(in_quotes(name), in_quotes(filename),
    file.content_type or core.mime_type(filename) or "application/octet-stream", file.data)
end

local function multipart(where, form, files)
  local parts, names = {}, {}
  for _, pair in ipairs(pairs_of(where, "form", form or {})) do
    parts[#parts + 1] = ("Content-Disposition: form-data; name=%s\r\n\r\n%s"):format(
      in_quotes(pair[1]), pair[2])
  end
  for name in pairs(files) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local given = files[name]
    local is_list = type(given) == "table" and given[1] ~= nil
    for _, file in ipairs(is_list and given or { given }) do
      add_file(where, parts, name, file)
    end
  end
  local all, boundary = table.concat(parts, "\n"), "----qluaBoundary"
  while all:find(boundary, 1, true) do
    boundary = boundary .. "x"
  end
  local lines = {}
  for _, part in ipairs(parts) do
    lines[#lines + 1] = "--" .. boundary .. "\r\n" .. part .. "\r\n"
  end
  lines[#lines + 1] = "--" .. boundary .. "--\r\n"
  return table.concat(lines), "multipart/form-data; boundary=" .. boundary
end

--- The body and its content type; nil when there is none.
---@param app qlua.App
---@param where string for messages
---@param options qlua.RequestOptions
---@return string? body
---@return string? content_type
function M.build(app, where, options)
  local given = {}
  for _, name in ipairs { "data", "form", "json" } do
    if options[name] ~= nil then
      given[#given + 1] = name
    end
  end
  if options.files and options.json ~= nil or options.files and options.data then
    given[#given + 1] = "files"
  end
  if #given > 1 then
    check.fail("%s: %s exclude each other", where, table.concat(given, " and "))
  end
  if options.files then
    return multipart(where, options.form, options.files)
  elseif options.json ~= nil then
    return app.json.dumps(options.json), "application/json"
  elseif options.form then
    return M.urlencoded(where, "form", options.form), "application/x-www-form-urlencoded"
  end
  return options.data
end

return M
