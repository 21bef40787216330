local testing = require("qlua").testing

describe("globals", function()
  local client = testing.load():test_client()

  it("greets whoever says a name", function()
    assert.same({ Hello = "alice" }, client:get("/api", { auth = { "alice", "password" } }).json)
  end)

  it("calls Anonymous who says none, also after one who did", function()
    assert.same({ Hello = "Anonymous" }, client:get("/api").json)
    client:get("/api", { auth = { "bob", "password" } })
    assert.same({ Hello = "Anonymous" }, client:get("/api").json)
  end)

  it("calls Anonymous who authorizes otherwise", function()
    local response = client:get("/api", { headers = { Authorization = "Bearer token" } })
    assert.same({ Hello = "Anonymous" }, response.json)
  end)
end)
