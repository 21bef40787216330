local qlua = require "qlua"
local app, g, request = qlua.App(...), qlua.g, qlua.request

app:before_request(function()
  local auth = request.authorization
  g.user = auth and auth.username or "Anonymous"
end)

app:route("/api", function()
  return { Hello = g.user }
end)

app:run()
