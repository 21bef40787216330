--- qlua_login: HTTP basic authentication for apps, and an example of an extension.
---
---   local login = require "qlua_login"
---   login.init_app(app)
---   blueprint:before_request(login.login_required)     -- all of a blueprint
---   app:route("/me", login.protected(function() return login.user() end))   -- or one view
---
--- Settings: LOGIN_USERS, a table of passwords by name; LOGIN_REALM, what the browser's dialog
--- names. An app that keeps its users elsewhere gives `verify`.

local bit = require "bit"
local qlua = require "qlua"

local current_app, g, request = qlua.current_app, qlua.g, qlua.request

local login = {}

---@alias login.Verify fun(username: string, password: string): any the user; nil refuses

--- Compare in a time that does not tell how much of it was right.
local function is_same(given, expected)
  local difference = bit.bxor(#given, #expected)
  for i = 1, #given do
    difference = bit.bor(difference, bit.bxor(given:byte(i), expected:byte(i) or 0))
  end
  return difference == 0
end

--- The users of the setting LOGIN_USERS.
---@type login.Verify
local function verify_by_config(username, password)
  local expected = current_app.config.LOGIN_USERS[username]
  if is_same(password, expected or "") and expected then
    return username
  end
end

--- Make the app one that knows its users.
---@param app qlua.App
---@param options? { verify?: login.Verify } verify may wait
function login.init_app(app, options)
  app.config:setdefault("LOGIN_REALM", "Login required")
  app.config:setdefault("LOGIN_USERS", {})
  app.extensions.login = { verify = options and options.verify or verify_by_config }
end

--- Who makes this request: what verify returned, or nil. It is asked once in a request.
---@async
---@return any
function login.user()
  if g.login_user == nil then
    local extension = assert(current_app.extensions.login, "call login.init_app(app) first")
    local auth = request.authorization
    local is_basic = auth and auth.type == "basic"
    g.login_user = is_basic and extension.verify(auth.username, auth.password) or false
  end
  return g.login_user or nil
end

--- A before_request: 401 for whoever is not a user.
---@async
function login.login_required()
  if login.user() == nil then
    local realm = current_app.config.LOGIN_REALM:gsub('[\\"]', "\\%0")
    error(qlua.errors.Unauthorized(nil, {
      www_authenticate = ('Basic realm="%s", charset="UTF-8"'):format(realm),
    }))
  end
end

--- A view for users only.
---@param view function
---@return function
function login.protected(view)
  return function(...)
    login.login_required()
    return view(...)
  end
end

return login
