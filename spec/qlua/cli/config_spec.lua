--- `qlua config app.lua`: every value and where it came from, without the secrets.

local cjson = require "cjson"

local files = require "support.files"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
app.config.SECRET_KEY = "own-secret"
app.config:from_json "own.json"
app.config:from_prefixed_env()
app.config.FN = function() end
app.config:update { STRIPE_KEY = "own-secret", apiKey = "own-secret", MAIL_PASS = "own-secret",
  LOOP = {}, NAN = 0 / 0, EMPTY_TOKEN = "", LIMIT = 5 }
app.config.LOOP.LOOP = app.config.LOOP
return app
]]
local OWN = [[{ "SQLURI": "postgres://ann:own-secret@db.test/shop", "DB": { "HOST": "h",
  "LIST": [1], "PASSWORD": "own-secret" }, "DSN": "host=h password=own-secret user=ann", "PINS": [],
  "TOKENS": ["own-secret"], "SECRET_KEY_FALLBACKS": ["own-secret"] }]]
local FILE = [[
{ "server": {
    "workers": 2,
    "keep_alive_timeout": 2.5 },
  "app": {
    "OWN": [1, {}],
    "TESTING": true } }
]]

describe("qlua config", function()
  local folder
  before_each(function()
    folder = server.folder { ["app.lua"] = APP, ["own.json"] = OWN, ["c.json"] = FILE,
      [".env"] = "QLUA_SERVER__BACKLOG=7\nQLUA_DOTTED=1\n" }
  end)
  after_each(server.stop_all)

  local function config(env, ...)
    return server.run { argv = { "config", "app.lua", ... }, folder = folder, cwd = folder,
      env = env }
  end

  local function values(env, ...)
    local ended = config(env, "--json", ...)
    assert.equal("", ended:stderr())
    assert.equal(0, ended:exit_code())
    return cjson.decode(ended:stdout())
  end

  it("tells of each value where it came from", function()
    local all = values({ QLUA_SERVER__PORT = "81", QLUA_SET = "2" }, "--config", "c.json",
      "--host", "::1", "--set", "server.log_level=debug", "--set", "MAX_FORM_PARTS=5")
    -- name, value, from, where
    for _, case in ipairs {
      { "server", "host", "::1", "option", "--host" },
      { "server", "log_level", "debug", "option", "--set server.log_level" },
      { "server", "port", 81, "environment", "QLUA_SERVER__PORT" },
      { "server", "backlog", 7, ".env", "QLUA_SERVER__BACKLOG" },
      { "server", "workers", 2, "file", "c.json:2" },
      { "server", "keep_alive_timeout", 2.5, "file", "c.json:3" },
      { "server", "header_timeout", 20, "default" },
      { "server", "pid_file", cjson.null, "default" },
      { "server", "access_log", "off", "default" },
      { "server", "debug", false, "default" },
      { "app", "TESTING", true, "file", "c.json:6" },
      { "app", "MAX_FORM_PARTS", 5, "option", "--set MAX_FORM_PARTS" },
      { "app", "SET", 2, "environment", "QLUA_SET" },
      { "app", "DOTTED", 1, ".env", "QLUA_DOTTED" },
      { "app", "LIMIT", 5, "code", folder .. "/app.lua:7" },
      { "app", "BODY_TIMEOUT", 60, "default" },
      { "app", "SERVER_NAME", cjson.null, "default" },
      { "app", "DEBUG", false, "default" },
    } do
      local section, name, value, from, where = unpack(case)
      assert.same({ value = value, from = from, where = where }, all[section][name], name)
    end
    assert.same({ 1, {} }, all.app.OWN.value)
    assert.equal("c.json:5", all.app.OWN.where)
    assert.equal("file", all.app.DB.from)
    assert.equal("own.json", all.app.DB.where)
  end)

  it("lists every setting and every known key", function()
    local all, help = values(), server.run({ argv = { "run", "--help" } }):stdout()
    local count = 0
    for name in help:match("Server settings[^\n]*\n(.*)$"):gmatch "\n  ([%w_]+) " do
      count = count + 1
      assert.is_table(all.server[name], name)
    end
    assert.is_true(count > 20)
    for _, key in ipairs(require("qlua.config_keys").list) do
      assert.is_table(all.app[key.name], key.name)
    end
  end)

  it("shows no secrets", function()
    local ended = config(nil, "--set", "DB2=redis://:own-secret@h/0")
    local text = ended:stdout() .. config(nil, "--json"):stdout() .. ended:stderr()
    assert.is_nil(text:find("own-secret", 1, true))
    local all = values().app
    assert.equal("postgres://ann:********@db.test/shop", all.SQLURI.value)
    assert.equal("host=h password=******** user=ann", all.DSN.value)
    assert.same({ HOST = "h", LIST = { 1 }, PASSWORD = "********" }, all.DB.value)
    for _, name in ipairs { "SECRET_KEY", "SECRET_KEY_FALLBACKS", "STRIPE_KEY", "apiKey",
      "MAIL_PASS", "TOKENS" } do
      assert.equal("********", all[name].value, name)
    end
    assert.equal("", all.EMPTY_TOKEN.value)
    assert.equal("session:", all.SESSION_KEY_PREFIX.value)
    assert.is_true(all.JSON_SORT_KEYS.value)
  end)

  it("has words for what has no JSON form", function()
    local all = values().app
    assert.equal(("<function %s/app.lua:6>"):format(folder), all.FN.value)
    assert.equal("<nan>", (all.NAN.value:gsub("%-", "")))
    assert.is_table(all.LOOP.value.LOOP)
  end)

  it("says that debug mode is where DEBUG comes from", function()
    local all = values({ QLUA_DEBUG = "1" }).app
    assert.same({ value = true, from = "environment", where = "QLUA_DEBUG" }, all.DEBUG)
    assert.same({ value = "development", from = "environment", where = "QLUA_DEBUG" }, all.ENV)
  end)

  it("prints tables for people", function()
    local text = config(nil, "--port", "80"):stdout()
    assert.matches("^Server settings\nName +Value +From\n%-+  %-+  %-%-%-%-\nhost +"
      .. '"127%.0%.0%.1" +default\nport +80 +option %-%-port\n', text)
    assert.matches("\nrlimit_nofile +the hard limit +default\n", text)
    assert.matches("\nuser +none +default\n", text)
    assert.matches("\n\nApp keys\nName +Value +From\n", text)
    assert.matches('\nSESSION_TYPE +"cookie" +default\n', text)
    assert.matches("\nSERVER_NAME +none +default\n", text)
    assert.matches("\nDOTTED +1 +%.env QLUA_DOTTED\n", text)
  end)

  -- words, the one line on standard error, exit code
  local cases = {
    { { "--jsn" }, "unknown option --jsn of qlua config; did you mean --json?", 2 },
    { { "other" }, "unexpected word \"other\" after qlua config", 2 },
    { { "--port", "many" }, "--port: port must be a whole number from 0 to 65535, not many", 2 },
    { { "--config", "absent.json" }, "absent.json: the config file cannot be read: No such file "
      .. "or directory", 1 },
    { { "--set", "TESTING=maybe" }, '--set TESTING must be true or false, got the string "maybe"',
      2 },
  }
  for _, case in ipairs(cases) do
    it("refuses " .. table.concat(case[1], " "), function()
      local ended = config(nil, unpack(case[1]))
      assert.equal("qlua: " .. case[2] .. "\n", ended:stderr())
      assert.equal(case[3], ended:exit_code())
      assert.equal("", ended:stdout())
    end)
  end

  it("names the key and its line that a config file has wrong", function()
    files.write(folder .. "/bad.json", '{ "app": {\n\n  "A": 1,\n  "BODY_TIMEOUT": "soon" } }')
    local message = "bad.json:4: app.BODY_TIMEOUT must be seconds as a number of at least 0, or "
      .. 'nil for none, got the string "soon"\n'
    local ended = config(nil, "--config", "bad.json")
    assert.equal("qlua: " .. message, ended:stderr())
    assert.equal(1, ended:exit_code())
    ended = server.run { argv = { "run", "app.lua", "--config", "bad.json", "--port", "0" },
      folder = folder, cwd = folder }
    assert.equal("qlua: the app did not load: " .. message, ended:stderr())
    assert.equal(1, ended:exit_code())
  end)

  it("tells what is wrong with the app", function()
    files.write(folder .. "/app.lua", "local app = require 'qlua'.App(...)\n"
      .. "app.config.TESTING = 5\n")
    local ended = config()
    assert.equal(("qlua: %s/app.lua:2: config.TESTING must be true or false, got the number 5\n")
      :format(folder), ended:stderr())
    assert.equal(1, ended:exit_code())
    ended = server.run { argv = { "config", "none.lua" }, folder = folder, cwd = folder }
    assert.equal("qlua: none.lua: no such file; name the app file: qlua config FILE.lua\n",
      ended:stderr())
    assert.equal(1, ended:exit_code())
  end)
end)
