-- run by spec/session/codec_spec.lua through `qlua test`: both directions against Debian's Flask
local core = require "qlua.core"
local json = require "qlua.json"

describe("Flask", function()
  local codec = core.session_codec { keys = { "dev-secret" } }

  --- Flask's answers to these lines.
  local function ask(lines)
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write(table.concat(lines, "\n"), "\n")
    file:close()
    local pipe = io.popen(("/usr/bin/python3 '%s/flask_session.py' <%s"):format(core.app_root(),
      name))
    local answers = {}
    for line in pipe:lines() do
      answers[#answers + 1] = line
    end
    pipe:close()
    os.remove(name)
    assert.equal(#lines, #answers)
    return answers
  end

  local VALUES = {
    { user = "alice" }, { n = json.null, t = true, f = false, i = -42, big = 2 ^ 53, r = 0.1 },
    { text = 'Zoë ☃ 日本 😀 "\\/\n\t\127' },
    { list = json.array {}, deep = { { { 1 } } } }, { table = {} }, { data = ("x"):rep(3000) },
    { ["a b"] = "c", [""] = "" }, { _permanent = true, uid = 7 },
  }
  for length = 1, 40 do
    VALUES[#VALUES + 1] = { data = ("ab"):rep(length) }
  end

  it("reads what qlua writes", function()
    local lines = {}
    for i, values in ipairs(VALUES) do
      lines[i] = "load " .. codec:dump(values)
    end
    for i, answer in ipairs(ask(lines)) do
      assert.same(VALUES[i], json.loads(answer))
    end
  end)

  it("writes what qlua reads, byte for byte", function()
    local lines = {}
    for i, values in ipairs(VALUES) do
      lines[i] = "dump " .. json.dumps(values)
    end
    for i, cookie in ipairs(ask(lines)) do
      assert.same(VALUES[i], codec:load(cookie, 60))
      local payload = cookie:match "^(%.?[^.]*)"
      assert.equal(payload, codec:dump(VALUES[i]):match "^(%.?[^.]*)")
    end
  end)

  it("finds tuples, bytes, Markup, UUID and datetime as they were", function()
    local values = codec:load(ask({ "special" })[1], 60)
    assert.equal("\0\255 hi", tostring(values.b))
    assert.equal("yes", ask({ "is_special " .. codec:dump(values) })[1])
  end)

  it("refuses what was changed", function()
    local lines, cookie = {}, codec:dump { user = "alice" }
    for at = 1, #cookie - 1 do
      local other = cookie:sub(at, at) == "A" and "B" or "A"
      lines[at] = "load " .. cookie:sub(1, at - 1) .. other .. cookie:sub(at + 1)
      assert.is_nil((codec:load(lines[at]:sub(6), 60)))
    end
    for _, answer in ipairs(ask(lines)) do
      assert.equal("bad", answer)
    end
  end)
end)
