--- Requests of the test client: from a path and options to the bytes on the wire.
--- Flow: test_client.lua and testing.lua ask for them; core.test_open sends them.

local check = require "qlua.check"
local core = require "qlua.core"
local test_body = require "qlua.test_body"

local M = {}

---@class qlua.RequestOptions
---@field method? string "GET" unless given
---@field headers? qlua.Headers|table<string, string|string[]>
---@field json? any sent as JSON; qlua.null for null
---@field form? table<string, any> sent as a form; a list gives a field several times
---@field files? table<string, any> sent with form as multipart: name to `{ data =, filename =,
---  content_type = }`, to a list of such, or to the content itself
---@field data? string the body as it is
---@field query_string? string|table<string, any>
---@field auth? string[] { user, password }: basic authorization
---@field scheme? string "http" or "https"
---@field host? string "localhost", or the app's SERVER_NAME, unless given
---@field subdomain? string before SERVER_NAME
---@field http_version? string "1.1" unless given

M.OPTIONS = {
  method = "string", headers = "table|userdata", json = "any", form = "table", files = "table",
  data = "string", query_string = "string|table", auth = "list", scheme = "string",
  host = "string", subdomain = "string", http_version = "string",
}

-- ---- where to ---------------------------------------------------------------------------------

---@class qlua.RequestUrl
---@field scheme string
---@field host string
---@field path string encoded, without the query
---@field query? string

--- A URL's parts; what a relative one lacks comes from base.
---@param text string
---@param base? qlua.RequestUrl
---@return qlua.RequestUrl?
function M.parse_url(text, base)
  text = text:gsub("#.*$", "")
  local scheme, rest = text:match "^(%a[%w+.-]*)://(.*)$"
  if not scheme and text:sub(1, 2) == "//" and base then
    scheme, rest = base.scheme, text:sub(3)
  end
  local url = { scheme = base and base.scheme or "http", host = base and base.host }
  if scheme then
    url.scheme, url.host = scheme:lower(), rest:match "^[^/?]*"
    text = rest:sub(#url.host + 1)
    text = text:sub(1, 1) == "/" and text or "/" .. text
  end
  local path, mark, query = core.quote_iri(text):match "^([^?]*)(%??)(.*)$"
  if base and not scheme and path:sub(1, 1) ~= "/" then
    path = path == "" and base.path or base.path:match "^(.*/)" .. path
  end
  url.path, url.query = path, mark == "?" and query or nil
  return url
end

local function host_of(app, where, options)
  local own = app.config.SERVER_NAME or "localhost"
  if options.host and options.subdomain then
    check.fail("%s: host and subdomain exclude each other", where)
  end
  return options.host or (options.subdomain and options.subdomain .. "." .. own or own)
end

--- The URL that a path and options mean.
---@param app qlua.App
---@param where string for messages
---@param path string
---@param options qlua.RequestOptions
---@return qlua.RequestUrl
function M.url(app, where, path, options)
  check.type(where, "the path", path, "string")
  if options.scheme and options.scheme ~= "http" and options.scheme ~= "https" then
    check.fail('%s: scheme must be "http" or "https", got %q', where, options.scheme)
  end
  if path:sub(1, 1) ~= "/" and not path:find "^https?://" and path ~= "*" then
    check.fail('%s: the path must begin with "/" or be a whole URL, got %q', where, path)
  end
  local base = { scheme = options.scheme or "http", path = "/" }
  base.host = host_of(app, where, options)
  local url = M.parse_url(path, base)
  if url.query and options.query_string then
    check.fail("%s: there is a query in the path %q and one in query_string: give one", where,
      path)
  end
  local query = options.query_string
  if query then
    url.query = type(query) == "table" and test_body.urlencoded(where, "query_string", query)
      or core.quote_iri(query)
  end
  return url
end

-- ---- the whole --------------------------------------------------------------------------------

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
  return (text:gsub("..?.?", function(three)
    local a, b, c = three:byte(1, 3)
    local bits, out = a * 65536 + (b or 0) * 256 + (c or 0), ""
    for i = 3, 0, -1 do
      local digit = math.floor(bits / 64 ^ i) % 64
      out = out .. (3 - i <= #three and ALPHABET:sub(digit + 1, digit + 1) or "=")
    end
    return out
  end))
end

local function headers_of(where, url, options, cookies)
  local ok, headers = pcall(core.headers, options.headers)
  if not ok then
    check.fail("%s: headers: %s", where, headers)
  end
  headers:setdefault("Host", url.host)
  headers:setdefault("User-Agent", "qlua")
  if options.auth then
    local user, password = options.auth[1], options.auth[2]
    if type(user) ~= "string" or type(password) ~= "string" then
      check.fail("%s: auth must be { user, password }, two strings", where)
    end
    headers:setdefault("Authorization", "Basic " .. base64(user .. ":" .. password))
  end
  if cookies then
    local own = headers:get "Cookie"
    headers:set("Cookie", own and own .. "; " .. cookies or cookies)
  end
  return headers
end

local METHODS_WITH_BODY = { POST = true, PUT = true, PATCH = true }

--- The request as a client sends it.
---@param app qlua.App
---@param where string for messages
---@param url qlua.RequestUrl
---@param options qlua.RequestOptions
---@param cookies? string a Cookie header
---@return string bytes
---@return string method
function M.build(app, where, url, options, cookies)
  local method = (options.method or "GET"):upper()
  if not method:find "^[%u%-]+$" then
    check.fail("%s: %q is no method", where, options.method)
  end
  local version = options.http_version or "1.1"
  if version ~= "1.0" and version ~= "1.1" then
    check.fail('%s: http_version must be "1.0" or "1.1", got %q', where, version)
  end
  local body, content_type = test_body.build(app, where, options)
  local headers = headers_of(where, url, options, cookies)
  if content_type then
    headers:setdefault("Content-Type", content_type)
  end
  if body or METHODS_WITH_BODY[method] then
    headers:set("Content-Length", tostring(#(body or "")))
  end
  local target = url.path .. (url.query and "?" .. url.query or "")
  if url.scheme == "https" then
    target = "https://" .. (headers:get "Host") .. target -- how the wire says it (RFC 9112 3.2.2)
  end
  local lines = { ("%s %s HTTP/%s"):format(method, target, version) }
  for name, value in headers:items() do
    lines[#lines + 1] = name .. ": " .. value
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or ""), method
end

return M
