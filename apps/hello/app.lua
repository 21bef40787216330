local qlua = require "qlua"
local app = qlua.App(...)

local PLAIN = { ["Content-Type"] = "text/plain" }

app:route("/", function()
  return "Hello, World!", 200, PLAIN
end)

return app
