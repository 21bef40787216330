local testing = require("qlua").testing

describe("middleware", function()
  local client = testing.load():test_client()

  it("names a client for requests that name none", function()
    assert.same({ Hello = "10.1.1.1" }, client:get("/api").json)
  end)

  it("leaves alone what a request names", function()
    local headers = { ["X-Forwarded-For"] = "9.9.9.9, 8.8.8.8" }
    assert.same({ Hello = "9.9.9.9" }, client:get("/api", { headers = headers }).json)
  end)
end)
