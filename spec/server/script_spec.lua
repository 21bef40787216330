--- `qlua FILE.lua`: a script on the loop, and an app file started as one.

local files = require "support.files"
local raw = require "support.raw"
local server = require "support.server"

describe("qlua FILE.lua", function()
  after_each(server.stop_all)

  --- Run a script to its end, from its own folder.
  local function run(text, options)
    options = options or {}
    local folder = files.folder(options.files)
    files.write(folder .. "/job.lua", text)
    local s = server.run({
      argv = { options.path or "job.lua", unpack(options.args or {}) }, folder = folder,
      cwd = options.cwd or folder, env = options.env,
    }, 20)
    local out = { code = s:exit_code(), stdout = s:stdout(), stderr = s:stderr(), folder = folder }
    files.remove(folder)
    return out
  end

  it("gives arguments in arg, and its stem as the only `...`", function()
    local r = run([[print(select("#", ...), (...), #arg, arg[0], arg[1], arg[2], arg[3])]],
      { args = { "one", "--port", "3" } })
    assert.equal("1\tjob\t3\tjob.lua\tone\t--port\t3\n", r.stdout)
    assert.same({ 0, "" }, { r.code, r.stderr })
  end)

  it("waits on the loop: sleep, spawn, gather, timeout", function()
    local r = run [[
      local qlua = require "qlua"
      qlua.sleep(0.001)
      local task = qlua.spawn(function() qlua.sleep(0.001) return "spawned" end)
      local a, b = qlua.gather(function() qlua.sleep(0.001) return "a" end,
        function() return "b" end)
      print(a, b, task:wait(), (pcall(qlua.timeout, 0.001, qlua.sleep, 5)))
    ]]
    assert.same({ "a\tb\tspawned\tfalse\n", 0 }, { r.stdout, r.code })
  end)

  it("ends with its main chunk: what still waits is cancelled, its clean-up runs", function()
    local r = run [[
      local qlua = require "qlua"
      qlua.spawn(function()
        local ok, err = pcall(qlua.sleep, 600)
        print("cleaned up after " .. getmetatable(err).__name)
        error(err, 0)
      end)
      qlua.spawn(function()
        while true do pcall(qlua.sleep, 600) end
      end)
      qlua.sleep(0.001)
      print "main over"
    ]]
    assert.same({ "main over\ncleaned up after Cancelled\n", 0 }, { r.stdout, r.code })
    assert.falsy(r.stderr:find "Exception")
  end)

  it("flushes what was written without a line's end", function()
    assert.equal("half a line", run([[io.write "half a line"]]).stdout)
  end)

  it("passes the code of os.exit on", function()
    local r = run([[io.write "bye" os.exit(7)]], { env = { ASAN_OPTIONS = "detect_leaks=0" } })
    assert.same({ 7, "bye" }, { r.code, r.stdout })
  end)

  it("ends with 1, the place and a short traceback when it raises", function()
    local r = run 'local function inner() error "went wrong" end\nlocal x = 1 + inner()\nprint(x)'
    assert.equal(1, r.code)
    assert.equal("qlua: job.lua:1: went wrong\nstack traceback:\n\tjob.lua:1: in function "
      .. "'inner'\n\tjob.lua:2: in main chunk\n", (r.stderr:gsub(r.folder:gsub("%p", "%%%0") .. "/",
      "")))
  end)

  it("says where a syntax error is, in one line", function()
    local r = run "print 'a'\nlocal x = = 1\n"
    assert.equal(1, r.code)
    assert.truthy(r.stderr:find "^qlua: [^\n]*job.lua:2: unexpected symbol near '='\n$")
    assert.equal("", r.stdout)
  end)

  it("logs the error of a task that nobody waits for, and goes on", function()
    local r = run [[
      local qlua = require "qlua"
      qlua.spawn(function() error "aside" end)
      qlua.sleep(0.001)
      print "went on"
    ]]
    assert.same({ "went on\n", 0 }, { r.stdout, r.code })
    assert.truthy(r.stderr:find("Exception in a spawned task, which nobody waits for\n[^\n]*"
      .. "job.lua:2: aside\n"))
  end)

  it("refuses a bare coroutine.yield", function()
    local r = run "coroutine.yield()\nprint 'after'"
    assert.equal(1, r.code)
    assert.truthy(r.stderr:find("job.lua:1: attempt to yield from outside a coroutine", 1, true))
  end)

  it("reads files beside the script, whatever the current folder", function()
    local folder = files.folder { ["job.lua"] = [[
      print(require("qlua").read_file "data.txt", require "helper")
    ]], ["data.txt"] = "beside", ["helper.lua"] = "return 'module'" }
    local s = server.run({ argv = { folder .. "/job.lua" }, cwd = "/", folder = folder }, 20)
    assert.equal("beside\tmodule\n", s:stdout())
    files.remove(folder)
  end)

  it("just ends when it makes an app and does not run it", function()
    local r = run [[
      local app = require("qlua").App(...)
      app:route("/", function() return "" end)
      print(app.name)
    ]]
    assert.same({ "job\n", 0, "" }, { r.stdout, r.code, r.stderr })
  end)

  it("becomes `qlua run` at app:run, with its options; nothing after it runs", function()
    local port = server.free_port()
    local folder = files.folder { ["site.lua"] = ([[
      local qlua = require "qlua"
      local app = qlua.App(...)
      app:route("/", function() return app.name .. " " .. tostring(arg and arg[1]) end)
      app:run { port = %d, workers = 2 }
      error "ran on"
    ]]):format(port):gsub('error "ran on"', 'if arg then error "ran on" end') }
    local s = server.launch {
      argv = { folder .. "/site.lua", "--port", "1" }, folder = folder, port = port,
      bind = { "127.0.0.1:" .. port },
    }
    local text = s:wait_for_stderr "CTRL + C"
    assert.truthy(text:find("Running on http://127.0.0.1:" .. port, 1, true), text)
    assert.truthy(text:find("Workers: 2", 1, true), text)
    local c = raw.connect(port)
    c:send "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert.truthy(c:response().body:find "^site ")
    c:close()
    s:stop()
    files.remove(folder)
  end)

  it("says what is wrong with the options of app:run", function()
    local r = run 'local app = require("qlua").App(...)\napp:run { prot = 1 }'
    assert.equal(1, r.code)
    assert.truthy(r.stderr:find('job.lua:2: run: unknown option "prot"', 1, true)
      or r.stderr:find('job.lua:2: [^\n]*prot[^\n]*port'), r.stderr)
  end)
end)
