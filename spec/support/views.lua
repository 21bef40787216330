--- An app of small views for live specs: each is a piece of Lua, its result the JSON answer.
---
---   local server = views.start { q = "return request.args.q" }
---   views.call(server, "/q?q=1")    -- { value = "1" }; { error = "..." } when it raised
---
--- In a view `qlua`, `request`, `g`, `app` and `null` are at hand. nil is JSON null.

local cjson = require "cjson"
local http = require "support.http"
local server = require "support.server"

local M = {}

local HEAD = [[
local qlua = require "qlua"
local request, g, null = qlua.request, qlua.g, qlua.null
local app = qlua.App(...)
local function view(name, fn)
  local options = { endpoint = name, methods = { "GET", "POST", "PUT", "HEAD" } }
  app:route("/" .. name, options, function(...)
    local ok, value, second = pcall(fn, ...)
    if ok then
      return qlua.jsonify { value = value, second = second }
    elseif type(value) ~= "string" then
      error(value, 0) -- an HTTP error: its own page
    end
    return qlua.jsonify { error = value }
  end)
end
]]

--- The text of an app with these views; setup is Lua that runs when it is loaded.
---@param pieces table<string, string> name to the view's body
---@param setup? string
---@return string
function M.app(pieces, setup)
  local text = { HEAD, setup or "" }
  for name, piece in pairs(pieces) do
    text[#text + 1] = ("view(%q, function(...)\n%s\nend)"):format(name, piece)
  end
  text[#text + 1] = "return app\n"
  return table.concat(text, "\n")
end

---@param pieces table<string, string>
---@param setup? string
---@param options? table of support/server.lua
---@return spec.Server
function M.start(pieces, setup, options)
  local with = { app = M.app(pieces, setup) }
  for name, value in pairs(options or {}) do
    with[name] = value
  end
  return server.start(with)
end

--- Start an app whose views answer with what their pieces return, or fail as those do.
---@param bodies table<string, string> path to the view's body
---@param files? table<string, string> beside the app
---@return spec.Server
function M.start_bare(bodies, files)
  local text = { [[
    local qlua = require "qlua"
    local app = qlua.App(...)
    local request, g = qlua.request, qlua.g
  ]] }
  for path, body in pairs(bodies) do
    text[#text + 1] = ("app:route(%q, function(...)\n%s\nend)"):format(path, body)
  end
  text[#text + 1] = "return app\n"
  return server.start { app = table.concat(text, "\n"), files = files }
end

--- The decoded answer of a view; its status when it is no 200.
---@param to spec.Server
---@param target string
---@param options? spec.HttpOptions POST when there is a body
---@return any
function M.call(to, target, options)
  local method = options and (options.method or options.body and "POST") or "GET"
  local response = http.request(to, method, target, options)
  if response.status ~= 200 then
    return response.status
  end
  return cjson.decode(response.body)
end

--- What the view returned; fails when it raised.
---@param to spec.Server
---@param target string
---@param options? spec.HttpOptions
---@return any
function M.value(to, target, options)
  local answer = M.call(to, target, options)
  if type(answer) ~= "table" or answer.error then
    error(type(answer) == "table" and answer.error or "status " .. tostring(answer), 2)
  end
  return answer.value
end

return M
