--- Rules near a path.

local routing = require "qlua.debugger.routing"

local function near(path, rules)
  local list = {}
  for i, rule in ipairs(rules) do
    list[i] = { rule = rule, methods = "GET", endpoint = "e" .. i }
  end
  local found = {}
  for i, rule in ipairs(routing.near(list, path)) do
    found[i] = rule.rule
  end
  return found
end

describe("near rules", function()
  local RULES = { "/", "/users", "/users/<int:id>", "/users/<int:id>/orders", "/about",
    "/static/<path:filename>", "/shop/<name>.html" }
  local cases = {
    { "/user", { "/users" } },
    { "/usres/12", { "/users/<int:id>" } },
    { "/users/12/order", { "/users/<int:id>/orders", "/users/<int:id>" } },
    { "/abuot", { "/about" } },
    { "/ABOUT", { "/about" } },
    { "/about/", { "/about" } },
    { "/nothing/of/this/kind", {} },
  }
  for _, case in ipairs(cases) do
    it("of " .. case[1], function()
      local found = near(case[1], RULES)
      for i, rule in ipairs(case[2]) do
        assert.equal(rule, found[i])
      end
      if #case[2] == 0 then
        assert.same({}, found)
      end
    end)
  end

  it("are a handful at most, and cost little for a long path", function()
    local rules = {}
    for i = 1, 50 do
      rules[i] = "/item" .. i
    end
    assert.equal(5, #near("/item", rules))
    assert.same({}, near("/" .. ("x"):rep(8000), rules))
  end)
end)
