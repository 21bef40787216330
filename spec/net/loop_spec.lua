--- net/loop: a loop with work of its own lets others have its processor now and then.

local signal = require "posix.signal"

local files = require "support.files"
local http = require "support.http"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:get("/", function() return "here" end)
return app
]]

-- code that loads, in slices beside the requests, until the spec has seen enough
local LONG = [[
while not io.open "%s" do
  for _ = 1, 100000 do end
end
]]

describe("loop", function()
  local folder, s, go, log

  before_each(function()
    folder = files.folder()
    go, log = folder .. "/go", folder .. "/yields"
    files.write(log, "")
    assert.equal(0, os.execute(("gcc -shared -fPIC -D_GNU_SOURCE -o %s/yields.so "
      .. "spec/support/yields.c"):format(folder)))
  end)

  after_each(function()
    server.stop_all()
    files.remove(folder)
  end)

  local function yields()
    return #files.read(log)
  end

  --- A server that loads new code, beside the old, until the file `go` is there.
  local function loading(yield_ms)
    local sanitizer = os.getenv "SANITIZER"
    s = server.start {
      app = APP, args = { "--workers", "1" },
      env = {
        LD_PRELOAD = (sanitizer and sanitizer .. ":" or "") .. folder .. "/yields.so",
        YIELDS = log, YIELD_MS = tostring(yield_ms),
      },
    }
    s:wait_for_stderr "CTRL + C"
    files.write(s.app, LONG:format(go) .. APP)
    s:signal(signal.SIGHUP)
  end

  it("that does not sleep lets whom it has answered go first", function()
    loading(0)
    s:wait_for(function() return yields() >= 100 end, 10, "a hundred yields")
    files.write(go, "")
    s:wait_for_stderr "generation 2 serves"
    -- the work is over: an answer, and then the loop sleeps
    local before
    s:wait_for(function()
      before = yields()
      return http.get(s, "/").body == "here" and yields() == before
    end, 10, "an end of it")
  end)

  it("spends at most a fifth of its time on that", function()
    loading(5)
    s:wait_for(function() return yields() >= 1 end, 10, "a yield")
    local begun, before = wait.now(), yields()
    s:wait_for(function() return yields() >= before + 20 end, 20, "twenty yields")
    assert.is_true(wait.now() - begun >= 19 * 0.025, ("%.3f s"):format(wait.now() - begun))
    files.write(go, "")
    s:wait_for_stderr "generation 2 serves"
  end)
end)
