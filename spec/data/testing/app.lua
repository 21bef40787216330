--- The app that spec/qlua/testing_spec.lua asks through the test client.

local qlua = require "qlua"

local app, request, g = qlua.App(...), qlua.request, qlua.g
app.life = {}

local ALL = { "GET", "POST", "PUT", "PATCH", "DELETE" }

app:route("/", function()
  return "hello"
end)

--- What arrived, as JSON.
app:route("/echo", { methods = ALL }, function()
  local files = {}
  for name, file in request.files:items() do
    files[name] = { file.filename, file.content_type, file:read() }
  end
  return {
    method = request.method, url = request.url, query = request.query_string,
    args = request.args:to_dict { flat = false }, form = request.form:to_dict { flat = false },
    files = files, json = request.is_json and request.json or nil, data = request.data,
    type = request.content_type, length = request.content_length, peer = request.remote_addr,
    agent = request.user_agent.string, host = request.host, secure = request.is_secure,
    auth = request.authorization and request.authorization.username,
    version = request.http_version, cookie = request.headers.Cookie, x = request.headers["X-A"],
  }
end)

app:route("/slow", function()
  qlua.sleep(0.02)
  return "slow"
end)

app:route("/status/<int:code>", function(code)
  return "body", code, { ["X-Code"] = tostring(code), ["X-List"] = { "a", "b" } }
end)

app:route("/nothing", function()
  return "", 204
end)

app:route("/stream", function()
  local i = 0
  return function()
    i = i + 1
    qlua.sleep(0)
    return i <= 3 and "piece " .. i .. ";" or nil
  end
end)

--- Without end; notes in app.gone that the client has left.
app:route("/endless", function()
  return function()
    local ok, err = pcall(qlua.sleep, 0)
    if not ok then
      app.gone = true
      error(err, 0)
    end
    return ("x"):rep(10000)
  end
end)

app:route("/large", function()
  return ("0123456789"):rep(100000)
end)

app:route("/file", function()
  return qlua.send_file("app.lua", { conditional = true })
end)

app:route("/cut", function()
  local first = true
  return function()
    if not first then
      error "in the middle"
    end
    first = false
    return "begun"
  end
end)

app:route("/raise", function()
  error(request.args.table and { code = "own" } or "out of the app", 0)
end)

app:route("/redirect/<int:code>", { methods = ALL }, function(code)
  return "", code, { Location = request.args.to or "/echo?from=" .. code }
end)

app:route("/around", function()
  return qlua.redirect "/around"
end)

app:route("/set/<name>", function(name)
  local response = qlua.make_response("set")
  local options = {}
  for _, key in ipairs { "path", "domain" } do
    options[key] = request.args[key]
  end
  options.max_age = tonumber(request.args.max_age)
  options.secure = request.args.secure ~= nil
  response:set_cookie(name, request.args.value or "1", options)
  return response
end)

app:route("/cookies", function()
  return request.headers.Cookie or "none"
end)
app:route("/deep/cookies", function()
  return request.headers.Cookie or "none"
end)

app:route("/background", function()
  app:add_background_task(function()
    app.life[#app.life + 1] = "background"
  end)
  return "added"
end)

app:route("/wait/<which>", function(which)
  app.life[#app.life + 1] = "begin " .. which
  qlua.sleep(0.02)
  app.life[#app.life + 1] = "end " .. which
  return which
end)

app:before_serving(function()
  app.life[#app.life + 1] = "before"
end)

app:after_serving(function()
  app.life[#app.life + 1] = "after"
end)

app:before_request(function()
  g.hooked = true
end)

app:teardown_request(function(err)
  app.torn_down = err or "well"
end)

app:teardown_appcontext(function(err)
  app.context_torn_down = err or "well"
end)

app:run()
