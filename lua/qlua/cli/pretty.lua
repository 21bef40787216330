--- Values as a person reads them: tables to some depth, long ones cut, cycles told.
--- Flow: `qlua shell` prints what an expression gives with it.

local M = {}

local MOST_ITEMS = 50   -- of a table
local MOST_BYTES = 2000 -- of a text
local MOST_DEPTH = 4
local WIDTH = 78        -- what is longer has a line for each item

local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat "
  .. "return then true until while"):gmatch "%l+" do
  KEYWORDS[word] = true
end

-- ---- texts ------------------------------------------------------------------------------------

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

--- A text in quotes, control characters escaped.
local function quoted(text)
  local cut = #text > MOST_BYTES and text:sub(1, MOST_BYTES) or text
  local shown = cut:gsub('[%c"\\]', function(c)
    return ESCAPES[c] or ("\\%03d"):format(c:byte())
  end)
  return '"' .. shown .. '"' .. (cut ~= text and (" (%d bytes in all)"):format(#text) or "")
end

--- What tostring says, whatever it does.
local function text_of(value)
  local ok, text = pcall(tostring, value)
  return ok and type(text) == "string" and text or "<" .. type(value) .. ">"
end

-- ---- tables -----------------------------------------------------------------------------------

local shown

local function key_of(key, depth, seen)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not KEYWORDS[key] then
    return key
  end
  return "[" .. shown(key, depth, seen) .. "]"
end

local function is_less(a, b)
  if type(a) ~= type(b) then
    return type(a) < type(b)
  elseif type(a) == "number" or type(a) == "string" then
    return a < b
  end
  return text_of(a) < text_of(b)
end

--- Keys behind the list's part, in order.
local function other_keys(value, count)
  local keys = {}
  for key in next, value do
    local is_listed = type(key) == "number" and key >= 1 and key <= count and key % 1 == 0
    if not is_listed then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, is_less)
  return keys
end

local function list_length(value)
  local count = 0
  while rawget(value, count + 1) ~= nil do
    count = count + 1
  end
  return count
end

--- The items as texts, the list first; what is left out is told in the last.
local function items_of(value, depth, seen)
  local count, items, left = list_length(value), {}, 0
  local function add(text)
    if #items < MOST_ITEMS then
      items[#items + 1] = text()
    else
      left = left + 1
    end
  end
  for i = 1, count do
    add(function()
      return shown(rawget(value, i), depth + 1, seen)
    end)
  end
  for _, key in ipairs(other_keys(value, count)) do
    add(function()
      return key_of(key, depth + 1, seen) .. " = " .. shown(rawget(value, key), depth + 1, seen)
    end)
  end
  if left > 0 then
    items[#items + 1] = ("... and %d more"):format(left)
  end
  return items
end

local function braced(items, depth)
  if #items == 0 then
    return "{}"
  end
  local line = "{ " .. table.concat(items, ", ") .. " }"
  if #line + depth * 2 <= WIDTH and not line:find "\n" then
    return line
  end
  local indent = "\n" .. ("  "):rep(depth + 1)
  return "{" .. indent .. table.concat(items, "," .. indent) .. ",\n" .. ("  "):rep(depth) .. "}"
end

local function shown_table(value, depth, seen)
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  if type(meta) == "table" and rawget(meta, "__tostring") then
    return text_of(value)
  elseif seen[value] then
    return "<cycle>"
  elseif depth >= MOST_DEPTH and next(value) ~= nil then
    return "{...}"
  end
  seen[value] = true
  local text = braced(items_of(value, depth, seen), depth)
  seen[value] = nil
  return (type(name) == "string" and name .. " " or "") .. text
end

--- request.args, g, session and the like: what they hold.
local function shown_object(value, depth, seen)
  local ok, held = pcall(function()
    return value.to_dict and value:to_dict()
  end)
  if ok and type(held) == "table" then
    return text_of(value):match "^<?([%w_.]*)" .. " " .. shown_table(held, depth, seen)
  end
  return text_of(value)
end

function shown(value, depth, seen)
  local kind = type(value)
  if kind == "string" then
    return quoted(value)
  elseif kind == "table" then
    return shown_table(value, depth, seen)
  elseif kind == "userdata" then
    return shown_object(value, depth, seen)
  elseif kind == "function" then
    local info = debug.getinfo(value, "S")
    return info.what == "C" and text_of(value)
      or ("<function %s:%d>"):format(info.short_src, info.linedefined)
  end
  return text_of(value)
end

--- A value as text. Never raises; its __tostring may be called.
---@param value any
---@return string
function M.text(value)
  return shown(value, 0, {})
end

return M
