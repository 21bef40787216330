--- The loaders of app.config, with its files and variables around them: spec/qlua/config_spec.lua
--- runs this by `qlua test`, with the variables that it reads.

local files = require "support.files"
local inifile = require "inifile"
local qlua = require "qlua"
local yaml = require "lyaml"

describe("app.config", function()
  local app, config, folder

  before_each(function()
    folder = files.folder {
      ["given.json"] = '{"SQLURI": "json", "NESTED": {"a": [1, 2]}, "lower": 1, "NONE": null}',
      ["list.json"] = "[1]", ["broken.json"] = '{\n"A": }', ["word.json"] = '"text"',
      ["kind.json"] = '{"MAX_FORM_PARTS": "many"}',
      ["given.ini"] = "[app]\nCOLOUR=teal\nMAX_FORM_PARTS = 8\nTESTING = no\nlower = 1\n",
      ["given.yml"] = "SQLURI: yml\nLIST: [1, two]\nSECRET_KEY: ~\nlower: 1\n",
      ["broken.yml"] = "A: [1\n",
      ["given.lua"] = "FROM_LUA = 1\nlocal HIDDEN = 2\nlower = 3\nSUM = FROM_LUA + HIDDEN\n",
      ["table.lua"] = "SET = 'global'\nreturn { TABLE = string.upper 'x', SET = 'returned' }\n",
      ["number.lua"] = "return 5\n",
      ["syntax.lua"] = "A = = 1\n", ["raises.lua"] = "\nerror 'own'\n",
      ["cfg_module.lua"] = "return { UP = 1, low = 2, _PRIV = 3, Mixed = 4, ['1A'] = 5, "
        .. "Config = { IN = 'x', Deep = { LEVEL = 2 } }, WORD = 'w' }\n",
      ["cfg_broken.lua"] = "\nlocal x = nil + 1\n",
    }
    app = qlua.App("configured", { root_path = folder, static_folder = false })
    config = app.config
  end)
  after_each(function()
    files.remove(folder)
  end)

  --- What a method of the config raises.
  local function raised(method, ...)
    local arguments = { n = select("#", ...), ... }
    local ok, message = pcall(function()
      local result = config[method](config, unpack(arguments, 1, arguments.n))
      return result
    end)
    assert.is_false(ok)
    return message
  end

  local function raises(text, method, ...)
    local message = raised(method, ...)
    assert.matches("loaders%.lua:%d+: ", message)
    assert.equal(text, (message:gsub("^.-loaders%.lua:%d+: ", ""):gsub(folder:gsub("%p", "%%%0"),
      "FOLDER")))
  end

  describe("from_object", function()
    it("takes the upper-case keys of a table", function()
      config:from_object { GIVEN = 1, hidden = 2, _PRIV = 3, ["1A"] = 4, Mixed = 5, [1] = 6 }
      assert.same({ 1, 3, 4 }, { config.GIVEN, config._PRIV, config["1A"] })
      assert.same({}, { config.hidden, config.Mixed, config:get "1" })
    end)

    it("takes those that a class inherits", function()
      local Base = qlua.class "Base"
      Base.INHERITED, Base.OVER = "base", "base"
      local Child = qlua.class("Child", Base)
      Child.OVER = "child"
      config:from_object(Child)
      assert.same({ "base", "child" }, { config.INHERITED, config.OVER })
      config:from_object(setmetatable({ OVER = "instance" }, Child))
      assert.equal("instance", config.OVER)
    end)

    it("finds modules, and fields of modules", function()
      package.path = folder .. "/?.lua;" .. package.path
      finally(function() package.path = package.path:gsub("^[^;]*;", "") end)
      config:from_object "cfg_module"
      assert.same({ 1, 3, 5 }, { config.UP, config._PRIV, config["1A"] })
      assert.is_nil(config.low)
      config:from_object "cfg_module.Config"
      config:from_object "cfg_module.Config.Deep"
      assert.same({ "x", 2 }, { config.IN, config.LEVEL })
      raises('config:from_object: "cfg_module.Prod": cfg_module has no Prod', "from_object",
        "cfg_module.Prod")
      raises('config:from_object: "cfg_module.WORD.X": cfg_module.WORD has no X', "from_object",
        "cfg_module.WORD.X")
      raises('config:from_object: "cfg_module.WORD" must be a table, got the string "w"',
        "from_object", "cfg_module.WORD")
      assert.matches("cfg_broken%.lua:2: attempt to perform arithmetic on a nil value",
        raised("from_object", "cfg_broken"))
      assert.matches("module 'cfg_absent%.Config' not found", raised("from_object",
        "cfg_absent.Config"))
      raises("config:from_object: object must be a table or the name of a module, got the number 5",
        "from_object", 5)
    end)
  end)

  describe("from_file", function()
    it("reads YAML", function()
      config.SECRET_KEY = "before"
      assert.is_true(config:from_file("given.yml", yaml.load))
      assert.same({ "yml", { 1, "two" } }, { config.SQLURI, config.LIST })
      assert.is_nil(config.lower)
      assert.is_nil(config.SECRET_KEY) -- null
      assert.matches("config:from_file: broken%.yml: .", raised("from_file", "broken.yml",
        yaml.load))
    end)

    it("reads INI", function()
      assert.is_true(config:from_file("given.ini", function(text)
        return inifile.parse(text, "memory").app
      end))
      assert.same({ "teal", 8, false }, { config.COLOUR, config.MAX_FORM_PARTS, config.TESTING })
      assert.is_nil(config.lower)
    end)

    it("tells what is wrong with a file, its loader and what that gives", function()
      raises("config:from_file: the file cannot be read: FOLDER/absent: No such file or directory",
        "from_file", "absent", yaml.load)
      raises("config:from_file: the file cannot be read: FOLDER: Is a directory",
        "from_file", folder, yaml.load)
      raises('config:from_file: given.ini: a table of keys and values is expected, got the string '
        .. '"x"', "from_file", "given.ini", function() return "x" end)
      raises("config:from_file: given.ini: no good", "from_file", "given.ini",
        function() return nil, "no good" end)
      raises("config:from_file: given.ini: raised", "from_file", "given.ini",
        function() error("raised", 0) end)
      raises("config:from_file: loader must be a function, got nil", "from_file", "given.ini")
      raises('config:from_file: unknown option "silnt" (did you mean "silent"?)', "from_file",
        "given.ini", yaml.load, { silnt = true })
      assert.is_false(config:from_file("absent", yaml.load, { silent = true }))
      assert.is_false(config:from_file("given.ini/x", yaml.load, { silent = true }))
    end)
  end)

  it("from_json reads JSON", function()
    assert.is_true(config:from_json "given.json")
    assert.same({ "json", 1 }, { config.SQLURI, config.NESTED.a[1] })
    assert.same({}, { config.lower, config.NONE })
    raises("config:from_json: the file cannot be read: FOLDER/absent.json: No such file or "
      .. "directory", "from_json", "absent.json")
    assert.is_false(config:from_json("absent.json", { silent = true }))
    raises("config:from_json: list.json: a table of keys and values is expected, got a list",
      "from_json", "list.json")
    raises("config:from_json: word.json: a table of keys and values is expected, got the string "
      .. '"text"', "from_json", "word.json")
    assert.matches("config:from_json: broken%.json: .*line 2", raised("from_json", "broken.json"))
    raises("kind.json: config.MAX_FORM_PARTS must be a whole number of at least 0, or nil for "
      .. 'none, got the string "many"', "from_json", "kind.json")
  end)

  it("from_luafile runs Lua and takes its globals, or the table it returns", function()
    assert.is_true(config:from_luafile "given.lua")
    assert.same({ 1, 3 }, { config.FROM_LUA, config.SUM })
    assert.same({}, { config.HIDDEN, config.lower })
    assert.is_nil(rawget(_G, "FROM_LUA"))
    config:from_luafile "table.lua"
    assert.same({ "X", "returned" }, { config.TABLE, config.SET })
    assert.is_false(config:from_luafile("absent.lua", { silent = true }))
    raises("config:from_luafile: the file cannot be read: FOLDER/absent.lua: No such file or "
      .. "directory", "from_luafile", "absent.lua")
    raises("config:from_luafile: number.lua: it must return a table or nothing, got the number 5",
      "from_luafile", "number.lua")
    assert.matches("syntax%.lua:1: unexpected symbol near '='", raised("from_luafile",
      "syntax.lua"))
    assert.matches("raises%.lua:2: own", raised("from_luafile", "raises.lua"))
  end)

  it("from_envvar reads the file that a variable names", function()
    assert.is_true(config:from_envvar "CONF_FILE")
    assert.is_true(config:from_envvar "CONF_JSON")
    assert.same({ 1, "json" }, { config.FROM_LUA, config.SQLURI })
    raises("config:from_envvar: the variable CONF_ABSENT is not set; it must name a configuration "
      .. "file", "from_envvar", "CONF_ABSENT")
    assert.is_false(config:from_envvar("CONF_ABSENT", { silent = true }))
    assert.is_false(config:from_envvar("CONF_TEXT", { silent = true }))
  end)

  describe("from_prefixed_env", function()
    it("reads variables as JSON or text, and nested ones into tables", function()
      assert.is_true(config:from_prefixed_env "CONF")
      assert.same({ "plain words", true, "True", "", 1 }, { config.TEXT, config.TRUE,
        config.PYTHON_TRUE, config.EMPTY, config.lower })
      assert.equal("two", config.LIST[2])
      assert.is_nil(config.NULL)
      assert.same({ URL = "new", KEEP = 1, OPT = { POOL = 7 } }, config.DB)
      assert.same({ [""] = "x" }, config.TRAIL)
    end)

    it("takes none of qlua's own", function()
      assert.is_true(config:from_prefixed_env())
      assert.equal(5, config.NUMBER)
      assert.equal("bare", config:get "")
      assert.is_nil(config.SERVER)
      assert.is_false(config.DEBUG)
      assert.is_nil(config.LUA_DIR)
      assert.is_true(config:from_prefixed_env "QLUA_SERVER_")
      assert.is_nil(config.BACKLOG)
    end)

    it("takes another loader than JSON's", function()
      config:from_prefixed_env("LOADS", { loads = function(text)
        return text == "true" and "TRUE" or error "no"
      end })
      assert.same({ "TRUE", "[1]" }, { config.YES, config.LIST })
    end)

    it("does nothing for a prefix without variables", function()
      assert.is_true(config:from_prefixed_env "NOBODY")
    end)

    it("refuses to descend into what is no table", function()
      raises("config:from_prefixed_env: BAD_A__B: A is the number 1, which can hold no B",
        "from_prefixed_env", "BAD")
    end)
  end)

  it("get_namespace gives the keys with a prefix", function()
    config:update { STORE_TYPE = "fs", STORE_PATH = "/var", STORE_ = "edge" }
    assert.same({ type = "fs", path = "/var", [""] = "edge" }, config:get_namespace "STORE_")
    assert.same({ TYPE = "fs", PATH = "/var", [""] = "edge" },
      config:get_namespace("STORE_", { lowercase = false }))
    assert.same({ store_type = "fs", store_path = "/var", store_ = "edge" },
      config:get_namespace("STORE_", { trim_namespace = false }))
  end)

  it("keys of JSON are app.json's settings", function()
    config:update { JSON_AS_ASCII = false, JSON_SORT_KEYS = false, JSONIFY_MIMETYPE = "a/b",
      JSONIFY_PRETTYPRINT_REGULAR = true }
    local json = app.json
    assert.same({ false, false, "a/b", false },
      { json.ensure_ascii, json.sort_keys, json.mimetype, json.compact })
    assert.equal('{\n  "a": "é"\n}', json.dumps { a = "é" })
    config:update { JSON_AS_ASCII = true, JSON_SORT_KEYS = true,
      JSONIFY_PRETTYPRINT_REGULAR = false }
    config.JSONIFY_MIMETYPE = nil
    assert.equal('{"a":"\\u00e9"}', json.dumps { a = "é" })
    assert.equal("application/json", json.mimetype)
  end)

  it("attributes of the app are its keys", function()
    app.secret_key, app.testing, app.debug = "s", true, true
    assert.same({ "s", true, true }, { config.SECRET_KEY, config.TESTING, config.DEBUG })
  end)
end)
