--- Conditional answers: 304, 412, and the single range of 206 and 416 (RFC 9110 13 and 14).
--- Flow: Response:make_conditional and static.lua call apply before the response goes out.

local check = require "qlua.check"
local core = require "qlua.core"
local errors = require "qlua.errors"

local M = {}

-- what describes a body that is not sent (RFC 9110 15.4.5)
local BODY_HEADERS = {
  "Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Range",
}

local function close_body(response)
  local body = rawget(response, 2)
  if core.is_file(body) then
    body:close()
  end
end

local function not_modified(response)
  -- for the core, which knows by them whether the answer would have been compressed
  rawset(response, 7, response.content_type)
  rawset(response, 8, response.content_length)
  close_body(response)
  response.status_code = 304
  rawset(response, 2, "")
  for _, name in ipairs(BODY_HEADERS) do
    response.headers:remove(name)
  end
  return response
end

--- Send only the range that is asked for, if one is.
local function apply_range(response, request, etag, modified)
  local body, headers = rawget(response, 2), response.headers
  local size = response.content_length
  if type(body) == "function" or not size or response.status_code ~= 200 then
    return response
  end
  headers:set("Accept-Ranges", "bytes")
  if request.method ~= "GET" then
    return response -- RFC 9110 14.2: a Range counts for GET only
  end
  local first, last = core.range(request.headers, size, etag, modified)
  if first == nil then
    close_body(response)
    error(errors.RequestedRangeNotSatisfiable(nil, { length = size }), 0)
  elseif first then
    rawset(response, 2, type(body) == "string" and body:sub(first + 1, last + 1)
      or body:range(first, last))
    response.status_code = 206
    headers:set("Content-Range", ("bytes %d-%d/%d"):format(first, last, size))
    headers:set("Content-Length", ("%d"):format(last - first + 1))
  end
  return response
end

--- Answer a response by the request's conditions. Raises the errors 412 and 416.
---@param response qlua.Response
---@param request qlua.Request
---@param accept_ranges? boolean
---@return qlua.Response
function M.apply(response, request, accept_ranges)
  local method = request and request.method
  if not method then
    check.fail("response:make_conditional: the first argument must be the request, got %s",
      check.describe(request))
  end
  if method ~= "GET" and method ~= "HEAD" then
    return response
  end
  local headers = response.headers
  local etag, modified = headers:get "ETag", response.last_modified
  local result = core.condition(request.headers, true, etag, modified)
  if result == "not_modified" then
    return not_modified(response)
  elseif result == "failed" then
    close_body(response)
    error(errors.PreconditionFailed(), 0)
  end
  return accept_ranges and apply_range(response, request, etag, modified) or response
end

return M
