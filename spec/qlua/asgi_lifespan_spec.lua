local http = require "support.http"
local server = require "support.server"

describe("asgi lifespan", function()
  after_each(server.stop_all)

  local LIFE = [[
    local qlua = require "qlua"
    local app = qlua.App(...)
    local function say(...) io.stderr:write("LIFE ", table.concat({ ... }, " "), "\n") end
    app:before_serving(function() qlua.sleep(0) say "before_serving" %s end)
    app:after_serving(function() say "after_serving" end)
    local inner = app.asgi_app
    app.asgi_app = function(scope, receive, send)
      if scope.type == "lifespan" then
        %s
        say(scope.type, type(scope.headers), tostring(scope.headers:get "X"))
        return inner(scope, function()
          local message = receive()
          say(message.type)
          return message
        end, function(message)
          say(message.type, message.message)
          return send(message)
        end)
      end
      return inner(scope, receive, send)
    end
    app:route("/", function() return "served" end)
    return app
  ]]

  local function life(text)
    local lines = {}
    for line in text:gmatch "LIFE ([^\n]+)" do
      lines[#lines + 1] = line
    end
    return lines
  end

  it("passes start and end through the middleware", function()
    local running = server.start { app = LIFE:format("", "") }
    assert.are.equal("served", http.get(running, "/").body)
    running:stop()
    assert.are.same({
      "lifespan userdata nil", "lifespan.startup", "before_serving", "lifespan.startup.complete",
      "lifespan.shutdown", "after_serving", "lifespan.shutdown.complete",
    }, life(running:stderr()))
  end)

  it("ends the start with the traceback of a middleware that raises", function()
    local ended = server.run { app = LIFE:format("", 'error "not today"') }
    assert.are.equal(1, ended:exit_code())
    assert.matches("app.lua:%d+: not today.-stack traceback", ended:stderr())
  end)

  it("ends the start with what before_serving raised", function()
    local ended = server.run { app = LIFE:format('error "no database"', "") }
    assert.are.equal(1, ended:exit_code())
    assert.matches("LIFE lifespan.startup.failed .-no database", ended:stderr())
  end)

  it("tells a middleware that does not pass it on", function()
    local ended = server.run { app = LIFE:format("", "if scope then return end") }
    assert.are.equal(1, ended:exit_code())
    assert.matches("app.asgi_app did not answer lifespan.startup: a middleware must pass on a "
      .. 'scope of type "lifespan" (return asgi_app(scope, receive, send)), or before_serving '
      .. "never runs", ended:stderr(), 1, true)
  end)
end)
