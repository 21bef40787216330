--- One request to a live server and its parsed answer, for specs that do not care about bytes.
---
---   local http = require "support.http"
---   local r = http.get(server, "/x", { headers = { Accept = "text/html" } })
---   local r = http.post(server, "/x", { body = "a=1", headers = { ... } })
---
--- Each request has a connection of its own (Connection: close). For more use support/raw.lua.

local raw = require "support.raw"

local M = {}

---@class spec.HttpOptions
---@field method? string
---@field headers? table<string, string>|{ [1]: string, [2]: string }[] by name, or a list of pairs
---@field body? string sent with its Content-Length
---@field timeout? number
---@field host? string the Host header (default "localhost"); false sends none

local function has(headers, name)
  for key, value in pairs(headers) do
    local given = type(value) == "table" and value[1] or key
    if tostring(given):lower() == name then
      return true
    end
  end
  return false
end

--- The bytes of a request.
---@param method string
---@param target string
---@param options? spec.HttpOptions
---@return string
function M.bytes(method, target, options)
  options = options or {}
  local headers = options.headers or {}
  local lines = { ("%s %s HTTP/1.1"):format(method, target) }
  if options.host ~= false and not has(headers, "host") then
    lines[#lines + 1] = "Host: " .. (options.host or "localhost")
  end
  for key, value in pairs(headers) do
    local name = type(value) == "table" and value[1] or key
    lines[#lines + 1] = name .. ": " .. (type(value) == "table" and value[2] or value)
  end
  if options.body and not has(headers, "content-length")
    and not has(headers, "transfer-encoding") then
    lines[#lines + 1] = "Content-Length: " .. #options.body
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (options.body or "")
end

--- Send one request on a connection of its own and read the answer (interim ones skipped).
---@param server spec.Server|integer|string
---@param method string
---@param target string
---@param options? spec.HttpOptions
---@return spec.Response
function M.request(server, method, target, options)
  options = options or {}
  local connection = raw.connect(server, { timeout = options.timeout })
  local with = setmetatable({ headers = {} }, { __index = options })
  for key, value in pairs(options.headers or {}) do
    with.headers[key] = value
  end
  if not has(with.headers, "connection") then
    with.headers[#with.headers + 1] = { "Connection", "close" }
  end
  local ok, response = pcall(function()
    connection:send(M.bytes(method, target, with))
    local answer
    repeat
      answer = connection:response(method)
    until not answer or answer.status >= 200
    return answer
  end)
  connection:close()
  if not ok or not response then
    error(("%s %s: %s"):format(method, target, response or "closed without an answer"), 2)
  end
  return response
end

---@param server spec.Server|integer|string
---@param target string
---@param options? spec.HttpOptions
---@return spec.Response
function M.get(server, target, options)
  return M.request(server, options and options.method or "GET", target, options)
end

---@param server spec.Server|integer|string
---@param target string
---@param options? spec.HttpOptions
---@return spec.Response
function M.post(server, target, options)
  return M.request(server, options and options.method or "POST", target, options)
end

return M
