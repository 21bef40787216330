--- Errors: HTTPException and a class for each status, abort, and the errors qlua itself raises.
--- Flow: views raise them (abort does), dispatch.lua turns what escapes into an answer.

local check = require "qlua.check"
local classes = require "qlua.class"
local core = require "qlua.core"
local template_errors = require "qlua.template_errors"

--- The errors: HTTPException with a class for each status, and what qlua itself raises.
---@class qlua.errors
---@field BadRequest qlua.HTTPException status 400
---@field Unauthorized qlua.HTTPException status 401
---@field Forbidden qlua.HTTPException status 403
---@field NotFound qlua.HTTPException status 404
---@field MethodNotAllowed qlua.HTTPException status 405
---@field NotAcceptable qlua.HTTPException status 406
---@field RequestTimeout qlua.HTTPException status 408
---@field Conflict qlua.HTTPException status 409
---@field Gone qlua.HTTPException status 410
---@field LengthRequired qlua.HTTPException status 411
---@field PreconditionFailed qlua.HTTPException status 412
---@field RequestEntityTooLarge qlua.HTTPException status 413
---@field RequestURITooLarge qlua.HTTPException status 414
---@field UnsupportedMediaType qlua.HTTPException status 415
---@field RequestedRangeNotSatisfiable qlua.HTTPException status 416
---@field ExpectationFailed qlua.HTTPException status 417
---@field ImATeapot qlua.HTTPException status 418
---@field MisdirectedRequest qlua.HTTPException status 421
---@field UnprocessableEntity qlua.HTTPException status 422
---@field Locked qlua.HTTPException status 423
---@field FailedDependency qlua.HTTPException status 424
---@field PreconditionRequired qlua.HTTPException status 428
---@field TooManyRequests qlua.HTTPException status 429
---@field RequestHeaderFieldsTooLarge qlua.HTTPException status 431
---@field UnavailableForLegalReasons qlua.HTTPException status 451
---@field InternalServerError qlua.HTTPException status 500
---@field NotImplemented qlua.HTTPException status 501
---@field BadGateway qlua.HTTPException status 502
---@field ServiceUnavailable qlua.HTTPException status 503
---@field GatewayTimeout qlua.HTTPException status 504
---@field HTTPVersionNotSupported qlua.HTTPException status 505
---@field default_exceptions table<integer, qlua.Class> status code to class
local M = {}

M.Exception = classes.Exception

--- An error that is an answer: raised (abort does) or returned, it becomes a response of its code.
---@class qlua.HTTPException: qlua.Exception
---@field code? integer its status
---@field name string the status' phrase: "Not Found"
---@field description? string plain text
---@field response? qlua.Response used instead of the default page
---@field original_exception? any the value that was raised, in an InternalServerError
---@overload fun(description?: string, options?: table): qlua.HTTPException
local HTTPException = classes.class("HTTPException", M.Exception)
M.HTTPException = HTTPException

-- what a status class may be told beside its description
local OPTIONS = {
  description = "string",
  response = "table",
  retry_after = "number|string",
  valid_methods = "table",
  length = "integer",
  www_authenticate = "string",
  original_exception = "any",
}

--- What making an instance does.
---@param description? string instead of the status' own
---@param options? { response?: qlua.Response, retry_after?: number|string,
---  valid_methods?: string[], length?: integer, www_authenticate?: string }
function HTTPException:init(description, options)
  local where = getmetatable(self).__name
  check.type(where, "description", description, "string", true)
  for key, value in pairs(check.options(where, options, OPTIONS)) do
    self[key] = value
  end
  if description then
    self.description = description
  end
  self.message = self.description
  if not self.name then -- a class of one's own
    self.name = self:get_name()
  end
end

function HTTPException:__tostring()
  local code = self.code or "???"
  return self.description and ("%s %s: %s"):format(code, self:get_name(), self.description)
    or ("%s %s"):format(code, self:get_name())
end

--- The status' phrase: the name which a class of one's own need not give.
---@private
---@return string
function HTTPException:get_name()
  local phrase = self.name or (self.code and core.status_phrase(self.code)) or ""
  return phrase ~= "" and phrase or "Unknown Error"
end

--- The default page: HTML, the description escaped.
---@return string
function HTTPException:get_body()
  return core.status_page(self.code or 500, self.description)
end

--- The headers that belong to the error: Allow, Retry-After, Content-Range, WWW-Authenticate.
---@return table<string, string>
function HTTPException:get_headers()
  local headers = { ["Content-Type"] = "text/html; charset=utf-8" }
  if self.valid_methods then
    local methods = { unpack(self.valid_methods) }
    table.sort(methods)
    headers.Allow = table.concat(methods, ", ")
  end
  if self.length then
    headers["Content-Range"] = ("bytes */%d"):format(self.length)
  end
  if self.retry_after then
    headers["Retry-After"] = tostring(self.retry_after)
  end
  headers["WWW-Authenticate"] = self.www_authenticate
  return headers
