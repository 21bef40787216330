--- Settings read anew by a reload: the config file's `server` object and .env.

local signal = require "posix.signal"

local files = require "support.files"
local http = require "support.http"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
app.config:from_prefixed_env()
app:get("/", function()
  return { env = os.getenv "SOME_TEXT" or "none", key = app.config.KEY or "none",
    generation = qlua.worker.generation }
end)
app:get("/long", function() return ("text "):rep(1000) end)
app:get("/say", function() qlua.log:debug("said %s", "so") return "" end)
app:get("/key", function() return tostring(app.config.MY_KEY) end)
return app
]]

describe("a reload", function()
  local folder

  before_each(function()
    folder = server.folder { ["app.lua"] = APP }
  end)
  after_each(server.stop_all)

  local function config(text)
    files.write(folder .. "/c.json", text)
  end

  local function start(options)
    options = options or {}
    options.path, options.folder = folder .. "/app.lua", folder
    options.args = options.args or {}
    table.insert(options.args, "--config")
    table.insert(options.args, folder .. "/c.json")
    local s = server.start(options)
    s:wait_for_stderr "CTRL + C"
    return s
  end

  local reloads
  --- SIGHUP, and wait until the new generation serves, or does not load.
  local function reload(s, failing)
    reloads = (reloads or 1) + 1
    s:signal(signal.SIGHUP)
    return s:wait_for_stderr(failing and "does not load" or
      ("generation %d serves"):format(reloads))
  end

  before_each(function()
    reloads = 1
  end)

  for _, workers in ipairs { 0, 2 } do
    it("takes over the settings of the file, with workers " .. workers, function()
      config '{ "server": { "server_header": "one" }, "app": { "MY_KEY": 1 } }'
      local s = start { workers = workers }
      assert.equal("one", http.get(s, "/").header.server)
      config [[{ "server": { "server_header": "two", "gzip": true, "max_target_size": 100 },
        "app": { "MY_KEY": 2 } }]]
      reload(s)
      for _ = 1, 4 do -- whichever worker answers
        local r = http.get(s, "/long", { headers = { ["Accept-Encoding"] = "gzip" } })
        assert.same({ "two", "gzip" }, { r.header.server, r.header["content-encoding"] })
        assert.equal(414, http.get(s, "/" .. ("x"):rep(200)).status)
        assert.equal("2", http.get(s, "/key").body)
      end
      config "{}"
      reload(s)
      for _ = 1, 4 do
        local r = http.get(s, "/long", { headers = { ["Accept-Encoding"] = "gzip" } })
        assert.same({}, { r.header.server, r.header["content-encoding"] })
        assert.equal("nil", http.get(s, "/key").body)
      end
      assert.is_nil(s:stderr():find("next start", 1, true), s:stderr())
      s:stop()
    end)

    it("names what counts from the next start on, with workers " .. workers, function()
      config "{}"
      local s = start { workers = workers, set = { ["server.backlog"] = 100 } }
      config '{ "server": { "pid_file": "/nonexistent/x", "backlog": 7, "log_format": "json" } }'
      reload(s)
      local log = s:wait_for_stderr "next start"
      assert.truthy(log:find("[WARNING] settings that have changed and count from the next start "
        .. "on: pid_file, log_format\n", 1, true), log) -- and of backlog the command line
      assert.equal(1, select(2, log:gsub("next start", "")))
      s:stop()
    end)

    it("reads .env again, with workers " .. workers, function()
      config "{}"
      files.write(folder .. "/.env", "SOME_TEXT=one\nQLUA_MY_KEY=a\nQLUA_KEPT=file\n"
        .. "QLUA_SERVER__SERVER_HEADER=x\n")
      local s = start { workers = workers, env = { QLUA_KEPT = "kept" } }
      local cjson = require "cjson"
      assert.equal("one", cjson.decode(http.get(s, "/").body).env)
      assert.equal("a", http.get(s, "/key").body)
      files.write(folder .. "/.env", "SOME_TEXT=two\nQLUA_KEPT=file\n"
        .. "QLUA_SERVER__SERVER_HEADER=y\nQLUA_KEY=new\n")
      reload(s)
      local r = http.get(s, "/")
      local values = cjson.decode(r.body)
      assert.same({ "two", "new", "y" }, { values.env, values.key, r.header.server })
      assert.equal("nil", http.get(s, "/key").body)
      s:stop()
    end)
  end

  it("leaves all as it was when they are wrong", function()
    config '{ "server": { "server_header": "one" } }'
    files.write(folder .. "/.env", "SOME_TEXT=one\n")
    local s = start { workers = 2 }
    config '{ "server": {\n "server_header": "two", "prot": 1 } }'
    local log = reload(s, true)
    assert.truthy(log:find('generation 2 does not load; generation 1 serves on: [^\n]*c.json:2: '
      .. 'unknown server setting "prot"; did you mean "port"?'), log)
    config '{ "server": { "server_header": "two" } }'
    files.write(folder .. "/.env", 'SOME_TEXT=two\nOTHER="open\n')
    s:signal(signal.SIGHUP)
    s:wait_for_stderr "generation 3 does not load"
    assert.truthy(s:stderr():find "%.env:2: the quote that begins here has no end", s:stderr())
    for _ = 1, 4 do
      local r = http.get(s, "/")
      assert.equal("one", r.header.server)
      assert.truthy(r.body:find('"env":"one"', 1, true))
    end
    files.write(folder .. "/.env", "SOME_TEXT=two\n")
    reloads = 3
    reload(s)
    assert.equal("two", http.get(s, "/").header.server)
    s:stop()
  end)

  it("takes over the level of the log", function()
    config "{}"
    local s = start()
    http.get(s, "/say")
    config '{ "server": { "log_level": "debug" } }'
    reload(s)
    assert.is_nil(s:stderr():find("said so", 1, true))
    http.get(s, "/say")
    s:wait_for_stderr "said so"
    s:stop()
  end)

  it("lets a worker that comes later have the same", function()
    config "{}"
    files.write(folder .. "/.env", "SOME_TEXT=one\n")
    local s = start { workers = 1 }
    config '{ "server": { "server_header": "two" }, "app": { "MY_KEY": 2 } }'
    files.write(folder .. "/.env", "SOME_TEXT=two\n")
    reload(s)
    local pid = s:children()[1]
    signal.kill(pid, signal.SIGKILL)
    s:wait_for(function()
      return s:children()[1] and s:children()[1] ~= pid
    end)
    local r = http.get(s, "/")
    assert.equal("two", r.header.server)
    assert.truthy(r.body:find('"env":"two"', 1, true))
    assert.equal("2", http.get(s, "/key").body)
    s:stop()
  end)

  it("happens by itself when .env changes and files are watched", function()
    config "{}"
    local s = start { args = { "--reload" } }
    files.write(folder .. "/.env", "SOME_TEXT=came\n")
    s:wait_for(function()
      return http.get(s, "/").body:find('"env":"came"', 1, true)
    end)
    s:wait_for_stderr ".env changed" -- the supervisor says so when all have changed over
    s:stop()
  end)

  it("gives handlers of the new code the new budget", function()
    files.write(folder .. "/app.lua", (APP:gsub("return app%s*$",
      'app:get("/spin", function() while true do end end)\nreturn app')))
    config "{}"
    local s = start()
    config '{ "server": { "handler_cpu_limit": 0.1 } }'
    reload(s)
    assert.equal(503, http.get(s, "/spin", { timeout = 60 }).status)
    s:wait_for_stderr "used 0.1 seconds of processor time"
    s:stop()
  end)
end)
