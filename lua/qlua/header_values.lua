--- Header values that a request brings, read: parameters, credentials, entity tags, directives.
--- Flow: lua/qlua/request.lua fills request.authorization and the like from here.

local core = require "qlua.core"

local M = {}

--- The quoted string whose opening quote stands at `at`, without its escapes.
---@return string value
---@return integer next the place behind the closing quote
local function quoted(text, at)
  local pieces, from = {}, at + 1
  while true do
    local stop = text:find('["\\]', from)
    if not stop then
      pieces[#pieces + 1] = text:sub(from)
      return table.concat(pieces), #text + 1
    end
    pieces[#pieces + 1] = text:sub(from, stop - 1)
    if text:byte(stop) == 34 then
      return table.concat(pieces), stop + 1
    end
    pieces[#pieces + 1] = text:sub(stop + 1, stop + 1)
    from = stop + 2
  end
end

--- A token, or a quoted string without its quotes.
---@param text string
---@return string
function M.unquote(text)
  return text:byte(1) == 34 and (quoted(text, 1)) or text
end

--- What stands before the first ";" and the parameters behind it, names in lower case.
---@param text string `text/html; charset=utf-8`
---@return string value
---@return table<string, string> params
function M.params(text)
  local params = {}
  local value, at = text:match "^%s*([^;]-)%s*()$", nil
  if not value then
    value, at = text:match "^%s*(.-)%s*();"
  end
  while at do
    local name, from = text:match("^;%s*([^=;]-)%s*()[=;]", at)
    if not name then
      break
    end
    local next_at = from
    if text:byte(from) == 61 then
      local start = text:match("^=%s*()", from)
      if text:byte(start) == 34 then
        params[name:lower()], next_at = quoted(text, start)
      else
        params[name:lower()], next_at = text:match("^([^;]-)%s*()%f[;%z]", start)
      end
    end
    at = text:match("()%f[;];", next_at)
  end
  return value, params
end

--- `a=1, b="x", c` by name, in the order of the list; a name without "=" is true.
---@param text string
---@return table<string, string|true>
local function directives(text)
  local found = {}
  for _, element in ipairs(core.header_list(text)) do
    local name, value = element:match "^([^=]-)%s*=%s*(.*)$"
    found[(name or element):lower()] = value and M.unquote(value) or true
  end
  return found
end

-- ---- Authorization ----------------------------------------------------------------------------

---@class qlua.Authorization what the client says who it is; nothing of it is verified
---@field type string scheme in lower case: "basic", "bearer", "digest"
---@field username? string
---@field password? string
---@field token? string of schemes that have one
---@field parameters? table<string, string> of schemes that have them; each is a field as well
local Authorization = { __name = "qlua.Authorization" }

function Authorization.__index(auth, name)
  local parameters = rawget(auth, "parameters")
  return parameters and parameters[name]
end

--- The credentials as core.request_authorization gives them.
---@return qlua.Authorization?
function M.authorization(scheme, username, password, rest)
  if not scheme then
    return nil
  end
  local auth = { type = scheme, username = username, password = password }
  if username then
    auth.parameters = { username = username, password = password }
  elseif rest:find "=[^=]" then
    auth.parameters = directives(rest)
  else
    auth.token = rest
  end
  return setmetatable(auth, Authorization)
end

-- ---- entity tags ------------------------------------------------------------------------------

---@class qlua.ETags the tags of If-Match or If-None-Match
---@field star_tag boolean the header is `*`: any tag will do
---@field private _strong table<string, boolean>
---@field private _weak table<string, boolean>
local ETags = { __name = "qlua.ETags" }
ETags.__index = ETags

---@param text? string
---@return qlua.ETags
function M.etags(text)
  local tags = { star_tag = false, _strong = {}, _weak = {} }
  for _, element in ipairs(core.header_list(text or "")) do
    local weak, tag = element:match '^([wW]?)/?"(.*)"$'
    if element == "*" then
      tags.star_tag = true
    elseif weak and weak ~= "" then
      tags._weak[tag] = true
    else
      tags._strong[tag or element] = true
    end
  end
  return setmetatable(tags, ETags)
end

--- Is the tag (its text, without quotes) among the strong ones?
---@param tag string
---@return boolean
function ETags:contains(tag)
  return self.star_tag or self._strong[tag] == true
end

--- Is the tag among the weak or strong ones?
---@param tag string
---@return boolean
function ETags:contains_weak(tag)
  return self._weak[tag] == true or self:contains(tag)
end

--- Is this one of the weak tags?
---@param tag string
---@return boolean
function ETags:is_weak(tag)
  return self._weak[tag] == true
end

--- Is this one of the strong tags?
---@param tag string
---@return boolean
function ETags:is_strong(tag)
  return self._strong[tag] == true
end

-- ---- Range, If-Range --------------------------------------------------------------------------

---@class qlua.Range what part of the body is asked for
---@field units string "bytes"
---@field ranges { [1]: integer, [2]: integer? }[] first and last byte as the header has them;
---  { n }: from n on; { -n }: the last n

local Range = { __name = "qlua.Range" }

function Range.__tostring(range)
  local parts = {}
  for i, one in ipairs(range.ranges) do
    parts[i] = one[1] < 0 and ("%d"):format(one[1]) or ("%d-%s"):format(one[1], one[2] or "")
  end
  return range.units .. "=" .. table.concat(parts, ",")
end

--- One `first-last`, or nil when it is none or does not lie behind the one before.
local function range_of(element, before)
  local suffix = tonumber(element:match "^%-%s*(%d+)$")
  if suffix then
    return suffix > 0 and { -suffix } or nil
  end
  local first, last = element:match "^(%d+)%s*%-%s*(%d*)$"
  first, last = tonumber(first), tonumber(last)
  if not first or last and last < first or before and first <= before then
    return nil
  end
  return { first, last }
end

--- A Range header, or nil when there is none that makes sense.
---@param text? string
---@return qlua.Range?
function M.range(text)
  local units, list = (text or ""):match "^%s*(%a+)%s*=%s*(.*)$"
  if not units then
    return nil
  end
  local range, before = { units = units:lower(), ranges = core.array {} }, nil
  for i, element in ipairs(core.header_list(list)) do
    local one = before ~= math.huge and range_of(element, before)
    if not one then
      return nil
    end
    range.ranges[i], before = one, one[2] or math.huge
  end
  return #range.ranges > 0 and setmetatable(range, Range) or nil
end

--- What If-Range says: an entity tag or a date, either of which may be nil.
---@param text? string
---@param date? number the same read as a date
---@return { etag?: string, date?: number }
function M.if_range(text, date)
  local tag = not date and text and (text:match '^%s*[wW]?/?"(.*)"%s*$' or text)
  return { etag = tag or nil, date = date }
end

-- ---- Cache-Control ----------------------------------------------------------------------------

-- directives that hold seconds; their names in Lua have "_" for "-"
local SECONDS = { max_age = true, max_stale = true, min_fresh = true }

---@class qlua.RequestCacheControl what the client allows a cache to answer
---@field no_cache? boolean|string
---@field no_store? boolean
---@field no_transform? boolean
---@field only_if_cached? boolean
---@field max_age? number seconds
---@field max_stale? number|true
---@field min_fresh? number

---@param text? string
---@return qlua.RequestCacheControl
function M.cache_control(text)
  local control = {}
  for name, value in pairs(directives(text or "")) do
    local field = name:gsub("-", "_")
    control[field] = SECONDS[field] and tonumber(value) or value
  end
  return control
end

return M
