local qlua = require "qlua"
local app = qlua.App(...)
app:register_blueprint(require "teams")
app:run()
