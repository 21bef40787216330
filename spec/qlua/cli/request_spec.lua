--- `qlua request`: one request to an app without a socket, as it is typed.

local cjson = require "cjson"

local files = require "support.files"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app, request = qlua.App(...), qlua.request
app:before_serving(function() app.extensions.up = true end)
app:get("/", function() return "Hello, " .. tostring(app.extensions.up) .. "!\n" end)
app:route("/echo", { methods = { "GET", "POST", "PUT" } }, function()
  return {
    method = request.method, type = request.content_type, data = request:get_data(),
    one = request.headers:getlist "X-One", accept = request.headers.Accept, q = request.args.q,
  }
end)
app:post("/form", function() return request.form.a .. request.form.b, 201 end)
app:get("/old", function() return qlua.redirect "/new" end)
app:get("/new", function() return "new" end)
app:get("/away", function() return qlua.redirect "http://other.test/" end)
app:get("/slow", function()
  local i = 0
  return function()
    i = i + 1
    qlua.sleep(0.01)
    return i < 4 and i .. " " or nil
  end
end)
app:get("/bad", function() error "went wrong" end)
return app
]]

describe("qlua request", function()
  local folder
  before_each(function()
    folder = server.folder { ["app.lua"] = APP, ["body.txt"] = "a=x&b=y" }
  end)
  after_each(server.stop_all)

  --- Gives standard output, standard error, exit code.
  local function request(...)
    local ended = server.run({ argv = { "request", ... }, folder = folder, cwd = folder }, 20)
    return ended:stdout(), ended:stderr(), ended:exit_code()
  end

  local function echo(...)
    return cjson.decode((request(...)))
  end

  it("prints the body, asked between before_serving and after_serving", function()
    assert.same({ "Hello, true!\n", "", 0 }, { request "/" })
    assert.same({ "Hello, true!\n", "", 0 }, { request("app.lua", "GET", "/") })
    assert.same({ "Hello, true!\n", "", 0 }, { request("app.lua", "/") })
    assert.same({ "Hello, true!\n", "", 0 }, { request("get", "/") })
  end)

  it("shows status and headers with -i", function()
    local stdout = request("-i", "/")
    assert.matches("^HTTP/1.1 200 OK\nContent%-Type: text/html; charset=utf%-8\n.*\n\nHello, ",
      stdout)
    assert.equal(stdout:gsub("Date: [^\n]*", ""), (request("/", "--include"):gsub("Date: [^\n]*",
      "")))
    assert.matches("^HTTP/1.1 200 OK\n[^{]*\n\n$", (request("-i", "HEAD", "/echo")))
  end)

  it("sends headers and a query", function()
    local seen = echo("/echo?q=1%202", "-H", "X-One: a", "--header=X-One:b", "-HAccept: text/x")
    assert.same({ "a", "b" }, seen.one)
    assert.same({ "text/x", "1 2", "GET" }, { seen.accept, seen.q, seen.method })
  end)

  it("sends a body: as a form, as JSON, from a file, from standard input", function()
    assert.same({ "xy", "", 0 }, { request("/form", "-d", "a=x", "-d", "b=y") })
    assert.same({ "xy", "", 0 }, { request("/form", "-d@body.txt") })
    local seen = echo("/echo", "--json", '{"a":1}')
    assert.same({ "POST", "application/json", '{"a":1}', "application/json" },
      { seen.method, seen.type, seen.data, seen.accept })
    seen = echo("PUT", "/echo", "-d", "text", "-H", "Content-Type: text/plain")
    assert.same({ "PUT", "text/plain", "text" }, { seen.method, seen.type, seen.data })
    local pipe = io.popen(("printf 'a=1&b=2' | %s request %s/app.lua POST /form -d @-"):format(
      server.program(), folder))
    assert.equal("12", pipe:read "*a")
    pipe:close()
  end)

  it("follows redirects when it is told to", function()
    local stdout, _, code = request("-i", "/old")
    assert.matches("^HTTP/1.1 302 FOUND\n.*Location: /new\n", stdout)
    assert.equal(0, code)
    assert.same({ "new", "", 0 }, { request("-L", "/old") })
    assert.matches("^HTTP/1.1 200 OK\n.*\n\nnew$", (request("-iL", "/old")))
    assert.same({ "", "qlua: the answer redirects to http://other.test/, which is not this app; "
      .. "without -L its location is shown\n", 1 }, { request("-L", "/away") })
  end)

  it("prints a stream as it comes", function()
    assert.same({ "1 2 3 ", "", 0 }, { request "/slow" })
  end)

  it("tells the class of an error by its exit code, and shows the traceback", function()
    local _, stderr, code = request "/nope"
    assert.same({ "qlua: GET /nope: 404 NOT FOUND\n", 4 }, { stderr, code })
    _, stderr, code = request "/bad"
    assert.equal(5, code)
    assert.matches("app.lua:23: went wrong\nstack traceback:\n", stderr, 1, true)
    assert.matches("\nqlua: GET /bad: 500 INTERNAL SERVER ERROR\n$", stderr)
  end)

  it("lays keys over the app's", function()
    assert.matches('^{\n', (request("/echo", "--set", "JSONIFY_PRETTYPRINT_REGULAR=true")))
  end)

  local cases = {
    { {}, 2, "name the path: qlua request [FILE] [METHOD] PATH" },
    { { "echo" }, 2, '"echo" is no path: it begins with /' },
    { { "a", "b", "c", "d" }, 2, 'unexpected word "d" after qlua request' },
    { { "app.lua", "G3T", "/" }, 2, '"G3T" is no method: GET, POST and the like are' },
    { { "-H", "bad", "/" }, 2, "--header needs NAME:VALUE, not bad" },
    { { "-H" }, 2, "--header needs a value: --header NAME:VALUE" },
    { { "/", "-d", "a", "--json", "1" }, 2,
      "--data and --json exclude each other: the body is one of the two" },
    { { "/", "-d", "@none" }, 1, "--data @none: none: No such file or directory" },
    { { "/", "--heder", "a" }, 2,
      "unknown option --heder of qlua request; did you mean --header?" },
    { { "none.lua", "/" }, 1,
      "none.lua: no such file; name the app file: qlua request FILE.lua PATH" },
  }
  for _, case in ipairs(cases) do
    it("refuses " .. table.concat(case[1], " "), function()
      local stdout, stderr, code = request(unpack(case[1]))
      assert.same({ "", ("qlua: %s\n"):format(case[3]), case[2] }, { stdout, stderr, code })
    end)
  end

  it("tells why the app does not load", function()
    files.write(folder .. "/app.lua", "\nlocal x = nil + 1")
    local _, stderr, code = request "/"
    assert.equal(1, code)
    assert.matches("app.lua:2: attempt to perform arithmetic on a nil value", stderr, 1, true)
  end)
end)
