--- Answers compressed on their way out: the settings gzip, gzip_min_size and gzip_types.

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app, request = qlua.App(...), qlua.request
local huge = ("0123456789abcdef some text "):rep(4000000)

local function headers()
  return { ["Content-Type"] = request.args.type, ["Content-Encoding"] = request.args.coding,
    ["Cache-Control"] = request.args.cache, ["Vary"] = request.args.vary,
    ["Content-MD5"] = request.args.md5 }
end

app:get("/text", function()
  return ("Hello, World! "):rep(tonumber(request.args.n or 200)),
    tonumber(request.args.status or 200), headers()
end)
app:get("/json", function()
  local rows = {}
  for i = 1, tonumber(request.args.n) do rows[i] = { id = i, name = "name" .. i } end
  return rows
end)
app:post("/echo", function()
  return request:get_data(), 200, { ["Content-Type"] = "text/plain" }
end)
app:post("/pieces", function()
  local data, at = request:get_data(), 1
  local size = tonumber(request.args.size)
  local response = qlua.Response(function()
    local piece = data:sub(at, at + size - 1)
    at = at + size
    return piece ~= "" and piece or nil
  end, 200, { ["Content-Type"] = "text/plain" })
  if request.args.length then
    response.headers["Content-Length"] = request.args.length
  end
  return response
end)
app:get("/events", function()
  local i = 0
  return function()
    i = i + 1
    qlua.sleep(i > 1 and 60 or 0)
    return "data: " .. i .. "\n\n"
  end, 200, { ["Content-Type"] = "text/event-stream" }
end)
app:get("/etag", function()
  local response = qlua.make_response(("x"):rep(5000))
  response:set_etag("abc")
  return response:make_conditional(request, { accept_ranges = true })
end)
app:get("/huge", function() return huge end)
app:get("/endless", function()
  return function() return ("some text " .. math.random()):rep(2000) end
end)
return app
]]

local GZIP = { ["Accept-Encoding"] = "gzip" }

local function gunzip(text)
  local folder = files.folder { ["body.gz"] = text }
  local pipe = io.popen("gzip -dc " .. folder .. "/body.gz 2>&1")
  local plain = pipe:read "*a"
  pipe:close()
  files.remove(folder)
  return plain
end

--- Bytes that compress (of 16 letters) or do not.
local function noise(length, letters)
  local parts = {}
  for i = 1, length do
    parts[i] = string.char(math.random(0, letters - 1))
  end
  return table.concat(parts)
end

local function start(set, app_files)
  local with = { ["server.gzip"] = true }
  for name, value in pairs(set or {}) do
    with["server." .. name] = value
  end
  return server.start { app = APP, set = with, files = app_files }
end

local function header(r, name)
  return r.header[name]
end

local function memory_of(s)
  local text = files.read("/proc/" .. s:children()[1] .. "/status")
  return tonumber(text:match "VmRSS:%s+(%d+)") / 1024
end

