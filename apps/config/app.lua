-- Where the keys of app.config come from; of a key that comes twice the last one counts.
--   curl localhost:5000/sqluri       {"SQLURI":"sqlite://yml"}
--   started with QLUA_SQLURI=env     {"SQLURI":"env"}
local qlua, yaml = require "qlua", require "lyaml"
local app = qlua.App(...)

app.config:from_object("prod_settings.Config") -- a Lua module's table, UPPER_CASE keys only
app.config:from_json("prod_settings.json")
app.config:from_file("prod_settings.yml", yaml.load) -- any loader: function(text) -> table
app.config:from_prefixed_env() -- QLUA_SQLURI=..., QLUA_DB__HOST=... (JSON values)

app:route("/sqluri", function()
  return { SQLURI = app.config.SQLURI }
end)

app:run()
