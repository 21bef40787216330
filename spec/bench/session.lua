--- A counter in the visitor's session: each request brings a signed cookie, each answer sets one.
--- It answers as the plain job does, so that what is measured is the session.

local qlua = require "qlua"

local app = qlua.App(...)
local session = qlua.session

local PLAIN = { ["Content-Type"] = "text/plain" }

app.secret_key = "dev-secret"

app:get("/", function()
  session.n = (session.n or 0) + 1
  return "Hello, World!", 200, PLAIN
end)

return app
