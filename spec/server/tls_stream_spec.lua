--- HTTPS from the side of the bytes: slow and abrupt peers, large bodies, ends; and what Python's
--- ssl module, which is on the other side (support/tls_client.py), makes of them.

local cjson = require "cjson"

local http = require "support.http"
local server = require "support.server"
local tls = require "support.tls"

local APP = [[
local qlua = require "qlua"
local app, request = qlua.App(...), qlua.request
app.config.MAX_CONTENT_LENGTH = 2 ^ 30
app:get("/hello", function() return "hello" end)
app:get("/echo/<what>", function(what) return what end)
app:get("/big/<int:n>", function(n) return ("0123456789abcdef"):rep(n / 16) end)
app:get("/file", function() return qlua.send_file(app.root_path .. "/file.bin") end)
app:get("/pieces/<int:n>", function(n)
  local i = 0
  return function()
    i = i + 1
    return i <= n and "piece " .. i .. "\n" or nil
  end
end)
app:get("/slow", function() qlua.sleep(0.2) return "slow" end)
app:post("/late", function()
  qlua.sleep(0.5)
  local length = 0
  for chunk in request.body do
    length = length + #chunk
  end
  return tostring(length)
end)
app:post("/length", function() return tostring(#request:get_data()) end)
return app
]]

describe("a TLS stream", function()
  local folder, certificate, key, s

  before_each(function()
    folder = server.folder()
    certificate, key = tls.certificate(folder)
  end)
  after_each(server.stop_all)

  --- A server, and a function that plays a case of tls_client.py against it.
  local function start(options)
    options = options or {}
    options.app = APP
    options.files = { ["file.bin"] = ("0123456789abcdef"):rep(200000) }
    options.args = { "--cert", certificate, "--key", key, unpack(options.args or {}) }
    s = server.start(options)
  end

  local function play(case, ...)
    local text, ok = tls.run(("/usr/bin/python3 spec/support/tls_client.py %s %d %s %s"):format(
      case, s.port, certificate, table.concat({ ... }, " ")))
    assert.truthy(ok, text)
    return text
  end

  --- It still serves, and nothing was worth a line in its log.
  local function stop()
    assert.equal(200, (tls.get(s.port, "/hello", certificate)))
    assert.falsy(s:stderr():find("[ERROR]", 1, true), s:stderr())
    assert.falsy(s:stderr():find("[WARNING]", 1, true), s:stderr())
    s:stop()
  end

  local SUM = "69cc92e41a3c392a040d45bd229a7e094995e7626c894611fc5864f2c4817c38" -- of 3,200,000

  for _, version in ipairs { "1.2", "1.3" } do
    describe("of TLS " .. version, function()
      it("is agreed on, and read, byte by byte", function()
        start()
        assert.equal("200 hello\n200 50\n", play("bytewise", version))
        stop()
      end)

      it("waits for a peer that reads slowly", function()
        start()
        assert.equal("200 3200000 " .. SUM .. "\n", play("slow_reader", version, "/big/3200000"))
        assert.equal("200 3200000 " .. SUM .. "\n", play("slow_reader", version, "/file"))
        stop()
      end)

      it("takes large bodies, in large pieces and in small ones", function()
        start()
        assert.equal("200 20000000\n", play("upload", version, 20000000, 1000000))
        assert.equal("200 30000\n", play("upload", version, 30000, 7))
        assert.equal("200 20000000\n", play("upload", version, 20000000, 1000000, "/late"))
        stop()
      end)

      it("answers behind the peer's close_notify", function()
        start()
        assert.equal("True\n", play("half_close", version))
        stop()
      end)
    end)
  end

  it("keeps one slow reader from nobody", function()
    start()
    assert.equal("200 hello\n", play "stalled_reader")
    stop()
  end)

  it("is given up when its peer takes nothing for RESPONSE_TIMEOUT, and only then", function()
    start { set = { RESPONSE_TIMEOUT = 1 } }
    assert.equal("200 20000000\n", play("steady_reader", "/big/20000000", 3))
    assert.equal("reset\n", play("never_reads", "/big/20000000"))
    assert.equal(200, (tls.get(s.port, "/hello", certificate)))
    local text = s:wait_for_stderr "a client took nothing of its answer for 1000 ms"
    assert.equal(1, select(2, text:gsub("a client took nothing", "")))
    s:stop()
  end)

  it("sends head and body in one record, and of large bodies full ones", function()
    start()
    assert.equal("5 1\n", play("records", "/hello"))
    assert.equal("16000 1\n", play("records", "/big/16000"))
    assert.equal("64000 4\n", play("records", "/big/64000"))
    stop()
  end)

  it("takes requests that come in one packet in order", function()
    start()
    assert.equal("True\n", play("pipeline", 200))
    stop()
  end)

  it("streams many small pieces", function()
    start()
    local status, body = tls.get(s.port, "/pieces/5000", certificate)
    assert.equal(200, status)
    assert.equal(5000, select(2, body:gsub("piece %d+\n", "")))
    stop()
  end)

  it("ends with a close_notify", function()
    start()
    assert.equal("200 hello\nby a close_notify\n", play "end")
    stop()
  end)

  it("takes a body that is cut off for no body", function()
    start()
    assert.equal("400\n", play "cut_upload")
    stop()
  end)

  it("survives ends at every stage, resets and garbage", function()
    start { workers = 2, args = { "--control", folder .. "/control" } }
    s:wait_for(function() return #s:children() == 2 end, 20, "both workers")
    local workers = s:children()
    assert.equal("done\n", play "abrupt")
    table.sort(workers)
    local now = s:children()
    table.sort(now)
    assert.same(workers, now)
    -- all of it is over: nobody holds a connection
    s:wait_for(function()
      local status = server.run {
        argv = { "status", "--json", "--control", folder .. "/control" },
      }
      return status:exit_code() == 0 and cjson.decode(status:stdout()).connections.open == 0
    end, 30, "all connections to be closed")
    stop()
  end)

  it("must be agreed on within header_timeout", function()
    start { set = { ["server.header_timeout"] = 1 } }
    for _, sent in ipairs { 0, 100, 1000 } do
      local seconds = tonumber(play("silent", sent))
      assert.truthy(seconds >= 0.9 and seconds < 10, seconds)
    end
    stop()
  end)

  it("is not needed by a peer that asks in plain text", function()
    start()
    local answer = http.get(s, "/hello")
    assert.equal(400, answer.status)
    assert.equal("close", answer.header.connection)
    assert.equal(400, http.request(s, "POST", "/length", { body = ("x"):rep(100000) }).status)
    assert.equal(400, http.request(s, "NONSENSE", "/", {}).status)
    stop()
  end)
end)
