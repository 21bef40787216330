--- New certificates without a restart: SIGHUP reads them, bad ones change nothing.

local signal = require "posix.signal"
local stat = require "posix.sys.stat"
local unistd = require "posix.unistd"

local files = require "support.files"
local server = require "support.server"
local tls = require "support.tls"
local upgrade = require "support.upgrade"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:get("/hello", function() return "hello" end)
app:get("/worker", function() return tostring(qlua.worker.id) end)
return app
]]

describe("new certificates", function()
  local folder, shown, shown_key

  before_each(function()
    folder = server.folder()
    shown, shown_key = folder .. "/shown.pem", folder .. "/shown.key"
    for _, name in ipairs { "first", "second" } do
      tls.certificate(folder, name, { name = name .. ".example" })
    end
  end)

  after_each(upgrade.stop_all)

  --- Put a pair where the server looks, as certbot does: a new file under the old name.
  local function put(name, key_of)
    for from, to in pairs { [name .. ".pem"] = shown, [(key_of or name) .. ".key"] = shown_key } do
      files.write(to .. ".new", files.read(folder .. "/" .. from))
      os.rename(to .. ".new", to)
    end
  end

  local function start(options)
    put "first"
    options = options or {}
    options.app = APP
    options.args = { "--cert", shown, "--key", shown_key, unpack(options.args or {}) }
    return server.start(options)
  end

  local function name_shown(s)
    local text = tls.run(("echo | openssl s_client -connect 127.0.0.1:%d"):format(s.port))
    return text:match "subject=CN = (%w+)%.example"
  end

  for _, workers in ipairs { 0, 1, 3 } do
    it(("are shown after SIGHUP, with %d workers"):format(workers), function()
      local s = start { workers = workers }
      assert.equal("first", name_shown(s))
      put "second"
      assert.equal("first", name_shown(s))
      s:signal(signal.SIGHUP)
      s:wait_for_stderr(shown .. ": the certificate of second.example, valid until ")
      for _ = 1, 12 do -- whichever worker it is
        s:wait_for(function() return name_shown(s) == "second" end, 20, "the new certificate")
      end
      s:wait_for_stderr "generation 2 serves"
      -- a worker that is started later has it too
      if workers == 1 then
        signal.kill(s:children()[1], signal.SIGKILL)
        s:wait_for(function() return name_shown(s) end, 20, "a new worker")
        assert.equal("second", name_shown(s))
      end
      s:stop()
    end)
  end

  it("are shown after qlua reload", function()
    for workers = 0, 1 do
      local s = start { workers = workers, args = { "--control", folder .. "/control" } }
      s:wait_for(function() return name_shown(s) == "first" end, 20, "the first certificate")
      put "second"
      local asked = server.run { argv = { "reload", "--control", folder .. "/control" } }
      assert.equal(0, asked:exit_code())
      s:wait_for(function() return name_shown(s) == "second" end, 20, "the new certificate")
      s:stop()
    end
  end)

  it("that are the same are no news", function()
    local s = start()
    s:signal(signal.SIGHUP)
    s:wait_for_stderr "generation 2 serves"
    assert.falsy(s:stderr():find("in use", 1, true), s:stderr())
    s:stop()
  end)

  describe("that are bad change nothing:", function()
    local bad = {
      ["a key of another certificate"] = { function() put("second", "first") end,
        "/shown.key: the private key is not that of the certificate" },
      ["a file that is gone"] = { function() unistd.unlink(shown) end,
        "/shown.pem: the certificate cannot be read: No such file or directory" },
      ["half a certificate"] = { function()
        files.write(shown, files.read(shown):sub(1, 200))
      end, "/shown.pem: certificate 1 in it is damaged: " },
      ["an empty file"] = { function() files.write(shown_key, "") end,
        "/shown.key: there is no private key in it; " },
    }
    for what, case in pairs(bad) do
      it(what, function()
        local s = start { workers = 2 }
        case[1]()
        s:signal(signal.SIGHUP)
        local line = s:wait_for_stderr("the former certificate stays in use"):match
          "%[ERROR%] ([^\n]*)"
        assert.truthy(line:find(case[2], 1, true), line)
        s:wait_for_stderr "generation 2 serves"
        assert.equal("first", name_shown(s))
        put "second"
        s:signal(signal.SIGHUP)
        s:wait_for(function() return name_shown(s) == "second" end, 20, "the new certificate")
        s:stop()
      end)
    end
  end)

  describe("and a load", function()
    local out, stop

    before_each(function()
      out, stop = folder .. "/out", folder .. "/stop"
    end)

    --- Requests from another process, on new connections and on kept ones.
    local function load(s)
      local client = io.popen(("/usr/bin/python3 spec/support/tls_client.py load %d %s %s >%s 2>&1")
        :format(s.port, shown, stop, out), "w")
      s:wait_for(function() return files.read(out):find "loading" end, 60, "the load")
      return client
    end

    local function finish(client)
      client:close() -- waits for it
      return files.read(out):match "failures.*"
    end

    it("lose no request", function()
      local s = start { workers = 2 }
      local client = load(s)
      for i = 1, 10 do
        local name = i % 2 == 0 and "first" or "second"
        put(name)
        s:signal(signal.SIGHUP)
        s:wait_for(function()
          return select(2, s:stderr():gsub("is in use from now on", "")) == i
            and select(2, s:stderr():gsub("generation %d+ serves", "")) >= i
        end, 30, "the reload")
        s:wait_for(function() return name_shown(s) == name end, 20, "the certificate")
      end
      files.write(stop, "")
      assert.equal("failures 0 certificates 2 refused False []\n", finish(client))
      s:stop()
    end)

    it("lose none when the server stops", function()
      local s = start { workers = 2 }
      local client = load(s)
      s:stop()
      assert.equal("failures 0 certificates 1 refused True []\n", finish(client))
    end)

    it("lose none when a new binary takes over", function()
      put "first"
      local s = upgrade.start { app = APP, workers = 2,
        args = { "--cert", shown, "--key", shown_key } }
      local client = load(s.server)
      s:upgrade()
      assert.equal("first", name_shown(s.server))
      files.write(stop, "")
      assert.equal("failures 0 certificates 1 refused False []\n", finish(client))
      s:stop()
    end)
  end)

  it("need not be readable for the workers' user", function()
    if unistd.geteuid() ~= 0 then
      return -- only root may become somebody else
    end
    put "first"
    stat.chmod(folder, 448) -- 0700
    local place = files.folder()
    stat.chmod(place, 493)
    local s = server.start { app = APP, folder = place, workers = 2,
      args = { "--cert", shown, "--key", shown_key, "--set", "server.user=nobody" } }
    assert.equal("first", name_shown(s))
    put "second"
    s:signal(signal.SIGHUP)
    s:wait_for(function() return name_shown(s) == "second" end, 20, "the new certificate")
    s:stop()
    files.remove(place)
  end)
end)
