--- What the client accepts: Accept, Accept-Language, Accept-Encoding, Accept-Charset.
--- Flow: lua/qlua/request.lua makes one when request.accept_mimetypes and the like are read.

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

---@class qlua.Accept a list of { value, quality }, the most specific and best liked first
---@field [integer] { [1]: string, [2]: number }
---@field best? string the first value
---@field provided boolean the client sent the header
---@field accept_json boolean of accept_mimetypes
---@field accept_html boolean of accept_mimetypes
---@field accept_xhtml boolean of accept_mimetypes
---@field private _matches fun(value: string, item: string): boolean
---@field private _specificity fun(item: string): integer[]
local Accept = { __name = "qlua.Accept" }
Accept.__index = Accept

-- ---- values -----------------------------------------------------------------------------------

local function plain_matches(value, item)
  return item == "*" or item:lower() == value:lower()
end

local function plain_specificity(item)
  return { item == "*" and 0 or 1 }
end

--- Type, subtype and sorted parameters, in lower case.
local function split_mime(value)
  local parts = {}
  for part in value:lower():gmatch "[^/;]+" do
    parts[#parts + 1] = part:match "^%s*(.-)%s*$"
  end
  local params = { unpack(parts, 3) }
  table.sort(params)
  return parts[1] or "", parts[2] or "", table.concat(params, ";")
end

local function mime_matches(value, item)
  if not item:find("/", 1, true) then
    return false
  end
  local type, subtype, params = split_mime(value)
  local their_type, their_subtype, their_params = split_mime(item)
  if their_type == "*" then
    return their_subtype == "*"
  end
  return type == "*" or type == their_type and (their_subtype == "*" or subtype == "*"
    or subtype == their_subtype and params == their_params)
end

local function mime_specificity(item)
  local specificity = {}
  for part in item:gmatch "[^/;]+" do
    specificity[#specificity + 1] = part:match "^%s*%*%s*$" and 0 or 1
  end
  return specificity
end

local function normal_language(value)
  return (value:lower():gsub("_", "-"))
end

local function language_matches(value, item)
  return item == "*" or normal_language(value) == normal_language(item)
end

-- ---- the list ---------------------------------------------------------------------------------

--- Is a more specific than b?
local function is_above(a, b)
  for i = 1, math.max(#a, #b) do
    local x, y = a[i] or -1, b[i] or -1
    if x ~= y then
      return x > y
    end
  end
  return false
end

--- Put an entry behind those that are as specific and as well liked.
local function insert(list, entry)
  local at = #list + 1
  while at > 1 do
    local before = list[at - 1]
    local above = is_above(entry.specificity, before.specificity)
    local same = not above and not is_above(before.specificity, entry.specificity)
    if not above and not (same and entry[2] > before[2]) then
      break
    end
    at = at - 1
  end
  table.insert(list, at, entry)
end

--- An element and its quality; nil when q is not a number from 0 to 1.
local function parse(element)
  local from, text, to = element:match "()%s*;%s*[qQ]%s*=%s*([^;]-)%s*()%f[;%z]"
  if not from then
    return element, 1
  end
  local quality = text:match "^%d+%.?%d*$" and tonumber(text)
  if quality and quality <= 1 then
    return element:sub(1, from - 1) .. element:sub(to), quality
  end
end

local function new(text, matches, specificity)
  local accept = { provided = text ~= nil, _matches = matches, _specificity = specificity }
  for _, element in ipairs(core.header_list(text or "")) do
    local value, quality = parse(element)
    if value then
      insert(accept, { value, quality, specificity = specificity(value) })
    end
  end
  accept.best = accept[1] and accept[1][1]
  return setmetatable(accept, Accept)
end

--- The entry that a value of the app's meets first.
local function entry_for(accept, value)
  if type(value) ~= "string" then
    check.fail("accept: a string expected, got %s", check.describe(value))
  end
  for _, entry in ipairs(accept) do
    if accept._matches(value, entry[1]) then
      return entry
    end
  end
end

--- How much the client likes a value: 0 (not at all) to 1.
---@param value string
---@return number
function Accept:quality(value)
  local entry = entry_for(self, value)
  return entry and entry[2] or 0
end

--- Does the client name the value, or a pattern that holds it?
---@param value string
---@return boolean
function Accept:contains(value)
  return entry_for(self, value) ~= nil
end

--- The accepted values, best first.
---@return string[]
function Accept:values()
  local values = {}
  for i, entry in ipairs(self) do
    values[i] = entry[1]
  end
  return core.array(values)
end

local function best_match(accept, list, default)
  if type(list) ~= "table" then
    check.fail("best_match: a list of values expected, got %s", check.describe(list))
  end
  local result, best = default, nil
  for _, value in ipairs(list) do
    local entry = entry_for(accept, value)
    local quality = entry and entry[2] or 0
    if quality > 0 and (not best or quality > best[2]
      or quality == best[2] and is_above(entry.specificity, best.specificity)) then
      result, best = value, entry
    end
  end
  return result
end

--- The value of the list that the client likes best; `default` when it accepts none of them, or
--- says nothing.
---@param list string[]
---@param default? string
---@return string?
function Accept:best_match(list, default)
  return best_match(self, list, default)
end

-- ---- the four headers -------------------------------------------------------------------------

---@param text? string
---@return qlua.Accept
function M.mimetypes(text)
  local accept = new(text, mime_matches, mime_specificity)
  accept.accept_json = accept:contains "application/json"
  accept.accept_xhtml = accept:contains "application/xhtml+xml"
    or accept:contains "application/xml"
  accept.accept_html = accept:contains "text/html" or accept.accept_xhtml
  return accept
end

---@param text? string
---@return qlua.Accept
function M.plain(text)
  return new(text, plain_matches, plain_specificity)
end

local function primary(tag)
  return tag:match "^[^_-]*"
end

--- First whole tags, then the client's without their region, then the app's without theirs.
local function best_language(accept, list, default)
  local found = best_match(accept, list)
  if found then
    return found
  end
  local shortened = { _matches = plain_matches }
  for i, entry in ipairs(accept) do
    shortened[i] = { primary(entry[1]), entry[2], specificity = entry.specificity }
  end
  found = best_match(shortened, list)
  if found then
    return found
  end
  local primaries = {}
  for i, tag in ipairs(list) do
    primaries[i] = primary(tag)
  end
  found = best_match(accept, primaries)
  for i, tag in ipairs(list) do
    if found and primaries[i] == found then
      return tag
    end
  end
  return default
end

---@param text? string
---@return qlua.Accept
function M.languages(text)
  local accept = new(text, language_matches, plain_specificity)
  accept.best_match = best_language
  return accept
end

return M
