local testing = require("qlua").testing

describe("config", function()
  local app = testing.load()

  it("takes the last of the values that were given", function()
    assert.same({ SQLURI = os.getenv "QLUA_SQLURI" or "sqlite://yml" },
      app:test_client():get("/sqluri").json)
  end)

  it("is out of debug mode", function()
    assert.is_false(app.config.DEBUG)
  end)
end)
