local qlua = require "qlua"
local session = qlua.session

local app = qlua.App(...)
app.secret_key = "dev-secret"

app:get("/none", function()
  return "untouched"
end)

app:get("/set", function()
  for key, value in qlua.request.args:items() do
    session[key] = value
  end
  return "set"
end)

app:get("/all", function()
  return session:to_dict()
end)

app:get("/clear", function()
  session:clear()
  return "cleared"
end)

app:get("/permanent", function()
  session.permanent = true
  for key, value in qlua.request.args:items() do
    session[key] = value
  end
  return "permanent"
end)

app:get("/table", function()
  session.user = "alice"
  return { user = session.user }, 201, { Vary = "Accept" }
end)

app:get("/response", function()
  session.user = "bob"
  return qlua.Response("made", 202)
end)

app:get("/streamed", function()
  session.user = "carol"
  local parts = { "a", "b" }
  return function()
    return table.remove(parts, 1)
  end
end)

app:get("/aborted", function()
  session.user = "dave"
  qlua.abort(403)
end)

app:get("/count", function()
  session.n = (session.n or 0) + 1
  return tostring(session.n)
end)

app:get("/flash", function()
  qlua.flash("hi", "info")
  qlua.flash "ho"
  return "flashed"
end)

app:get("/messages", function()
  return {
    all = qlua.get_flashed_messages(),
    pairs = qlua.get_flashed_messages { with_categories = true },
    info = qlua.get_flashed_messages { category_filter = { "info" } },
  }
end)

app:get("/new", function()
  session.a = qlua.request.args.a
  return { new = session.new, a = session.a }
end)

app:get("/login", function()
  session:regenerate()
  session.user = "ann"
  return "logged in"
end)

-- the session is read, and then something happens to it
app:get("/meanwhile", function()
  local values = session:to_dict()
  app.extensions.meanwhile()
  return values
end)

app:get("/gather", function()
  qlua.gather(function() session.one = "1" end, function() session.two = "2" end)
  return session:to_dict()
end)

return app
