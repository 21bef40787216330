--- The attributes of a Response: reading one reads its slot or header, writing one writes it.
--- Flow: response.lua's metatable looks them up here by name.

local check = require "qlua.check"
local core = require "qlua.core"
local header_values = require "qlua.header_values"
local response_headers = require "qlua.response_headers"

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
  headers = core.response_headers(rawget(self, 4), M.body_length(rawget(self, 2)), rawget(self, 5))
  rawset(self, 3, headers)
  rawset(self, 5, nil)
  rawset(self, 4, nil)
  return headers
end

function setters:headers(headers)
  rawset(self, 3, core.headers(headers))
  rawset(self, 4, nil)
end

--- The headers, or nil when there are none beside the content type.
---@param response qlua.Response
---@return qlua.Headers?
function M.headers_of(response)
  return rawget(response, 3) or (rawget(response, 5) and response.headers) or nil
end

function getters:content_type()
  local headers = M.headers_of(self)
  return rawget(self, 4) or (headers and headers:get "Content-Type")
end

function setters:content_type(text)
  check.type("response", "content_type", text, "string", true)
  local headers = M.headers_of(self)
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

function getters:mimetype_params()
  local _, params = header_values.params(self.content_type or "")
  return params
end

function getters:is_json()
  local mimetype = self.mimetype or ""
  return mimetype == "application/json" or mimetype:find "^application/.+%+json$" ~= nil
end

function getters:timeout()
  return rawget(self, 6)
end

function setters:timeout(seconds)
  if seconds then
    check.type("response", "timeout", seconds, "number")
  end
  rawset(self, 6, seconds)
end

-- ---- the body ---------------------------------------------------------------------------------

function getters:content_length()
  return M.body_length(rawget(self, 2))
end

--- Says how long a streamed body will be; that of any other is known.
function setters:content_length(length)
  check.type("response", "content_length", length, "number", true)
  self.headers:set("Content-Length", length and ("%d"):format(length))
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

response_headers.add(getters, setters)

return M
