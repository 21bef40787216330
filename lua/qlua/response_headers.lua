--- The attributes of a Response that are one header each: read from it, written to it.
--- Flow: response_fields.lua takes them over into the tables that response.lua looks names up in.

local check = require "qlua.check"
local core = require "qlua.core"
local header_views = require "qlua.header_views"

---@class qlua.Response
---@field accept_ranges? string the header Accept-Ranges
---@field access_control_allow_credentials boolean the header Access-Control-Allow-Credentials
---@field access_control_allow_headers qlua.HeaderSet the header Access-Control-Allow-Headers
---@field access_control_allow_methods qlua.HeaderSet the header Access-Control-Allow-Methods
---@field access_control_allow_origin? string the header Access-Control-Allow-Origin
---@field access_control_expose_headers qlua.HeaderSet the header Access-Control-Expose-Headers
---@field access_control_max_age? number the header Access-Control-Max-Age, in seconds
---@field age? number the header Age, in seconds
---@field content_encoding? string the header Content-Encoding
---@field content_location? string the header Content-Location
---@field content_md5? string the header Content-MD5
---@field content_range? string the header Content-Range
---@field content_security_policy? string the header Content-Security-Policy
---@field content_security_policy_report_only? string the header of this name
---@field cross_origin_embedder_policy? string the header Cross-Origin-Embedder-Policy
---@field cross_origin_opener_policy? string the header Cross-Origin-Opener-Policy
---@field date? number the header Date, seconds since 1970
---@field www_authenticate? string the header WWW-Authenticate
local getters, setters = {}, {}
local M = {}

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

function getters:access_control_allow_credentials()
  return self.headers:get "Access-Control-Allow-Credentials" == "true"
end

function setters:access_control_allow_credentials(allowed)
  check.type("response", "access_control_allow_credentials", allowed, "boolean", true)
  put(self, "Access-Control-Allow-Credentials", allowed and "true" or nil)
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

--- Add these attributes to those of a Response.
---@param all_getters table<string, function>
---@param all_setters table<string, function>
function M.add(all_getters, all_setters)
  for name, get in pairs(getters) do
    all_getters[name] = get
  end
  for name, set in pairs(setters) do
    all_setters[name] = set
  end
end

return M
