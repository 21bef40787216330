local login = require "qlua_login"
local qlua = require "qlua"

local ALICE, BOB = { "alice", "wonderland" }, { "bob", "builder" }

describe("login", function()
  local app = qlua.testing.load()
  local client = app:test_client()

  it("shows everyone the way in", function()
    assert.same({ Hello = "stranger" }, client:get("/").json)
    assert.same({ Hello = "alice" }, client:get("/", { auth = ALICE }).json)
  end)

  for which, auth in pairs {
    ["no credentials"] = false, ["a wrong password"] = { "alice", "wonderlanD" },
    ["a part of the password"] = { "alice", "wonder" }, ["no password"] = { "alice", "" },
    ["an unknown name"] = { "eve", "" },
  } do
    it("asks for a login, given " .. which, function()
      local response = client:get("/notes/", { auth = auth or nil })
      assert.equal(401, response.status_code)
      assert.equal('Basic realm="Notes", charset="UTF-8"', response.headers["WWW-Authenticate"])
    end)
  end

  it("keeps each user's notes", function()
    local made = client:post("/notes/", { auth = ALICE, json = { text = "buy tea" } })
    assert.equal(201, made.status_code)
    assert.equal("/notes/1", made.headers.Location)
    assert.equal("buy tea", client:get("/notes/1", { auth = ALICE }).data)
    assert.same({ "buy tea" }, client:get("/notes/", { auth = ALICE }).json)
    assert.same({}, client:get("/notes/", { auth = BOB }).json)
    assert.equal(404, client:get("/notes/1", { auth = BOB }).status_code)
  end)

  it("leaves settings alone that are there, and adds those that are not", function()
    assert.equal("Notes", app.config.LOGIN_REALM)
    local other = qlua.App "other"
    login.init_app(other)
    assert.equal("Login required", other.config.LOGIN_REALM)
    assert.same({}, other.config.LOGIN_USERS)
    assert.is_function(other.extensions.login.verify)
  end)

  it("takes an app's own way to know its users, and protects single views", function()
    local other = qlua.App "other"
    login.init_app(other, {
      verify = function(name, password)
        return name == password and { name = name } or nil
      end,
    })
    other:route("/me", login.protected(function() return login.user().name end))
    local asks = other:test_client()
    assert.equal("eve", asks:get("/me", { auth = { "eve", "eve" } }).data)
    assert.equal(401, asks:get("/me", { auth = { "eve", "adam" } }).status_code)
  end)
end)
