--- app.config by itself, and (spec/data/config, run by `qlua test`) within qlua: its loaders.

local server = require "support.server"
local unistd = require "posix.unistd"

local library = os.getenv "QLUA_TEST_LIB" or "build/libqlua-test.so"
local MODULES = { "core", "json", "current", "config", "config_environment", "config_keys",
  "config_loaders", "config_store" }

describe("app.config", function()
  local config, kept, settings, changes, logged

  setup(function()
    kept = {}
    for _, name in ipairs(MODULES) do
      kept[name], package.loaded["qlua." .. name] = package.loaded["qlua." .. name], nil
    end
    local core = {}
    for name, value in pairs(assert(package.loadlib(library, "luaopen_qlua_value"))()) do
      core[name] = value
    end
    core.worker = { id = 1 }
    function core.watch() end
    function core.log(level, text)
      logged[#logged + 1] = level .. ": " .. text
    end
    package.loaded["qlua.core"] = core
    config = require "qlua.config"
  end)

  teardown(function()
    for _, name in ipairs(MODULES) do
      package.loaded["qlua." .. name] = kept[name]
    end
  end)

  before_each(function()
    changes, logged = {}, {}
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

  describe("of a known key", function()
    local COUNT = "a whole number of at least 0, or nil for none, got "
    local SECONDS = "seconds as a number of at least 0, or nil for none, got "
    -- key, value, what is said of it
    local cases = {
      { "MAX_FORM_PARTS", "many", COUNT .. 'the string "many"' },
      { "MAX_FORM_PARTS", 1.5, COUNT .. "the number 1.5" },
      { "MAX_CONTENT_LENGTH", -1, COUNT .. "the number -1" },
      { "BODY_TIMEOUT", 1 / 0, SECONDS .. "the number inf" },
      { "BODY_TIMEOUT", {}, SECONDS .. "a table" },
      { "TESTING", 2, "true or false, got the number 2" },
      { "TESTING", "maybe", 'true or false, got the string "maybe"' },
      { "SECRET_KEY", 5, "a text, or nil for none, got the number 5" },
      { "SECRET_KEY_FALLBACKS", "old", 'a list of texts, or nil for none, got the string "old"' },
      { "SECRET_KEY_FALLBACKS", { "a", 5 }, "a list of texts, or nil for none, got a table" },
      { "SECRET_KEY_FALLBACKS", { a = "b" }, "a list of texts, or nil for none, got a table" },
      { "SESSION_KEY_FUNCTION", "f", 'a function, or nil for none, got the string "f"' },
    }
    for _, case in ipairs(cases) do
      it(("refuses %s = %s"):format(case[1], tostring(case[2])), function()
        local before = settings[case[1]]
        local ok, message = pcall(function()
          settings[case[1]] = case[2]
        end)
        assert.is_false(ok)
        assert.matches("config_spec%.lua:%d+: config%." .. case[1] .. " must be ", message)
        assert.equal(case[3], message:match " must be (.*)$")
        assert.equal(before, settings[case[1]])
        assert.same({}, changes)
      end)
    end

    it("reads what INI files and variables can say of it", function()
      settings:update { TESTING = "False", DEBUG = 1, JSON_SORT_KEYS = 0, MAX_FORM_PARTS = "7",
        BODY_TIMEOUT = "0.5" }
      assert.same({ false, true, false, 7, 0.5 }, { settings.TESTING, settings.DEBUG,
        settings.JSON_SORT_KEYS, settings.MAX_FORM_PARTS, settings.BODY_TIMEOUT })
    end)

    it("takes nil, and false for none", function()
      settings.MAX_CONTENT_LENGTH = nil
      settings.BODY_TIMEOUT = false
      settings.PROPAGATE_EXCEPTIONS = nil
      assert.is_nil(settings.MAX_CONTENT_LENGTH)
      assert.is_false(settings.BODY_TIMEOUT)
    end)
  end)

  describe("of an unknown key", function()
    it("takes anything, and no null", function()
      settings:update { OWN = 1.5, SIZE = "7", FLAG = "False", NOTHING = require("cjson").null }
      assert.same({ 1.5, "7", "False" }, { settings.OWN, settings.SIZE, settings.FLAG })
      assert.is_nil(settings.NOTHING)
      assert.same({}, logged)
    end)

    -- near misses and what they are of
    for name, known in pairs { SECRET_KYE = "SECRET_KEY", TESTINGS = "TESTING",
      SESSION_COOKIE_NAM = "SESSION_COOKIE_NAME", Debug = false, SQLURI = false, KEY = false,
      SECRETS = false, DB_TIMEOUT = false, MAX_FORM_PART = "MAX_FORM_PARTS" } do
      it(("%s %s"):format(known and "warns of" or "is silent about", name), function()
        settings[name] = 1
        settings[name] = 2
        assert.equal(known and 1 or 0, #logged)
        if known then
          assert.matches("^warning: .*config_spec%.lua:%d+: config%." .. name
            .. " is no key that qlua knows; did you mean " .. known .. "%?$", logged[1])
        end
      end)
    end
  end)
end)

describe("within qlua", function()
  after_each(server.stop_all)

  it("app.config is filled from tables, files and variables", function()
    local path = unistd.getcwd() .. "/spec/data/config/loaders.lua"
    local ended = server.run({ argv = { "test", path }, env = {
      QLUA_SERVER__BACKLOG = "7", QLUA_DEBUG = "", QLUA_NUMBER = "5", QLUA_ = "bare",
      CONF_TEXT = "plain words", CONF_TRUE = "true", CONF_PYTHON_TRUE = "True", CONF_lower = "1",
      CONF_LIST = '[1,"two"]', CONF_EMPTY = "", CONF_NULL = "null",
      CONF_DB = '{"URL":"old","KEEP":1}', CONF_DB__URL = "new", CONF_DB__OPT__POOL = "7",
      CONF_TRAIL__ = "x", CONF_FILE = "given.lua", CONF_JSON = "given.json",
      BAD_A = "1", BAD_A__B = "2", LOADS_YES = "true", LOADS_LIST = "[1]",
    } }, 60)
    if ended:exit_code() ~= 0 then
      error(ended:stdout() .. "\n" .. ended:stderr(), 0)
    end
  end)
end)
