--- The plain job with all that may surround a view: two before and two after hooks, a blueprint,
--- a connected signal.

local qlua = require "qlua"

local app = qlua.App(...)
local pages = qlua.Blueprint("pages", ...)
local g = qlua.g

local PLAIN = { ["Content-Type"] = "text/plain" }

app:before_request(function()
  g.user = "ada"
end)

pages:before_request(function()
  g.page = "hello"
end)

app:after_request(function(response)
  response.headers["X-User"] = g.user
  return response
end)

pages:after_request(function(response)
  return response
end)

local answers = 0
qlua.signals.request_finished:connect(function()
  answers = answers + 1
end)

pages:route("/", function()
  return "Hello, World!", 200, PLAIN
end)

app:register_blueprint(pages)

return app
