local check = require "qlua.check"

--- The message of a check that fails.
local function failure(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return (message:gsub("^.-check_spec%.lua:%d+: ", "AT "))
end

describe("check", function()
  it("says what is wrong at the line that is outside of qlua", function()
    local line = debug.getinfo(1, "l").currentline + 2
    local ok, message = pcall(function()
      check.type("send", "name", 5, "string")
    end)
    assert.is_false(ok)
    assert.matches("check_spec%.lua:" .. line .. ": send: name must be a string, got the number 5",
      message)
  end)

  it("describes values", function()
    for value, text in pairs {
      [5] = "the number 5", [true] = "the boolean true", text = 'the string "text"',
      [print] = "a function", [{}] = "a table", [newproxy()] = "a userdata",
      [setmetatable({}, { __name = "Thing" })] = "an instance of Thing",
      [("x"):rep(50)] = '"' .. ("x"):rep(40) .. '..."',
    } do
      assert.matches(text, check.describe(value), 1, true)
    end
    assert.equal("nil", check.describe(nil))
  end)

  it("counts edits", function()
    assert.equal(0, check.distance("abc", "abc"))
    assert.equal(3, check.distance("kitten", "sitting"))
    assert.equal(3, check.distance("", "abc"))
  end)

  it("finds the nearest name", function()
    local names = { methods = 1, endpoint = 1, defaults = 1, host = 1 }
    assert.equal("methods", check.nearest("metods", names))
    assert.equal("methods", check.nearest("Method", names))
    assert.equal("host", check.nearest("hots", names))
    assert.equal("defaults", check.nearest("def", names))
    assert.is_nil(check.nearest("zzz", names))
  end)

  describe("options", function()
    local KNOWN = { methods = "list", port = "integer", name = "string", folder = "string|boolean" }

    it("takes what fits, and nothing", function()
      local given = { methods = {}, port = 1, name = "x", folder = false }
      assert.equal(given, check.options("run", given, KNOWN))
      assert.same({}, check.options("run", nil, KNOWN))
    end)

    for _, case in ipairs {
      { { metods = {} }, 'AT run: unknown option "metods" (did you mean "methods"?)' },
      { { xyzzy = 1 }, 'AT run: unknown option "xyzzy" (known: folder, methods, name, port)' },
      { { "GET" }, "AT run: unknown option 1" },
      { { port = 1.5 }, 'AT run: option "port" must be an integer, got the number 1.5' },
      { { name = 1 }, 'AT run: option "name" must be a string, got the number 1' },
      { { folder = 1 }, 'AT run: option "folder" must be a string or boolean, got the number 1' },
      { 5, "AT run: options must be a table, got the number 5" },
    } do
      it("refuses: " .. case[2], function()
        assert.equal(case[2], failure(function()
          check.options("run", case[1], KNOWN)
        end))
      end)
    end
  end)
end)
