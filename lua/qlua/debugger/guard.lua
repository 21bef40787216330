--- Guard: who may see debug pages, and who may use the console.
--- Flow: init.lua asks before it shows or does anything. The address was looked at by the core
--- (debug_admits), the secret of the URL too; here are the rest: the Host, the Origin and the PIN.

local context = require "qlua.context"
local core = require "qlua.core"
local current = require "qlua.current"
local request = require "qlua.request"
local responses = require "qlua.response"

local M = {}

local COOKIE = "qlua_debugger"

-- ---- pages ------------------------------------------------------------------------------------

--- The name in a Host header, without its port.
local function host_name(host)
  return (host:match "^%[([%x:.]+)%]:?%d*$" or host:match "^([^:]*):?%d*$" or host):lower()
end

local function is_address(name)
  return name:find "^%d+%.%d+%.%d+%.%d+$" ~= nil or name:find "^[%x:]*:[%x:.]*$" ~= nil
end

--- A page elsewhere whose name was made to lead here sends that name as Host (DNS rebinding): so
--- only names count that nobody else can own.
---@param host string as in the Host header
---@param server_name? string the app's SERVER_NAME
---@return boolean
function M.is_own_host(host, server_name)
  local name = host_name(host)
  return name == "localhost" or name:find "%.localhost$" ~= nil or is_address(name)
    or server_name ~= nil and name == host_name(server_name)
end

--- May a page of this origin read debug pages, should the app's own CORS headers let it? One of
--- this machine: a front end that is developed beside the app.
---@param origin? string the Origin header
---@param host string the request's own
---@return boolean
function M.is_own_origin(origin, host)
  local from = origin and origin:match "^https?://(.*)$"
  if not origin or from == host then
    return true
  end
  local name = from and host_name(from) or ""
  return name == "localhost" or name:find "%.localhost$" ~= nil or name == "::1"
    or name:find "^127%.%d+%.%d+%.%d+$" ~= nil
end

--- Why the running request's client may not see debug pages; nil when it may.
---@return string?
function M.refusal()
  local handle = context.get().handle
  local app = current.served
  if not core.debug_admits(handle) then
    return ("Debug pages are shown to the addresses of the setting debug_allow only, and %s "
      .. "is none of them, or asks for somebody else"):format(request.remote_addr)
  elseif not M.is_own_host(core.request_host(handle), app and app.config.SERVER_NAME) then
    return ("Debug pages are shown under names of this machine only (localhost, an address, "
      .. "the app's SERVER_NAME), and %q is none"):format(core.request_host(handle))
  elseif not M.is_own_origin(core.request_header(handle, "Origin"), core.request_host(handle)) then
    return "Debug pages are not for pages of other origins"
  end
end

-- ---- the console ------------------------------------------------------------------------------

--- Does the running request come from a page of ours, as far as its browser tells?
---@return boolean
function M.is_same_origin()
  local site = request.headers["Sec-Fetch-Site"]
  if site and site ~= "same-origin" and site ~= "none" then
    return false
  end
  local handle = context.get().handle
  local origin = core.request_header(handle, "Origin")
  return not origin or origin:match "^https?://(.*)$" == core.request_host(handle)
end

--- Has the running request's browser given the PIN?
---@return boolean
function M.is_unlocked()
  local cookie = request.cookies:get(COOKIE)
  return cookie ~= nil and core.debug_knows(cookie)
end

--- An answer to a PIN: with the cookie when it was right.
---@param pin string
---@return table answer, qlua.Response? response
function M.try(pin)
  local token, left = core.debug_pin(pin)
  if not token then
    return { ok = false, left = left, error = left > 0
      and ("This is not the PIN; %d more may be tried"):format(left)
      or "Too many wrong PINs: the console is locked until the server is started anew" }
  end
  local response = responses.new ""
  response:set_cookie(COOKIE, token, {
    path = core.debug_prefix(), httponly = true, samesite = "Strict",
  })
  return { ok = true }, response
end

return M
