--- TRUSTED_HOSTS: requests that name another host get a 400 before anything of the app runs.
--- Flow: app.lua installs the hook below when the key is first set; apps without it pay nothing.

local errors = require "qlua.errors"
local request = require "qlua.request"

local M = {}

--- The host without its port, in lower case.
local function plain(host)
  return (host:lower():gsub(":%d*$", ""))
end

--- Does a list name the host? `.example.com` means example.com and all below it.
---@param host? string as a request says it, with or without a port
---@param list string[]
---@return boolean
function M.contains(list, host)
  host = plain(host or "")
  if host == "" then
    return false
  end
  for _, entry in ipairs(list) do
    local name = plain(entry)
    local bare = name:match "^%.(.*)$"
    if host == (bare or name) or (bare and host:sub(-#name) == name) then
      return true
    end
  end
  return false
end

--- Let the app look at the host before its own hooks, as its config says at that time.
---@param app qlua.App
function M.install(app)
  local hooks = app._hooks.before_request
  hooks[""] = hooks[""] or {}
  table.insert(hooks[""], 1, function()
    local list = app.config.TRUSTED_HOSTS
    if list and not M.contains(list, request.host) then
      error(errors.BadRequest "The host of this request is none that is served here.", 0)
    end
  end)
end

return M
