--- The apps of apps/ answer as README and the texts say.

local server = require "support.server"

local function curl(arguments)
  local pipe = io.popen("curl -s " .. arguments)
  local text = pipe:read "*a"
  pipe:close()
  return text
end

describe("apps/hello", function()
  local s
  setup(function()
    s = server.start { path = "apps/hello/app.lua" }
  end)
  teardown(server.stop_all)

  local function url(path)
    return ("http://127.0.0.1:%d%s"):format(s.port, path)
  end

  it("answers GET / with Hello, World! as text/plain", function()
    assert.equal("Hello, World!", curl(url "/"))
    assert.truthy(curl("-o /dev/null -w '%{http_code} %{content_type}' " .. url "/")
      :find "^200 text/plain")
  end)

  it("answers HEAD without a body", function()
    local head = curl("-I " .. url "/")
    assert.truthy(head:find "^HTTP/1.1 200 OK\r\n")
    assert.truthy(head:find "\r\nContent%-Length: 13\r\n")
  end)

  it("knows no other path and no other method", function()
    assert.equal("404", curl("-o /dev/null -w '%{http_code}' " .. url "/nope"))
    assert.equal("405", curl("-X POST -o /dev/null -w '%{http_code}' " .. url "/"))
  end)

  it("starts by its folder's name, as make run does", function()
    local other = server.launch { argv = { "run", "apps/hello", "--port", "0" } }
    local port = other:wait_for_stderr("CTRL + C"):match "http://127%.0%.0%.1:(%d+)"
    assert.equal("Hello, World!", curl(("http://127.0.0.1:%d/"):format(port)))
    other:stop()
  end)
end)

--- The body and the status of one curl call.
local function ask(s, arguments)
  local text = curl(("-w ' %%{http_code}' 'http://127.0.0.1:%d%s"):format(s.port, arguments))
  local body, status = text:match "^(.*) (%d%d%d)$"
  return body, tonumber(status)
end

-- by app: what curl is asked, its answer and its status (200 unless given)
local TRANSCRIPTS = {
  globals = {
    { "/api'", '{"Hello":"Anonymous"}\n' },
    { "/api' --user alice:password", '{"Hello":"alice"}\n' },
  },
  signals = {
    { "/api'", '{"Hello":"World"}\n' },
  },
  middleware = {
    { "/api'", '{"Hello":"10.1.1.1"}\n' },
    { "/api' -H 'X-Forwarded-For: 9.9.9.9, 8.8.8.8'", '{"Hello":"9.9.9.9"}\n' },
  },
  config = {
    { "/sqluri'", '{"SQLURI":"sqlite://yml"}\n' },
  },
  blueprints = {
    { "/teams'", '[["Alice","Bob"],["Charles"]]\n' },
    { "/teams/1'", '["Alice","Bob"]\n' },
    { "/teams/9'", nil, 404 },
    { "/teams/x'", nil, 404 },
  },
  error_handler = {
    { "/api'", '{"Error":"Some Exception"}\n', 500 },
  },
  catch_all_errors = {
    { "/api'", '{"code":500,"description":"The server encountered an internal error and was '
      .. "unable to complete your request. Either the server is overloaded or there is an error "
      .. 'in the application.","message":"500 Internal Server Error: The server encountered an '
      .. "internal error and was unable to complete your request. Either the server is "
      .. 'overloaded or there is an error in the application."}\n', 500 },
    { "/nope'", '{"code":404,"description":"The requested URL was not found on the server. If you '
      .. 'entered the URL manually please check your spelling and try again.","message":"404 Not '
      .. "Found: The requested URL was not found on the server. If you entered the URL manually "
      .. 'please check your spelling and try again."}\n', 404 },
    { "/api' -X POST", '{"code":405,"description":"The method is not allowed for the requested '
      .. 'URL.","message":"405 Method Not Allowed: The method is not allowed for the requested '
      .. 'URL."}\n', 405 },
  },
  sessions = {
    { "/'", '{"Hello":"stranger","visits":1}\n' },
    { "/messages'", "[]\n" },
    { "/login' -d user=alice", nil, 302 },
    { "/login' -X POST", nil, 400 },
  },
  login = {
    { "/'", '{"Hello":"stranger"}\n' },
    { "/' --user alice:wonderland", '{"Hello":"alice"}\n' },
    { "/notes/'", nil, 401 },
    { "/notes/' --user alice:wrong", nil, 401 },
    { "/notes/' --user bob:builder --json '{\"text\":\"mix\"}'", '{"id":1}\n', 201 },
    { "/notes/' --user bob:builder", '["mix"]\n' },
  },
}

describe("apps/email_render", function()
  teardown(server.stop_all)

  it("prints what Jinja makes of the template, and print's newline", function()
    local pipe = io.popen([[/usr/bin/python3 -c '
import jinja2
items = [("Cheeseburger", "4.5"), ("Fries", "2"), ("Root Beer", "3")]
print(jinja2.Template(open("apps/email_render/email_template.j2").read()).render(
    date="Thu, 01 Jan 1970 00:00:00 GMT", to="bob@example.com", name="Bob",
    subject="Your Burger order", items=[{"name": name, "price": price} for name, price in items],
    **{"from": "shopping@example-shop.com"}))']])
    local expected = pipe:read "*a"
    pipe:close()
    assert.matches("%- Cheeseburger %(4%.5 Euros%)\n%- Fries %(2 Euros%)\n", expected)
    local mail = server.run { argv = { "apps/email_render/render.lua" } }
    assert.same({ expected, "", 0 }, { mail:stdout(), mail:stderr(), mail:exit_code() })
  end)

  it("passes its own spec", function()
    local test = server.run { argv = { "test", "apps/email_render" } }
    assert.equal(0, test:exit_code(), test:stdout() .. test:stderr())
  end)
end)

for name, transcript in pairs(TRANSCRIPTS) do
  describe("apps/" .. name, function()
    local s
    setup(function()
      s = server.start { path = ("apps/%s/app.lua"):format(name) }
    end)
    teardown(server.stop_all)

    for _, step in ipairs(transcript) do
      it("answers curl '" .. step[1], function()
        local body, status = ask(s, step[1])
        assert.equal(step[3] or 200, status, body)
        assert.equal(step[2] or body, body)
      end)
    end

    if name == "signals" then
      it("prints what it was told on standard output", function()
        ask(s, "/api'")
        local expected = "About to send a Response\n<Response 18 bytes [200 OK]>\n"
        s:wait_for(function()
          return s:stdout():find(expected, 1, true)
        end, 5, "the print of a response")
      end)
    elseif name == "catch_all_errors" then
      it("says which methods there are with a 405", function()
        local head = curl(("-D - -o /dev/null -X POST http://127.0.0.1:%d/api"):format(s.port))
        assert.matches("\r\nAllow: GET, HEAD, OPTIONS\r\n", head, 1, true)
      end)
    end

    if name == "config" then
      it("takes a variable over its files", function()
        local other = server.start { path = "apps/config/app.lua", env = { QLUA_SQLURI = "env" } }
        assert.equal('{"SQLURI":"env"}\n', (ask(other, "/sqluri'")))
        other:stop()
      end)
    end

    it("passes its own spec", function()
      local test = server.run { argv = { "test", "apps/" .. name } }
      assert.equal(0, test:exit_code(), test:stdout() .. test:stderr())
    end)
  end)
end
