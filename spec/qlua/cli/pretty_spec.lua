--- Values as qlua shell prints them.

local pretty = require "qlua.cli.pretty"

describe("pretty", function()
  local cyclic = { 1 }
  cyclic.self = cyclic

  local cases = {
    { "nil", nil }, { "true", true }, { "1.5", 1.5 }, { '"a\\n\\"b\\"\\001"', 'a\n"b"\1' },
    { "{}", {} }, { "{ 1, 2 }", { 1, 2 } }, { "{ 1, nothing = true }", { 1, nothing = true } },
    { '{ ["a b"] = 1, ["end"] = 2, x = 3 }', { ["a b"] = 1, ["end"] = 2, x = 3 } },
    { "{ 1, [-1] = 3, [0.5] = 2, [10] = 4 }", { 1, [0.5] = 2, [-1] = 3, [10] = 4 } },
    { "{ { { { {...} } } } }", { { { { { 1 } } } } } },
    { "{ 1, self = <cycle> }", cyclic },
    { "text", setmetatable({}, { __tostring = function() return "text" end }) },
    { "<table>", setmetatable({}, { __tostring = function() error "no" end }) },
    { "Point { x = 1 }", setmetatable({ x = 1 }, { __name = "Point" }) },
  }
  for _, case in ipairs(cases) do
    it("shows " .. case[1], function()
      assert.equal(case[1], pretty.text(case[2]))
    end)
  end

  it("tells where a function is from", function()
    assert.matches("^<function .*pretty_spec.lua:%d+>$", pretty.text(function() end))
    assert.matches("^function: builtin", pretty.text(print))
  end)

  it("breaks what is long into lines", function()
    assert.equal(('{\n  a = "%s",\n  b = { 1, 2 },\n}'):format(("x"):rep(70)),
      pretty.text { a = ("x"):rep(70), b = { 1, 2 } })
  end)

  it("cuts long texts and tables, and says so", function()
    assert.equal(('"%s" (3000 bytes in all)'):format(("x"):rep(2000)), pretty.text(("x"):rep(3000)))
    local list = {}
    for i = 1, 1000 do
      list[i] = i
    end
    assert.matches(",\n  50,\n  ... and 950 more,\n}$", pretty.text(list))
  end)
end)
