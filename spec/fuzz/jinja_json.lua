--- Cases of the differential fuzzer as JSON: one line for Jinja's side, and for reports.
--- A table with [0] is a list; keys of the others go in sorted order, which is qlua's.

local nodes = require "fuzz.jinja_node"

local M = {}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function encode(value)
  if type(value) == "string" then
    return quote(value)
  elseif type(value) ~= "table" or getmetatable(value) then
    return tostring(value)
  elseif value.markup then
    return '{"$markup": ' .. quote(value.markup) .. "}"
  end
  local parts = {}
  if value[0] then
    for i, item in ipairs(value) do
      parts[i] = encode(item)
    end
    return "[" .. table.concat(parts, ", ") .. "]"
  end
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = quote(key) .. ": " .. encode(value[key])
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

--- The sources of a case's templates.
---@return table<string, string>
function M.sources(case)
  local sources = {}
  for name, tree in pairs(case.templates) do
    sources[name] = nodes.text(tree)
  end
  return sources
end

--- A case as a line of JSON: { context =, env =, templates = }.
---@return string
function M.line(case)
  return encode { context = case.context, env = case.env, templates = M.sources(case) }
end

return M
