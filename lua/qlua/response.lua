--- Response: what goes back to the client.
--- Flow: a view returns one, or returned.lua makes one of what it returned; the core sends it.
---
--- The array slots are the contract with the core: [1] status, [2] body (a string, an iterator,
--- an open file, or nil), [3] Headers or nil, [4] content type or nil, [5] the table of headers
--- which a view returned, [6] timeout; in a 304 [7] and [8], content type and length of what it
--- stands for. Headers are made on first touch; from then on they hold the content type and what
--- the table says, and [4] and [5] are nil. A slot without a value is false when a response is
--- made: a hole would cost a rehash.

local check = require "qlua.check"
local core = require "qlua.core"
local current = require "qlua.current"
local fields = require "qlua.response_fields"

local getters, setters = fields.getters, fields.setters
local M = {}

---@class qlua.Response
---@field status_code integer 200..599
---@field status string "404 NOT FOUND"
---@field mimetype? string of content_type, without parameters
---@field content_type? string the header Content-Type
---@field headers qlua.Headers all headers; may be changed
---@field mimetype_params table<string, string> of content_type: charset and the like
---@field content_length? integer of a body whose length is known; set, it states a streamed one's
---@field data string the body; a stream is run to its end. Assigned, it is the body
---@field json any the body as JSON; nil when its type is no JSON
---@field is_json boolean is its type JSON?
---@field timeout number|false|nil seconds in which the client takes nothing; false: no limit
---@field cache_control qlua.CacheControl the header Cache-Control by directive
---@field vary qlua.HeaderSet the header Vary
---@field allow qlua.HeaderSet the header Allow
---@field content_language qlua.HeaderSet the header Content-Language
---@field location? string the header Location; assigned, it is percent-encoded
---@field last_modified? number seconds since 1970
---@field expires? number seconds since 1970
---@field retry_after? number|string seconds, or a date
local Response = {}
local meta = { __name = "qlua.Response" }

local HTML = "text/html; charset=utf-8"
local NONE = false -- not a literal: with one the table would be made too small

---@param value any
---@return boolean
function M.is_response(value)
  return type(value) == "table" and getmetatable(value) == meta
end

-- ---- making one -------------------------------------------------------------------------------

local function checked_body(where, body)
  local kind = type(body)
  if kind == "string" or kind == "function" or kind == "nil" or core.is_file(body) then
    return body
  end
  check.fail("%s: the body must be a string or an iterator function, got %s%s", where,
    check.describe(body), kind == "table" and "; qlua.jsonify makes a response of a table" or "")
end

--- A response with checked parts. Inside of qlua; the public constructor is Response(...).
---@param body? string|function|qlua.File
---@param status? integer
---@param content_type? string
---@return qlua.Response
function M.new(body, status, content_type)
  return setmetatable({ status or 200, body or "", NONE, content_type or HTML }, meta)
end

