local qlua = require "qlua"
local app = qlua.App(...)

qlua.signals.request_finished:connect(function(sender, extra)
  print("About to send a Response")
  print(extra.response)
end)

app:route("/api", function() return { Hello = "World" } end)
app:run()
