local login = require "qlua_login"
local qlua = require "qlua"

local app = qlua.App(...)
app.config.LOGIN_USERS = { alice = "wonderland", bob = "builder" }
app.config.LOGIN_REALM = "Notes"
login.init_app(app)
app:register_blueprint(require "notes")

app:route("/", function()
  return { Hello = login.user() or "stranger" }
end)

app:run()