--- A response of a string with the headers of a table: what most views return. The table stays as
--- it is in slot [5] until somebody asks for the response's headers.
---@param body string
---@param status? integer
---@param headers table<string, string|string[]>
---@return qlua.Response? response, string? message why the headers cannot be sent
function M.with_headers(body, status, headers)
  if headers[1] == nil and not getmetatable(headers) then
    return setmetatable({ status or 200, body, NONE, HTML, headers }, meta)
  end
  local ok, made = pcall(core.response_headers, HTML, #body, headers)
  if not ok then
    return nil, made
  end
  return setmetatable({ status or 200, body, made }, meta)
end

--- Lay headers over those of a response: same-named ones are replaced, a list gives several lines.
---@param response qlua.Response
---@param headers qlua.Headers|table<string, string|string[]>
---@return string? message why they cannot be sent
function M.update_headers(response, headers)
  local ok, given = pcall(core.headers, headers)
  if not ok then
    return given
  end
  local target, seen = response.headers, {}
  for name in given:items() do
    local key = name:lower()
    if not seen[key] then
      seen[key] = true
      target:remove(name)
      for _, value in ipairs(given:getlist(name)) do
        target:add(name, value)
      end
    end
  end
end

local OPTIONS = { mimetype = "string", content_type = "string" }

--- What goes back to the client: a view returns it.
---@param body? string|fun(): string?
---@param status? integer|string
---@param headers? qlua.Headers|table<string, string|string[]>
---@param options? { mimetype?: string, content_type?: string }
---@return qlua.Response
function M.Response(body, status, headers, options)
  checked_body("Response", body)
  options = check.options("Response", options, OPTIONS)
  local self = M.new(body, 200, options.content_type)
  if status ~= nil then
    self.status = status
  end
  if headers ~= nil then
    if type(headers) ~= "table" and type(headers) ~= "userdata" then
      check.fail("Response: headers must be a table, got %s", check.describe(headers))
    end
    local message = M.update_headers(self, headers)
    if message then
      check.fail("Response: %s", message)
    end
  end
  if options.content_type then
    self.content_type = options.content_type
  elseif options.mimetype then
    self.mimetype = options.mimetype
  end
  return self
end

-- ---- methods ----------------------------------------------------------------------------------

--- The body as a string. A streamed one is run to its end and kept.
---@async
---@return string
function Response:get_data()
  local body = rawget(self, 2)
  if type(body) == "function" then
    local parts = {}
    for chunk in body do
      parts[#parts + 1] = chunk
    end
    self:set_data(table.concat(parts))
  elseif core.is_file(body) then
    local text = assert(body:read(body.length))
    body:close()
    self:set_data(text)
  end
  return rawget(self, 2) or ""
end

--- Set the body.
---@param text string
function Response:set_data(text)
  check.type("response:set_data", "text", text, "string")
  rawset(self, 2, text)
  if rawget(self, 3) then
    self[3]:set("Content-Length", tostring(#text))
  end
end

local COOKIE_OPTIONS = {
  max_age = "number", expires = "number", path = "string|boolean", domain = "string",
  secure = "boolean", httponly = "boolean", samesite = "string", partitioned = "boolean",
}

--- Add a cookie. `expires` is in seconds since 1970, `max_age` in seconds from now; the path is
--- "/" unless given (false: none).
---@param key string
---@param value? string
---@param options? { max_age?: number, expires?: number, path?: string|false, domain?: string,
---  secure?: boolean, httponly?: boolean, samesite?: string, partitioned?: boolean }
function Response:set_cookie(key, value, options)
  check.type("set_cookie", "key", key, "string")
  check.type("set_cookie", "value", value, "string", true)
  options = check.options("set_cookie", options, COOKIE_OPTIONS)
  local text, message = core.cookie_write(key, value or "", options)
  if not text then
    check.fail("set_cookie: %s", message)
  end
  local limit = current.app() and current.app().config.MAX_COOKIE_SIZE or 4093
  if limit > 0 and #text > limit then
    core.log("warning", ("the cookie %q has %d bytes, more than MAX_COOKIE_SIZE (%d): browsers "
      .. "may drop it"):format(key, #text, limit))
  end
  self.headers:add("Set-Cookie", text)
end

--- Make the client forget a cookie: path and domain must be those it was set with.
---@param key string
---@param options? table as of set_cookie
function Response:delete_cookie(key, options)
  local all = { expires = 0, max_age = 0 }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  self:set_cookie(key, "", all)
end

--- Name the version of the body.
---@param etag string
---@param options? { weak?: boolean }
function Response:set_etag(etag, options)
  check.type("response:set_etag", "etag", etag, "string")
  options = check.options("response:set_etag", options, { weak = "boolean" })
  if etag:find('"', 1, true) then
    check.fail("response:set_etag: the etag is given without quotes, got %s", etag)
  end
  self.headers:set("ETag", (options.weak and 'W/"' or '"') .. etag .. '"')
end

--- Name the version of the body by its checksum, unless it has a name. A streamed body is run to
--- its end and kept.
---@async
---@param options? { overwrite?: boolean, weak?: boolean }
function Response:add_etag(options)
  options = check.options("response:add_etag", options, { overwrite = "boolean", weak = "boolean" })
  if options.overwrite or not self:get_etag() then
    self:set_etag(assert(core.md5(self:get_data())), { weak = options.weak })
  end
end

--- The body as JSON; nil when its type is no JSON.
---@async
---@return any
function Response:get_json()
  return self.json
end

--- The version that the header ETag names, without quotes.
---@return string? etag, boolean? weak
function Response:get_etag()
  local headers = fields.headers_of(self)
  local text = headers and headers:get "ETag"
  if not text then
    return nil
  end
  local weak, etag = text:match '^%s*([wW]?/?)"(.*)"%s*$'
  return etag or text, (weak or "") ~= ""
end

--- Answer by the request's conditions: 304 when the client has this version already, an error 412
--- when it asks for another one, and with accept_ranges the range it asks for.
---@param request qlua.Request
---@param options? { accept_ranges?: boolean }
---@return qlua.Response self
function Response:make_conditional(request, options)
  options = check.options("response:make_conditional", options, { accept_ranges = "boolean" })
  return require("qlua.conditional").apply(self, request, options.accept_ranges)
end

-- ---- the metatable ----------------------------------------------------------------------------

function meta.__index(self, key)
  local method = Response[key]
  if method then
    return method
  end
  local get = getters[key]
  return get and get(self)
end

function meta.__newindex(self, key, value)
  local set = setters[key]
  if set then
    set(self, value)
  elseif type(key) == "number" or tostring(key):sub(1, 1) == "_" then
    rawset(self, key, value) -- the slots; names with an underscore are the user's own
  elseif getters[key] or Response[key] then
    check.fail("response.%s cannot be assigned", key)
  else
    check.fail("a Response has no field %q%s", tostring(key), check.hint(tostring(key), setters))
  end
end

function meta.__tostring(self)
  local length = fields.body_length(rawget(self, 2))
  return ("<Response %s [%s]>"):format(length and length .. " bytes" or "streamed", self.status)
end

core.response_class(meta)

return M
