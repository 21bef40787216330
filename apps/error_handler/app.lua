local qlua = require "qlua"
local app = qlua.App(...)
app:errorhandler(500, function(err)
  return { Error = tostring(err.original_exception or err) }, 500
end)
app:route("/api", function() error("Some Exception", 0) end)
app:run()