end

--- What the client gets when no handler is registered for the error.
---@return qlua.Response
function HTTPException:get_response()
  if self.response then
    return self.response
  end
  local Response = require("qlua.response").Response -- response needs nothing of here at load
  return Response(self:get_body(), self.code or 500, self:get_headers())
end

-- code and class, as Werkzeug names them; names and descriptions are the core's
local STATUS_CLASSES = {
  [400] = "BadRequest", [401] = "Unauthorized", [403] = "Forbidden", [404] = "NotFound",
  [405] = "MethodNotAllowed", [406] = "NotAcceptable", [408] = "RequestTimeout",
  [409] = "Conflict", [410] = "Gone", [411] = "LengthRequired", [412] = "PreconditionFailed",
  [413] = "RequestEntityTooLarge", [414] = "RequestURITooLarge", [415] = "UnsupportedMediaType",
  [416] = "RequestedRangeNotSatisfiable", [417] = "ExpectationFailed", [418] = "ImATeapot",
  [421] = "MisdirectedRequest", [422] = "UnprocessableEntity", [423] = "Locked",
  [424] = "FailedDependency", [428] = "PreconditionRequired", [429] = "TooManyRequests",
  [431] = "RequestHeaderFieldsTooLarge", [451] = "UnavailableForLegalReasons",
  [500] = "InternalServerError", [501] = "NotImplemented", [502] = "BadGateway",
  [503] = "ServiceUnavailable", [504] = "GatewayTimeout", [505] = "HTTPVersionNotSupported",
}

M.default_exceptions = {}
for code, name in pairs(STATUS_CLASSES) do
  local class = classes.class(name, HTTPException)
  class.code = code
  class.name = core.status_phrase(code)
  class.description = core.status_description(code)
  M.default_exceptions[code] = class
  M[name] = class
end

---@class qlua.RequestRedirect: qlua.HTTPException sent by the router; no handler sees it
---@field new_url string
M.RequestRedirect = classes.class("RequestRedirect", HTTPException)
M.RequestRedirect.code = 308
M.RequestRedirect.name = core.status_phrase(308)

---@param new_url string already quoted
function M.RequestRedirect:init(new_url)
  self.new_url = new_url
  self.message = new_url
end

function M.RequestRedirect:get_response()
  return require("qlua.returned").redirect(self.new_url, self.code)
end

--- Raised by `qlua.timeout` when its time is over.
M.Timeout = classes.class("Timeout", M.Exception)
--- Raised where a task waits that is asked to stop: its client is gone, or it was cancelled.
M.Cancelled = classes.class("Cancelled", M.Exception)
--- What ends a request that uses more processor time than its route's `cpu_limit` or the setting
--- `handler_cpu_limit` allows; pcall does not catch it. The core makes the instances.
---@class qlua.CpuLimitExceeded: qlua.ServiceUnavailable
---@field message string where it was stopped, and why
---@field frames string the traceback of that place
---@field places? string where in templates that was
local CpuLimitExceeded = classes.class("CpuLimitExceeded", M.ServiceUnavailable)
M.CpuLimitExceeded = CpuLimitExceeded

--- Called by the core where it was made, before anything is unwound.
---@package
function CpuLimitExceeded:_noted()
  if package.loaded["qlua.template_render"] then
    local places = require "qlua.template_places" -- late: it knows this file
    self.places = places.text(coroutine.running(), self)
  end
end

--- Raised by `url_for` when no rule fits.
M.BuildError = classes.class("BuildError", M.Exception)

for name, class in pairs(template_errors) do
  M[name] = class
end

--- End the request with an HTTP error.
---@param code integer|qlua.Response a status that has a class, or a response to be sent as it is
---@param description? string|{ description?: string, response?: qlua.Response }
function M.abort(code, description)
  local responses = require "qlua.response"
  if responses.is_response(code) then
    error(HTTPException(nil, { response = code }), 0)
  end
  local class = M.default_exceptions[code]
  if not class and classes.is_a(code, HTTPException) then
    check.fail("abort: an HTTP error is raised by error(err); abort takes its code, got %s",
      check.describe(code))
  elseif not class then
    check.fail("abort: there is no HTTP error for %s; codes that have one are the keys of " ..
      "qlua.errors.default_exceptions", check.describe(code))
  end
  if type(description) == "table" then
    error(class(description.description, description), 0)
  end
  error(class(description), 0)
end

return M
