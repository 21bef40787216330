--- ProxyFix: middleware that believes what the trusted proxies in front say of a request: the
--- client, the scheme, the host and the prefix.
--- Flow: `app.asgi_app = qlua.ProxyFix(app.asgi_app, { hops = 1 })`. Each proxy appends a value,
--- so of a list the one counted from the right by `hops` is the one the outermost trusted proxy
--- wrote; what stands left of it anyone may have sent.

local check = require "qlua.check"
local core = require "qlua.core"
local header_values = require "qlua.header_values"

local M = {}

local OPTIONS = { hops = "integer", mode = "string" }
local SCHEMES = { http = true, https = true, ws = true, wss = true }

local function closes_its_quotes(line)
  local quoted, at = false, line:find '["\\]'
  while at do
    if line:sub(at, at) == '"' then
      quoted = not quoted
    elseif quoted then
      at = at + 1
    end
    at = line:find('["\\]', at + 1)
  end
  return not quoted
end

--- The elements of a line. A quote which the client opened must not swallow what proxies wrote
--- behind it: X-Forwarded-* has no quoted strings, and a Forwarded that leaves one open is divided
--- at every comma.
local function elements(name, line)
  if name == "Forwarded" and closes_its_quotes(line) then
    return core.header_list(line)
  end
  local list = {}
  for element in line:gmatch "[^,]+" do
    list[#list + 1] = element:match "^%s*(.*%S)"
  end
  return list
end

--- The value a trusted proxy wrote, or nil when there are fewer than `hops`.
local function trusted(headers, name, hops)
  local list = {}
  for _, line in ipairs(headers:getlist(name)) do
    for _, element in ipairs(elements(name, line)) do
      list[#list + 1] = element
    end
  end
  return list[#list - hops + 1]
end

--- A node as proxies write it, apart: `1.2.3.4:5`, `[::1]:5`, `::1`, `unknown`.
---@param node string
---@return string host, integer port
local function host_and_port(node)
  local host, port = node:match "^%[(.-)%]:?(%d*)$"
  if not host then
    host, port = node:match "^([^:]*):(%d+)$"
  end
  return host or node, tonumber(port) or 0
end

--- What the X-Forwarded headers say.
local function legacy(headers, hops)
  return {
    client = trusted(headers, "X-Forwarded-For", hops),
    scheme = trusted(headers, "X-Forwarded-Proto", hops),
    host = trusted(headers, "X-Forwarded-Host", hops),
    prefix = trusted(headers, "X-Forwarded-Prefix", hops),
  }
end

--- What Forwarded says (RFC 7239).
local function modern(headers, hops)
  local element = trusted(headers, "Forwarded", hops)
  if not element then
    return {}
  end
  local _, params = header_values.params(";" .. element)
  return { client = params["for"], scheme = params.proto, host = params.host }
end

local READERS = { legacy = legacy, modern = modern }

--- Change the scope by what was said, as far as it makes sense.
local function apply(scope, said)
  if said.client and said.client ~= "" then
    scope.client = { host_and_port(said.client) }
  end
  local scheme = said.scheme and said.scheme:lower()
  if SCHEMES[scheme] then
    scope.scheme = scheme
  end
  if said.host and said.host ~= "" then
    scope.headers:set("Host", said.host)
  end
  local prefix = said.prefix and said.prefix:match "^(/.-)/*$"
  if prefix and prefix:find "^//" then -- would be another host in a link
    prefix = nil
  end
  if prefix then
    scope.root_path = prefix ~= "/" and prefix or ""
  end
end

--- Middleware that takes over what trusted proxies say. `hops` is how many of them stand in
--- front; "legacy" reads X-Forwarded-For, -Proto, -Host and -Prefix, "modern" only Forwarded.
---@param asgi_app qlua.AsgiApp
---@param options? { hops?: integer, mode?: "legacy"|"modern" }
---@return qlua.AsgiApp
function M.ProxyFix(asgi_app, options)
  if type(asgi_app) ~= "function" then
    check.fail("ProxyFix: the first argument must be the asgi_app to wrap, got %s; write "
      .. "app.asgi_app = qlua.ProxyFix(app.asgi_app)", check.describe(asgi_app))
  end
  options = check.options("ProxyFix", options, OPTIONS)
  local hops, mode = options.hops or 1, options.mode or "legacy"
  if hops < 1 then
    check.fail("ProxyFix: hops must be at least 1, the number of proxies in front, got %d", hops)
  elseif not READERS[mode] then
    check.fail("ProxyFix: unknown mode %q%s", mode, check.hint(mode, READERS))
  end
  local read = READERS[mode]
  return function(scope, receive, send)
    if scope.type ~= "lifespan" then
      apply(scope, read(scope.headers, hops))
    end
    return asgi_app(scope, receive, send)
  end
end

return M
