--- Forms and uploaded files: urlencoded and multipart bodies, limits, files on disk.

local files = require "support.files"
local raw = require "support.raw"
local http = require "support.http"
local server = require "support.server"
local views = require "support.views"

local VIEWS = {
  form = [[ local out = {}
    for name, file in request.files:items() do
      out[name] = { file.name, file.filename, file.content_type or null, file.mimetype, file.size,
        file:read():sub(1, 20) }
    end
    return { request.form:to_dict { flat = false }, out } ]],
  data = [[ local a = request.form.a return { a or null, request:get_data() } ]],
  form_after_data = [[ local data = request:get_data()
    return { data, request.form.a or null, request.files.f and request.files.f:read() or null } ]],
  data_property = "return { request.data, request.form.a or null }",
  parse_form_data = "return { request:get_data { parse_form_data = true } }",
  values = [[ local v = request.values
    return { v.a or null, v.b or null, v:getlist "a", tostring(v) } ]],
  empty_form = [[ return { tostring(request.form), tostring(request.files), #request.form,
    request.files.f == nil } ]],
  headers = [[ local f = request.files.f
    return { f.headers["x-part"], f.headers["X-PART"], f.mimetype, f.mimetype_params,
      f.content_type, tostring(f) } ]],
  list = [[ local out = {}
    for i, file in ipairs(request.files:getlist "f") do out[i] = { file.filename, file:read() } end
    return out ]],
  read = [[ local f = request.files.f
    return { f:read(3), f:read(3), f:tell(), f:seek(1), f:read(2), f:seek(), #f:read(),
      f:read(1) or null, f:read(), f:read(0), f:seek(1e9) } ]],
  save = [[ local f = request.files.f
    f:read(5)
    f:save "saved.bin"
    local text = qlua.read_file "saved.bin"
    return { #text, text:sub(1, 3), text:sub(-3), type(f._upload) } ]],
  closed = [[ local f = request.files.f
    f:close()
    f:close()
    return f:read() ]],
  spooled = "return type(request.files.f._upload)",
  keep = "KEPT = request.files.f return 1",
  kept = "return KEPT:read()",
  own_limits = [[ request.max_form_memory_size = 3
    request.max_form_parts = nil
    return request.form:to_dict() ]],
  assign = "request.form.a = 1",
  save_nowhere = 'request.files.f:save "no/such/folder/x"',
  save_type = "request.files.f:save()",
  read_type = "request.files.f:read(-1)",
  fds = [[ local n, pipe = 0, io.popen("ls /proc/" .. qlua.worker.pid .. "/fd")
    for _ in pipe:lines() do n = n + 1 end
    pipe:close()
    return n ]],
}

local URLENCODED = { ["Content-Type"] = "application/x-www-form-urlencoded" }
local MULTIPART = { ["Content-Type"] = "multipart/form-data; boundary=XX" }

--- A multipart body of parts: { disposition parameters, content, further header lines }.
local function multipart(parts, ending)
  local out = {}
  for _, part in ipairs(parts) do
    out[#out + 1] = ("--XX\r\nContent-Disposition: form-data; %s\r\n%s\r\n%s\r\n"):format(part[1],
      part[3] or "", part[2])
  end
  return table.concat(out) .. (ending or "--XX--\r\n")
end

local function file(content)
  return multipart { { 'name="f"; filename="f.bin"', content } }
end

describe("form", function()
  local live
  local null = require("cjson").null

  setup(function()
    live = views.start(VIEWS, [[
      app.config.FILE_SPOOL_SIZE = 1000
      app.config.MAX_FORM_PARTS = 20
      app.config.MAX_FORM_MEMORY_SIZE = 5000
    ]])
  end)

  teardown(server.stop_all)

  local function call(target, body, headers)
    return views.call(live, target, { body = body, headers = headers })
  end

  local function post(target, body, headers)
    local answer = call(target, body, headers)
    assert.is_table(answer, "status " .. tostring(answer))
    assert.is_nil(answer.error)
    return answer.value
  end

  describe("urlencoded", function()
    it("is parsed whatever the method", function()
      assert.same({ { a = { "1", "3" }, b = { "x y" } }, {} },
        post("/form", "a=1&b=x+y&a=3", URLENCODED))
      local put = { method = "PUT", body = "a=1", headers = URLENCODED }
      assert.same({ { a = { "1" } }, {} }, views.value(live, "/form", put))
    end)

    it("keeps the body for get_data", function()
      assert.same({ "1", "a=1" }, post("/data", "a=1", URLENCODED))
      assert.same({ "a=1", "1", null }, post("/form_after_data", "a=1", URLENCODED))
      assert.same({ "a=1", "1" }, post("/data_property", "a=1", URLENCODED))
    end)

    it("is refused when it has more pairs than memory is worth", function()
      assert.equal(413, call("/form", ("&a"):rep(65537), URLENCODED))
    end)
  end)

  it("is empty of any other type", function()
    for _, headers in ipairs {
      { ["Content-Type"] = "text/plain" }, {}, { ["Content-Type"] = "multipart/form-data" },
      { ["Content-Type"] = "multipart/form-data; boundary=" },
    } do
      assert.same({ "<request.form of 0>", "<request.files of 0>", 0, true },
        post("/empty_form", file "x", headers))
    end
  end)

  it("joins args and form into values, but not for GET", function()
    local post_options = { body = "a=2&b=3", headers = URLENCODED }
    assert.same({ "1", "3", { "1", "2" }, "<request.values of 3>" },
      views.value(live, "/values?a=1", post_options))
    post_options.method = "GET"
    assert.same({ "1", null, { "1" }, "<request.values of 1>" },
      views.value(live, "/values?a=1", post_options))
  end)

  describe("multipart", function()
    it("gives fields and files", function()
      local body = multipart {
        { 'name="a"', "1" }, { 'name="a"', "zwei ü" }, { 'name="e"', "" },
        { 'name="f"; filename="x.txt"', "content", "Content-Type: text/plain; a=b\r\n" },
        { 'name="n"; filename=""', "" },
      }
      assert.same({ { a = { "1", "zwei ü" }, e = { "" } }, {
        f = { "f", "x.txt", "text/plain; a=b", "text/plain", 7, "content" },
        n = { "n", "", null, "", 0, "" },
      } }, post("/form", body, MULTIPART))
    end)

    it("is streamed away, unless get_data was first", function()
      local body = multipart { { 'name="a"', "1" }, { 'name="f"; filename="x"', "y" } }
      assert.same({ "1", "" }, post("/data", body, MULTIPART))
      assert.same({ "", "1" }, post("/data_property", body, MULTIPART))
      assert.same({ "" }, post("/parse_form_data", body, MULTIPART))
      assert.same({ body, "1", "y" }, post("/form_after_data", body, MULTIPART))
    end)

    it("is parsed one byte at a time", function()
      local body = multipart {
        { 'name="a"', "1\r\n--X" }, { 'name="f"; filename="x"', "\r\n--XX-not\r\n" },
      }
      local c = raw.connect(live)
      c:send(http.bytes("POST", "/form", {
        body = "",
        headers = { { "Content-Type", MULTIPART["Content-Type"] }, { "Content-Length", #body } },
      }))
      c:trickle(body)
      local answer = require("cjson").decode(c:response().body)
      c:close()
      assert.same({ { a = { "1\r\n--X" } },
        { f = { "f", "x", null, "", 12, "\r\n--XX-not\r\n" } } }, answer.value)
    end)

    it("decodes fields by their charset and replaces what is not UTF-8", function()
      local latin1 = "Content-Type: text/plain; charset=ISO-8859-1\r\n"
      local body = multipart { { 'name="a"', "\xfc", latin1 }, { 'name="b"', "x\xffy" } }
      assert.same({ { a = { "ü" }, b = { "x\xef\xbf\xbdy" } }, {} }, post("/form", body, MULTIPART))
    end)

    it("gives several files of one name, with their headers", function()
      local body = multipart {
        { 'name="f"; filename="ü.txt"', "A", "X-Part: yes\r\nContent-Type: Text/Plain; c=d\r\n" },
        { 'name="f"; filename="b.txt"', "B" },
      }
      assert.same({ { "ü.txt", "A" }, { "b.txt", "B" } }, post("/list", body, MULTIPART))
      assert.same({ "yes", "yes", "text/plain", { c = "d" }, "Text/Plain; c=d",
        '<UploadedFile "ü.txt" 1 bytes>' }, post("/headers", body, MULTIPART))
    end)

    it("is empty when it is broken and a 400 when it is cut off", function()
      local broken = "--XX\r\nContent-Type: text/plain\r\n\r\n1\r\n--XX--\r\n"
      assert.same({ {}, {} }, post("/form", broken, MULTIPART))
      assert.equal(400, call("/form", multipart({ { 'name="a"', "1" } }, ""), MULTIPART))
      assert.equal(400, call("/form", "", MULTIPART))
    end)

    it("is refused above its limits", function()
      local parts = {}
      for i = 1, 21 do
        parts[i] = { 'name="a"', "1" }
      end
      assert.equal(413, call("/form", multipart(parts), MULTIPART))
      assert.equal(413, call("/form", multipart { { 'name="a"', ("x"):rep(5001) } }, MULTIPART))
      assert.equal(413, call("/own_limits", multipart { { 'name="a"', "1234" } }, MULTIPART))
      parts[22] = { 'name="b"', "123" }
      assert.same({ a = "1", b = "123" }, post("/own_limits", multipart(parts), MULTIPART))
    end)
  end)

  describe("a file", function()
    local LARGE = ("0123456789"):rep(100000)

    it("lies on disk when it is large", function()
      assert.equal("nil", post("/spooled", file(("x"):rep(1000)), MULTIPART))
      assert.equal("userdata", post("/spooled", file(("x"):rep(1001)), MULTIPART))
    end)

    it("is read in parts, from memory and from disk", function()
      for _, content in ipairs { "0123456789", LARGE } do
        assert.same({ "012", "345", 6, 1, "12", 0, #content, null, "", "", #content },
          post("/read", file(content), MULTIPART))
      end
    end)

    it("is saved whole, below the app's folder", function()
      assert.same({ 10, "012", "789", "nil" }, post("/save", file "0123456789", MULTIPART))
      assert.same({ #LARGE, "012", "789", "userdata" }, post("/save", file(LARGE), MULTIPART))
      assert.equal(LARGE, files.read(live.folder .. "/saved.bin"))
    end)

    it("leaves no descriptor behind", function()
      local before = views.value(live, "/fds")
      for _ = 1, 30 do
        post("/spooled", file(LARGE), MULTIPART)
      end
      -- The last connection may still be closing when the next one asks.
      live:wait_for(function() return views.value(live, "/fds") <= before end, 5,
        ("the descriptors to be %d again"):format(before))
    end)

    it("is gone when its request has ended", function()
      post("/keep", file(LARGE), MULTIPART)
      local answer = views.call(live, "/kept")
      assert.is_truthy(answer.error:find("the file is closed: its request has ended", 1, true))
    end)
  end)

  describe("mistakes", function()
    it("name what was given and what is expected", function()
      for name, text in pairs {
        assign = "request.form is what the client sent and cannot be changed (assignment to a)",
        closed = 'file "f.bin" cannot be read: it is closed',
        save_type = "file:save: path must be a string, got nil",
        read_type = "file:read: the number of bytes must be at least 0, got the number -1",
        save_nowhere = "no/such/folder/x: No such file or directory",
      } do
        local got = call("/" .. name, file "0123456789", MULTIPART).error
        assert.is_truthy(got:find(text, 1, true), got)
        assert.is_truthy(got:find "app.lua:%d+: ", got)
      end
    end)

    it("tell where an upload could not be stored", function()
      local spool = files.folder {}
      local other = views.start(VIEWS, "app.config.FILE_SPOOL_SIZE = 0", {
        set = { ["server.spool_dir"] = spool },
      })
      files.remove(spool) -- while the server runs
      local answer = views.call(other, "/form", { body = file "x", headers = MULTIPART })
      assert.is_truthy(answer.error:find(spool, 1, true), answer.error)
    end)
  end)
end)
