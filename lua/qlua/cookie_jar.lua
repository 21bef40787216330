--- Cookies as a browser keeps them (RFC 6265, section 5).
--- Flow: test_client.lua puts in what answers set and takes out what a request is to carry.

local core = require "qlua.core"

local M = {}

---@class qlua.Cookie
---@field name string
---@field value string as it was sent
---@field domain string
---@field host_only boolean not for hosts below the domain
---@field path string
---@field secure boolean
---@field expires? number seconds since 1970; nil: as long as the jar
---@field order integer of its first arrival

---@class qlua.CookieJar
---@field private _cookies qlua.Cookie[]
---@field private _count integer
local Jar = { __name = "qlua.CookieJar" }
Jar.__index = Jar

---@return qlua.CookieJar
function M.new()
  return setmetatable({ _cookies = {}, _count = 0 }, Jar)
end

--- A host without port, in lower case.
local function bare(host)
  return (host:lower():gsub(":%d+$", ""))
end

--- Is the host the domain, or below it? (5.1.3)
local function domain_matches(host, domain)
  return host == domain or (host:sub(-#domain - 1) == "." .. domain and not host:find "^[%d%.]+$")
end

--- 5.1.4
local function path_matches(path, cookie_path)
  return path == cookie_path or (path:sub(1, #cookie_path) == cookie_path
    and (cookie_path:sub(-1) == "/" or path:sub(#cookie_path + 1, #cookie_path + 1) == "/"))
end

--- The folder of a path, which is a cookie's path unless it names one.
local function default_path(path)
  local folder = path:match "^(/.*)/[^/]*$"
  return folder or "/"
end

--- Name, value and attributes (names in lower case; true without a value) of a Set-Cookie.
local function parse(line)
  local pair, rest = line:match "^([^;]*)(.*)$"
  local name, value = pair:match "^%s*([^=]-)%s*=%s*(.-)%s*$"
  if not name or name == "" then
    return nil
  end
  local attributes = {}
  for attribute in rest:gmatch ";([^;]*)" do
    local key, text = attribute:match "^%s*([^=]-)%s*=%s*(.-)%s*$"
    key = key or attribute:match "^%s*(.-)%s*$"
    attributes[key:lower()] = text or true
  end
  return name, value, attributes
end

local function expiry_of(attributes, now)
  local max_age, expires = attributes["max-age"], attributes.expires
  local seconds = type(max_age) == "string" and max_age:find "^%-?%d+$" and tonumber(max_age)
  if seconds then
    return now + seconds
  end
  return type(expires) == "string" and core.parse_http_date(expires) or nil
end

--- The cookie with this name, domain and path, or nil.
---@private
---@return qlua.Cookie?
---@return integer? index
function Jar:_find(name, domain, path)
  for i, cookie in ipairs(self._cookies) do
    if cookie.name == name and cookie.domain == domain and cookie.path == path then
      return cookie, i
    end
  end
end

--- Keep what a Set-Cookie header says, or drop the cookie when it has expired. One for another
--- domain is not taken.
---@param url { host: string, path: string }
---@param line string
function Jar:take(url, line)
  local name, value, attributes = parse(line)
  local host, now = bare(url.host), os.time()
  if not name then
    return
  end
  local domain = type(attributes.domain) == "string" and attributes.domain:lower():gsub("^%.", "")
  if not domain or domain == "" then
    domain = nil
  elseif not domain_matches(host, domain) then
    return
  end
  local path = attributes.path
  if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
    path = default_path(url.path)
  end
  local present, index = self:_find(name, domain or host, path)
  local expires = expiry_of(attributes, now)
  if expires and expires <= now then
    if index then
      table.remove(self._cookies, index)
    end
    return
  end
  self._count = self._count + 1
  self._cookies[index or #self._cookies + 1] = {
    name = name, value = value, domain = domain or host, host_only = domain == nil, path = path,
    secure = attributes.secure ~= nil, expires = expires,
    order = present and present.order or self._count,
  }
end

--- The cookies for a URL: longer paths first, then older cookies. (5.4)
---@param url { scheme: string, host: string, path: string }
---@return qlua.Cookie[]
function Jar:cookies_for(url)
  local host, now, found = bare(url.host), os.time(), {}
  for _, cookie in ipairs(self._cookies) do
    local is_host = host == cookie.domain
      or (not cookie.host_only and domain_matches(host, cookie.domain))
    if is_host and path_matches(url.path, cookie.path)
        and (not cookie.secure or url.scheme == "https")
        and (not cookie.expires or cookie.expires > now) then
      found[#found + 1] = cookie
    end
  end
  table.sort(found, function(a, b)
    if #a.path ~= #b.path then
      return #a.path > #b.path
    end
    return a.order < b.order
  end)
  return found
end

--- The Cookie header for a URL, or nil.
---@param url { scheme: string, host: string, path: string }
---@return string?
function Jar:header(url)
  local pairs_of = {}
  for i, cookie in ipairs(self:cookies_for(url)) do
    pairs_of[i] = cookie.name .. "=" .. cookie.value
  end
  return #pairs_of > 0 and table.concat(pairs_of, "; ") or nil
end

return M
