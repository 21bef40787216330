--- `qlua shell`: on a terminal by hand, elsewhere as a script.

local files = require "support.files"
local server = require "support.server"
local terminal = require "support.terminal"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(..., { static_folder = false })
app.secret_key = "s"
app:before_serving(function() app.extensions.up = true end)
app:after_serving(function() print "down" end)
app:teardown_request(function() print "torn down" end)
app:get("/", function() return "hello" end)
app:get("/bad", function() error "went wrong" end)
return app
]]

describe("qlua shell", function()
  local folder
  before_each(function()
    folder = server.folder { ["app.lua"] = APP }
  end)
  after_each(server.stop_all)

  --- What a terminal gets while `keys` are typed: texts to wait for and, behind them, to type.
  local function type_in(...)
    local EMPTY = "> \27[K" -- a prompt that nothing was typed behind; before that Ctrl-D is lost
    local steps = { { "expect", EMPTY } }
    for i = 1, select("#", ...), 2 do
      local keys, answer = select(i, ...)
      steps[#steps + 1] = { "send", keys }
      steps[#steps + 1] = { "expect", answer:find "> $" and answer .. "\27[K" or answer }
      local goes_on = keys:find "while true" or keys:find "sleep%(1000%)" or answer:find "> $"
        or answer:find "behind" -- which comes after the prompt
      if keys:find "[\r\3]$" and not goes_on then
        steps[#steps + 1] = { "expect", EMPTY }
      end
    end
    steps[#steps + 1] = { "send", "\4" }
    local result = terminal.run({ server.program(), "shell" }, steps, {
      cwd = folder,
      env = "QLUA_SERVER__HANDLER_CPU_LIMIT=0.2 XDG_STATE_HOME=" .. folder .. "/state",
    })
    assert.equal(0, result.code)
    return result.text
  end

  describe("on a terminal", function()
    it("says what is at hand and ends with Ctrl-D, teardown and after_serving done", function()
      local text = type_in()
      assert.matches(("^qlua %%d[%%d.]*, app 'app' of %s/app.lua\r\n"):format(folder:gsub("%-",
        "%%-")), text)
      assert.matches("torn down\r\ndown\r\n$", text)
    end)

    it("prints what an expression gives", function()
      type_in("1 + 1\r", "\n2\r\n", "=app.name, nil, 'x'\r", '\n"app"\tnil\t"x"\r\n',
        "{ 1, b = { true } } -- a comment\r", "\n{ 1, b = { true } }\r\n",
        "app.extensions\r", "\n{ up = true }\r\n", "print 'as it is'\r", "\nas it is\r\n")
    end)

    it("keeps globals from line to line, to itself", function()
      type_in("x = 5\r", "> ", "x * 2\r", "\n10\r\n", "_G.x\r", "\nnil\r\n")
    end)

    it("goes on to the next line until it is something whole", function()
      type_in("for i = 1, 2 do\r", ">> ", "print('n' .. i)\r", ">> ", "end\r", "\nn1\r\nn2\r\n",
        "{\r", ">> ", "1 }\r", "\n{ 1 }\r\n", "[[a\r", ">> ", "b]]\r", '\n"a\\nb"\r\n')
    end)

    it("has the app, a request, a client", function()
      type_in("client:get('/').data\r", '\n"hello"\r\n', "request.path, url_for('index')\r",
        '\n"/"\t"/"\r\n', "g.user = 'ann' session.n = 1\r", "> ", "g.user, session.n\r",
        '\n"ann"\t1\r\n', "g, session\r",
        '\nqlua.g { user = "ann" }\tqlua.session { n = 1 }\r\n')
    end)

    it("may wait, and goes on with what waits behind the prompt", function()
      type_in("qlua.sleep(0.01) return 'slept'\r", '\n"slept"\r\n',
        "t = qlua.spawn(function() qlua.sleep(0.05) print 'behind' end)\r", "behind\r\n",
        "qlua.gather(function() qlua.sleep(0) return 1 end, function() return 2 end)\r",
        "\n1\t2\r\n")
    end)

    it("tells errors with where they come from, and goes on", function()
      type_in("error 'boo'\r", "\nshell:1: boo\r\nstack traceback:", "x = = 1\r",
        "\nshell:1: unexpected symbol near '='\r\n", "error { code = 5 }\r", "{ code = 5 }",
        "client:get('/bad').status_code\r", "\n500\r\n")
    end)

    it("ends with Ctrl-C what computes, what waits, and a line that is being typed", function()
      local text = type_in("print('g' .. 'o') while true do end\r", "\ngo\r\n", "\3",
        "\ninterrupted\r\n", "print('w' .. 'ait') qlua.sleep(1000)\r", "\nwait\r\n", "\3",
        "\ninterrupted\r\n", "print('c' .. 'atch') while true do pcall(string.rep, 'x', 9) end\r",
        "\ncatch\r\n", "\3", "\ninterrupted\r\n",
        "print('s' .. 'ort') table.sort({ 2, 1 }, function() while true do end end)\r",
        "\nsort\r\n", "\3", "\ninterrupted\r\n",
        "print('r' .. 'esume') coroutine.wrap(function() while true do end end)()\r",
        "\nresume\r\n", "\3", "\ninterrupted\r\n",
        "print('g' .. 'ather') qlua.gather(function() qlua.sleep(1000) end)\r",
        "\ngather\r\n", "\3", "\ninterrupted\r\n", "abc\3", "^C", "for i = 1, 2 do\r", ">> ", "\3",
        "^C", "'still' .. ' here'\r", '\n"still here"\r\n')
      assert.is_nil(text:find("stack traceback", 1, true))
    end)

    it("has all the processor time it wants", function()
      type_in("local t = os.clock() while os.clock() - t < 0.5 do end return 'done'\r",
        '\n"done"\r\n', "g.a\r", "\nnil\r\n")
    end)

    it("completes names behind a Tab", function()
      type_in("app.exte", "exte", "\t", "extensions", ".up\r", "\ntrue\r\n",
        "request.metho", "metho", "\t", "method", "\r", '\n"GET"\r\n',
        "app:test_", "test_", "\t", "test_client  test_re",
        "\3", "^C")
    end)

    it("remembers the lines from one time to the next", function()
      type_in("'one' .. 'two'\r", '"onetwo"')
      type_in("\27[A\r", '\n"onetwo"\r\n')
      assert.equal("'one' .. 'two'\n", files.read(folder .. "/state/qlua/history"))
      local pipe = io.popen("stat -c %a " .. folder .. "/state/qlua")
      assert.equal("700\n", pipe:read "*a") -- nobody else reads them
      pipe:close()
    end)

    it("leaves standard input to what runs", function()
      type_in("print('behi' .. 'nd') return io.read '*l', io.read '*n'\r", "\nbehind\r\n",
        "typed\n25\n", '\n"typed"\t25\r\n', "1\r", "\n1\r\n")
    end)

    it("says once that a local ends with its line", function()
      local text = type_in("local a = 1\r", "without the word local the name stays)\r\n", "a\r",
        "\nnil\r\n", "local b = 1\r", "> ")
      assert.equal(1, select(2, text:gsub("the word local", "")))
    end)

    it("leaves the lines to a terminal that knows no escape sequences", function()
      local result = terminal.run({ server.program(), "shell" }, { { "expect", "> " },
        { "send", "1 +\n" }, { "expect", ">> " }, { "send", "2\n" }, { "expect", "\n3\r\n> " },
        { "send", "\4" } }, { cwd = folder, env = "TERM=dumb XDG_STATE_HOME=" .. folder })
      assert.equal(0, result.code)
      assert.is_nil(result.text:find("\27", 1, true))
    end)

    it("leaves the terminal as it was", function()
      local command = ("stty -a >before; %s shell; stty -a >after"):format(server.program())
      local result = terminal.run({ "sh", "-c", command }, { { "expect", "> " },
        { "send", "1\r" }, { "expect", "\n1\r\n" }, { "expect", "> " }, { "send", "\4" } },
        { cwd = folder, env = "XDG_STATE_HOME=" .. folder })
      assert.equal(0, result.code)
      assert.equal(files.read(folder .. "/before"), files.read(folder .. "/after"))
    end)
  end)

  describe("without a terminal", function()
    --- Standard output, standard error and exit code.
    local function script(text, ...)
      files.write(folder .. "/in", text)
      local command = ("cd %s && %s shell %s <in >out 2>err"):format(folder, server.program(),
        table.concat({ ... }, " "))
      local status = os.execute(command)
      return files.read(folder .. "/out"), files.read(folder .. "/err"), status / 256
    end

    it("runs a script", function()
      assert.same({ "3\t/\ntorn down\ndown\n", "", 0 }, { script(
        "local a = 1\nqlua.sleep(0.01)\nprint(a + 2, request.path)") })
    end)

    it("prints what an expression gives", function()
      assert.same({ '"app"\ntorn down\ndown\n', "", 0 }, { script "app.name" })
    end)

    it("ends with 1 after an error, and says where it was", function()
      local out, err, code = script "local x\nprint(x.y)"
      assert.same({ "torn down\ndown\n", 1 }, { out, code })
      assert.matches("^shell:2: attempt to index local 'x' %(a nil value%)\nstack traceback:", err)
      assert.same({ "torn down\ndown\n", "qlua: standard input: 1: unexpected symbol near '='\n",
        1 }, { script "x = = 1" })
    end)
  end)

  it("tells why the app does not load", function()
    files.write(folder .. "/app.lua", "local x = nil + 1")
    local ended = server.run({ argv = { "shell" }, folder = folder, cwd = folder })
    assert.equal(1, ended:exit_code())
    assert.matches("app.lua:1: attempt to perform arithmetic", ended:stderr(), 1, true)
    ended = server.run({ argv = { "shell", "none.lua" }, folder = folder, cwd = folder })
    assert.equal("qlua: none.lua: no such file; name the app file: qlua shell FILE.lua\n",
      ended:stderr())
  end)
end)
