--- The console of the debug page over HTTP: what it evaluates, and who may use it.

local http = require "support.http"
local debugged = require "support.debugged"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app, request = qlua.App(...), qlua.request
local counter = 0
local function inner(a, ...)
  local list, word = { 1, 2 }, "word"
  counter = counter + 1
  error("failed with " .. a)
end
app:post("/fail/<name>", function(name)
  local here = name
  qlua.g.tag = "tagged"
  inner(here, "more", 7)
  return "never"
end)
app:get("/index", function()
  local user
  local late = user.name
  return late
end)
function app.shout(text) print("shouted", text) return text:upper() end
return app
]]

local FORM = { ["Content-Type"] = "application/x-www-form-urlencoded" }

describe("the console", function()
  local d, page
  before_each(function()
    d = debugged.start { app = APP }
    page = d:get("/fail/Ann?x=1", { method = "POST", body = "field=value", headers = FORM })
  end)
  after_each(server.stop_all)

  local function results(number, code)
    local answer = d:eval(page, number, code)
    assert.is_true(answer.ok, answer.error)
    return unpack(answer.results)
  end

  it("wants the PIN first", function()
    local answer, response = d:post(page.debugger .. "/console/2", { code = "1" })
    assert.equal(403, response.status)
    assert.same({ ok = false, locked = true, error = "The console wants the PIN first" }, answer)
    answer, response = d:post(debugged.prefix_of(page) .. "pin", { pin = "000-000-00" })
    assert.equal(403, response.status)
    assert.same({ ok = false, left = 9, error = "This is not the PIN; 9 more may be tried" },
      answer)
    d:unlock(page)
    assert.equal("2", results(2, "1 + 1"))
    answer, response = d:post(page.debugger .. "/console/2", { code = "1" },
      { Cookie = d.cookie:sub(1, -2) .. "x" })
    assert.equal(403, response.status)
    assert.is_true(answer.locked)
  end)

  it("is locked after ten wrong PINs, until the server is started anew", function()
    local url, last = debugged.prefix_of(page) .. "pin", nil
    for _ = 1, 10 do
      last = d:post(url, { pin = "1" })
    end
    assert.same({ ok = false, left = 0, error = "Too many wrong PINs: the console is locked until "
      .. "the server is started anew" }, last)
    local answer, response = d:post(url, { pin = d:pin() })
    assert.same({ 403, false }, { response.status, answer.ok })
    -- neither newer code nor a new worker process forgets that
    d.server:signal(require("posix.signal").SIGHUP)
    d.server:wait_for_stderr "generation 2"
    assert.is_false(d:post(url, { pin = d:pin() }).ok)
    local worker = d.server:children()[1]
    require("posix.signal").kill(worker, 9)
    d.server:wait_for(function()
      local now = d.server:children()[1]
      return now and now ~= worker and pcall(http.get, d.server, "/")
    end)
    assert.is_false(d:post(url, { pin = d:pin() }).ok)
  end)

  it("sets a cookie that only its pages get", function()
    local _, response = d:post(debugged.prefix_of(page) .. "pin", { pin = d:pin() })
    local cookie = response.header["set-cookie"]
    assert.matches("; HttpOnly", cookie)
    assert.matches("; SameSite=Strict", cookie)
    assert.truthy(cookie:find("; Path=" .. debugged.prefix_of(page), 1, true))
  end)

  it("reads and changes what the frame has", function()
    d:unlock(page)
    local at, view = debugged.place_of(page, 1), debugged.place_of(page, 2)
    assert.same({ '"Ann"', '"word"', "1", '"more"', "7" },
      { results(at, "a, word, counter, ...") })
    assert.equal("table, 2 entries\n  [1] = 1\n  [2] = 2", results(at, "list"))
    results(at, "word = 'changed'; counter = 41; list[3] = word")
    assert.same({ '"changed"', "41", '"changed"' }, { results(at, "word, counter, list[3]") })
    assert.equal('"Ann"', results(view, "here"))
    assert.equal("nil", results(view, "word"))
    -- the upvalue is the app's own
    local again = d:get("/fail/Ann", { method = "POST" })
    page = again
    assert.equal("42", results(debugged.place_of(page, 1), "counter"))
  end)

  it("reads the frame where the machine itself raised the error", function()
    page = d:get "/index"
    d:unlock(page)
    local at = debugged.place_of(page, 1)
    assert.equal("nil", results(at, "user"))
    results(at, "user = { name = 'x' }")
    assert.equal('"x"', results(at, "user.name"))
  end)

  it("has the values of a template in a template's frame", function()
    server.stop_all()
    d = debugged.start { app = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:get("/", function()
  local text = qlua.render_template("page.html", { items = { { n = 4 } } })
  return text
end)
return app
]], files = { ["templates/page.html"] = "{{ items[0].n.deep.deeper }}" } }
    page = d:get "/"
    d:unlock(page)
    local at = debugged.place_of(page, 1)
    assert.equal("template", page.frames[at].kind)
    assert.equal("4", results(at, "items[1].n"))
    results(at, "items = 'other'")
    assert.equal('"other"', results(at, "items"))
  end)

  it("takes expressions, statements and values of its own", function()
    d:unlock(page)
    assert.same({}, { results(2, "own = 5") })
    assert.equal("6", results(3, "own + 1"))
    assert.equal("6", results(3, "= own + 1"))
    assert.equal('"x"', results(2, "local t = 'x'\nreturn t"))
    assert.is_nil(rawget(_G, "own"))
    local answer = d:eval(page, 2, "own +")
    assert.is_false(answer.ok)
    assert.matches("^%(console%):1: ", answer.error)
    answer = d:eval(page, 2, "nothing.x")
    assert.matches("attempt to index global 'nothing' %(a nil value%)", answer.error)
    assert.equal(0, #answer.results)
  end)

  it("catches what is printed, by the app's functions too", function()
    d:unlock(page)
    local answer = d:eval(page, 2, "print(1, 'a'); return app.shout 'hey'")
    assert.equal("1\ta\nshouted\they", answer.output)
    assert.same({ '"HEY"' }, answer.results)
  end)

  it("has the request, g and the rest, and may wait", function()
    d:unlock(page)
    assert.same({ '"POST"', '"1"', '"value"', '"tagged"' },
      { results(2, "request.method, request.args.x, request.form.field, g.tag") })
    assert.equal('"/fail/x"', results(2, "app:url_for('fail', { name = 'x' })"))
    assert.equal("3", results(2, "qlua.sleep(0.01) return 3"))
  end)

  it("stops what does not end, and goes on", function()
    server.stop_all()
    d = debugged.start { app = APP, args = { "--set", "server.handler_cpu_limit=0.3" } }
    page = d:get("/fail/Ann", { method = "POST" })
    d:unlock(page)
    local answer = d:eval(page, 2, "while true do pcall(print, 1) end")
    assert.is_false(answer.ok)
    assert.matches("^%(console%):1: stopped here: ", answer.error)
    assert.equal("2", results(2, "1 + 1"))
  end)

  it("keeps eight errors, and lists them", function()
    d:unlock(page)
    local first, prefix = page, debugged.prefix_of(page)
    for i = 1, 8 do
      page = d:get("/fail/n" .. i, { method = "POST" })
    end
    local answer = d:eval(first, 2, "1")
    assert.matches("not kept any more", answer.error)
    local list = d:request("GET", prefix, { headers = { Accept = "text/html" } }).body
    assert.truthy(list:find("failed with n8", 1, true))
    assert.truthy(list:find("failed with n1", 1, true))
    assert.is_nil(list:find("failed with Ann", 1, true))
    local shown = d:get(page.debugger)
    assert.same(page.error, shown.error)
    d.server:stop() -- at once, whatever the kept ones hold
  end)
end)

