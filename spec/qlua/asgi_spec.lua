local cjson = require "cjson"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"
local wait = require "support.wait"

-- A middleware does what the header X-Do names before (or instead of) calling the app.
local APP = [=[
local qlua = require "qlua"
local request, g = qlua.request, qlua.g
local app = qlua.App(...)

app.url_map.converters.upper = {
  to_lua = function(_, text)
    if text == "raise" then error("no such text") end
    return text ~= "none" and text:upper() or nil
  end,
}

local seen = {}
local function text(send, status, body)
  local headers = { ["Content-Type"] = "text/plain" }
  send { type = "http.response.start", status = status, headers = headers }
  send { type = "http.response.body", body = body }
end

local DO = {
  path = function(scope) scope.path = scope.headers:get "X-To" end,
  method = function(scope) scope.method = scope.headers:get "X-To" end,
  query = function(scope) scope.query_string = "q=new" end,
  client = function(scope) scope.client = { "10.9.8.7", 99 } end,
  root = function(scope) scope.root_path = "/mounted"; scope.scheme = "https" end,
  host = function(scope) scope.headers:set("Host", "Other.Test:443"); scope.scheme = "https" end,
  headers = function(scope)
    scope.headers:remove "Accept"
    scope.headers:add("X-New", "1"); scope.headers:add("X-New", "2")
    scope.headers:set("Cookie", "a=b"); scope.headers:set("Content-Type", "application/json")
  end,
  table = function(scope) scope.headers = { Accept = "text/new" } end,
  double = function(scope, receive, send, inner)
    local first = {}
    scope.path = "/count"
    inner(scope, receive, function(message) first[#first + 1] = message.body end)
    scope.path = "/show"
    scope.headers:set("X-First", table.concat(first))
  end,
  scope = function(scope, _, send)
    text(send, 200, qlua.json.dumps {
      type = scope.type, method = scope.method, path = scope.path, raw_path = scope.raw_path,
      query_string = scope.query_string, scheme = scope.scheme, root_path = scope.root_path,
      http_version = scope.http_version, client = scope.client[1],
      has_port = scope.client[2] > 0, server = scope.server[1], port = scope.server[2],
      two = qlua.array(scope.headers:getlist "x-two"), remote = scope.headers:get "Remote-Addr",
    })
    return true
  end,
  read = function(_, receive, send)
    local parts = {}
    repeat
      local message = receive()
      parts[#parts + 1] = message.body
    until not message.more_body
    text(send, 200, table.concat(parts))
    seen.after = receive().type
    return true
  end,
  gone = function(_, receive, send)
    seen.first = receive().type
    seen.second = receive().type
    text(send, 200, "nobody")
    return true
  end,
  body = function(scope, receive, send, inner)
    inner(scope, function()
      local message = receive()
      if message.type == "http.request" then message.body = message.body:upper() .. "!" end
      return message
    end, send)
    return true
  end,
  endless = function(scope, _, send, inner)
    inner(scope, function()
      return { type = "http.request", body = ("x"):rep(600000), more_body = true }
    end, send)
    return true
  end,
  cut = function(scope, _, send, inner)
    inner(scope, function() return { type = "http.disconnect" } end, send)
    return true
  end,
  pieces = function(_, _, send)
    send { type = "http.response.start", status = 201 }
    for i = 1, 3 do send { type = "http.response.body", body = i .. ",", more_body = true } end
    send { type = "http.response.body" }
    return true
  end,
  big = function(_, _, send)
    send { type = "http.response.start", status = 200 }
    for _ = 1, 64 do
      send { type = "http.response.body", body = ("y"):rep(65536), more_body = true }
    end
    send { type = "http.response.body" }
    return true
  end,
  change = function(scope, receive, send, inner)
    inner(scope, receive, function(message)
      if message.body then
        message.body = message.body:upper()
      else
        message.status = 418
        message.headers:set("X-Changed", "yes")
      end
      return send(message)
    end)
    return true
  end,
  longer = function(scope, receive, send, inner)
    inner(scope, receive, function(message)
      message.body = message.body and message.body .. message.body
      return send(message)
    end)
    return true
  end,
  late = function(scope, receive, send, inner)
    inner(scope, receive, send)
    qlua.sleep(0)
    error "after the answer"
  end,
  caught = function(scope, _, send, inner)
    local ok, err = pcall(inner, scope, nil, send)
    return text(send, 200, tostring(err)) or not ok
  end,
  timeout = function(scope, receive, send, inner)
    local ok, err = pcall(qlua.timeout, 0.01, inner, scope, receive, send)
    text(send, 504, tostring(ok) .. " " .. tostring(qlua.errors.Timeout == getmetatable(err)))
    return true
  end,
  raise = function() error "in the middleware" end,
  abort = function() qlua.abort(403) end,
  nothing = function() return true end,
  half = function(_, _, send)
    send { type = "http.response.start", status = 200 }
    send { type = "http.response.body", body = "half", more_body = true }
    return true
  end,
  half_raise = function(_, _, send)
    send { type = "http.response.start", status = 200 }
    send { type = "http.response.body", body = "half", more_body = true }
    error "in the middle"
  end,
  head = function(_, _, send)
    send { type = "http.response.start", status = 200, headers = { ["Content-Length"] = "42" } }
    send { type = "http.response.body" }
    return true
  end,
  gone_204 = function(_, _, send)
    send { type = "http.response.start", status = 204 }
    send { type = "http.response.body", body = "must not be sent" }
    return true
  end,
}

local MISTAKES = {
  early = function(send) send { type = "http.response.body", body = "x" } end,
  twice = function(send)
    send { type = "http.response.start", status = 200 }
    send { type = "http.response.start", status = 200 }
  end,
  after = function(send)
    send { type = "http.response.start", status = 200 }
    send { type = "http.response.body", body = "x" }
    send { type = "http.response.body", body = "y" }
  end,
  kind = function(send) send { type = "http.response.boby", body = "x" } end,
  text = function(send) send "x" end,
  status = function(send) send { type = "http.response.start", status = "200" } end,
  bad_headers = function(send) send { type = "http.response.start", status = 200, headers = 5 } end,
  bad_body = function(send)
    send { type = "http.response.start", status = 200 }
    send { type = "http.response.body", body = {} }
  end,
  scope_path = function(_, scope, call) scope.path = "relative"; call() end,
  scope_type = function(_, scope, call) scope.path = nil; call() end,
  scope_method = function(_, scope, call) scope.method = "BREW"; call() end,
  scope_headers = function(_, scope, call) scope.headers = 5; call() end,
  scope_kind = function(_, scope, call) scope.type = "gopher"; call() end,
  assigned = function() app.asgi_app = {} end,
}

local function Middleware(inner)
  return function(scope, receive, send)
    if scope.type ~= "http" then
      return inner(scope, receive, send)
    end
    local mistake = MISTAKES[scope.headers:get "X-Mistake"]
    if mistake then
      local ok, err = pcall(mistake, send, scope, function() inner(scope, receive, send) end)
      seen.mistake = ok and "no error" or tostring(err)
      return text(send, 500, seen.mistake)
    end
    local action = DO[scope.headers:get "X-Do"]
    if not action or not action(scope, receive, send, inner) then
      return inner(scope, receive, send)
    end
  end
end
app.asgi_app = Middleware(app.asgi_app)

app:before_request(function() g.hook = "before" end)
app:after_request(function(response) response.headers:set("X-After", g.hook) end)
app:teardown_request(function(err)
  seen.teardown, seen.err = (seen.teardown or 0) + 1, tostring(err)
end)
app:errorhandler(500, function(err) return "handled " .. tostring(err.original_exception), 500 end)
app:errorhandler(404, function() return "lost", 404 end)

app:route("/show", function()
  return {
    path = request.path, full = request.full_path, url = request.url, base = request.base_url,
    root = request.root_path, scheme = request.scheme, secure = request.is_secure,
    method = request.method, args = request.args:to_dict(), remote = request.remote_addr,
    route = request.access_route, accept = request.headers.Accept,
    new = qlua.array(request.headers:getlist "X-New"), cookies = request.cookies:to_dict(),
    json = request.is_json, host = request.host, first = request.headers["X-First"],
    url_for = qlua.url_for("upper", { x = "a" }),
    outside = qlua.url_for("index", { _external = true }),
  }
end)
app:route("/", function() return "index" end)
app:route("/methods", { methods = { "PUT", "DELETE" } }, function() return request.method end)
app:route("/upper/<upper:x>", { endpoint = "upper" }, function(x) return x end)
app:route("/slash/", function() return "slash" end)
app:route("/raise", function() error "in the view" end)
app:route("/count", function()
  g.count = (g.count or 0) + 1
  return "count " .. g.count
end)
app:route("/sleep", function() qlua.sleep(30) return "late" end)
app:route("/stream", function()
  local i = 0
  return function()
    i = i + 1
    qlua.sleep(0)
    return i <= 3 and "part" .. i or nil
  end
end)
app:route("/broken", function()
  local i = 0
  return function()
    i = i + 1
    if i == 2 then error "in the iterator" end
    return "one"
  end
end)
app:route("/echo", { methods = { "POST" } }, function() return request:get_data() end)
app:route("/form", { methods = { "POST" } }, function() return request.form:to_dict() end)
app:route("/chunks", { methods = { "POST" } }, function()
  local n = {}
  for chunk in request.body do n[#n + 1] = #chunk end
  local sum = 0
  for _, length in ipairs(n) do sum = sum + length end
  return tostring(sum)
end)
app:route("/file", function() return qlua.send_file "data.txt" end)
app:route("/refuse", function() return "no", 405 end)
app:route("/seen", function() return seen end)
return app
]=]

describe("asgi_app", function()
  local running

  setup(function()
    running = server.start { app = APP, files = { ["data.txt"] = ("0123456789"):rep(20000) } }
  end)
  teardown(server.stop_all)

  local function ask(what, path, options)
    options = options or {}
    local headers = { ["X-Do"] = what, ["X-To"] = options.to }
    for name, value in pairs(options.headers or {}) do
      headers[name] = value
    end
    return http.request(running, options.method or (options.body and "POST" or "GET"), path, {
      headers = headers, body = options.body,
    })
  end

  local function show(what, path, options)
    return cjson.decode(ask(what, path or "/show", options).body)
  end

  local function seen()
    return cjson.decode(http.get(running, "/seen").body)
  end

  local function logs(text)
    return wait.until_true(function()
      return running:stderr():find(text, 1, true) ~= nil
    end, 5)
  end

  describe("scope", function()
    it("says what was asked", function()
      local response = http.get(running, "/a%20b/c?x=1&y=%20", {
        headers = { { "X-Do", "scope" }, { "x-two", "1" }, { "X-TWO", "2" } }, host = "a.test:81",
      })
      assert.are.same({
        type = "http", method = "GET", path = "/a b/c", raw_path = "/a%20b/c",
        query_string = "x=1&y=%20", scheme = "http", root_path = "", http_version = "1.1",
        client = "127.0.0.1", has_port = true, server = "a.test", port = 81, two = { "1", "2" },
      }, cjson.decode(response.body))
    end)

    it("reroutes when its path is changed", function()
      assert.are.equal("XYZ", ask("path", "/nowhere", { to = "/upper/xyz" }).body)
      assert.are.equal("/show", show("path", "/upper/x", { to = "/show" }).path)
    end)

    it("leads a changed path to all that routing may answer", function()
      local lost = ask("path", "/show", { to = "/nowhere" })
      assert.are.same({ 404, "lost" }, { lost.status, lost.body })
      local refused = ask("path", "/show", { to = "/methods" })
      assert.are.same({ 405, "DELETE, OPTIONS, PUT" }, { refused.status, refused.header.allow })
      local redirect = ask("path", "/show?a=b", { to = "/slash" })
      assert.are.same({ 308, "http://localhost/slash/?a=b" },
        { redirect.status, redirect.header.location })
      local options = ask("path", "/nowhere", { to = "/methods", method = "OPTIONS" })
      assert.are.same({ 200, "DELETE, OPTIONS, PUT" }, { options.status, options.header.allow })
    end)

    it("asks custom converters again", function()
      assert.are.equal(404, ask("path", "/upper/x", { to = "/upper/none" }).status)
      assert.are.equal("B", ask("path", "/upper/raise", { to = "/upper/b" }).body)
      assert.matches("no such text", ask("path", "/upper/x", { to = "/upper/raise" }).body)
      assert.matches("^handled .*no such text", ask("none", "/upper/raise").body)
    end)

    it("takes another method", function()
      assert.are.equal("PUT", ask("method", "/methods", { to = "put" }).body)
      assert.are.equal(405, ask("method", "/show", { to = "PUT" }).status)
    end)

    it("keeps the framing of the method on the wire", function()
      local answer = ask("method", "/methods", { to = "PUT", method = "HEAD" })
      assert.are.same({ 200, "3" }, { answer.status, answer.header["content-length"] })
      assert.are.equal("index", ask("method", "/", { to = "HEAD" }).body)
    end)

    it("takes query, client, headers and cookies", function()
      assert.are.same({ q = "new" }, show("query", "/show?q=old").args)
      local client = show("client")
      assert.are.same({ "10.9.8.7", { "10.9.8.7" } }, { client.remote, client.route })
      local headers = show("headers", "/show", { headers = { Accept = "x" } })
      assert.is_nil(headers.accept)
      assert.are.same({ { "1", "2" }, { a = "b" }, true },
        { headers.new, headers.cookies, headers.json })
      assert.are.equal("text/new", show("table").accept)
    end)

    it("takes scheme, host and root_path, which URLs show", function()
      local root = show("root", "/show?x")
      assert.are.same({ "/show", "https://localhost/mounted/show?x", "/mounted", true },
        { root.path, root.url, root.root, root.secure })
      assert.are.same({ "/mounted/upper/a", "https://localhost/mounted/" },
        { root.url_for, root.outside })
      local redirect = ask("root", "/slash")
      assert.are.equal("https://localhost/mounted/slash/", redirect.header.location)
      assert.are.equal("Other.Test", show("host").host)
    end)

    it("lets the app be called twice, each time anew", function()
      assert.are.equal("count 1", show("double").first)
    end)
  end)

  describe("receive", function()
    it("gives the body, then http.disconnect", function()
      local response = ask("read", "/nowhere", { body = "the body" })
      assert.matches("the body", response.body)
      assert.are.equal("http.disconnect", seen().after)
    end)

    it("gives http.disconnect when the client goes", function()
      local connection = raw.connect(running)
      connection:send "GET / HTTP/1.1\r\nHost: x\r\nX-Do: gone\r\n\r\n"
      assert.is_true(wait.until_true(function()
        return seen().first == "http.request"
      end, 5))
      connection:reset()
      assert.is_true(wait.until_true(function()
        return seen().second == "http.disconnect"
      end, 5))
    end)

    it("may be replaced: the app reads what the new one gives", function()
      assert.are.equal("SHOUT!", ask("body", "/echo", { body = "shout" }).body)
      local form = ask("body", "/form", {
        body = "a=b&c=d", headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
      })
      assert.are.same({ A = "B", C = "D!" }, cjson.decode(form.body))
      assert.are.equal("6", ask("body", "/chunks", { body = "12345" }).body)
    end)

    it("keeps the limit of the body when it is replaced", function()
      assert.are.equal(413, ask("endless", "/echo", { body = "x" }).status)
      assert.are.equal(400, ask("cut", "/echo", { body = "x" }).status)
    end)
  end)

  describe("send", function()
    it("answers without the app, in pieces", function()
      local response = ask("pieces", "/")
      assert.are.same({ 201, "1,2,3,", "chunked" },
        { response.status, response.body, response.header["transfer-encoding"] })
    end)

    it("waits for a slow client and sends all", function()
      assert.are.equal(64 * 65536, #ask("big", "/").body)
    end)

    it("lets wrappers change messages in place", function()
      local response = ask("change", "/")
      assert.are.same({ 418, "INDEX", "yes", "before" }, { response.status, response.body,
        response.header["x-changed"], response.header["x-after"] })
    end)

    it("sends the length of what a wrapper made of the body", function()
      local response = ask("longer", "/")
      assert.are.same({ "indexindex", "10" }, { response.body, response.header["content-length"] })
      assert.are.equal("part1part1part2part2part3part3", ask("longer", "/stream").body)
    end)

    it("sends files, wrapped and as they are", function()
      assert.are.equal(200000, #ask("none", "/file").body)
      local upper = ask("change", "/file")
      assert.are.same({ 418, 200000, "200000" },
        { upper.status, #upper.body, upper.header["content-length"] })
    end)

    it("keeps the content type of a view with a table of headers, and no hooks", function()
      local plain = server.start { app = [[
        local app = require "qlua".App(...)
        local inner = app.asgi_app
        app.asgi_app = function(scope, receive, send) return inner(scope, receive, send) end
        app:route("/", function() return "text", 200, { ["X-One"] = "1" } end)
        return app]] }
      local header = http.get(plain, "/").header
      assert.same({ "text/html; charset=utf-8", "1" }, { header["content-type"], header["x-one"] })
      plain:stop()
    end)

    it("sends what the app streams", function()
      assert.are.equal("part1part2part3", ask("none", "/stream").body)
      assert.are.equal("PART1PART2PART3", ask("change", "/stream").body)
    end)

    it("frames HEAD and 204 by their rules", function()
      local head = ask("none", "/", { method = "HEAD" })
      assert.are.same({ "5", "" }, { head.header["content-length"], head.body })
      head = ask("head", "/", { method = "HEAD" })
      assert.are.same({ "42", "" }, { head.header["content-length"], head.body })
      local empty = ask("gone_204", "/")
      assert.are.same({ 204, "" }, { empty.status, empty.body })
      assert.is_nil(empty.header["content-length"])
    end)
  end)

  describe("the app inside", function()
    it("runs its hooks and handlers", function()
      local lost = ask("none", "/nowhere")
      assert.are.same({ 404, "lost", "before" },
        { lost.status, lost.body, lost.header["x-after"] })
    end)

    it("answers its errors through the middleware", function()
      local response = ask("change", "/raise")
      assert.are.equal(418, response.status)
      assert.matches("^HANDLED .*IN THE VIEW", response.body)
      assert.is_true(logs "Exception on request GET /raise\n")
      assert.matches("app.lua:%d+: in the view.-stack traceback:.-app.lua:%d+: in function",
        running:stderr())
    end)

    it("tears down each request once", function()
      local before = seen().teardown
      ask("none", "/")
      ask("none", "/raise")
      assert.are.equal(before + 3, seen().teardown)
    end)

    it("is cancelled with the task that called it", function()
      local response = ask("timeout", "/sleep")
      assert.are.same({ 504, "false true" }, { response.status, response.body })
      assert.matches("cancelled", seen().err)
    end)

    it("gives a 405 of a view the methods of its rules", function()
      local response = ask("none", "/refuse")
      assert.are.same({ 405, "GET, HEAD, OPTIONS" }, { response.status, response.header.allow })
    end)
  end)

  describe("an error in the middleware", function()
    it("is a bare 500, which no handler of the app sees, and logged", function()
      local response = ask("raise", "/")
      assert.are.same({ 500, "", "0" },
        { response.status, response.body, response.header["content-length"] })
      assert.is_nil(response.header["x-after"])
      assert.is_true(logs "in the middleware")
      assert.are.equal(500, ask("raise", "/nowhere").status)
      assert.are.equal(500, ask("abort", "/").status)
    end)

    it("leaves an answer that was complete", function()
      assert.are.equal("index", ask("late", "/").body)
      assert.is_true(logs "after the answer")
    end)

    it("cuts an answer that has begun", function()
      for _, what in ipairs { "half", "half_raise" } do
        local connection = raw.connect(running)
        connection:send(("GET / HTTP/1.1\r\nHost: x\r\nX-Do: %s\r\n\r\n"):format(what))
        local bytes = connection:read_all()
        assert.matches("4\r\nhalf\r\n$", bytes)
        connection:close()
      end
      assert.is_true(logs 'the middleware returned in the middle of an answer: the last message')
      assert.is_true(logs "in the middle")
      local connection = raw.connect(running)
      connection:send "GET /broken HTTP/1.1\r\nHost: x\r\n\r\n"
      assert.matches("3\r\none\r\n$", connection:read_all())
      connection:close()
    end)

    it("says when there is no answer", function()
      assert.are.equal(500, ask("nothing", "/").status)
      assert.is_true(logs 'the middleware returned without an answer: it must call the asgi_app')
    end)
  end)

  describe("a mistake", function()
    for name, message in pairs {
      early = "send: http.response.body before http.response.start",
      twice = "send: a second http.response.start; the answer has begun already",
      after = "send: the answer is complete: the http.response.body before had no more_body = true",
      kind = 'send: unknown message type the string "http.response.boby"; an answer is '
        .. "http.response.start, then http.response.body",
      text = 'send: the message must be a table, got the string "x"',
      status = "send: http.response.start: the status must be an integer from 200 to 599, got "
        .. 'the string "200"',
      bad_headers = "send: http.response.start: headers: ",
      bad_body = "send: http.response.body: body must be a string, got a table",
      scope_path = "scope.path must be a decoded path in UTF-8 that begins with '/', got "
        .. "'relative'",
      scope_type = "asgi_app: scope.path must be a string, got nil",
      scope_method = "scope.method is 'BREW', which is no known method",
      scope_headers = "asgi_app: scope.headers: ",
      scope_kind = 'asgi_app: unknown scope.type the string "gopher"',
      assigned = "app.asgi_app must be a function(scope, receive, send), got a table; a "
        .. "middleware returns one that calls the asgi_app it was given",
    } do
      it("is told: " .. name, function()
        pcall(http.get, running, "/", { headers = { ["X-Mistake"] = name } })
        local said = seen().mistake
        assert.matches(message, said, 1, true)
        assert.matches("app.lua:%d+: ", said)
      end)
    end
  end)
end)

describe("asgi_app unassigned", function()
  teardown(server.stop_all)

  it("changes nothing when it is only read, or assigned as it was", function()
    local running = server.start { app = [[
      local app = require("qlua").App(...)
      app.asgi_app = app.asgi_app
      app:route("/", function() return tostring(rawget(app, "_asgi_app")) end)
      app:route("/calls", function()
        return { pcall(app.asgi_app, {}, 1, 2), select(2, pcall(app.asgi_app, { type = "http" },
          print, print)) }
      end)
      return app
    ]] }
    assert.are.equal("nil", http.get(running, "/").body)
  end)
end)