describe("gzip", function()
  local s
  setup(function()
    s = start(nil, { ["static/a.css"] = noise(700000, 16), ["static/b.png"] = noise(5000, 16),
      ["static/c.css"] = "small", ["static/empty.css"] = "" })
  end)
  teardown(server.stop_all)

  local function get(path, headers, method)
    return http.request(s, method or "GET", path, { headers = headers or GZIP })
  end

  it("compresses what the client takes so, and says so", function()
    local r = get "/text"
    assert.same({ "gzip", "Accept-Encoding", #r.body .. "" }, { header(r, "content-encoding"),
      header(r, "vary"), header(r, "content-length") })
    assert.equal(("Hello, World! "):rep(200), gunzip(r.body))
    assert.is_true(#r.body < 100)
    r = get("/text", {})
    assert.same({ nil, "Accept-Encoding", "2800" }, { header(r, "content-encoding"),
      header(r, "vary"), header(r, "content-length") })
    assert.equal(("Hello, World! "):rep(200), r.body)
  end)

  it("answers HEAD with the headers of GET", function()
    for _, path in ipairs { "/text", "/text?n=100000", "/json?n=30000", "/static/a.css", "/etag",
      "/static/c.css", "/static/empty.css", "/static/b.png" } do
      local a, b = get(path), get(path, GZIP, "HEAD")
      a.header.date, b.header.date, a.header.expires, b.header.expires = nil, nil, nil, nil
      assert.same(a.header, b.header, path)
      assert.equal("", b.body)
    end
  end)

  it("leaves other answers alone", function()
    for path, vary in pairs {
      ["/text?n=10"] = false, ["/text?type=image/png"] = false, ["/text?coding=br"] = false,
      ["/text?coding=identity"] = false, ["/text?cache=public,%20no-transform"] = false,
      ["/text?md5=x"] = false, ["/static/b.png"] = false, ["/static/c.css"] = false,
      ["/static/empty.css"] = false, ["/text?type=application/octet-stream"] = false,
    } do
      local r = get(path)
      assert.is_nil(r.header["transfer-encoding"], path)
      assert.not_equal("gzip", header(r, "content-encoding"), path)
      assert.equal(vary or nil, header(r, "vary"), path)
    end
    local r = get "/text?status=204"
    assert.same({ 204, "" }, { r.status, r.body })
    assert.is_nil(header(r, "content-encoding"))
  end)

  it("compresses types that patterns name, and errors too", function()
    for _, path in ipairs { "/text?type=application/json", "/text?type=TEXT/Plain;%20charset=x",
      "/text?type=image/svg%2Bxml", "/text?status=404", "/text?status=500" } do
      assert.equal("gzip", header(get(path), "content-encoding"), path)
    end
  end)

  it("adds to a Vary that is there", function()
    assert.equal("Cookie, Accept-Encoding", header(get "/text?vary=Cookie", "vary"))
    assert.equal("*", header(get "/text?vary=*", "vary"))
    assert.equal("Origin, accept-encoding", header(get "/text?vary=Origin,%20accept-encoding",
      "vary"))
  end)

  it("makes entity tags weak, and conditions right with it", function()
    assert.equal('W/"abc"', header(get "/etag", "etag"))
    assert.equal('"abc"', header(get("/etag", {}), "etag"))
    for _, tag in ipairs { '"abc"', 'W/"abc"' } do
      local r = get("/etag", { ["Accept-Encoding"] = "gzip", ["If-None-Match"] = tag })
      assert.same({ 304, 'W/"abc"', "Accept-Encoding" }, { r.status, r.header.etag,
        r.header.vary })
      assert.is_nil(header(r, "content-encoding"))
      r = get("/etag", { ["If-None-Match"] = tag })
      assert.same({ 304, '"abc"', "Accept-Encoding" }, { r.status, r.header.etag, r.header.vary })
    end
    assert.equal(412, get("/etag", { ["If-Match"] = 'W/"abc"' }).status)
    assert.equal(200, get("/etag", { ["If-Match"] = '"abc"' }).status)
    local r = get("/static/b.png", { ["Accept-Encoding"] = "gzip", ["If-Modified-Since"] =
      header(get "/static/b.png", "last-modified") })
    assert.same({ 304 }, { r.status, r.header.vary })
  end)

  it("sends ranges as they are", function()
    for _, path in ipairs { "/etag", "/static/a.css" } do
      local r = get(path, { ["Accept-Encoding"] = "gzip", Range = "bytes=0-1999" })
      assert.same({ 206, 2000, "Accept-Encoding", "2000" }, { r.status, #r.body, r.header.vary,
        r.header["content-length"] })
      assert.is_nil(header(r, "content-encoding"))
      assert.is_nil(r.header.etag:match "^W/")
      local whole = get(path)
      assert.is_nil(header(whole, "accept-ranges"))
      -- what came compressed cannot be completed by plain bytes
      r = get(path, { ["Accept-Encoding"] = "gzip", Range = "bytes=0-1999",
        ["If-Range"] = whole.header.etag })
      assert.same({ 200, "gzip" }, { r.status, header(r, "content-encoding") })
    end
  end)

  it("brings bodies of any size and kind back as they were", function()
    local sizes = { 1024, 16384, 65535, 65536, 262143, 262144, 262145, 1000003 }
    for _ = 1, 6 do
      sizes[#sizes + 1] = math.random(1024, 400000)
    end
    for _, size in ipairs(sizes) do
      for _, letters in ipairs { 3, 256 } do
        local body = noise(size, letters)
        local r = http.post(s, "/echo", { body = body, headers = GZIP })
        assert.equal("gzip", header(r, "content-encoding"))
        assert.equal(size <= 262144, header(r, "content-length") ~= nil)
        assert.is_true(body == gunzip(r.body), size .. " of " .. letters)
        local piece = math.random(1, size)
        r = http.post(s, "/pieces?size=" .. math.max(piece, 500), { body = body, headers = GZIP })
        assert.equal("chunked", header(r, "transfer-encoding"))
        assert.is_true(body == gunzip(r.body), ("%d by %d"):format(size, piece))
      end
    end
  end)

  it("compresses static files, which Python reads too", function()
    local r = get "/static/a.css"
    assert.same({ "gzip", "chunked" }, { header(r, "content-encoding"),
      header(r, "transfer-encoding") })
    assert.is_true(gunzip(r.body) == files.read(s.folder .. "/static/a.css"))
    local pipe = io.popen(([[python3 -c '
import gzip, urllib.request
request = urllib.request.Request("http://127.0.0.1:%d/static/a.css",
                                 headers={"Accept-Encoding": "gzip"})
answer = urllib.request.urlopen(request)
print(answer.headers["Content-Encoding"], len(gzip.decompress(answer.read())))']]):format(s.port))
    assert.equal("gzip 700000\n", pipe:read "*a")
    pipe:close()
    pipe = io.popen(("curl -s --compressed http://127.0.0.1:%d/static/a.css | "
      .. "cmp - %s/static/a.css && echo same"):format(s.port, s.folder))
    assert.equal("same\n", pipe:read "*a")
    pipe:close()
  end)

  it("sends each piece of a stream when it is made", function()
    local c = raw.connect(s)
    c:send "GET /events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    c:read_until "\r\n\r\n"
    local size = tonumber(c:read_until("\r\n"):sub(1, -3), 16)
    local chunk = c:read(size)
    assert.equal("\0\0\255\255", chunk:sub(-4)) -- the end of a flush (RFC 1951 3.2.4, RFC 7692)
    assert.equal("data: 1\n\n", gunzip(chunk):match "^data: 1\n\n")
    c:close()
  end)

  it("keeps connections, and answers what is pipelined in order", function()
    local c = raw.connect(s)
    local lines = "Host: x\r\nAccept-Encoding: gzip\r\n\r\n"
    c:send(("GET /text?n=40000 HTTP/1.1\r\n%sGET /text HTTP/1.1\r\n%sGET /static/a.css HTTP/1.1\r\n"
      .. "%sGET /text?n=10 HTTP/1.1\r\n%s"):format(lines, lines, lines, lines))
    assert.equal(560000, #gunzip(c:response().body))
    assert.equal(2800, #gunzip(c:response().body))
    assert.equal(700000, #gunzip(c:response().body))
    assert.equal(140, #c:response().body)
    c:close()
  end)

  it("ends with the connection where chunks are not known", function()
    local c = raw.connect(s)
    c:send "GET /text?n=40000 HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n"
    local r = c:response()
    assert.same({ "gzip", "close" }, { header(r, "content-encoding"), header(r, "connection") })
    assert.is_nil(header(r, "transfer-encoding"))
    assert.equal(560000, #gunzip(r.body))
    c:close()
  end)

  it("cuts a stream that is shorter than was stated", function()
    local r = http.post(s, "/pieces?size=900&length=2000",
      { body = ("a"):rep(2000), headers = GZIP })
    assert.equal(2000, #gunzip(r.body))
    assert.is_nil(header(r, "content-length"))
    assert.has_error(function()
      http.post(s, "/pieces?size=900&length=2001", { body = ("a"):rep(2000), headers = GZIP })
    end)
  end)

  it("serves others beside a huge body, in little memory", function()
    http.get(s, "/text", { headers = GZIP })
    local before = memory_of(s)
    local slow = raw.connect(s, { rcvbuf = 4096 })
    slow:send "GET /endless HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    local c = raw.connect(s, { timeout = 60 })
    c:send "GET /huge HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    assert.is_string(c:read_until "\r\n\r\n")
    for _ = 1, 20 do -- before the body's end: 1700 turns
      assert.equal("gzip", header(get "/text", "content-encoding"))
    end
    local tail = ""
    repeat
      local some = assert(c:read_some())
      tail = (tail .. some):sub(-7)
    until tail == "\r\n0\r\n\r\n"
    assert.is_true(memory_of(s) - before < 20, memory_of(s) .. " MB after " .. before)
    slow:close()
    c:close()
  end)

  it("outlives clients that leave", function()
    for i = 1, 300 do
      local c = raw.connect(s)
      c:send(("GET %s HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"):format(
        ({ "/huge", "/static/a.css", "/endless", "/text?n=90000" })[i % 4 + 1]))
      if i % 3 > 0 then
        c:read_some()
      end
      if i % 2 == 0 then
        c:reset()
      end
      c:close()
    end
    for _ = 1, 3 do
      assert.equal(560000, #gunzip(get "/text?n=40000".body))
    end
  end)

  it("goes on when very many are at work: those answers come as they are", function()
    local all = {}
    for i = 1, 300 do
      all[i] = raw.connect(s)
      all[i]:send "GET /events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    end
    local plain = 0
    for _, c in ipairs(all) do
      local head = c:read_until "\r\n\r\n"
      assert.is_truthy(head:find "Vary: Accept%-Encoding")
      plain = plain + (head:find "Content%-Encoding: gzip" and 0 or 1)
    end
    assert.is_true(plain >= 300 - 256 and plain < 100, plain .. " plain")
    for _, c in ipairs(all) do -- who only closes may still read, for all the server can tell
      c:reset()
      c:close()
    end
    s:wait_for(function()
      return header(get "/text", "content-encoding") == "gzip"
    end, 10, "the compressions of those who left to end")
  end)

  it("stops while bodies are under way", function()
    local own = start()
    local c = raw.connect(own)
    c:send "GET /endless HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    c:read_some()
    local d = raw.connect(own)
    d:send "GET /huge HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    d:read_some()
    own:signal(require "posix.signal".SIGQUIT)
    own:wait_for(function() return own:exit_code() end)
    assert.equal(0, own:exit_code())
    c:close()
    d:close()
  end)
end)

describe("the settings of gzip", function()
  after_each(server.stop_all)

  it("are off by default", function()
    local s = server.start { app = APP }
    local r = http.get(s, "/text", { headers = GZIP })
    assert.same({}, { r.header["content-encoding"], r.header.vary })
  end)

  it("name types and sizes", function()
    local s = start { gzip_types = '["application/*+json","image/png"]', gzip_min_size = 100 }
    local function coding(query)
      return http.get(s, "/text" .. query, { headers = GZIP }).header["content-encoding"]
    end
    assert.equal("gzip", coding "?type=application/ld%2Bjson&n=10")
    assert.equal("gzip", coding "?type=image/png")
    assert.is_nil(coding "?type=application/ld%2Bjson&n=7")
    assert.is_nil(coding "?type=application/json")
    assert.is_nil(coding "")
  end)

  it("work where middleware stands in front", function()
    local s = start()
    s:stop()
    s = server.start {
      app = APP:gsub("return app%s*$", [[
        local inner = app.asgi_app
        app.asgi_app = function(scope, receive, send) return inner(scope, receive, send) end
        return app]]), set = { ["server.gzip"] = true },
    }
    for n, length in pairs { [200] = 2800, [60000] = 840000 } do
      local r = http.get(s, "/text?n=" .. n, { headers = GZIP })
      assert.equal("gzip", r.header["content-encoding"])
      assert.equal(length, #gunzip(r.body))
    end
  end)

  it("say what is wrong with them", function()
    for setting, message in pairs {
      ["gzip=maybe"] = "--set server.gzip: gzip must be true or false, not maybe",
      ["gzip_min_size=-1"] = "--set server.gzip_min_size: gzip_min_size must be a whole number",
      ["gzip_types=text"] = "--set server.gzip_types: text is no content type; give one "
        .. "(text/css), or a pattern with one * (text/*, application/*+json)",
    } do
      local s = server.run { app = APP, args = { "--set", "server." .. setting } }
      assert.equal(2, s:exit_code())
      assert.is_truthy(s:stderr():find(message, 1, true), s:stderr())
    end
  end)
end)
