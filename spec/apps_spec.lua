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
