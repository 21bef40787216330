local library = os.getenv "QLUA_TEST_LIB" or "build/libqlua-test.so"

describe("qlua.json", function()
  local json, loaded

  setup(function()
    loaded = { package.loaded["qlua.core"], package.loaded["qlua.json"] }
    package.loaded["qlua.core"] = assert(package.loadlib(library, "luaopen_qlua_value"))()
    package.loaded["qlua.json"] = nil
    json = require "qlua.json"
  end)

  teardown(function()
    package.loaded["qlua.core"], package.loaded["qlua.json"] = loaded[1], loaded[2]
  end)

  it("encodes and decodes under both names", function()
    assert.equal('{"a":[1,null]}', json.dumps { a = { 1, json.null } })
    assert.equal(json.dumps, json.encode)
    assert.equal(json.loads, json.decode)
    assert.same({ a = { 1 } }, json.loads '{"a":[1]}')
    assert.equal("[]", json.dumps(json.loads "[]"))
    assert.equal("[]", json.dumps(json.array {}))
    assert.equal(json.null, json.loads "null")
    assert.is_false(json.loads "false")
    assert.equal("null", json.dumps(nil))
  end)

  it("raises at the caller's line, with the path", function()
    local ok, message = pcall(function()
      json.dumps { a = { b = { 1, 2, print } } }
    end)
    assert.is_false(ok)
    assert.matches("^[^:]*json_spec%.lua:%d+: json: cannot encode a function at a%.b%[3%]", message)
  end)

  it("raises for what is not JSON, with line and column", function()
    local ok, message = pcall(function()
      json.loads "[1,\n}"
    end)
    assert.is_false(ok)
    assert.matches("json_spec%.lua:%d+: json: line 2 column 1: expected a value, got '}'$", message)
    ok, message = pcall(json.loads, 5)
    assert.is_false(ok)
    assert.matches("json: loads takes a string, got the number 5$", message)
  end)

  describe("provider", function()
    local given = { b = "é", a = { 1 } }

    it("has Quart's settings", function()
      local provider = json.provider()
      assert.is_nil(provider.compact)
      assert.is_true(provider.sort_keys)
      assert.is_true(provider.ensure_ascii)
      assert.equal("application/json", provider.mimetype)
      assert.equal('{"a":[1],"b":"\\u00e9"}', provider.dumps(given))
      assert.same(given, provider.loads '{"a":[1],"b":"é"}')
    end)

    it("follows a setting from the next call on", function()
      local provider = json.provider()
      provider.ensure_ascii = false
      assert.equal('{"a":[1],"b":"é"}', provider.dumps(given))
      provider.compact = false
      assert.equal('{\n  "a": [\n    1\n  ],\n  "b": "é"\n}', provider.dumps(given))
    end)

    it("indents in debug mode unless compact says otherwise", function()
      local app = { debug = false }
      local provider = json.provider(app)
      assert.equal("[1]", provider.dumps { 1 })
      app.debug = true
      assert.equal("[\n  1\n]", provider.dumps { 1 })
      provider.compact = true
      assert.equal("[1]", provider.dumps { 1 })
    end)

    it("refuses a setting it does not have", function()
      local provider = json.provider()
      assert.has_error(function()
        provider.indent = 4
      end)
    end)

    it("ends a body with a newline", function()
      assert.equal("[1]\n", json.body({ 1 }, json.provider()))
    end)
  end)

  describe("jsonify", function()
    local response, current = package.loaded["qlua.response"], require "qlua.current"
    local served = current.served

    before_each(function()
      package.loaded["qlua.response"] = {
        new = function(...)
          return { ... }
        end,
      }
    end)

    after_each(function()
      package.loaded["qlua.response"], current.served = response, served
    end)

    it("takes no value for null, several for an array", function()
      assert.same({ "null\n", 200, "application/json" }, json.jsonify())
      assert.same({ "null\n", 200, "application/json" }, json.jsonify(nil))
      assert.same({ "{}\n", 200, "application/json" }, json.jsonify {})
      assert.equal("[1,null,[],null]\n", json.jsonify(1, nil, json.array {}, nil)[1])
    end)

    it("asks the app's provider", function()
      current.served = { json = json.provider() }
      current.served.json.mimetype = "application/vnd.api+json"
      current.served.json.compact = false
      assert.same({ "[\n  1\n]\n", 200, "application/vnd.api+json" }, json.jsonify { 1 })
    end)
  end)
end)
