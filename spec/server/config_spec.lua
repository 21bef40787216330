--- The configuration's layers, seen from outside: who wins, and how a mistake is told.

local files = require "support.files"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/hello", function() return "Hello, World!" end)
return app
]]

describe("configuration", function()
  local folder
  before_each(function()
    folder = server.folder { ["app.lua"] = APP }
  end)
  after_each(server.stop_all)

  --- How many workers `qlua run` with these layers has: by its banner.
  local function workers(env, ...)
    local s = server.launch { argv = { "run", "app.lua", "--port", "0", ... }, folder = folder,
      cwd = folder, env = env }
    local text = s:wait_for_stderr "Running on"
    s:stop()
    return text:match "Workers: (%S+)"
  end

  --- The line and the exit code of a start that fails.
  local function refused(env, ...)
    local s = server.run({ argv = { "run", "app.lua", "--port", "0", ... }, folder = folder,
      cwd = folder, env = env }, 10)
    return s:stderr(), s:exit_code()
  end

  describe("takes a setting", function()
    before_each(function()
      files.write(folder .. "/c.json", '{ "server": { "workers": 2 }, "app": { "X": [1, {}] } }')
    end)

    it("from its default", function()
      assert.equal("1", workers())
    end)
    it("from the file over the default", function()
      assert.equal("2", workers(nil, "--config", "c.json"))
    end)
    it("from a variable over the file", function()
      assert.equal("3", workers({ QLUA_SERVER__WORKERS = "3" }, "--config", "c.json"))
    end)
    it("from the command line over a variable", function()
      assert.equal("4", workers({ QLUA_SERVER__WORKERS = "3" }, "--config", "c.json",
        "--set", "server.workers=4"))
    end)
    it("from the last of two options", function()
      assert.equal("2", workers(nil, "--workers", "3", "--set", "server.workers=2"))
    end)
    it("from .env when the variable is not set", function()
      files.write(folder .. "/.env", "# workers\nexport QLUA_SERVER__WORKERS = '2' # two\n")
      assert.equal("2", workers())
      assert.equal("3", workers { QLUA_SERVER__WORKERS = "3" })
    end)
    it("not from .env with QLUA_SKIP_DOTENV", function()
      files.write(folder .. "/.env", "QLUA_SERVER__WORKERS=2\n")
      assert.equal("1", workers { QLUA_SKIP_DOTENV = "1" })
    end)
    it("not from an empty variable", function()
      assert.equal("1", workers { QLUA_SERVER__WORKERS = "" })
    end)
  end)

  describe("debug mode", function()
    it("means one worker, whatever the file says", function()
      files.write(folder .. "/c.json", '{ "server": { "workers": 2, "debug": true } }')
      assert.equal("1", workers(nil, "--config", "c.json"))
    end)
    it("follows QLUA_DEBUG", function()
      local s = server.launch { argv = { "run", "app.lua", "--port", "0" }, folder = folder,
        cwd = folder, env = { QLUA_DEBUG = "1" } }
      assert.truthy(s:wait_for_stderr("Running on"):find("Debug mode: on", 1, true))
    end)
    it("refuses more workers on the command line", function()
      local text, code = refused({ QLUA_DEBUG = "1" }, "--workers", "2")
      assert.equal("qlua: --workers: more than one beside debug mode, which means one; leave out "
        .. "one of the two\n", text)
      assert.equal(2, code)
    end)
  end)

  describe("refuses in the file, with its line,", function()
    local cases = {
      { "an unknown setting", '{ "server": {\n  "prot": 1 } }', 2,
        'unknown server setting "prot"; did you mean "port"?' },
      { "a wrong type", '{ "server": {\n\n  "port": "80" } }', 3,
        'server.port must be a whole number from 0 to 65535, not "80"' },
      { "a number out of its range", '{ "server": { "backlog": 0 } }', 1,
        "server.backlog must be a whole number from 1 to 65535, not 0" },
      { "a number beyond all ranges", '{ "server": { "port": 1e99 } }', 1,
        "server.port must be a whole number from 0 to 65535, not 1e+99" },
      { "no number at all", '{ "server": { "port": null } }', 1,
        "server.port must be a whole number from 0 to 65535, not null" },
      { "a word that is none of the choices", '{ "server": { "log_format": "xml" } }', 1,
        'server.log_format must be one of text,json, not "xml"' },
      { "a NUL in a text", '{ "server": { "bind": ["a\\u0000b"] } }', 1,
        'server.bind must be a list of texts that are not empty, not ["a\\u0000b"]' },
      { "a key with escapes", '{ "serv\\u0065r": {\n"p\\u006frt": -1 } }', 2,
        "server.port must be a whole number from 0 to 65535, not -1" },
      { "an app key without a name", '{ "app": { "": 1 } }', 1,
        'app keys are UPPER_CASE, not ""' },
      { "an empty file", "", 1, "expected a value, but the text ends" },
      { "a byte order mark", "\239\187\191{}", 1,
        "the text begins with a byte order mark; remove it" },
      { "a comment", "// c\n{}", 1, "expected a value, got '/'" },
      { "a duration below its least", '{ "server": { "worker_timeout": 0.5 } }', 1,
        "server.worker_timeout must be seconds from 1 to 3600 (or 0: off), not 0.5" },
      { "a list that is none", '{ "server": { "bind": 3 } }', 1,
        "server.bind must be a list of texts, not 3" },
      { "a text that is none", '{ "server": { "host": false } }', 1,
        "server.host must be a text that is not empty, not false" },
      { "an unknown object", '{ "sever": {} }', 1,
        'unknown object "sever"; did you mean "server"?' },
      { "a section that is no object", '{ "app": 3 }', 1, '"app" must be an object' },
      { "a section that is a list", '{ "server": [] }', 1, '"server" must be an object' },
      { "a file that is no object", "[]", 1,
        'a config file is an object with "server" and "app"' },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        files.write(folder .. "/c.json", case[2])
        local text, code = refused(nil, "--config", "c.json")
        assert.equal(("qlua: c.json:%d: %s\n"):format(case[3], case[4]), text)
        assert.equal(1, code)
      end)
    end

    it("settings that contradict each other, with the line of one", function()
      files.write(folder .. "/c.json", '{ "server": {\n\n  "worker_timeout": 3 } }')
      local text, code = refused(nil, "--config", "c.json")
      assert.equal("qlua: c.json:3: worker_timeout must be greater than handler_cpu_limit\n", text)
      assert.equal(1, code)
    end)
    it("an address that is none", function()
      for _, address in ipairs { "a:b:c", "[::1", "[]:80", "[::1]80", "[::1]:80x", "a:65536" } do
        files.write(folder .. "/c.json", ('{ "server": { "bind": ["%s"] } }'):format(address))
        local text, code = refused(nil, "--config", "c.json")
        assert.equal(("qlua: c.json:1: server.bind: %s is no address to listen on; give HOST:PORT, "
          .. "[V6]:PORT or unix:/PATH\n"):format(address), text)
        assert.equal(1, code)
      end
    end)
    it("a proxy that is none", function()
      files.write(folder .. "/c.json", '{ "server": {\n "trusted_proxies": ["unix", "front"] } }')
      local text, code = refused(nil, "--config", "c.json")
      assert.equal("qlua: c.json:2: server.trusted_proxies: front is no address; give one "
        .. "(10.1.2.3), a network (10.0.0.0/8) or unix\n", text)
      assert.equal(1, code)
    end)
    it("an address of debug_allow that is none", function()
      files.write(folder .. "/c.json", '{ "server": { "debug_allow": ["my.box"] } }')
      local text, code = refused(nil, "--config", "c.json")
      assert.equal("qlua: c.json:1: server.debug_allow: my.box is no address; give one "
        .. "(10.1.2.3), a network (10.0.0.0/8) or unix\n", text)
      assert.equal(1, code)
    end)
    it("a known app key with a wrong value, before the app runs", function()
      files.write(folder .. "/app.lua", "error 'ran'")
      files.write(folder .. "/c.json", '{ "app": {\n  "OWN": {}, "SECRET_KEY": 5 } }')
      local text, code = refused(nil, "--config", "c.json")
      assert.equal("qlua: the app did not load: c.json:2: app.SECRET_KEY must be a text, or nil "
        .. "for none, got the number 5\n", text)
      assert.equal(1, code)
    end)

    it("broken JSON", function()
      files.write(folder .. "/c.json", '{ "server": {\n  "port": 1, } }')
      local text, code = refused(nil, "--config", "c.json")
      assert.truthy(text:find "^qlua: c%.json:2: [^\n]+\n$")
      assert.equal(1, code)
    end)
  end)

  describe("refuses in the environment", function()
    it("an unknown setting", function()
      local text, code = refused { QLUA_SERVER__PROT = "1" }
      assert.equal('qlua: QLUA_SERVER__PROT: unknown server setting "prot"; did you mean "port"?\n',
        text)
      assert.equal(1, code)
    end)
    it("a wrong value", function()
      local text, code = refused { QLUA_SERVER__BACKLOG = "many" }
      assert.equal("qlua: QLUA_SERVER__BACKLOG: backlog must be a whole number from 1 to 65535, "
        .. "not many\n", text)
      assert.equal(1, code)
    end)

    it("a wrong value in .env", function()
      files.write(folder .. "/.env", "QLUA_SERVER__BACKLOG=many\n")
      local text, code = refused()
      assert.equal("qlua: .env: QLUA_SERVER__BACKLOG: backlog must be a whole number from 1 to "
        .. "65535, not many\n", text)
      assert.equal(1, code)
    end)
    it("a QLUA_DEBUG that is neither on nor off", function()
      local text, code = refused { QLUA_DEBUG = "perhaps" }
      assert.equal("qlua: QLUA_DEBUG: debug must be true or false, not perhaps\n", text)
      assert.equal(1, code)
    end)

    -- text of .env, line, message
    local cases = {
      { "A=1\nno equals sign\n", 2, "a line must be NAME=VALUE or begin with #" },
      { "A='x\n\n", 1, "the quote that begins here has no end" },
      { '\nA="x" y\n', 2, "text after the closing quote" },
      { "\239\187\191A=1\n", 1, "the text begins with a byte order mark; remove it" },
    }
    for _, case in ipairs(cases) do
      it(".env: " .. case[3], function()
        files.write(folder .. "/.env", case[1])
        local text, code = refused()
        assert.equal(("qlua: %s/.env:%d: %s\n"):format(folder, case[2], case[3]), text)
        assert.equal(1, code)
      end)
    end
  end)
end)
