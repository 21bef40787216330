--- The debug page over HTTP: which errors it tells of, and what it tells.

local debugged = require "support.debugged"
local server = require "support.server"

local HEAD = [[
local qlua = require "qlua"
local app, request = qlua.App(...), qlua.request
app.config.SECRET_KEY = "key-of-the-app-1"
]]

--- One server with an app of these lines after HEAD, which has three.
local function start(text, options)
  options = options or {}
  options.app = HEAD .. text .. "\nreturn app\n"
  return debugged.start(options)
end

local function titles(page)
  local list = {}
  for i, frame in ipairs(debugged.own_frames(page)) do
    list[i] = ("%s %s:%s"):format(frame.title, frame.file and frame.file:match "[^/]*$" or "",
      tostring(frame.line))
  end
  return list
end

describe("the debug page", function()
  after_each(server.stop_all)

  it("shows the frames of an error with their source and variables", function()
    local d = start [[
local hits = { n = 1 }
local function divide(a, b, ...)
  local note, key = "dividing", app.config.SECRET_KEY
  if b == 0 then error("division by zero") end
  return a / b, note, key, ...
end
app:get("/x/<int:id>", function(id)
  hits.n = hits.n + 1
  local data = { list = { 1, 2 }, password = "p" }
  data.self = data
  local result = divide(id, 0, "more")
  return data, result
end)]]
    local page, answer = d:get "/x/7?q=1"
    assert.equal(500, answer.status)
    assert.same({ class = "Lua error", message = "app.lua:7: division by zero",
      where = 'view "x" (app.lua:10)' }, page.error)
    assert.same({ "divide app.lua:7", 'view "x" app.lua:14' }, titles(page))
    local inner, view = unpack(debugged.own_frames(page))
    assert.same({ a = "7", b = "0", ["...1"] = '"more"' }, inner.arguments)
    assert.same({ note = '"dividing"', key = '"********"' }, inner.locals)
    assert.equal('  if b == 0 then error("division by zero") end', inner.source[7].text)
    assert.equal(7, inner.source[7].number)
    assert.same({ id = "7" }, view.arguments)
    assert.same({ data = "table, 3 entries" }, view.locals)
    assert.equal("table, 1 entry", view.upvalues.hits)
    assert.truthy(page.traceback:find("stack traceback:", 1, true))
    assert.equal('"********"', inner.locals.key)
    assert.is_nil(answer.body:find("key-of-the-app-1", 1, true))
    assert.equal("********", page.config.SECRET_KEY)
    assert.equal("7", page.request.view_arguments.id)
    assert.equal('"1"', page.request.query.q)
    assert.equal("127.0.0.1", page.request.request.remote_addr)
    assert.equal("x", page.request.request.endpoint)
    assert.truthy(page.versions.qlua)
    local rules = {}
    for _, rule in ipairs(page.routes) do
      rules[rule.rule] = rule.endpoint
    end
    assert.equal("x", rules["/x/<int:id>"])
  end)

  it("shows line and variables where the machine itself raised the error", function()
    local d = start [[
app:post("/save", function()
  local name = request.form.name
  local user
  return name .. user.name
end)]]
    local page = d:get("/save", { method = "POST", body = "name=Ann&password=x&n=1", headers = {
      ["Content-Type"] = "application/x-www-form-urlencoded",
      Cookie = "theme=dark; session=eyJhIjoxfQ.Zx1abc.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      Authorization = "Basic dXNlcjpwYXNz",
    } })
    assert.equal("app.lua:7: attempt to index local 'user' (a nil value)", page.error.message)
    local view = debugged.own_frames(page)[1]
    assert.equal(7, view.line)
    assert.same({ name = '"Ann"', user = "nil" }, view.locals)
    assert.equal("  return name .. user.name", view.source[#view.source - 2].text)
    assert.same({ name = '"Ann"', n = '"1"', password = "********" }, page.request.form)
    assert.equal("dark", page.request.cookies.theme)
    assert.equal("eyJhIjoxfQ.Zx1abc.********", page.request.cookies.session)
    assert.equal("Basic ********", page.request.headers.Authorization)
  end)

  it("is HTML for a browser, with nothing from elsewhere and all escaped", function()
    local d = start [[
app:get("/", function() local x = "<script>alert(1)</script>" error("<b>--> " .. x) end)]]
    local answer = d:request("GET", "/", { headers = { Accept = "text/html,*/*;q=0.8" } })
    assert.equal(500, answer.status)
    assert.equal("text/html; charset=utf-8", answer.header["content-type"])
    local comment = answer.body:match "<!%-%-\n(.-)\n%-%->%s*$"
    assert.truthy(comment:find("stack traceback:", 1, true))
    assert.is_nil(comment:find("--", 1, true))
    local body = answer.body:gsub("<!%-%-.-%-%->", "")
    assert.is_nil(body:find("<script>alert", 1, true))
    assert.is_nil(body:find("<b>", 1, true) and body:find("<b>-", 1, true))
    assert.truthy(body:find("&lt;script&gt;alert(1)", 1, true))
    assert.is_nil(body:find "<link" or body:find "src=" or body:find "@import")
    local nonce = answer.header["content-security-policy"]:match "script%-src 'nonce%-([^']+)'"
    local count = 0
    for found in body:gmatch '<script nonce="([^"]+)">' do
      assert.equal(nonce, found)
      count = count + 1
    end
    assert.equal(1, count)
    assert.matches("default%-src 'none'", answer.header["content-security-policy"])
    assert.equal("no-store", answer.header["cache-control"])
    assert.equal("DENY", answer.header["x-frame-options"])
    local again = d:request("GET", "/", {}) -- curl: any type
    assert.truthy(again.body:find("<!doctype html>", 1, true))
  end)

  it("has the traceback as a comment, for curl", function()
    local d = start [[app:get("/", function() error "why --> not" end)]]
    local text = d:request("GET", "/", { headers = { Accept = "*/*" } }).body
    assert.matches("<!%-%-\n/[^\n]*/app.lua:4: why %- %-> not\nstack traceback:\n", text)
    assert.matches("\n%-%->%s*$", text)
  end)

  it("shows template frames at the template's own lines", function()
    local d = start([[
app:get("/undefined", function()
  local text = qlua.render_template("page.html", { items = { { n = 1 } } })
  return text
end)
app:get("/called", function()
  local text = qlua.render_template("call.html", { fn = function(x) return x.y.z end })
  return text
end)
app:get("/syntax", function()
  local text = qlua.render_template "broken.html"
  return text
end)]], { files = {
      ["templates/page.html"] = "<h1>\n{% include 'row.html' %}\n",
      ["templates/row.html"] = "{% for item in items %}\n\n{{ item.missing.deep }}\n{% endfor %}\n",
      ["templates/call.html"] = "a\nb\n{{ fn({}) }}\n",
      ["templates/broken.html"] = "a\n{% if %}\n",
    } })
    local page = d:get "/undefined"
    assert.equal("UndefinedError", page.error.class)
    assert.same({ "template row.html row.html:3", "template page.html page.html:2",
      'view "undefined" app.lua:5' }, titles(page))
    local row = page.frames[1]
    assert.equal("{{ item.missing.deep }}", row.source[3].text)
    assert.equal("table, 1 entry", row.locals.items)
    page = d:get "/called"
    assert.same({ "fn app.lua:9", "template call.html call.html:3", 'view "called" app.lua:9' },
      titles(page))
    assert.equal("{{ fn({}) }}", debugged.own_frames(page)[2].source[3].text)
    page = d:get "/syntax"
    assert.equal("TemplateSyntaxError", page.error.class)
    assert.equal("template broken.html broken.html:2", titles(page)[1])
  end)

  it("shows errors of hooks, of teardown, of coroutines and of tasks waited for", function()
    local d = start [[
app:before_request(function()
  if request.path == "/before" then local inside = 1; error "in before_request" end
end)
app:after_request(function(response)
  if request.path == "/after" then local inside = 2; error "in after_request" end
  return response
end)
app:teardown_request(function()
  if request.path == "/teardown" then local inside = 3; error "in teardown" end
end)
for _, name in ipairs { "before", "after", "teardown" } do
  app:get("/" .. name, { endpoint = name }, function() return "well" end)
end
app:get("/coroutine", function()
  local step = coroutine.wrap(function() local inside = 4; qlua.sleep(0); error { code = 5 } end)
  step()
  return ""
end)
app:get("/task", function()
  local task = qlua.spawn(function() local inside = 5; error "in a task" end)
  local result = task:wait()
  return result
end)]]
    for path, inside in pairs { before = 1, after = 2, teardown = 3, coroutine = 4, task = 5 } do
      local page, answer = d:get("/" .. path)
      assert.equal(500, answer.status, path)
      assert.equal(tostring(inside), debugged.own_frames(page)[1].locals.inside, path)
    end
    local page = d:get "/coroutine"
    assert.equal("error value of type table", page.error.class)
    assert.matches("{ code = 5 }$", page.error.message)
    assert.equal('view "coroutine"', debugged.own_frames(page)[2].title)
  end)

  it("keeps errors of background tasks and of streams: the log says where", function()
    local d = start [[
app:get("/background", function()
  app:add_background_task(function() local inside = 6; error "in the background" end)
  return "well"
end)
app:get("/spawn", function()
  qlua.spawn(function() local inside = 7; error "nobody waits" end)
  return "well"
end)
app:get("/stream", function()
  local n = 0
  return function()
    n = n + 1
    if n == 3 then error "in the stream" end
    return ("x"):rep(10)
  end
end)]]
    assert.equal("well", d:request("GET", "/background").body)
    local log = d.server:wait_for_stderr "in the background"
    d.server:wait_for(function()
      log = d.server:stderr()
      return log:find("Debug page: ", 1, true)
    end)
    local page = d:get(assert(log:match "Debug page: http://[^/]*(/[%w_/-]+)"
      or log:match "Debug page: (/[%w_/-]+)"))
    assert.equal("6", debugged.own_frames(page)[1].locals.inside)
    d:request("GET", "/spawn")
    log = d.server:wait_for_stderr "nobody waits"
    page = d:get(assert(log:match "nobody waits.-Debug page: http[^/]*//[^/]*(/[%w_/-]+)"
      or log:match "nobody waits.-Debug page: (/[%w_/-]+)"))
    assert.equal("7", debugged.own_frames(page)[1].locals.inside)
    pcall(d.request, d, "GET", "/stream")
    log = d.server:wait_for_stderr "in the stream"
    page = d:get(assert(log:match "in the stream.-Debug page: http://[^/]*(/[%w_/-]+)"))
    assert.equal("app.lua:16: in the stream", page.error.message)
  end)

  it("shows where a request was stopped", function()
    local d = start [[
app:get("/loop", { cpu_limit = 0.2 }, function()
  local turns = 0
  while true do turns = turns + 1 end
end)]]
    local page, answer = d:get "/loop"
    assert.equal(503, answer.status)
    assert.equal("CpuLimitExceeded", page.error.class)
    assert.matches("^app.lua:6: stopped here: ", page.error.message)
    assert.truthy(tonumber(debugged.own_frames(page)[1].locals.turns) > 1000)
  end)

  it("shows the fields of an error that is a table, and not all of one without end", function()
    local d = start [[
local Mine = qlua.class("Mine", qlua.errors.Exception)
app:get("/table", function()
  local err = Mine "why"
  err.detail = { code = 42, token = "t" }
  error(err)
end)
app:get("/long", function() error(("long "):rep(1e6)) end)]]
    local page = d:get "/table"
    assert.same({ "Mine", "why" }, { page.error.class, page.error.message })
    local body = d:request("GET", "/table", { headers = { Accept = "text/html" } }).body
    assert.matches("Error value.*detail.*code</span><span class=\"tree number\">42<", body)
    local _, answer = d:get "/long"
    assert.is_true(#answer.body < 100000)
    assert.matches("bytes left out", answer.body)
  end)

  it("shows the place that an error names, or the view, where no frame does", function()
    local d = start([[
app:get("/broken", function() local m = require "broken" return m end)
app:get("/tail", function() return string.rep() end)
app:get("/json", function() return { print } end)]],
      { files = { ["broken.lua"] = "local a = 1\nlocal b = = 2\n" } })
    local function html(path)
      return d:request("GET", path, { headers = { Accept = "text/html" } }).body
    end
    local body = html "/broken"
    assert.truthy(body:find("<h2><code>broken.lua:2</code></h2>", 1, true))
    assert.truthy(body:find('class="current"><i>2</i>local b = = 2', 1, true))
    assert.truthy(body:find('<p class="message">error loading module', 1, true))
    body = html "/tail"
    assert.truthy(body:find("<h2><code>app.lua:5</code></h2>", 1, true))
    assert.truthy(body:find("No frame of the app is left", 1, true))
    assert.truthy(html("/json"):find("<h2><code>app.lua:6</code></h2>", 1, true))
  end)

  it("does not keep what brought the memory to its limit", function()
    local d = start([[
app:get("/grow", function()
  local list = {}
  for i = 1, 1e9 do list[i] = ("x"):rep(1000) .. i end
  return list
end)
app:get("/", function() return "well" end)]],
      { args = { "--set", "server.lua_memory_limit=67108864" } })
    local page, answer = d:get "/grow"
    assert.equal(500, answer.status)
    assert.matches("not enough memory", page.error.message)
    assert.equal('view "grow"', debugged.own_frames(page)[1].title)
    assert.equal("well", d:request("GET", "/").body)
    assert.is_nil(d.server:stderr():find("MiB of Lua memory stay in use", 1, true))
    page = d:get "/grow"
    assert.matches("not enough memory", page.error.message)
  end)

  it("tells of a view that returned what cannot be sent, and of a recursion without end", function()
    local d = start [[
app:get("/nothing", function() end)
app:get("/number", function() return { f = print } end)
local function deeper(n) return 1 + deeper(n + 1) end
app:get("/deep", function() return deeper(1) end)]]
    assert.matches('view "nothing" %(app.lua:4%) returned nothing', d:get("/nothing").error.message)
    local page, answer = d:get "/number"
    assert.equal(500, answer.status)
    assert.matches("returned what cannot be sent", page.error.message)
    page = d:get "/deep"
    assert.matches("stack overflow", page.error.message)
    assert.is_true(#page.frames < 60)
  end)

  it("shows errors behind middleware, too", function()
    local d = start [[
local inner = app.asgi_app
app.asgi_app = function(scope, receive, send)
  if scope.path == "/middle" then local inside = 9; error "in middleware" end
  return inner(scope, receive, send)
end
app:get("/view", function() local inside = 8; error "in the view" end)]]
    local page = d:get "/view"
    assert.equal("8", debugged.own_frames(page)[1].locals.inside)
    page = d:get "/middle"
    assert.equal("9", debugged.own_frames(page)[1].locals.inside)
  end)

  it("leaves handled errors and HTTP errors to the app", function()
    local d = start [[
local Mine = qlua.class("Mine", qlua.errors.Exception)
app:errorhandler(Mine, function(err) return "handled " .. err.message, 418 end)
app:get("/mine", function() error(Mine "it") end)
app:get("/gone", function() qlua.abort(410, "away") end)]]
    local answer = d:request("GET", "/mine")
    assert.same({ 418, "handled it" }, { answer.status, answer.body })
    answer = d:request("GET", "/gone")
    assert.equal(410, answer.status)
    assert.matches("away", answer.body)
    assert.is_nil(answer.body:find("__qlua__", 1, true))
  end)

  it("says which values url_for lacks, and which endpoint was meant", function()
    local d = start [[
app:get("/items/<int:id>/<name>", { endpoint = "item" }, function() return "" end)
app:get("/values", function() local url = app:url_for("item", { a = 1 }) return url end)
app:get("/endpoint", function() local url = app:url_for "itme" return url end)]]
    local page = d:get "/values"
    assert.equal("BuildError", page.error.class)
    assert.equal("Could not build url for endpoint 'item' with values ['a']. Did you forget to "
      .. "specify values ['id', 'name']?", page.error.message)
    assert.equal("Could not build url for endpoint 'itme'. Did you mean 'item' instead?",
      d:get("/endpoint").error.message)
  end)
end)

describe("routing help", function()
  after_each(server.stop_all)

  local APP = [[
app:get("/users/<int:id>", function() return "" end)
app:post("/orders", function() return "" end)
app:get("/shop/", function() return "" end)
app:get("/absent", function() qlua.abort(404) end)]]

  it("lists the rules near a path that none matches", function()
    local d = start(APP)
    local page, answer = d:get "/usres/12"
    assert.equal(404, answer.status)
    assert.equal("/users/<int:id>", page.near[1].rule)
    local html = d:request("GET", "/usres/12", { headers = { Accept = "text/html" } })
    assert.equal(404, html.status)
    assert.truthy(html.body:find("Rules near it", 1, true))
    assert.truthy(html.body:find("/users/&lt;int:id&gt;", 1, true))
    assert.is_nil(d:request("GET", "/absent").body:find("Rules near it", 1, true))
  end)

  it("lists the methods that a path allows", function()
    local d = start(APP)
    local page, answer = d:get "/orders"
    assert.equal(405, answer.status)
    assert.equal("OPTIONS, POST", answer.header.allow)
    assert.equal("The path is there, but not for GET: allowed are OPTIONS, POST.", page.description)
    assert.equal("/orders", page.near[1].rule)
  end)

  it("leaves the answer to handlers of the app", function()
    local d = start [[app:errorhandler(404, function() return "mine", 404 end)]]
    assert.equal("mine", d:request("GET", "/nope").body)
  end)
end)
