local testing = require("qlua").testing

describe("error_handler", function()
  local client = testing.load():test_client()

  it("answers an error with its text as JSON", function()
    local response = client:get "/api"
    assert.equal(500, response.status_code)
    assert.equal("application/json", response.mimetype)
    assert.same({ Error = "Some Exception" }, response.json)
  end)

  it("leaves other errors their pages", function()
    local response = client:get "/nope"
    assert.equal(404, response.status_code)
    assert.equal("text/html", response.mimetype)
  end)
end)
