--- The command line: what is refused, with which line and exit code, and what is answered.

local files = require "support.files"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/hello", function() return "Hello, World!" end)
return app
]]

--- Run qlua in a folder with app.lua; gives exit code, standard error, standard output.
local function run(argv, options)
  options = options or {}
  options.argv = argv
  options.files = options.files or { ["app.lua"] = APP }
  local ended = server.run(options, 10)
  return ended:exit_code(), ended:stderr(), ended:stdout()
end

describe("command line", function()
  after_each(server.stop_all)

  describe("refuses with one line", function()
    local folder
    before_each(function()
      folder = files.folder { ["app.lua"] = APP }
    end)
    after_each(function()
      files.remove(folder)
    end)

    -- words, exit code, line on standard error
    local cases = {
      { "", 2, "no command; qlua run serves ./app.lua, qlua --help tells more" },
      { "runn", 2, "unknown command runn; did you mean run?" },
      { "frobnicate", 2, "unknown command frobnicate; qlua --help lists them" },
      { "--versoin", 2, "unknown option --versoin; did you mean --version?" },
      { "run --prot 80", 2, "unknown option --prot of qlua run; did you mean --port?" },
      { "run --zzzzzz", 2, "unknown option --zzzzzz; qlua run --help lists them" },
      { "status --workers 2", 2, "unknown option --workers; qlua status --help lists them" },
      { "run --port", 2, "--port needs a value: --port PORT" },
      { "run --port --debug", 2, "--port needs a value: --port PORT" },
      { "run --host=", 2, "--host needs a value that is not empty" },
      { "run --debug=yes", 2, "--debug takes no value" },
      { "run app.lua b.lua", 2, 'unexpected word "b.lua" after qlua run' },
      { "status now", 2, 'unexpected word "now" after qlua status' },
      { "run --set port", 2, "--set needs KEY=VALUE, not port" },
      { "run --set =3", 2, '--set needs a name before the "="' },
      { "run --set server.=3", 2, '--set needs a name before the "="' },
      { "run --port abc", 2, "--port: port must be a whole number from 0 to 65535, not abc" },
      { "run --port 70000", 2, "--port: port must be a whole number from 0 to 65535, not 70000" },
      { "run --workers 1.5", 2,
        "--workers: workers must be auto or a whole number from 0 to 512, not 1.5" },
      { "run --set server.prot=1", 2,
        '--set server.prot: unknown server setting "prot"; did you mean "port"?' },
      { "run --set server.qqqqqq=1", 2, '--set server.qqqqqq: unknown server setting "qqqqqq"; '
        .. "qlua run --help lists them" },
      { "run --set server.keep_alive_timeout=soon", 2, "--set server.keep_alive_timeout: "
        .. "keep_alive_timeout must be seconds from 0.1 to 86400, not soon" },
      { "run --set server.log_level=loud", 2, "--set server.log_level: log_level must be one of "
        .. "debug,info,warning,error,critical, not loud" },
      { "run --set server.reuse_port=maybe", 2,
        "--set server.reuse_port: reuse_port must be true or false, not maybe" },
      { "run --set server.bind=[1]", 2,
        "--set server.bind: bind must be a list of texts, not [1]" },
      { "run --bind a:b:c", 2, "--bind: a:b:c is no address to listen on; give HOST:PORT, "
        .. "[V6]:PORT or unix:/PATH" },
      { "run --host ::1 --bind [::1]:0", 2,
        "--host: cannot stand beside --bind; name every address with --bind" },
      { "run --workers 2 --debug", 2,
        "--workers: more than one beside debug mode, which means one; leave out one of the two" },
      { "run --key b.pem", 2, "--key: a private key without a certificate; name its file with "
        .. "cert, or leave key out" },
      { "run --cert /nonexistent/x --key b.pem", 1,
        "/nonexistent/x: the certificate cannot be read: No such file or directory" },
      { "run --set server.worker_timeout=4", 2,
        "--set server.worker_timeout: worker_timeout must be greater than handler_cpu_limit" },
      { "run --set server.spool_dir=/nonexistent", 2, "--set server.spool_dir: spool_dir "
        .. "/nonexistent cannot be used: No such file or directory; name a folder to which the "
        .. "workers may write" },
      { "run --set server.spool_dir=/dev/null", 2, "--set server.spool_dir: spool_dir /dev/null "
        .. "cannot be used: Not a directory; name a folder to which the workers may write" },
      { "run nope.lua", 1, "nope.lua: no such file; name the app file: qlua run FILE.lua" },
      { "routes nope.lua", 1, "nope.lua: no such file; name the app file: qlua routes FILE.lua" },
      { "nope.lua", 1, "nope.lua: no such file; name a Lua file: qlua FILE.lua" },
      { "run --host 192.0.2.1 --port 0", 1,
        "192.0.2.1:0: cannot listen: Cannot assign requested address" },
      { "run --bind unix:/nonexistent/x", 1,
        "unix:/nonexistent/x: cannot listen: No such file or directory" },
      { "run --set server.log=/nonexistent/x", 1,
        "the log /nonexistent/x cannot be opened: No such file or directory" },
      { "run --set server.pid_file=/nonexistent/x --port 0", 1,
        "pid_file /nonexistent/x cannot be written: No such file or directory" },
      { "run --set server.user=no-such-user --port 0", 1,
        'user "no-such-user" is not known on this machine' },
      { "run --control /nonexistent/x --port 0", 1,
        "unix:/nonexistent/x: cannot listen: No such file or directory" },
      { "run --config nope.json", 1,
        "nope.json: the config file cannot be read: No such file or directory" },
    }
    for _, case in ipairs(cases) do
      it("qlua " .. case[1], function()
        local argv = {}
        for word in case[1]:gmatch "%S+" do
          argv[#argv + 1] = word
        end
        local code, text = run(argv, { folder = folder, cwd = folder })
        assert.equal(("qlua: %s\n"):format(case[3]), text)
        assert.equal(case[2], code)
      end)
    end

    it("qlua run with a folder that has no app.lua", function()
      local empty = files.folder()
      local code, text = run({ "run", empty }, { folder = empty })
      files.remove(empty)
      assert.equal(("qlua: %s/app.lua: no such file; name the app file: qlua run FILE.lua\n")
        :format(empty), text)
      assert.equal(1, code)
    end)

    it("qlua run where there is no app.lua", function()
      local empty = files.folder()
      local code, text = run({ "run" }, { folder = empty, cwd = empty, env = { QLUA_APP = false } })
      files.remove(empty)
      assert.equal("qlua: app.lua: no such file; name the app file: qlua run FILE.lua\n", text)
      assert.equal(1, code)
    end)

    it("qlua run with QLUA_APP that names no file", function()
      local code, text = run({ "run" }, { folder = folder, cwd = folder,
        env = { QLUA_APP = "other.lua" } })
      assert.equal("qlua: other.lua: no such file; name the app file: qlua run FILE.lua\n", text)
      assert.equal(1, code)
    end)

    it("qlua run with an app file that is a folder without app.lua", function()
      local odd = files.folder { ["app.lua/x"] = "" }
      local code, text = run({ "run", odd .. "/app.lua" }, { folder = odd })
      files.remove(odd)
      assert.equal(("qlua: %s/app.lua/app.lua: no such file; name the app file: qlua run "
        .. "FILE.lua\n"):format(odd), text)
      assert.equal(1, code)
    end)

    it("qlua status where no server answers", function()
      local code, text = run { "status", "--control", "/nonexistent/x" }
      assert.equal("qlua: /nonexistent/x: no server answers there (No such file or directory); "
        .. "name its socket with --control\n", text)
      assert.equal(3, code)
    end)
  end)

  describe("answers", function()
    it("--version with qlua's version and its libraries'", function()
      local code, text, out = run { "--version" }
      assert.equal(0, code)
      assert.equal("", text)
      assert.truthy(out:find "^qlua %d+%.%d+%.%d+\n")
      for _, library in ipairs { "LuaJIT 2.1", "libuv 1.", "llhttp %d+%.%d+%.%d+\n", "OpenSSL 3.",
        "zlib 1.", "hiredis 0.14.", "cjson 2." } do
        assert.truthy(out:find("\n" .. library), library)
      end
    end)

    it("--help with every command", function()
      local code, _, out = run { "--help" }
      assert.equal(0, code)
      for _, command in ipairs { "run", "reload", "status", "routes", "FILE.lua", "--version" } do
        assert.truthy(out:find("qlua " .. command, 1, true), command)
      end
    end)

    it("run --help with options and settings", function()
      local code, _, out = run { "run", "--help" }
      assert.equal(0, code)
      assert.truthy(out:find("--bind ADDRESS", 1, true))
      assert.truthy(out:find("keep_alive_timeout   seconds an idle connection is kept [30 s]", 1,
        true))
    end)
  end)

  it("does not take a full disk for success, but for a server that prints", function()
    local folder = server.folder { ["app.lua"] = APP, ["job.lua"] = "print 'text'",
      ["seven.lua"] = "print 'text' os.exit(7)", ["part.lua"] = "io.write 'no end of line'" }
    local function shell(words)
      local pipe = io.popen(("cd %s; timeout 20 %s %s 2>&1 >/dev/full; echo $?"):format(folder,
        server.program(), words))
      local text = pipe:read "*a"
      pipe:close()
      return text
    end
    local LOST = "qlua: standard output could not be written; is the disk full?\n"
    for _, words in ipairs { "--help", "--version", "routes", "routes --json", "check",
      "request /hello", "completion zsh", "job.lua", "part.lua" } do
      assert.equal(LOST .. "1\n", shell(words), words)
    end
    assert.equal("7\n", shell "seven.lua")
    files.write(folder .. "/full", ('#!/bin/sh\nexec %s "$@" >/dev/full\n'):format(
      server.program()))
    assert.equal(0, os.execute("chmod +x " .. folder .. "/full"))
    for workers = 0, 1 do
      server.start({ app = 'print "text"\n' .. APP, program = folder .. "/full",
        workers = workers }):stop()
    end
  end)

  describe("finds the app file", function()
    local function banner(options)
      return server.launch(options):wait_for_stderr "Running on"
    end
    local folder
    before_each(function()
      folder = server.folder { ["app.lua"] = APP, ["other.lua"] = APP, ["sub/app.lua"] = APP }
    end)
    after_each(server.stop_all)

    it("in the current folder when nothing names it", function()
      local text = banner { argv = { "run", "--port", "0" }, folder = folder, cwd = folder,
        env = { QLUA_APP = false } }
      assert.truthy(text:find("Serving qlua app 'app'", 1, true))
    end)

    it("in QLUA_APP", function()
      local text = banner { argv = { "run", "--port", "0" }, folder = folder, cwd = folder,
        env = { QLUA_APP = "other.lua" } }
      assert.truthy(text:find("Serving qlua app 'other'", 1, true))
    end)

    it("as the app.lua of a folder", function()
      local text = banner { argv = { "run", "--port=0", "sub" }, folder = folder, cwd = folder }
      assert.truthy(text:find("Serving qlua app 'app'", 1, true))
    end)

    it("behind --, whatever its name begins with", function()
      files.write(folder .. "/-odd.lua", APP)
      local text = banner { argv = { "run", "--port=0", "--", "-odd.lua" }, folder = folder,
        cwd = folder }
      assert.truthy(text:find("Serving qlua app '-odd'", 1, true))
    end)
  end)
end)
