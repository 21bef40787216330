local qlua = require "qlua"

describe("the sessions app", function()
  local app, client = qlua.testing.load(), nil

  before_each(function()
    client = app:test_client()
  end)

  it("counts the visits of each visitor", function()
    assert.same({ Hello = "stranger", visits = 1 }, client:get("/").json)
    assert.same({ Hello = "stranger", visits = 2 }, client:get("/").json)
    assert.same({ Hello = "stranger", visits = 1 }, app:test_client():get("/").json)
  end)

  it("logs in, with a message for the next page only", function()
    local response = client:post("/login", { form = { user = "alice" }, follow_redirects = true })
    assert.equal('[["success","Welcome, alice"]]\n', response.data)
    assert.equal("[]\n", client:get("/messages").data)
    assert.equal("alice", client:get("/").json.Hello)
  end)

  it("remembers who asks for it beyond the browser's session", function()
    local response = client:post("/login", { form = { user = "alice", remember = "1" } })
    assert.matches("; Expires=", response.headers:get "Set-Cookie", 1, true)
    response = client:post("/login", { form = { user = "alice" } })
    assert.is_nil(response.headers:get("Set-Cookie"):find("Expires", 1, true))
  end)

  it("forgets everything at logout", function()
    client:post("/login", { form = { user = "alice" } })
    client:session_transaction(function(session)
      assert.equal("alice", session.user)
    end)
    client:post "/logout"
    assert.is_nil(client:get_cookie "session")
    assert.equal("stranger", client:get("/").json.Hello)
  end)

  it("asks for a user", function()
    assert.equal(400, client:post("/login").status_code)
  end)
end)
