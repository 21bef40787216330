--- The benchmark's jobs as an OpenResty user writes them by hand: no framework, cjson for JSON,
--- the faster of the usual ways where there are several. Flow: nginx.conf calls one per request.

local cjson = require "cjson"
local data = require "data"
local fortunes = require "fortunes"

local ngx = ngx -- luacheck: globals ngx
local match = ngx.re.match

local M = {}

--- One answer with its length, as qlua and the floor send it (else nginx would send chunks).
local function answer(content_type, body)
  local header = ngx.header
  header.content_type = content_type
  header.content_length = #body
  ngx.print(body)
end

function M.plain()
  answer("text/plain", "Hello, World!")
end

function M.json()
  answer("application/json", cjson.encode { message = "Hello, World!" })
end

function M.echo()
  local request = ngx.req
  request.read_body()
  local value = cjson.decode(request.get_body_data())
  answer("application/json", cjson.encode(value))
end

function M.rows()
  answer("application/json", cjson.encode(data.rows))
end

function M.fortunes()
  answer("text/html; charset=utf-8", fortunes(data.fortunes()))
end

-- the first segment chooses among the routes; the handler reads the rest
local routes = {}

for i = 1, data.route_count do
  routes["r" .. i] = function(rest)
    local found = match(rest, [[^(\d+)/items/([^/]+)$]], "jo")
    if not found then
      return ngx.exit(404)
    end
    local id = tonumber(found[1])
    answer("text/html; charset=utf-8", id .. " " .. found[2])
  end
end

function M.route()
  local uri = ngx.var.uri
  local slash = uri:find("/", 2, true)
  local handler = slash and routes[uri:sub(2, slash - 1)]
  if not handler then
    return ngx.exit(404)
  end
  return handler(uri:sub(slash + 1))
end

return M
