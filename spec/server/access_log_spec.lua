--- The access log: when it is on, where it goes, and what a line holds.

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/hello", function() return "Hello, World!" end)
app:route("/empty", function() return "", 204 end)
app:route("/boom", function() error "boom" end)
app:route("/slow", function() qlua.sleep(0.05) return "slow" end)
return app
]]

local STAMP = "%[%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d [+-]%d%d%d%d%] "

describe("access log", function()
  local folder
  before_each(function()
    folder = server.folder()
  end)
  after_each(server.stop_all)

  --- The lines of the file, once there are as many.
  local function lines(s, path, count)
    local found
    s:wait_for(function()
      found = {}
      for line in files.read(path):gmatch "[^\n]+" do
        found[#found + 1] = line
      end
      return #found >= count
    end, 5, count .. " lines of access log")
    return found
  end

  local function start(options)
    options.app = APP
    return server.start(options)
  end

  it("is off unless it is asked for", function()
    local s = start {}
    http.get(s, "/hello")
    s:stop()
    assert.is_nil(s:stderr():find("/hello", 1, true))
  end)

  it("goes to standard error with -", function()
    local s = start { args = { "--access-log", "-" } }
    http.get(s, "/hello")
    s:wait_for(function()
      return s:stderr():find("GET /hello [^\n]*\n")
    end)
    local text = "\n" .. s:stderr()
    assert.matches("\n" .. STAMP .. ("%%[%d%%] %%[INFO%%] 127%%.0%%.0%%.1:%%d+ GET /hello "
      .. "1%%.1 200 13 %%d+\n"):format(s:children()[1]), text)
  end)

  it("is on in debug mode, and off there with --access-log off", function()
    local s = start { args = { "--debug" } }
    http.get(s, "/hello")
    s:wait_for_stderr "GET /hello 1.1 200 13 "
    s:stop()
    s = start { args = { "--debug", "--access-log", "off" } }
    http.get(s, "/hello")
    s:stop()
    assert.is_nil(s:stderr():find("/hello", 1, true))
  end)

  it("goes to a file, which it continues", function()
    local path = folder .. "/access.log"
    files.write(path, "what was there\n")
    local s = start { args = { "--access-log", path } }
    http.get(s, "/hello")
    local found = lines(s, path, 2)
    assert.equal("what was there", found[1])
    assert.truthy(found[2]:find("^" .. STAMP))
    s:stop()
  end)

  it("shows status, bytes and microseconds as they were", function()
    local path = folder .. "/access.log"
    local s = start { args = { "--access-log", path } }
    http.get(s, "/empty")
    http.get(s, "/nowhere")
    http.get(s, "/boom")
    http.get(s, "/slow")
    http.request(s, "HEAD", "/hello")
    local found = lines(s, path, 5)
    assert.truthy(tonumber(found[1]:match " GET /empty 1%.1 204 %- (%d+)$") < 1e7, found[1])
    assert.truthy(found[2]:find " GET /nowhere 1%.1 404 %d+ %d+$")
    assert.truthy(found[3]:find " GET /boom 1%.1 500 %d+ %d+$")
    local took = tonumber(found[4]:match " GET /slow 1%.1 200 4 (%d+)$")
    assert.truthy(took >= 50000 and took < 1e7, found[4])
    assert.truthy(found[5]:find " HEAD /hello 1%.1 200 %- %d+$")
    s:stop()
  end)

  it("has a line for each request of a pipeline, and HTTP/1.0 as such", function()
    local path = folder .. "/access.log"
    local s = start { args = { "--access-log", path } }
    local c = raw.connect(s)
    c:send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" .. "GET /empty HTTP/1.1\r\nHost: x\r\n\r\n"
      .. "GET /hello HTTP/1.0\r\n\r\n")
    local found = lines(s, path, 3)
    assert.truthy(found[1]:find " /hello 1%.1 200 13 ")
    assert.truthy(found[2]:find " /empty 1%.1 204 %- ")
    assert.truthy(found[3]:find " /hello 1%.0 200 13 ")
    c:close()
    s:stop()
  end)

  it("shows the path as it was sent, without the query, harmless to a terminal", function()
    local path = folder .. "/access.log"
    local s = start { args = { "--access-log", path } }
    http.get(s, "/a%0Ab%1b?token=1")
    assert.truthy(lines(s, path, 1)[1]:find(" GET /a%0Ab%1b 1.1 404 ", 1, true))
    s:stop()
  end)

  it("calls a peer behind a Unix socket <local>", function()
    local path = folder .. "/access.log"
    local s = start { bind = { "unix:" .. folder .. "/a.sock" }, args = { "--access-log", path } }
    http.get(s, "/hello")
    assert.truthy(lines(s, path, 1)[1]:find "%[INFO%] <local> GET /hello 1%.1 200 13 %d+$")
    s:stop()
  end)

  it("is written whole before the server ends", function()
    local path = folder .. "/access.log"
    local s = start { workers = 2, args = { "--access-log", path } }
    for _ = 1, 50 do
      http.get(s, "/hello")
    end
    s:stop()
    assert.equal(50, select(2, files.read(path):gsub("\n", "")))
  end)

  it("that cannot be opened ends the start", function()
    local s = server.run { app = APP, args = { "--access-log", "/nonexistent/a.log" } }
    assert.equal("qlua: the access log /nonexistent/a.log cannot be opened: No such file or "
      .. "directory\n", s:stderr())
    assert.equal(1, s:exit_code())
  end)
end)
