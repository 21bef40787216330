--- Prints every public name of the API, a line each: owner and name. For guide_spec.lua, run by
--- `qlua` with QLUA_LUA_DIR=lua.

local surface = require "qlua.cli.surface"

package.path = "lua/tools/?.lua;" .. package.path
local index = require("sources").index()

for _, owner in ipairs(surface.owners()) do
  for name, value in pairs(surface.names(owner)) do
    local said = surface.said(index, owner, name, value)
    if not said or said.visibility == "public" then
      print(owner.name .. " " .. name)
    end
  end
end
