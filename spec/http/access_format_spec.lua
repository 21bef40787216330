--- The form of the access log's lines: every field, beside a server; what is refused.

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App()
app:route("/hello", { methods = { "GET", "POST" } }, function() return "Hello, World!" end)
app:route("/empty", function() return "", 204 end)
app:route("/headers", function()
  return "ok", 200, { ["X-Two"] = "a: b", ["Content-Type"] = "text/plain" }
end)
app:route("/id", function() return qlua.request.id end)
return app
]]

describe("access_log_format", function()
  after_each(server.stop_all)

  --- The line for one GET with these headers, the worker's pid, the answer.
  local function line_for(format, path, headers, args)
    local folder = files.folder()
    finally(function() files.remove(folder) end)
    local log = folder .. "/access.log"
    local s = server.start { app = APP, env = { PLACE = 'the "cellar"' }, args = { "--access-log",
      log, "--set", "server.access_log_format=" .. format, unpack(args or {}) } }
    local answer = http.get(s, path or "/hello", { headers = headers })
    local line = s:wait_for(function() return files.read(log):match "^(.-)\n" end)
    local pid = s:children()[1]
    s:stop()
    return line, pid, answer
  end

  it("has Hypercorn's fields", function()
    local line, pid = line_for("%(h)s|%(l)s|%(t)s|%(r)s|%(R)s|%(s)s|%(st)s|%(S)s|%(m)s|%(U)s|"
      .. "%(Uq)s|%(q)s|%(H)s|%(b)s|%(B)s|%(f)s|%(a)s|%(T)s|%(D)s|%(L)s|%(p)s|%({x-one}i)s|"
      .. "%({PLACE}e)s|100%%", "/hello?a=1&b=%20", { Referer = "http://there/", ["X-One"] = "1 2",
      ["User-Agent"] = 'me "quoted" \\ ä' })
    local field = {}
    for text in (line .. "|"):gmatch "([^|]*)|" do
      field[#field + 1] = text
    end
    assert.matches("^127%.0%.0%.1:%d+$", field[1])
    assert.equal("-", field[2])
    assert.matches("^%[%d%d/%u%l%l/%d%d%d%d:%d%d:%d%d:%d%d [+-]%d%d%d%d%]$", field[3])
    assert.same({ "GET /hello 1.1", "GET /hello?a=1&b=%20 1.1", "200", "OK", "http", "GET",
      "/hello", "/hello?a=1&b=%20", "a=1&b=%20", "1.1", "13", "13", "http://there/",
      "me \\x22quoted\\x22 \\x5c \\xc3\\xa4", "0" }, { unpack(field, 4, 18) })
    assert.truthy(tonumber(field[19]) > 0)
    assert.matches("^0%.%d%d%d%d%d%d$", field[20])
    assert.same({ "<" .. pid .. ">", "1 2", "the \\x22cellar\\x22", "100%" },
      { unpack(field, 21) })
  end)

  it("has Apache's fields", function()
    local line, pid = line_for("%h %a %l %u %r %s %>s %m %U %q %H %b %B %T %P %V %{X-None}i "
      .. "%{PLACE}e %{NO_SUCH}e 5%%", "/empty?x")
    assert.equal(("127.0.0.1 127.0.0.1 - - GET /empty?x HTTP/1.1 204 204 GET /empty ?x HTTP/1.1 - "
      .. "0 0 %d localhost - the \\x22cellar\\x22 - 5%%"):format(pid), line)
  end)

  it("knows Apache's common and combined by name", function()
    local line = line_for("common", "/hello?a=1")
    assert.matches('^127%.0%.0%.1 %- %- %[%d%d/%u%l%l/[^%]]+%] "GET /hello%?a=1 HTTP/1%.1" 200 13$',
      line)
    line = line_for("combined", "/nope", { ["User-Agent"] = "me" })
    assert.matches('"GET /nope HTTP/1%.1" 404 %d+ "%-" "me"$', line)
  end)

  it("shows headers of the answer as they were sent", function()
    local line = line_for("%({content-type}o)s|%{X-Two}o|%{Content-Length}o|%({Date}o)s|%{X-None}o",
      "/headers")
    assert.matches("^text/plain|a: b|2|%u%l%l, [^|]+ GMT|%-$", line)
    assert.matches("^text/html; charset=utf%-8|%-$", (line_for("%{Content-Type}o|%{Location}o",
      "/nowhere")))
  end)

  it("shows the id of a request, and its worker", function()
    local line, _, answer = line_for("%(id)s %L %(worker)s", "/id")
    assert.equal(("%s %s 1"):format(answer.body, answer.body), line)
    line = line_for("%(id)s", "/id", { ["X-Request-Id"] = "from-outside" },
      { "--set", "server.trusted_proxies=127.0.0.1" })
    assert.equal("from-outside", line)
  end)

  it("goes before log_format json", function()
    assert.equal("200 /hello", (line_for("%s %U", "/hello", nil, { "--set",
      "server.log_format=json" })))
  end)

  it("has - for a client that left before there was an answer", function()
    local folder = files.folder()
    finally(function() files.remove(folder) end)
    local s = server.start { app = APP, args = { "--access-log", folder .. "/log", "--set",
      "server.access_log_format=%(s)s %(st)s %(b)s %(r)s" } }
    local c = raw.connect(s)
    c:send "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"
    c:close()
    local line = s:wait_for(function() return files.read(folder .. "/log"):match "^(.-)\n" end)
    assert.matches("POST /hello 1%.1$", line)
  end)

  for _, case in ipairs {
    { "%(nope)s", "%(nope)s" }, { "a %(h)x", "%(h)" }, { "%(h", "%(h" }, { "%", "%" },
    { "%y", "%y" }, { "%{Set-Cookie}x", "%{Set-Cookie}x" }, { "%({X}c)s", "%({X}c)s" },
    { "%{}i", "%{}i" }, { "%{X", "%{X" }, { "%>t", "%>t" },
  } do
    it(("refuses %s by name"):format(case[1]), function()
      local s = server.run { app = APP, args = { "--set", "server.access_log_format=" .. case[1] } }
      assert.equal(2, s:exit_code())
      local start = "qlua: --set server.access_log_format: access_log_format has the unknown field "
        .. case[2] .. "; known are %(X)s with X one of h l u t "
      assert.equal(start, s:stderr():sub(1, #start))
      assert.equal(1, select(2, s:stderr():gsub("\n", "")))
    end)
  end
end)
