--- The benchmark's jobs as a qlua app (the plain one is apps/hello). Beside it: nginx/jobs.lua.

local data = require "data"
local qlua = require "qlua"

local request = qlua.request
local app = qlua.App(...)

app:get("/json", function()
  return { message = "Hello, World!" }
end)

app:post("/echo", function()
  return request:get_json()
end)

app:get("/rows", function()
  return data.rows
end)

app:get("/fortunes", function()
  return qlua.render_template("fortunes.html", { fortunes = data.fortunes() })
end)

for i = 1, data.route_count do
  app:get(("/r%d/<int:id>/items/<name>"):format(i), function(id, name)
    return id .. " " .. name
  end)
end

return app
