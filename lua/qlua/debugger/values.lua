--- Values for the debug page: any Lua value as a tree of texts, bounded on all sides.
--- Flow: frames.lua, facts.lua and console.lua have values described here, page.lua shows the
--- trees. Nothing of the user's runs for it: tables are read raw, and no __tostring, __index or
--- __len is called.

local secrets = require "qlua.debugger.secrets"

local M = {}

---@class qlua.debugger.Node
---@field kind string "string", "number", "table", ...; "masked"
---@field text string what stands on the line
---@field entries? { key: string, node: qlua.debugger.Node }[] what is in it
---@field more? integer entries that are left out

---@class qlua.debugger.Budget what a page may hold
---@field left integer nodes
---@field known string[] texts of secrets
---@field counted integer keys of a table that are looked at

local MOST_DEPTH, MOST_ITEMS, MOST_TEXT = 5, 60, 600
local MOST_COUNTED, FEW_COUNTED = 10000, 500

--- For one page.
---@param known string[]
---@param nodes? integer
---@param is_short? boolean memory is: nothing large may be made
---@return qlua.debugger.Budget
function M.budget(known, nodes, is_short)
  return { left = nodes or 4000, known = known, counted = is_short and FEW_COUNTED or MOST_COUNTED }
end

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escaped(text)
  return (text:gsub('[%c"\\\127]', function(char)
    return ESCAPES[char] or ("\\%d"):format(char:byte())
  end))
end

-- first byte -> how many follow
local function follow(byte)
  return byte >= 0xf0 and byte < 0xf5 and 3 or byte >= 0xe0 and byte < 0xf0 and 2
    or byte >= 0xc2 and byte < 0xe0 and 1 or nil
end

