local config = require "qlua.config"

describe("app.config", function()
  local settings, changes

  before_each(function()
    changes = {}
    settings = config.new({ TESTING = false, FIRST = 1 }, function(key, value)
      changes[#changes + 1] = { key, value }
    end)
  end)

  it("has Quart's defaults", function()
    assert.is_false(settings.DEBUG)
    assert.is_false(settings.TESTING)
    assert.equal(43200, settings.SEND_FILE_MAX_AGE_DEFAULT)
    assert.equal(2678400, settings.PERMANENT_SESSION_LIFETIME)
    assert.equal(16777216, settings.MAX_CONTENT_LENGTH)
    assert.equal("session", settings.SESSION_COOKIE_NAME)
    assert.equal(1, settings.FIRST)
    assert.is_nil(settings.SECRET_KEY)
    assert.is_nil(settings.SERVER_NAME)
  end)

  it("is read and written by key, and tells of changes", function()
    settings.OWN = 1
    settings.DEBUG = true
    assert.equal(1, settings.OWN)
    assert.is_true(settings:get "DEBUG")
    assert.equal("x", settings:get("ABSENT", "x"))
    assert.is_false(settings:get("TESTING", true))
    assert.same({ { "OWN", 1 }, { "DEBUG", true } }, changes)
  end)

  it("takes the upper-case keys of a mapping", function()
    assert.is_true(settings:from_mapping { KEY = 1, key = 2, Key = 3, _A1 = 4, [1] = 5, ["1"] = 6 })
    assert.equal(1, settings.KEY)
    assert.equal(4, settings._A1)
    assert.is_nil(settings.key)
    assert.is_nil(settings.Key)
    assert.is_nil(settings:get "1")
  end)

  it("has the methods of a dict", function()
    settings:update { A = 1, B = 2 }
    assert.equal(1, settings:setdefault("A", 5))
    assert.equal(5, settings:setdefault("C", 5))
    assert.is_true(settings:contains "B")
    assert.equal(2, settings:pop "B")
    assert.equal("none", settings:pop("B", "none"))
    assert.is_false(settings:contains "B")
    assert.equal(1, settings:to_dict().A)
    local seen = {}
    for key, value in settings:items() do
      seen[key] = value
    end
    assert.same(settings:to_dict(), seen)
  end)

  it("keeps methods and keys apart", function()
    local ok, message = pcall(function()
      settings.update = 1
    end)
    assert.is_false(ok)
    assert.matches("config_spec%.lua:%d+: config%.update is a method; config:set", message)
    settings:set("update", 1)
    assert.equal(1, settings:get "update")
    assert.is_function(settings.update)
  end)

  it("raises for pairs, which would see nothing", function()
    assert.is_false(pcall(pairs, settings))
  end)
end)
