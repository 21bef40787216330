--- Values as the debug page shows them: bounded, cycles safe, secrets masked, nothing of the
--- user's run.

package.loaded["qlua.core"] = package.loaded["qlua.core"] or { null = false }

local secrets = require "qlua.debugger.secrets"
local values = require "qlua.debugger.values"

local function shown(value, name, known, nodes)
  return values.text_of(values.describe(value, name, values.budget(known or {}, nodes)))
end

describe("values", function()
  local cases = {
    { nil, "nil" }, { true, "true" }, { 12, "12" }, { -0.5, "-0.5" }, { 1e300, "1e+300" },
    { "a\n\"b\"\0", '"a\\n\\"b\\"\\0"' }, { "Grüße", '"Grüße"' }, { "\255\200x", '"\\255\\200x"' },
    { {}, "table, empty" },
    { { 1, "x", k = true, [2.5] = 1 },
      'table, 4 entries\n  [1] = 1\n  [2] = "x"\n  [2.5] = 1\n  k = true' },
    { { ["a b"] = 1 }, 'table, 1 entry\n  ["a b"] = 1' },
    { print, "C function" },
    { 7LL, "7LL" },
  }
  for _, case in ipairs(cases) do
    it("are shown as text: " .. case[2]:match "^[^\n]*", function()
      assert.equal(case[2], shown(case[1]))
    end)
  end

  it("name the place of a function", function()
    local fn = function() end
    assert.matches("^function .*values_spec.lua:%d+$", shown(fn))
  end)

  it("end at a cycle, and show a table twice where it is twice", function()
    local inner = { 1 }
    local value = { a = inner, b = inner }
    value.self = value
    assert.equal("table, 3 entries\n  a = table, 1 entry\n    [1] = 1\n  b = table, 1 entry\n"
      .. "    [1] = 1\n  self = table, the same as above it", shown(value))
  end)

  it("are bounded in depth, width and length", function()
    local deep = {}
    local at = deep
    for _ = 1, 50 do
      at.next = {}
      at = at.next
    end
    assert.is_true(select(2, shown(deep):gsub("\n", "")) <= 6)
    local wide = {}
    for i = 1, 5000 do
      wide[i] = i
    end
    assert.matches("^table, 5000 entries\n", shown(wide))
    assert.matches("\n  %.%.%. 4940 more$", shown(wide))
    assert.matches("x\" … 100000 bytes$", shown(("x"):rep(100000)))
    assert.is_true(#shown(("x"):rep(100000)) < 1000)
  end)

  it("do not grow a page without end", function()
    local tree = {}
    for i = 1, 50 do
      tree[i] = {}
      for j = 1, 50 do
        tree[i][j] = { j }
      end
    end
    assert.is_true(select(2, shown(tree, nil, {}, 300):gsub("\n", "")) < 500)
  end)

  it("run nothing of the user's", function()
    local function never()
      error "ran"
    end
    local guarded = setmetatable({ 1 }, {
      __index = never, __tostring = never, __len = never, __call = never, __eq = never,
      __name = "Guarded", __pairs = never, __metatable = "hidden",
    })
    assert.equal("Guarded, 1 entry\n  [1] = 1", shown(guarded))
    local odd = newproxy(true)
    getmetatable(odd).__tostring = never
    getmetatable(odd).__index = never
    assert.equal("userdata", shown(odd))
    local keyed = { [guarded] = 1 }
    assert.equal("table, 1 entry\n  [Guarded] = 1", shown(keyed))
  end)

  it("mask secrets by their names", function()
    for _, name in ipairs { "SECRET_KEY", "password", "db_passwd", "apiToken", "API-KEY",
      "accessToken", "aws_secret", "Authorization", "privateKey" } do
      assert.equal(secrets.MASK, shown("abc", name), name)
      assert.equal(secrets.MASK, shown({ 1 }, name), name)
    end
    for _, name in ipairs { "key", "monkey", "name", "SESSION_KEY_PREFIX" } do
      assert.equal('"abc"', shown("abc", name), name)
    end
    assert.equal("table, 2 entries\n  name = 1\n  password = " .. secrets.MASK,
      shown { name = 1, password = "x" })
    assert.equal("nil", shown(nil, "password"))
  end)

  it("mask known secrets wherever they turn up", function()
    assert.equal('"a********b********"', shown("as3cr3tbs3cr3t", "x", { "s3cr3t" }))
  end)
end)

describe("secrets", function()
  it("are left out of source text", function()
    for line, shown_line in pairs {
      ['app.config.SECRET_KEY = "x y"'] = 'app.config.SECRET_KEY = "********"',
      ["t = { password='x', name = 'y' }"] = "t = { password='********', name = 'y' }",
      ['t["api_token"] = "x"'] = 't["api_token"] = "********"',
      ['local key = app.config.SECRET_KEY'] = 'local key = app.config.SECRET_KEY',
      ['password = ""'] = 'password = ""',
    } do
      assert.equal(shown_line, secrets.source(line))
    end
  end)

  it("are left out of headers and cookies", function()
    assert.equal("Basic ********", secrets.header("Authorization", "Basic YTpi"))
    assert.equal("********", secrets.header("X-Api-Key", "abc"))
    assert.equal("text/html", secrets.header("Accept", "text/html"))
    local signed = "eyJhIjoxfQ.Zx1abc.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert.equal("theme=dark; session=eyJhIjoxfQ.Zx1abc.********; csrf_token=********",
      secrets.header("Cookie", "theme=dark; session=" .. signed .. "; csrf_token=abc"))
  end)
end)
