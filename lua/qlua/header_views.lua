--- Header values with a shape: sets of tokens (Vary, Allow) and Cache-Control.
--- Flow: response.vary, response.cache_control and their like give one; each reads and writes the
--- header itself, so that it and response.headers can never differ.

local check = require "qlua.check"

local M = {}

--- The parts of a comma-separated value, trimmed.
---@param text? string
---@return string[]
local function parts_of(text)
  local parts = {}
  for part in (text or ""):gmatch "[^,]+" do
    part = part:match "^%s*(.-)%s*$"
    if part ~= "" then
      parts[#parts + 1] = part
    end
  end
  return parts
end

-- ---- sets -------------------------------------------------------------------------------------

---@class qlua.HeaderSet tokens without regard to case, in the order in which they came
---@field private _headers qlua.Headers
---@field private _name string
local HeaderSet = {}
HeaderSet.__index = HeaderSet
HeaderSet.__name = "qlua.HeaderSet"

---@param headers qlua.Headers
---@param name string
---@return qlua.HeaderSet
function M.set(headers, name)
  return setmetatable({ _headers = headers, _name = name }, HeaderSet)
end

function HeaderSet:__tostring()
  return self._headers:get(self._name) or ""
end

--- The tokens as a list.
---@return string[]
function HeaderSet:to_list()
  return parts_of(self._headers:get(self._name))
end

--- Is the token there?
---@param token string
---@return boolean
function HeaderSet:contains(token)
  for _, part in ipairs(self:to_list()) do
    if part:lower() == token:lower() then
      return true
    end
  end
  return false
end

--- Add a token unless it is there.
---@param token string
function HeaderSet:add(token)
  check.type(self._name, "token", token, "string")
  if not self:contains(token) then
    local parts = self:to_list()
    parts[#parts + 1] = token
    self._headers:set(self._name, table.concat(parts, ", "))
  end
end

--- Add several tokens.
---@param tokens string[]
function HeaderSet:update(tokens)
  for _, token in ipairs(tokens) do
    self:add(token)
  end
end

--- Take a token out, if it is there.
---@param token string
function HeaderSet:discard(token)
  local kept = {}
  for _, part in ipairs(self:to_list()) do
    if part:lower() ~= token:lower() then
      kept[#kept + 1] = part
    end
  end
  if #kept > 0 then
    self._headers:set(self._name, table.concat(kept, ", "))
  else
    self._headers:remove(self._name)
  end
end

--- Take a token out that is there.
---@param token string
function HeaderSet:remove(token)
  if not self:contains(token) then
    check.fail("%s has no %q", self._name, token)
  end
  self:discard(token)
end

-- ---- Cache-Control ----------------------------------------------------------------------------

-- directives and what they hold: a flag, seconds, or either
local DIRECTIVES = {
  no_cache = "flag or text", no_store = "flag", max_age = "seconds", no_transform = "flag",
  public = "flag", private = "flag or text", must_revalidate = "flag",
  proxy_revalidate = "flag", s_maxage = "seconds", immutable = "flag", must_understand = "flag",
  stale_while_revalidate = "seconds", stale_if_error = "seconds",
}

---@class qlua.CacheControl
---@field [string] boolean|number|string|nil
local CacheControl = { __name = "qlua.CacheControl" }

---@param headers qlua.Headers
---@return qlua.CacheControl
function M.cache_control(headers)
  return setmetatable({ headers }, CacheControl)
end

local function header_of(view)
  return rawget(view, 1)
end

function CacheControl.__tostring(view)
  return header_of(view):get "Cache-Control" or ""
end

local function directive_of(part)
  local name, value = part:match "^([^=]-)%s*=%s*(.*)$"
  return (name or part):lower():gsub("-", "_"), value and value:gsub('^"(.*)"$', "%1") or true
end

function CacheControl.__index(view, directive)
  for _, part in ipairs(parts_of(header_of(view):get "Cache-Control")) do
    local name, value = directive_of(part)
    if name == directive then
      return DIRECTIVES[name] == "seconds" and tonumber(value) or value
    end
  end
  return nil
end

local function directive_text(directive, value)
  local kind, name = DIRECTIVES[directive], directive:gsub("_", "-")
  if kind == "seconds" and type(value) == "number" then
    return ("%s=%d"):format(name, value)
  elseif kind ~= "seconds" and value == true then
    return name
  elseif kind == "flag or text" and type(value) == "string" then
    return ('%s="%s"'):format(name, value)
  end
  check.fail("cache_control.%s must be %s or nil, got %s", directive,
    kind == "seconds" and "a number of seconds" or "true", check.describe(value))
end

function CacheControl.__newindex(view, directive, value)
  if not DIRECTIVES[directive] then
    check.fail("cache_control has no directive %q%s", tostring(directive),
      check.hint(tostring(directive), DIRECTIVES))
  end
  local text = value and directive_text(directive, value) or nil
  local headers, kept = header_of(view), {}
  for _, part in ipairs(parts_of(headers:get "Cache-Control")) do
    if directive_of(part) == directive then
      part, text = text, nil
    end
    kept[#kept + 1] = part
  end
  kept[#kept + 1] = text
  if #kept > 0 then
    headers:set("Cache-Control", table.concat(kept, ", "))
  else
    headers:remove "Cache-Control"
  end
end

return M
