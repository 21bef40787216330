local qlua = require "qlua"
local teams = qlua.Blueprint("teams", ...)

local DEVS, OPS = { "Alice", "Bob" }, { "Charles" }
local TEAMS = { DEVS, OPS }

teams:route("/teams", function() return TEAMS end)
teams:route("/teams/<int:team_id>", function(team_id) return TEAMS[team_id] or qlua.abort(404) end)

return teams
