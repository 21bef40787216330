--- The examples of conf/ do what they say.

local cjson = require "cjson"
local stat = require "posix.sys.stat"
local unistd = require "posix.unistd"

local files = require "support.files"
local http = require "support.http"
local process = require "support.process"
local server = require "support.server"
local wait = require "support.wait"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/seen", function()
  local request = qlua.request
  return { host = request.host, forwarded = request.headers["X-Forwarded-For"],
    debug = app.debug, size = #request:get_data() }
end)
app:route("/id", function()
  return qlua.request.id .. "\n" .. (qlua.request.headers["X-Request-Id"] or "none")
end)
app:route("/upload", { methods = { "POST" } }, function()
  return tostring(#qlua.request:get_data())
end)
return app
]]

describe("conf", function()
  local folder
  before_each(function()
    folder = server.folder()
  end)
  after_each(server.stop_all)

  it("development.json switches debug mode on", function()
    local s = server.start { app = APP, args = { "--config", "conf/development.json" } }
    assert.truthy(s:wait_for_stderr("CTRL + C"):find("Debug mode: on", 1, true))
    assert.truthy(http.get(s, "/seen").body:find('"debug": true', 1, true))
    s:wait_for_stderr "GET /seen 1.1 200"
    s:stop()
  end)

  it("production.json starts a worker per processor; its control socket answers", function()
    local control = folder .. "/control.sock"
    local s = server.launch { app = APP, workers = "auto", args = { "--config",
      "conf/production.json", "--control", control } }
    local text = s:wait_for_stderr '"message":"serving app on http://'
    assert.truthy(text:find((", %d worker"):format(#s:children()), 1, true))
    assert.truthy(text:find(", debug mode off", 1, true))
    local asked = server.run { argv = { "status", "--config", "conf/production.json", "--control",
      control } }
    assert.equal(0, asked:exit_code())
    s:stop()
    assert.truthy(s:stderr():find('"message":"stopping"', 1, true))
  end)

  it("nginx.conf passes requests on, with host, address and body", function()
    local s = server.start { app = APP, set = { ["server.trusted_proxies"] = '["127.0.0.1"]' } }
    local port = server.free_port()
    local text = files.read "conf/nginx.conf"
    text = text:gsub("127%.0%.0%.1:5000", "127.0.0.1:" .. s.port)
    text = text:gsub("listen 80;", ("listen 127.0.0.1:%d;"):format(port))
    text = text:gsub("root /srv/app;", "root " .. folder .. ";")
    files.write(folder .. "/nginx.conf", text)
    files.write(folder .. "/mime.types", files.read "conf/mime.types")
    files.write(folder .. "/static/picture.avif", "AVIF")
    local front = process.start({ "/usr/sbin/nginx", "-p", folder, "-e", folder .. "/error.log",
      "-c", folder .. "/nginx.conf", "-g", ("daemon off; master_process off; pid %s/pid; "
      .. "error_log %s/error.log;"):format(folder, folder) }, { stderr = folder .. "/stderr" })
    finally(function() front:finish() end)
    s:wait_for(function()
      assert(not front:exit_code(), files.read(folder .. "/stderr"))
      return files.read(folder .. "/pid") ~= ""
    end, 5, "nginx")
    for _ = 1, 3 do
      local answer = http.get(port, "/seen", { host = "shop.example:8080" })
      assert.equal('{"debug":false,"forwarded":"127.0.0.1","host":"shop.example:8080","size":0}\n',
        answer.body)
    end
    local id, passed = http.get(port, "/id").body:match "^(%x+)\n(%x+)$"
    assert.equal(32, #id)
    assert.equal(id, passed)
    local picture = http.get(port, "/static/picture.avif")
    assert.same({ 200, "AVIF", "image/avif" }, { picture.status, picture.body,
      picture.header["content-type"] })
    assert.equal(404, http.get(port, "/static/none.avif").status)
    assert.is_nil(files.read(folder .. "/stderr"):find("warn", 1, true))
    assert.equal("100000", http.post(port, "/upload", { body = ("x"):rep(100000) }).body)
  end)

  for _, name in ipairs { "development", "production" } do
    it(name .. ".json holds only what differs from the defaults", function()
      files.write(folder .. "/app.lua", APP)
      local function values(...)
        local ended = server.run { argv = { "config", folder .. "/app.lua", "--json", ... } }
        assert.equal("", ended:stderr())
        return cjson.decode(ended:stdout())
      end
      local plain, with = values(), values("--config", ("conf/%s.json"):format(name))
      local count = 0
      for section, rows in pairs(with) do
        for key, row in pairs(rows) do
          if row.where and row.where:find "^conf/" then
            count = count + 1
            assert.is_not.same(plain[section][key].value, row.value, key)
          end
        end
      end
      assert.is_true(count > 1)
    end)
  end

  it("mime.types says what qlua says", function()
    local source, known = files.read "src/http/mime.c", {}
    source = source:sub(1, source:find("static struct slice find", 1, true))
    for extension, kind in source:gmatch '{SLICE%("([^"]+)"%),%s*SLICE%("([^"]+)"%)}' do
      known[extension] = kind
    end
    assert.equal("text/html", known.html)
    local listed = {}
    local body = assert(files.read("conf/mime.types"):match "\ntypes {\n(.*)}\n$")
    for kind, extensions in body:gmatch " +(%S+) +([^;]+);\n" do
      for extension in extensions:gmatch "%S+" do
        listed[extension] = kind
      end
    end
    assert.same(known, listed)
  end)

  it("logrotate.conf rotates the logs of a server without a line lost", function()
    local logs = files.folder()
    finally(function() files.remove(logs) end)
    stat.chmod(logs, 493) -- 0755: logrotate refuses folders that others may write to
    local s = server.start { workers = 2, set = { ["server.log"] = logs .. "/error.log",
      ["server.pid_file"] = logs .. "/pid" }, args = { "--access-log", logs .. "/access.log" },
      app = [[
        local qlua = require "qlua"
        local app = qlua.App()
        app:get("/<int:n>", function(n) app.logger:info("line %d", n) return "" end)
        return app
      ]] }
    local text, count = files.read("conf/logrotate.conf"):gsub("/var/log/qlua/%*", logs .. "/*")
    assert.equal(1, count)
    text, count = text:gsub("\n *systemctl kill %-s USR1[^\n]*\n", ('\nkill -USR1 "$(cat %s)"\n')
      :format(logs .. "/pid"))
    assert.equal(1, count)
    files.write(logs .. "/conf", text)
    for round = 1, 3 do
      for n = 1, 10 do
        http.get(s, "/" .. 10 * round + n)
      end
      local rotate = process.start({ "logrotate", "-f", "-s", logs .. "/state", logs .. "/conf" },
        { stderr = logs .. "/stderr" })
      assert.equal(0, rotate:wait(30), files.read(logs .. "/stderr"))
      s:wait_for(function() return stat.stat(logs .. "/access.log") end, 10, "the new files")
    end
    http.get(s, "/99")
    s:stop()
    local all = { log = "", access = "" }
    for _, suffix in ipairs { ".log.3.gz", ".log.2.gz", ".log.1", ".log" } do
      for kind, name in pairs { log = "/error", access = "/access" } do
        local pipe = io.popen(("%s %s%s%s"):format(suffix:find "gz" and "zcat" or "cat", logs, name,
          suffix))
        all[kind] = all[kind] .. pipe:read "*a"
        pipe:close()
      end
    end
    for n = 11, 40 do
      assert.equal(1, select(2, all.log:gsub("line " .. n .. "\n", "")))
      assert.equal(1, select(2, all.access:gsub("GET /" .. n .. " ", "")))
    end
    assert.matches("line 99\n", all.log)
  end)

  it("qlua.service names settings and paths that exist", function()
    local unit = files.read "conf/qlua.service"
    local start = unit:match "ExecStart=([^\n]+)"
    local name = start:match "share/qlua/conf/(%S+)"
    assert.truthy(unistd.access("conf/" .. name, "r"))
    assert.truthy(files.read("conf/" .. name):find("/run/qlua/control.sock", 1, true))
    assert.truthy(unit:find("RuntimeDirectory=qlua\n", 1, true))
    assert.truthy(unit:find("\nExecReload=/usr/local/bin/qlua reload --control "
      .. "/run/qlua/control.sock\n", 1, true))
    assert.truthy(unit:find("\nType=notify\n", 1, true)) -- spec/server/notify_spec.lua
    assert.is_nil(unit:find "\nMemoryDenyWriteExecute=yes")
  end)

  it("what make install installs runs as the unit says", function()
    local build = server.program():match "^(.*)/qlua$"
    local install = process.start({ "make", "-s", "install", "BUILD=" .. build,
      "DESTDIR=" .. folder }, { stderr = folder .. "/make" })
    assert.equal(0, install:wait(60), files.read(folder .. "/make"))
    local start = files.read(folder .. "/usr/local/share/qlua/conf/qlua.service")
      :match "ExecStart=([^\n]+)"
    local argv = {}
    for word in start:gmatch "%S+" do
      argv[#argv + 1] = word:gsub("^/usr/local/", folder .. "/usr/local/")
        :gsub("^/srv/app/", folder .. "/")
    end
    files.write(folder .. "/app.lua", APP)
    local control = folder .. "/control.sock"
    local service = process.start(argv, { stderr = folder .. "/stderr", env = {
      QLUA_SERVER__PORT = tostring(server.free_port()), QLUA_SERVER__CONTROL = control } })
    finally(function() service:finish() end)
    local function asked()
      return server.run { argv = { "status", "--control", control } }
    end
    assert.truthy(wait.until_true(function() return asked():exit_code() == 0 end, 20),
      files.read(folder .. "/stderr"))
    service:signal()
    assert.equal(0, service:wait(15))
    assert.equal(3, asked():exit_code())
  end)
end)
