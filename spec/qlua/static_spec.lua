local http = require "support.http"
local files = require "support.files"
local raw = require "support.raw"
local server = require "support.server"
local stat = require "posix.sys.stat"
local unistd = require "posix.unistd"
local utime = require "posix.utime"

local DATE, MTIME = "Tue, 14 Nov 2023 22:13:20 GMT", 1700000000

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local request, send_file = qlua.request, qlua.send_file

app:route("/file", function() return send_file "static/digits.txt" end)
app:route("/missing", function()
  local response = send_file "static/no.txt"
  return response
end)
app:route("/folder", function() return send_file "static" end)
app:route("/conditional", function()
  return send_file("static/digits.txt", { conditional = true })
end)
app:route("/save", function()
  return send_file("static/digits.txt", {
    as_attachment = true, attachment_filename = request.args.name,
  })
end)
app:route("/options", function()
  return send_file("static/digits.txt", {
    mimetype = "text/x-own", add_etags = false, cache_timeout = 10, last_modified = 0,
  })
end)
app:route("/from", function() return qlua.send_from_directory("static", request.args.name) end)
app:route("/own/<path:name>", function(name) return app:send_static_file(name) end)
app:route("/read", function() return qlua.read_file "static/digits.txt" end)
app:route("/over", function() return send_file "static/digits.txt", 203, { ["X-A"] = "1" } end)
app:route("/data", function() return send_file("static/digits.txt"):get_data() end)
app:route("/mistake/<which>", { endpoint = "mistake" }, function(which)
  local calls = {
    path = function() send_file(5) end,
    option = function() send_file("x", { cache_timeot = 5 }) end,
    name = function() qlua.send_from_directory("static") end,
    folder = function() qlua.App("x", { static_folder = false }):send_static_file "x" end,
  }
  return select(2, pcall(calls[which]))
end)
return app
]]

