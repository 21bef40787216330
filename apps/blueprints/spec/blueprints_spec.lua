local testing = require("qlua").testing

describe("blueprints", function()
  local app = testing.load()
  local client = app:test_client()

  it("lists the teams", function()
    assert.same({ { "Alice", "Bob" }, { "Charles" } }, client:get("/teams").json)
  end)

  it("shows one of them", function()
    assert.same({ "Alice", "Bob" }, client:get("/teams/1").json)
    assert.same({ "Charles" }, client:get("/teams/2").json)
  end)

  it("knows no other, and no name in a number's place", function()
    assert.equal(404, client:get("/teams/9").status_code)
    assert.equal(404, client:get("/teams/x").status_code)
  end)

  it("has the blueprint under its name", function()
    assert.equal(require "teams", app.blueprints.teams)
  end)
end)
