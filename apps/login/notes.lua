local login = require "qlua_login"
local qlua = require "qlua"

local notes = qlua.Blueprint("notes", ..., { url_prefix = "/notes" })
notes:before_request(login.login_required)

local NOTES = {} -- by user; each worker has its own

local function mine()
  local user = login.user()
  NOTES[user] = NOTES[user] or qlua.array {}
  return NOTES[user]
end

notes:route("/", {
  get = mine,
  post = function()
    local list = mine()
    list[#list + 1] = qlua.request:get_json().text
    return { id = #list }, 201, { Location = qlua.url_for(".one", { id = #list }) }
  end,
})

notes:route("/<int:id>", { endpoint = "one" }, function(id)
  return mine()[id] or qlua.abort(404)
end)

return notes
