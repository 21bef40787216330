--- The pid file: when it is there, whose it is, and what is never overwritten.

local signal = require "posix.signal"
local stat = require "posix.sys.stat"

local files = require "support.files"
local http = require "support.http"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/", function() return "home" end)
return app
]]

describe("pid_file", function()
  local folder, path
  before_each(function()
    folder = server.folder()
    path = folder .. "/pid"
  end)
  after_each(server.stop_all)

  local function start(options)
    options = options or {}
    options.app = options.app or APP
    options.set = { ["server.pid_file"] = path }
    local s = server.start(options)
    s:wait_for(function() return files.read(path) == s.pid .. "\n" end, 10, "the pid file")
    return s
  end

  --- A start that must fail; gives the end of its one line.
  local function refusal(options)
    options = options or {}
    options.app = options.app or APP
    options.set = { ["server.pid_file"] = path }
    local s = server.run(options)
    assert.equal(1, s:exit_code())
    return s:stderr()
  end

  it("holds the supervisor's pid while it runs", function()
    for _, workers in ipairs { 0, 2 } do
      local s = start { workers = workers }
      s:stop()
      assert.is_nil(stat.lstat(path))
    end
  end)

  it("is removed when the app does not load, and not made when the address is taken", function()
    assert.matches("broken", refusal { app = "error 'broken'" })
    assert.is_nil(stat.lstat(path))
    local s = server.start { app = APP }
    assert.matches("address already in use", refusal { port = s.port })
    assert.is_nil(stat.lstat(path))
  end)

  it("of a living server is refused, whatever the address", function()
    local s = start()
    assert.equal(("qlua: pid_file %s is a running server's (pid %d); stop that one or choose "
      .. "another file\n"):format(path, s.pid), refusal())
    assert.equal(s.pid .. "\n", files.read(path))
    assert.equal("home", http.get(s, "/").body)
    s:stop()
  end)

  it("of a dead server is replaced, also when another process has its number by now", function()
    local s = start()
    s:signal(signal.SIGKILL)
    s:wait_for(function() return s:exit_code() end)
    assert.equal(s.pid .. "\n", files.read(path))
    start():stop()
    files.write(path, "1\n") -- surely alive, and no qlua
    start():stop()
    files.write(path, "123456789012345\n") -- longer than what comes
    start():stop()
    files.write(path, "")
    start():stop()
  end)

  it("that is none is left alone", function()
    for _, text in ipairs { "important\n", "12 monkeys", ("1"):rep(100) } do
      files.write(path, text)
      assert.equal(("qlua: pid_file %s holds something else than a process id; choose another "
        .. "file\n"):format(path), refusal())
      assert.equal(text, files.read(path))
    end
  end)

  it("that somebody has replaced meanwhile is not removed", function()
    local s = start()
    os.remove(path)
    files.write(path, "17\n")
    s:stop()
    assert.equal("17\n", files.read(path))
  end)

  it("in a folder that is not there ends the start", function()
    path = folder .. "/none/pid"
    assert.equal(("qlua: pid_file %s cannot be written: No such file or directory\n"):format(path),
      refusal())
  end)

  it("stays when a worker ends", function()
    local s = start()
    http.get(s, "/")
    local worker = s:children()[1]
    signal.kill(worker, signal.SIGKILL)
    s:wait_for(function() return s:children()[1] and s:children()[1] ~= worker end)
    assert.equal("home", http.get(s, "/").body)
    assert.equal(s.pid .. "\n", files.read(path))
    assert.matches("is a running server's", refusal()) -- the lock, too
    s:stop()
  end)
end)
