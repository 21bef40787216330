--- The plain job with all that may surround a view: two before and two after hooks, of the app and
--- of a blueprint, and a connected signal. Each does next to nothing: what is measured is the road.

local qlua = require "qlua"

local app = qlua.App(...)
local pages = qlua.Blueprint("pages", ...)

local PLAIN = { ["Content-Type"] = "text/plain" }

local asked, answered, signalled = 0, 0, 0

local function count_asked()
  asked = asked + 1
end

local function count_answered(response)
  answered = answered + 1
  return response
end

app:before_request(count_asked)
pages:before_request(count_asked)
app:after_request(count_answered)
pages:after_request(count_answered)

qlua.signals.request_finished:connect(function()
  signalled = signalled + 1
end)

pages:route("/", function()
  return "Hello, World!", 200, PLAIN
end)

app:register_blueprint(pages)

return app