--- The text with bytes that are no UTF-8, which would break a page, written as numbers.
local function as_utf8(text)
  if not text:find "[\128-\255]" then
    return text
  end
  local out, at = {}, 1
  while at <= #text do
    local byte = text:byte(at)
    local more = byte < 0x80 and 0 or follow(byte)
    local piece = more and text:match("^[\128-\191]*", at + 1):sub(1, more)
    if more and #piece == more then
      out[#out + 1] = text:sub(at, at + more)
      at = at + more + 1
    else
      out[#out + 1] = ("\\%d"):format(byte)
      at = at + 1
    end
  end
  return table.concat(out)
end
M.as_utf8 = as_utf8

local function quoted(text, known)
  text = secrets.scrub(text, known)
  local rest = ""
  if #text > MOST_TEXT then
    rest = (" … %d bytes"):format(#text)
    local at = MOST_TEXT
    while at > 1 and text:byte(at + 1) >= 0x80 and text:byte(at + 1) < 0xc0 do
      at = at - 1 -- not within a character
    end
    text = text:sub(1, at)
  end
  return '"' .. as_utf8(escaped(text)) .. '"' .. rest
end

--- The name that a class gives itself, read raw.
local function class_name(value)
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and name or nil
end
M.class_name = class_name

local function function_text(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then
    return "C function"
  end
  return ("function %s:%d"):format(info.short_src, info.linedefined)
end

local function number_text(value)
  if value == math.floor(value) and math.abs(value) < 1e15 then
    return ("%d"):format(value)
  end
  return ("%.14g"):format(value)
end

local function cdata_text(value)
  local ffi = require "ffi"
  local kind = tostring(ffi.typeof(value))
  if ffi.istype("int64_t", value) or ffi.istype("uint64_t", value) then
    return tostring(value)
  end
  return kind:gsub("^ctype", "cdata")
end

--- One line for what is no table.
local function plain(value, known)
  local kind = type(value)
  if kind == "string" then
    return quoted(value, known)
  elseif kind == "number" then
    return number_text(value)
  elseif kind == "function" then
    return function_text(value)
  elseif kind == "userdata" then
    local null = require("qlua.core").null
    return value == null and "null" or class_name(value) or "userdata"
  elseif kind == "thread" then
    return "thread, " .. coroutine.status(value)
  elseif kind == "cdata" then
    return (cdata_text(value))
  end
  return tostring(value)
end

-- ---- tables -----------------------------------------------------------------------------------

local ORDER = { number = 1, string = 2, boolean = 3 }

local function key_less(a, b)
  local x, y = ORDER[type(a)] or 4, ORDER[type(b)] or 4
  if x ~= y then
    return x < y
  elseif x <= 2 then
    return a < b
  end
  return false
end

--- The keys, as many as are looked at, in order; and how many there are.
local function keys_of(value, most)
  local keys, count = {}, 0
  for key in next, value do
    count = count + 1
    if count <= most then
      keys[count] = key
    else
      break
    end
  end
  table.sort(keys, key_less)
  return keys, count
end

local function key_text(key, known)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then
    return secrets.scrub(key, known)
  elseif type(key) == "table" then
    return ("[%s]"):format(class_name(key) or "table")
  end
  return ("[%s]"):format(plain(key, known))
end

local describe

local function table_node(value, budget, depth, path)
  local keys, count = keys_of(value, budget.counted)
  local name = class_name(value) or "table"
  local node = { kind = "table" }
  if path[value] then
    node.text = name .. ", the same as above it"
    return node
  end
  node.text = count == 0 and name .. ", empty" or ("%s, %s%d %s"):format(name,
    count > budget.counted and "more than " or "", math.min(count, budget.counted),
    count == 1 and "entry" or "entries")
  if count == 0 or depth >= MOST_DEPTH or name:find "^qlua%." then
    return node -- what is in qlua's own objects is no news
  end
  path[value] = true
  node.entries = {}
  for i = 1, math.min(#keys, MOST_ITEMS) do
    if budget.left <= 0 then
      break
    end
    local key = keys[i]
    node.entries[i] = {
      key = key_text(key, budget.known),
      node = describe(rawget(value, key), type(key) == "string" and key or nil, budget, depth + 1,
        path),
    }
  end
  if count > #node.entries then
    node.more = count - #node.entries
  end
  path[value] = nil
  return node
end

-- what a client sent, read without asking for more of it
local DICTS = { ["qlua.MultiDict"] = true, ["qlua.Headers"] = true, ["qlua.dict"] = true }

--- A dictionary of the core's as a table; its own methods are C.
local function dict_of(value)
  local ok, map = pcall(function()
    return value:to_dict()
  end)
  return ok and map or nil
end

function describe(value, name, budget, depth, path)
  budget.left = budget.left - 1
  local kind = type(value)
  if name and value ~= nil and kind ~= "boolean" and kind ~= "function"
    and secrets.is_secret(name) then
    return { kind = "masked", text = secrets.MASK }
  elseif kind == "table" then
    return table_node(value, budget, depth, path)
  elseif kind == "userdata" and DICTS[class_name(value) or ""] then
    local node = table_node(dict_of(value) or {}, budget, depth, path)
    node.text = node.text:gsub("^table", class_name(value))
    return node
  end
  return { kind = kind, text = plain(value, budget.known) }
end

--- A value as a tree.
---@param value any
---@param name? string what it is called: secrets are masked by their names
---@param budget qlua.debugger.Budget
---@return qlua.debugger.Node
function M.describe(value, name, budget)
  return describe(value, name, budget, 1, {})
end

--- The tree as text, a line an entry.
---@param node qlua.debugger.Node
---@param indent? string
---@return string
function M.text_of(node, indent)
  indent = indent or ""
  local lines = { node.text }
  for _, item in ipairs(node.entries or {}) do
    lines[#lines + 1] = ("%s  %s = %s"):format(indent, item.key, M.text_of(item.node,
      indent .. "  "))
  end
  if node.entries and node.more then
    lines[#lines + 1] = ("%s  ... %d more"):format(indent, node.more)
  end
  return table.concat(lines, "\n")
end

return M