describe("static files", function()
  local running, folder

  setup(function()
    running = server.start {
      app = APP,
      files = {
        ["secret.txt"] = "secret", ["static/digits.txt"] = "0123456789", ["static/empty.txt"] = "",
        ["static/sub/page.html"] = "<p>", ["static/a b.css"] = "css", ["static/data.unknown"] = "?",
        ["static/app.js"] = "plain", ["static/app.js.gz"] = "gz", ["static/app.js.br"] = "br!",
        ["static/only.css"] = "plain", ["static/only.css.gz"] = "gz",
        ["static/large.bin"] = ("0123456789abcdef"):rep(20000),
      },
    }
    folder = running.folder .. "/static"
    for _, name in ipairs { "digits.txt", "empty.txt", "app.js", "app.js.gz", "app.js.br" } do
      utime.utime(folder .. "/" .. name, MTIME)
    end
    unistd.link("digits.txt", folder .. "/inside.txt", true)
    unistd.link("../secret.txt", folder .. "/outside.txt", true)
    unistd.link(running.folder .. "/secret.txt", folder .. "/absolute.txt", true)
    unistd.link("..", folder .. "/up", true)
    stat.mkfifo(folder .. "/fifo", tonumber("600", 8))
  end)
  teardown(server.stop_all)

  local function get(path, headers, method)
    return http.get(running, path, { headers = headers, method = method })
  end

  it("are sent with type, length, dates and etag", function()
    local r = get "/static/digits.txt"
    assert.same({ 200, "0123456789", "text/plain; charset=utf-8", "10", DATE, "bytes",
      "public, max-age=43200" }, { r.status, r.body, r.header["content-type"],
      r.header["content-length"], r.header["last-modified"], r.header["accept-ranges"],
      r.header["cache-control"] })
    assert.matches('^"1700000000%.0%-10%-%d+"$', r.header.etag)
    assert.is_string(r.header.expires)
    assert.is_nil(r.header.vary)
  end)

  it("have an etag with the checksum of their path, as Quart's", function()
    local path, a, b = folder .. "/digits.txt", 1, 0
    for i = 1, #path do
      a = (a + path:byte(i)) % 65521
      b = (b + a) % 65521
    end
    assert.equal(('"1700000000.0-10-%.0f"'):format(b * 65536 + a),
      get("/static/digits.txt").header.etag)
  end)

  it("are one file under all of its names", function()
    local etag = get("/static/digits.txt").header.etag
    local names = { "./digits.txt", "x/../digits.txt", "digits.txt/", "sub//../digits.txt" }
    for _, name in ipairs(names) do
      local r = get("/from?name=" .. name)
      assert.same({ 200, etag, "text/plain; charset=utf-8" },
        { r.status, r.header.etag, r.header["content-type"] })
    end
    assert.equal("gz", get("/from?name=./app.js/", { ["Accept-Encoding"] = "gzip" }).body)
  end)

  for path, expected in pairs {
    ["empty.txt"] = { "", "text/plain; charset=utf-8" },
    ["sub/page.html"] = { "<p>", "text/html; charset=utf-8" },
    ["a%20b.css"] = { "css", "text/css; charset=utf-8" },
    ["data.unknown"] = { "?", "application/octet-stream" },
    ["inside.txt"] = { "0123456789", "text/plain; charset=utf-8" },
    ["sub/../digits.txt"] = { "0123456789", "text/plain; charset=utf-8" },
    ["none/../digits.txt"] = { "0123456789", "text/plain; charset=utf-8" },
    ["./digits.txt"] = { "0123456789", "text/plain; charset=utf-8" },
  } do
    it("are found: " .. path, function()
      local r = get("/static/" .. path)
      assert.same({ 200, expected[1], expected[2] }, { r.status, r.body, r.header["content-type"] })
    end)
  end

  it("of some size arrive whole", function()
    assert.equal(("0123456789abcdef"):rep(20000), get("/static/large.bin").body)
    assert.equal("f012", get("/static/large.bin", { Range = "bytes=159999-160002" }).body)
  end)

  for _, path in ipairs {
    "none.txt", "sub", "sub/", "", "digits.txt/x", "../secret.txt", "%2e%2e/secret.txt",
    "sub/../../secret.txt", "..%2fsecret.txt", "..%5csecret.txt", "sub%5c..%5c..%5csecret.txt",
    "outside.txt", "absolute.txt", "up/secret.txt", "up/static/digits.txt", "%2fetc/passwd",
    "/etc/passwd", "fifo", ("x/"):rep(2000), ("x"):rep(300),
  } do
    it("are not found: " .. path:sub(1, 30), function()
      local r = raw.connect(running)
      r:send(("GET /static/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):format(path))
      local status = r:response("GET").status
      r:close()
      assert.is_true(status == 404 or status == 308, "status " .. status)
    end)

    it("are not found by send_from_directory: " .. path:sub(1, 30), function()
      assert.equal(404, get("/from?name=" .. path).status)
    end)
  end

  it("never leave the folder through a NUL", function()
    assert.is_true(get("/from?name=digits.txt%00.css").status >= 400)
    assert.is_true(get("/static/digits.txt%00.css").status >= 400)
  end)

  it("are sent without a body for HEAD", function()
    local r = get("/static/digits.txt", nil, "HEAD")
    assert.same({ 200, "", "10" }, { r.status, r.body, r.header["content-length"] })
    assert.equal(405, get("/static/digits.txt", nil, "POST").status)
  end)

  describe("by condition", function()
    local etag

    setup(function()
      etag = get("/static/digits.txt").header.etag
    end)

    for _, case in ipairs {
      { { ["If-None-Match"] = "ETAG" }, 304 }, { { ["If-None-Match"] = 'W/"x", W/ETAG' }, 304 },
      { { ["If-None-Match"] = "*" }, 304 }, { { ["If-None-Match"] = '"x"' }, 200 },
      { { ["If-None-Match"] = '"x"', ["If-Modified-Since"] = DATE }, 200 },
      { { ["If-Modified-Since"] = DATE }, 304 },
      { { ["If-Modified-Since"] = "Mon, 13 Nov 2023 22:13:20 GMT" }, 200 },
      { { ["If-Modified-Since"] = "never" }, 200 },
      { { ["If-Match"] = "ETAG" }, 200 }, { { ["If-Match"] = "*" }, 200 },
      { { ["If-Match"] = '"x"' }, 412 }, { { ["If-Match"] = "W/ETAG" }, 412 },
      { { ["If-Unmodified-Since"] = DATE }, 200 },
      { { ["If-Unmodified-Since"] = "Mon, 13 Nov 2023 22:13:20 GMT" }, 412 },
      { { Range = "bytes=0-3", ["If-None-Match"] = "ETAG" }, 304 },
    } do
      local names = {}
      for name, value in pairs(case[1]) do
        names[#names + 1] = name .. ": " .. value
      end
      table.sort(names)
      it(table.concat(names, ", ") .. " gives " .. case[2], function()
        local headers = {}
        for name, value in pairs(case[1]) do
          headers[name] = value:gsub("ETAG", (etag:gsub("%%", "%%%%")))
        end
        local r = get("/static/digits.txt", headers)
        assert.equal(case[2], r.status)
        if r.status == 304 then
          assert.same({ "", etag, "public, max-age=43200" },
            { r.body, r.header.etag, r.header["cache-control"] })
          assert.is_string(r.header.expires)
        end
      end)
    end
  end)

  describe("by range", function()
    for range, expected in pairs {
      ["bytes=0-3"] = { 206, "0123", "bytes 0-3/10" },
      ["bytes=7-"] = { 206, "789", "bytes 7-9/10" },
      ["bytes=5-99"] = { 206, "56789", "bytes 5-9/10" },
      ["bytes=-4"] = { 206, "6789", "bytes 6-9/10" },
      ["bytes=-99"] = { 206, "0123456789", "bytes 0-9/10" },
      ["bytes=9-9"] = { 206, "9", "bytes 9-9/10" },
      ["bytes=0-1,4-5"] = { 200, "0123456789" }, ["bytes=5-2"] = { 200, "0123456789" },
      ["lines=0-1"] = { 200, "0123456789" }, ["bytes"] = { 200, "0123456789" },
    } do
      it(range .. " gives " .. expected[1], function()
        local r = get("/static/digits.txt", { Range = range })
        assert.same({ expected[1], expected[2], expected[3], tostring(#expected[2]) },
          { r.status, r.body, r.header["content-range"], r.header["content-length"] })
      end)
    end

    for _, range in ipairs { "bytes=10-", "bytes=-0", "bytes=10-20" } do
      it(range .. " gives 416", function()
        local r = get("/static/digits.txt", { Range = range })
        assert.same({ 416, "bytes */10" }, { r.status, r.header["content-range"] })
      end)
    end

    it("counts with a matching If-Range only", function()
      local etag = get("/static/digits.txt").header.etag
      local function status(validator)
        return get("/static/digits.txt", { Range = "bytes=0-3", ["If-Range"] = validator }).status
      end
      assert.same({ 206, 200, 206, 200 }, { status(etag), status '"x"', status(DATE),
        status "Mon, 13 Nov 2023 22:13:20 GMT" })
    end)

    it("gives the head of the whole for HEAD", function()
      local r = get("/static/digits.txt", { Range = "bytes=0-3" }, "HEAD")
      assert.same({ 200, "10" }, { r.status, r.header["content-length"] })
    end)
  end)

  describe("compressed ahead", function()
    for accepted, expected in pairs {
      ["gzip"] = { "gz", "gzip" }, ["br"] = { "br!", "br" }, ["gzip, br"] = { "br!", "br" },
      ["gzip, br;q=0.5"] = { "gz", "gzip" }, ["br;q=0, gzip;q=0.1"] = { "gz", "gzip" },
      ["*"] = { "br!", "br" }, ["BR"] = { "br!", "br" }, ["gzip;q=0, *"] = { "br!", "br" },
      ["identity"] = { "plain" }, ["deflate"] = { "plain" }, ["br;q=0, gzip;q=0"] = { "plain" },
      ["identity;q=1, gzip;q=0.5"] = { "plain" }, [""] = { "plain" },
    } do
      it(("send what %q wants"):format(accepted), function()
        local r = get("/static/app.js", { ["Accept-Encoding"] = accepted })
        assert.same({ 200, expected[1], expected[2], "Accept-Encoding" },
          { r.status, r.body, r.header["content-encoding"], r.header.vary })
        assert.matches("javascript", r.header["content-type"])
      end)
    end

    it("have an etag of their own", function()
      local plain = get "/static/app.js"
      local gzip = get("/static/app.js", { ["Accept-Encoding"] = "gzip" })
      assert.not_equal(plain.header.etag, gzip.header.etag)
      local r = get("/static/app.js",
        { ["Accept-Encoding"] = "gzip", ["If-None-Match"] = gzip.header.etag })
      assert.same({ 304, "Accept-Encoding" }, { r.status, r.header.vary })
      r = get("/static/app.js", { ["Accept-Encoding"] = "gzip", Range = "bytes=1-" })
      assert.same({ 206, "z", "bytes 1-1/2" }, { r.status, r.body, r.header["content-range"] })
    end)

    it("may lack one of the two", function()
      local r = get("/static/only.css", { ["Accept-Encoding"] = "br, gzip;q=0.1" })
      assert.same({ "gz", "gzip" }, { r.body, r.header["content-encoding"] })
    end)

    it("are not sent by an unconditional send_file", function()
      assert.is_nil(get("/file", { ["Accept-Encoding"] = "gzip" }).header.vary)
    end)
  end)

  describe("send_file", function()
    it("sends without looking at conditions, unless it is told to", function()
      local r = get("/file", { ["If-Modified-Since"] = DATE, Range = "bytes=0-1" })
      assert.same({ 200, "0123456789" }, { r.status, r.body })
      assert.is_nil(r.header["accept-ranges"])
      assert.equal(304, get("/conditional", { ["If-Modified-Since"] = DATE }).status)
    end)

    it("raises for what is not there", function()
      assert.same({ 500, 500 }, { get("/missing").status, get("/folder").status })
      running:wait_for_stderr "/static: Is a directory\n"
      assert.matches("app%.lua:%d+: send_file: [^\n]*/static/no%.txt: No such file or directory",
        running:stderr())
    end)

    it("takes its options", function()
      local r = get "/options"
      assert.same({ "text/x-own; charset=utf-8", "public, max-age=10",
        "Thu, 01 Jan 1970 00:00:00 GMT" }, { r.header["content-type"],
        r.header["cache-control"], r.header["last-modified"] })
      assert.is_nil(r.header.etag)
    end)

    it("may be followed by status and headers, or read", function()
      local r = get "/over"
      assert.same({ 203, "0123456789", "1" }, { r.status, r.body, r.header["x-a"] })
      assert.equal("0123456789", get("/data").body)
      assert.equal("0123456789", get("/read").body)
    end)

    for name, expected in pairs {
      [""] = "attachment; filename=digits.txt",
      ["?name=a.txt"] = "attachment; filename=a.txt",
      ["?name=a+b.txt"] = 'attachment; filename="a b.txt"',
      ["?name=a%22b%5C.txt"] = [[attachment; filename="a\"b\\.txt"]],
      ["?name=%C3%BC%20%E2%98%83.txt"] = [[attachment; filename="u .txt"; ]]
        .. "filename*=UTF-8''%C3%BC%20%E2%98%83.txt",
    } do
      it("names the file to save: " .. name, function()
        assert.equal(expected, get("/save" .. name).header["content-disposition"])
      end)
    end

    it("takes the type from the name to save", function()
      assert.equal("application/json", get("/save?name=a.json").header["content-type"])
    end)
  end)

  it("can be sent by the app", function()
    assert.equal("0123456789", get("/own/digits.txt").body)
    assert.equal(404, get("/own/none.txt").status)
    assert.equal(404, get("/from?name=none.txt").status)
  end)

  for which, expected in pairs {
    path = "send_file: path must be a string, got the number 5",
    option = 'send_file: unknown option "cache_timeot" (did you mean "cache_timeout"?)',
    name = "send_from_directory: name must be a string, got nil",
    folder = "send_static_file: this app has no static folder",
  } do
    it("say where and what the mistake is: " .. which, function()
      local text, places = get("/mistake/" .. which).body:gsub("^[^:]*app%.lua:%d+: ", "")
      assert.same({ expected, 1 }, { text, places })
    end)
  end

  it("are closed again", function()
    local function open_files()
      local count, path = 0, ("/proc/%d/fd"):format(running:children()[1])
      for _ in require("posix.dirent").files(path) do
        count = count + 1
      end
      return count
    end
    local function round()
      for _ = 1, 50 do
        get("/static/digits.txt", nil, "HEAD")
        get("/static/digits.txt", { ["If-None-Match"] = "*" })
        get("/static/digits.txt", { Range = "bytes=99-" })
        get("/static/app.js", { ["Accept-Encoding"] = "gzip" })
      end
    end
    round()
    local before = open_files()
    round()
    assert.is_true(open_files() <= before + 4, ("%d, then %d"):format(before, open_files()))
  end)

  it("change with the file", function()
    files.write(folder .. "/new.txt", "one")
    local first = get "/static/new.txt"
    files.write(folder .. "/new.txt", "three")
    local second = get "/static/new.txt"
    assert.same({ "one", "three" }, { first.body, second.body })
    assert.not_equal(first.header.etag, second.header.etag)
  end)
end)