describe("run again", function()
  after_each(server.stop_all)

  local EDITED = APP:gsub('error%("failed with " .. a%)', 'return "well, " .. a'
    .. ' .. request.form.field .. request.args.x .. (request.headers["X-Mine"] or "")')
    :gsub("inner%(here, \"more\", 7%)\n", "if here then return inner(here) end\n")

  local function fail(d)
    return d:get("/fail/Ann?x=1", { method = "POST", body = "field=value",
      headers = { ["Content-Type"] = FORM["Content-Type"], ["X-Mine"] = "mine" } })
  end

  it("sends the same request through the edited code, after it has asked", function()
    local files = require "support.files"
    local d = debugged.start { app = APP }
    local page = fail(d)
    local url = page.debugger .. "/again"
    local answer, response = d:post(url, {})
    assert.equal(403, response.status)
    assert.is_true(answer.locked)
    d:unlock(page)
    answer, response = d:post(url, {})
    assert.equal(200, response.status)
    assert.equal("POST /fail/Ann is not safe by its method: running it again may change data once "
      .. "more.", answer.error)
    answer, response = d:post(url, { sure = "1" })
    assert.equal(500, response.status)
    assert.equal("app.lua:7: failed with Ann", answer.error.message)
    assert.equal('"value"', answer.request.form.field)
    files.write(d.server.app, EDITED)
    d.server:wait_for_stderr "generation 2"
    response = select(2, d:post(url, { sure = "1" }))
    assert.same({ 200, "well, Annvalue1mine" }, { response.status, response.body })
    -- the frames are gone with the code
    assert.matches("newer code serves", d:eval(page, 2, "1").error)
    local gone = d:request("GET", page.debugger, { headers = { Accept = "text/html" } })
    assert.equal(410, gone.status)
    assert.truthy(gone.body:find("Run again", 1, true))
  end)

  it("does not keep the code of before alive", function()
    local files = require "support.files"
    local d = debugged.start { app = APP, args = { "--set", "server.drain_timeout=3" } }
    for i = 2, 4 do
      local page = fail(d)
      d:unlock(page)
      assert.equal("1", d:eval(page, 2, "1").results[1])
      files.write(d.server.app, APP .. ("-- %d\n"):format(i))
      d.server:wait_for_stderr(("generation %d serves"):format(i))
    end
    -- what is not gone by drain_timeout is closed with a line in the log
    local wait = require "support.wait"
    local began = wait.now()
    d.server:wait_for(function()
      return wait.now() - began > 4.5
    end)
    assert.is_nil(d.server:stderr():find("is closed after", 1, true))
    d.server:stop()
  end)

  it("does not ask when the method is safe", function()
    local d = debugged.start { app = APP }
    local page = d:get "/index"
    d:unlock(page)
    local answer, response = d:post(page.debugger .. "/again", {})
    assert.equal(500, response.status)
    assert.matches("attempt to index local 'user'", answer.error.message)
  end)

  it("goes through hooks, middleware and sessions as the first time", function()
    local d = debugged.start { app = [[
local qlua = require "qlua"
local app, tries = qlua.App(...), 0
app.secret_key = "0123456789abcdef"
local inner = app.asgi_app
app.asgi_app = function(scope, receive, send)
  scope.headers:set("X-Middle", "there")
  return inner(scope, receive, send)
end
app:before_request(function() qlua.g.seen = true end)
app:put("/x", function()
  tries = tries + 1
  local text = qlua.request:get_data()
  if tries == 1 then error "the first time" end
  qlua.session.n = tries
  return text .. tostring(qlua.g.seen) .. qlua.request.headers["X-Middle"]
end)
return app
]] }
    local page = d:get("/x", { method = "PUT", body = "bytes\0\255" })
    assert.equal("app.lua:13: the first time", page.error.message)
    d:unlock(page)
    local _, response = d:post(page.debugger .. "/again", { sure = "1" })
    assert.same({ 200, "bytes\0\255truethere" }, { response.status, response.body })
    assert.matches("^session=", response.header["set-cookie"])
  end)

  it("is not offered when the body was too large to be kept", function()
    local d = debugged.start { app = APP }
    local answer = d:request("POST", "/fail/Ann", {
      body = ("x"):rep(1024 * 1024 + 1), headers = { Accept = "text/html" },
    })
    assert.equal(500, answer.status)
    assert.truthy(answer.body:find("cannot be run again", 1, true))
    assert.is_nil(answer.body:find('id="again"', 1, true))
  end)

  it("waits for the body of a request that failed before it was read", function()
    local raw = require "support.raw"
    local d = debugged.start { app = APP }
    local c = raw.connect(d.server)
    c:send("POST /fail/Ann HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
      .. "Content-Length: 10\r\n\r\n01234")
    d.server:wait_for_stderr "failed with Ann"
    c:send "56789"
    local page = require("cjson").decode(c:response("POST").body)
    d:unlock(page)
    local again = d:post(page.debugger .. "/again", { sure = "1" })
    local at = debugged.place_of(again, 1)
    assert.same({ '"0123456789"' }, d:eval(again, at, "request:get_data()").results)
  end)
end)
