--- The attributes of a Response: reading one reads its slot or header, writing one writes it.
--- Flow: response.lua's metatable looks them up here by name.

local check = require "qlua.check"
local core = require "qlua.core"
local header_views = require "qlua.header_views"

local getters, setters = {}, {}
local M = { getters = getters, setters = setters }

--- The content type of a mimetype: text types say their charset.
---@param mimetype string
---@return string
function M.content_type_of(mimetype)
  if core.mime_wants_charset(mimetype) and not mimetype:find("charset", 1, true) then
    return mimetype .. "; charset=utf-8"
  end
  return mimetype
end

--- A status that can be sent as the final answer: 200..599.
---@param where string
---@param status any
---@return integer
function M.checked_status(where, status)
  if type(status) == "number" and status % 1 == 0 and status >= 200 and status <= 599 then
    return status
  end
  check.fail("%s: the status must be an integer from 200 to 599, got %s", where,
    check.describe(status))
end

--- The body's length when it is known before it is sent.
---@return integer?
function M.body_length(body)
  if type(body) == "string" then
    return #body
  elseif body == nil then
    return 0
  end
  return core.is_file(body) and body.length or nil
end

-- ---- status, type, headers --------------------------------------------------------------------

function getters:status_code()
  return self[1]
end

function setters:status_code(status)
  self[1] = M.checked_status("response.status_code", status)
  rawset(self, "_status", nil)
end

function getters:status()
  local phrase = core.status_phrase(self[1])
  return rawget(self, "_status") or
    ("%d %s"):format(self[1], phrase ~= "" and phrase:upper() or "UNKNOWN")
end

function setters:status(status)
  local is_text = type(status) == "string"
  local code = is_text and tonumber(status:match "^%s*(%d+)") or status
  self[1] = M.checked_status("response.status", code)
  rawset(self, "_status", is_text and status:find "%a" and status or nil)
end

function getters:headers()
  local headers = rawget(self, 3)
  if headers then
    return headers
  end
  headers = core.headers()
  if rawget(self, 4) then
    headers:set("Content-Type", self[4])
  end
  local length = M.body_length(rawget(self, 2))
  if length then
    headers:set("Content-Length", tostring(length))
  end
  rawset(self, 3, headers)
  rawset(self, 4, nil)
  return headers
end

function setters:headers(headers)
  rawset(self, 3, core.headers(headers))
  rawset(self, 4, nil)
end

function getters:content_type()
  local headers = rawget(self, 3)
  return rawget(self, 4) or (headers and headers:get "Content-Type")
end

function setters:content_type(text)
  check.type("response", "content_type", text, "string", true)
  local headers = rawget(self, 3)
  if not headers then
    rawset(self, 4, text)
  elseif text then
    headers:set("Content-Type", text)
  else
    headers:remove "Content-Type"
  end
end

function getters:mimetype()
  local content_type = self.content_type
  return content_type and content_type:match "^%s*([^;%s]*)":lower()
end

function setters:mimetype(mimetype)
  check.type("response", "mimetype", mimetype, "string")
  self.content_type = M.content_type_of(mimetype)
end

function getters:is_json()
  local mimetype = self.mimetype or ""
  return mimetype == "application/json" or mimetype:find "^application/.+%+json$" ~= nil
end

function getters:timeout()
  return rawget(self, 5)
end

function setters:timeout(seconds)
  if seconds then
    check.type("response", "timeout", seconds, "number")
  end
  rawset(self, 5, seconds)
end

-- ---- the body ---------------------------------------------------------------------------------

function getters:content_length()
  return M.body_length(rawget(self, 2))
end

function getters:data()
  return self:get_data()
end

function setters:data(text)
  self:set_data(text)
end

function getters:json()
  if self.is_json then
    return require("qlua.json").loads(self:get_data())
  end
end

-- ---- single headers ---------------------------------------------------------------------------

--- Read or write one header; nil takes it out.
local function put(self, name, text)
  if text == nil then
    self.headers:remove(name)
  else
    self.headers:set(name, text)
  end
end

local TEXTS = {
  content_location = "Content-Location", content_encoding = "Content-Encoding",
  content_md5 = "Content-MD5", content_range = "Content-Range", accept_ranges = "Accept-Ranges",
  content_security_policy = "Content-Security-Policy",
  content_security_policy_report_only = "Content-Security-Policy-Report-Only",
  cross_origin_opener_policy = "Cross-Origin-Opener-Policy",
  cross_origin_embedder_policy = "Cross-Origin-Embedder-Policy",
  access_control_allow_origin = "Access-Control-Allow-Origin",
  www_authenticate = "WWW-Authenticate", location = "Location",
}
for field, name in pairs(TEXTS) do
  getters[field] = function(self)
    return self.headers:get(name)
  end
  setters[field] = function(self, text)
    check.type("response", field, text, "string", true)
    put(self, name, text)
  end
end

function setters:location(url)
  check.type("response", "location", url, "string", true)
  put(self, "Location", url and core.quote_iri(url))
end

for field, name in pairs { age = "Age", access_control_max_age = "Access-Control-Max-Age" } do
  getters[field] = function(self)
    return tonumber(self.headers:get(name))
  end
  setters[field] = function(self, number)
    check.type("response", field, number, "number", true)
    put(self, name, number and ("%d"):format(number))
  end
end

for field, name in pairs { last_modified = "Last-Modified", expires = "Expires", date = "Date" } do
  getters[field] = function(self)
    local text = self.headers:get(name)
    return text and core.parse_http_date(text)
  end
  setters[field] = function(self, seconds)
    check.type("response", field, seconds, "number", true)
    put(self, name, seconds and core.http_date(seconds))
  end
end

function getters:retry_after()
  local text = self.headers:get "Retry-After"
  return text and (tonumber(text) or core.parse_http_date(text))
end

function setters:retry_after(value)
  local kind = type(value)
  if kind ~= "nil" and kind ~= "number" and kind ~= "string" then
    check.fail("response.retry_after must be a number of seconds or an HTTP date, got %s",
      check.describe(value))
  end
  put(self, "Retry-After", kind == "number" and ("%d"):format(value) or value)
end

-- ---- headers with a shape ---------------------------------------------------------------------

local SETS = {
  vary = "Vary", allow = "Allow", content_language = "Content-Language",
  access_control_allow_headers = "Access-Control-Allow-Headers",
  access_control_allow_methods = "Access-Control-Allow-Methods",
  access_control_expose_headers = "Access-Control-Expose-Headers",
}
for field, name in pairs(SETS) do
  getters[field] = function(self)
    return header_views.set(self.headers, name)
  end
  setters[field] = function(self, tokens)
    put(self, name, type(tokens) == "table" and table.concat(tokens, ", ") or tokens)
  end
end

function getters:cache_control()
  return header_views.cache_control(self.headers)
end

return M
