---@meta qlua.core
--- What profiles need of `qlua.core` (src/bind/profile.c); for the language server, see
--- native.lua.
error "native_profile.lua is for the language server"

-- luacheck: ignore 212 241 (declarations use nothing)

local core = {}

--- Take a profile of this generation, which must be the one that serves; what was taken before is
--- gone. Raises when the seconds are not above 0 and at most 600.
---@param seconds number
---@return true? begun
---@return string? why not
function core.profile_begin(seconds) end

--- End it before its time.
function core.profile_end() end

--- What there is of one, taken or being taken, as JSON (src/bind/profile.h).
---@return string?
function core.profile_json() end

--- Count a trace that the compiler gave up; nothing while no profile is taken.
---@param place string "app.lua:12"
---@param reason string
function core.profile_abort(place, reason) end

return core
