local testing = require("qlua").testing

describe("catch_all_errors", function()
  local client = testing.load():test_client()

  local function check_error(response, code, name)
    local told = response.json
    assert.equal(code, response.status_code)
    assert.equal(code, told.code)
    assert.equal(("%d %s: %s"):format(code, name, told.description), told.message)
  end

  it("tells of an error in a view, without what it says", function()
    local response = client:get "/api"
    check_error(response, 500, "Internal Server Error")
    assert.is_nil(response.data:find("Some Exception", 1, true))
  end)

  it("tells of an unknown path", function()
    check_error(client:get "/nope", 404, "Not Found")
  end)

  it("tells of a method that the path has not, and which it has", function()
    local response = client:post "/api"
    check_error(response, 405, "Method Not Allowed")
    assert.equal("GET, HEAD, OPTIONS", response.headers.Allow)
  end)
end)
