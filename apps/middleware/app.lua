local qlua = require "qlua"
local request = qlua.request

local function XFFMiddleware(asgi_app, real_ip)
  return function(scope, receive, send)
    if not scope.headers:get("X-Forwarded-For") then
      scope.headers:set("X-Forwarded-For", real_ip .. ", 10.3.4.5, 127.0.0.1")
    end
    return asgi_app(scope, receive, send)
  end
end

local app = qlua.App(...)
app.asgi_app = XFFMiddleware(app.asgi_app, "10.1.1.1")

app:route("/api", function()
  local forwarded = request.headers["X-Forwarded-For"]
  return { Hello = forwarded and forwarded:match("^%s*([^,]+)") or request.remote_addr }
end)
app:run()
