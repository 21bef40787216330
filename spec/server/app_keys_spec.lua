--- App keys from outside: the config file's `app` object and --set reach app.config, in order.

local files = require "support.files"
local http = require "support.http"
local server = require "support.server"

-- /KEY answers with the key as JSON, as it is now and as it was while the file was loaded
local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local early = app.config:to_dict()
app.config.CODE = "code"
app.config.BOTH = "code"
app.config.OVER = "code"
app:route("/<key>", function(key)
  return { now = app.config:get(key), early = early[key] }
end)
app:route("/size", { methods = { "POST" } }, function() return "ok" end)
return app
]]

local FILE = [[
{ "app": { "ONLY": [1, {"a": null}, {}], "BOTH": "file", "OVER": "file", "MAX_FORM_PARTS": 7,
  "SET": "file", "SESSION_COOKIE_NAME": null } }
]]

describe("app keys", function()
  local folder
  before_each(function()
    folder = server.folder { ["c.json"] = FILE }
  end)
  after_each(server.stop_all)

  local function start(...)
    return server.start { app = APP, folder = folder, args = { ... } }
  end

  local function value(s, key)
    return http.get(s, "/" .. key).body
  end

  it("come from the file: any JSON, before the app's code", function()
    local s = start("--config", folder .. "/c.json")
    assert.equal('{"early":[1,{"a":null},{}],"now":[1,{"a":null},{}]}\n', value(s, "ONLY"))
    assert.equal('{"early":"file","now":"code"}\n', value(s, "BOTH"))
    assert.equal('{"early":7,"now":7}\n', value(s, "MAX_FORM_PARTS"))
    assert.equal('{"now":"code"}\n', value(s, "CODE"))
    assert.equal("{}\n", value(s, "SESSION_COOKIE_NAME")) -- null takes a default away
  end)

  it("come from --set: over the file and over the app's code", function()
    local s = start("--config", folder .. "/c.json", "--set", "OVER=set", "--set", "SET=2",
      "--set", 'LIST=["a"]', "--set", "TEXT=a b", "--set", "SET=3")
    assert.equal('{"early":"set","now":"set"}\n', value(s, "OVER"))
    assert.equal('{"early":3,"now":3}\n', value(s, "SET"))
    assert.equal('{"early":["a"],"now":["a"]}\n', value(s, "LIST"))
    assert.equal('{"early":"a b","now":"a b"}\n', value(s, "TEXT"))
  end)

  it("reach the limits that C keeps", function()
    local s = start("--set", "MAX_CONTENT_LENGTH=10")
    assert.equal(200, http.post(s, "/size", { body = ("x"):rep(10) }).status)
    assert.equal(413, http.post(s, "/size", { body = ("x"):rep(11) }).status)
  end)

  it("include DEBUG, which follows the server's debug switch", function()
    local s = start()
    assert.equal('{"early":false,"now":false}\n', value(s, "DEBUG"))
    s:stop()
    s = server.start { app = APP, folder = folder, args = { "--debug" } }
    assert.same({ early = true, now = true }, require "cjson".decode(value(s, "DEBUG")))
  end)

  it("are what app.json says, and the scheme of URLs without a request", function()
    local s = server.start { folder = folder, set = { JSON_AS_ASCII = false,
      JSON_SORT_KEYS = false, JSONIFY_MIMETYPE = "application/own+json",
      JSONIFY_PRETTYPRINT_REGULAR = true, SERVER_NAME = "x.test", PREFERRED_URL_SCHEME = "https",
    }, app = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:route("/", function() return { a = "é" } end)
local outside = app:app_context(function()
  return { app:url_for("index"), app:url_for("index", { _scheme = "http" }) }
end)
app:route("/urls", function() return outside end)
return app
]] }
    local answer = http.get(s, "/", { host = "x.test" })
    assert.equal('{\n  "a": "é"\n}\n', answer.body)
    assert.equal("application/own+json", answer.header["content-type"])
    assert.same({ "https://x.test/", "http://x.test/" },
      require("cjson").decode(http.get(s, "/urls", { host = "x.test" }).body))
  end)

  it("that are nearly one of qlua's are warned about, once for all workers", function()
    local s = server.start { app = "local app = require 'qlua'.App(...)\n"
      .. "app.config.SECRET_KYE, app.config.OWN = 'x', 1\nreturn app", folder = folder,
      workers = 3, set = { TESTIN = "1" } }
    s:wait_for_stderr "CTRL + C"
    s:stop()
    local text = s:stderr()
    local _, kye = text:gsub("app%.lua:2: config%.SECRET_KYE is no key that qlua knows; did you "
      .. "mean SECRET_KEY%?", "")
    local _, testin = text:gsub("%-%-set TESTIN is no key that qlua knows; did you mean TESTING%?",
      "")
    assert.same({ 1, 1 }, { kye, testin })
    assert.is_nil(text:find("OWN", 1, true))
  end)

  it("come anew from the files that the app reads, and from its config file", function()
    files.write(folder .. "/own.json", '{ "OWN": 1 }')
    local s = server.start { folder = folder, args = { "--reload", "--config",
      folder .. "/c.json" }, app = [[
local qlua = require "qlua"
local app = qlua.App(...)
local config = app.config
config.MISSING = config:from_json("later.json", { silent = true })
config:from_file("own.json", qlua.json.loads)
app:route("/<key>", function(key) return tostring(config:get(key)) end)
return app
]] }
    local function becomes(key, expected)
      s:wait_for(function() return value(s, key) == expected end, 10, key .. " = " .. expected)
    end
    becomes("MAX_FORM_PARTS", "7")
    becomes("OWN", "1")
    files.write(folder .. "/own.json", '{ "OWN": 2 }')
    becomes("OWN", "2")
    becomes("MISSING", "false")
    files.write(folder .. "/later.json", "{}")
    becomes("MISSING", "true")
    files.write(folder .. "/c.json", '{ "app": { "MAX_FORM_PARTS": 8 } }')
    becomes("MAX_FORM_PARTS", "8")
    files.write(folder .. "/c.json", '{ "app": {\n"MAX_FORM_PARTS": "x" } }')
    s:wait_for_stderr "c.json:2: app.MAX_FORM_PARTS must be a whole number"
    assert.equal("8", value(s, "MAX_FORM_PARTS"))
  end)

  it("reach the commands as well", function()
    files.write(folder .. "/listed.lua", [[
local qlua = require "qlua"
local app = qlua.App(..., { static_folder = false })
app:route("/" .. app.config.PLACE, function() return "" end)
return app
]])
    local listed = server.run { argv = { "routes", folder .. "/listed.lua", "--set",
      "PLACE=here" }, folder = folder }
    assert.equal("", listed:stderr())
    assert.truthy(listed:stdout():find("/here", 1, true))
  end)

  -- words, standard error, exit code
  local cases = {
    { "port=80", 2, "--set port: app keys are UPPER_CASE; the server setting is server.port" },
    { "flag=1", 2, '--set flag: app keys are UPPER_CASE, not "flag"' },
  }
  for _, case in ipairs(cases) do
    it("are refused as --set " .. case[1], function()
      files.write(folder .. "/app.lua", APP)
      local s = server.run { argv = { "run", folder .. "/app.lua", "--set", case[1] },
        folder = folder }
      assert.equal(("qlua: %s\n"):format(case[3]), s:stderr())
      assert.equal(case[2], s:exit_code())
    end)
  end

  for _, words in ipairs { { "run", "app.lua", "--workers", "1" },
    { "run", "app.lua", "--workers", "0" }, { "routes", "app.lua" } } do
    it("are bad usage when the value is wrong: " .. table.concat(words, " "), function()
      files.write(folder .. "/app.lua", APP)
      words[#words + 1] = "--set"
      words[#words + 1] = "MAX_CONTENT_LENGTH=abc"
      if words[1] == "run" then -- others may serve at the port that is the default
        words[#words + 1] = "--port"
        words[#words + 1] = server.free_port()
      end
      local s = server.run { argv = words, folder = folder, cwd = folder }
      assert.equal(2, s:exit_code())
      local text = s:stderr():gsub("^qlua: the app did not load:", "qlua:")
      assert.equal("qlua: --set MAX_CONTENT_LENGTH must be a whole number of at least 0, or nil "
        .. 'for none, got the string "abc"\n', text)
    end)
  end

  it("are an error of the file when they stand in it", function()
    files.write(folder .. "/app.lua", APP)
    files.write(folder .. "/c.json", '{ "app": { "MAX_CONTENT_LENGTH": "abc" } }')
    local s = server.run { argv = { "run", "app.lua", "--config", "c.json" }, folder = folder,
      cwd = folder }
    assert.equal(1, s:exit_code())
  end)

  it("are refused in the file with their line", function()
    files.write(folder .. "/app.lua", APP)
    files.write(folder .. "/c.json", '{ "app": {\n  "port": 1 } }')
    local s = server.run { argv = { "run", "app.lua", "--config", "c.json" }, folder = folder,
      cwd = folder }
    assert.equal("qlua: c.json:2: app.port: app keys are UPPER_CASE; port is a server setting and "
      .. 'belongs in "server"\n', s:stderr())
    assert.equal(1, s:exit_code())
  end)
end)
