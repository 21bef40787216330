--- Which app is at work here: the one that is served, or while loading the only one made.
--- Flow: app.lua adds each app made, dispatch.lua names the one it serves; whoever needs the app
--- without being handed it asks here.

local M = {}

---@type qlua.App? the app that is served
M.served = nil

---@type qlua.App[] every app made in this Lua state
M.made = {}

--- The app at work, or nil when there is none or it is not clear which.
---@return qlua.App?
function M.app()
  return M.served or (#M.made == 1 and M.made[1] or nil)
end

return M
