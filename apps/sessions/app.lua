local qlua = require "qlua"
local request, session = qlua.request, qlua.session

local app = qlua.App(...)
app.config:setdefault("SECRET_KEY", "for this example only; make a long random one of your own")

app:route("/", function()
  session.visits = session:get("visits", 0) + 1
  return { Hello = session:get("user", "stranger"), visits = session.visits }
end)

app:post("/login", function()
  session:regenerate()
  session.user = request.form.user or qlua.abort(400)
  session.permanent = request.form.remember ~= nil
  qlua.flash("Welcome, " .. session.user, "success")
  return qlua.redirect "/messages"
end)

app:get("/messages", function()
  return qlua.get_flashed_messages { with_categories = true }
end)

app:post("/logout", function()
  session:clear()
  return qlua.redirect "/"
end)

app:run()
