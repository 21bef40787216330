local http = require "support.http"
local server = require "support.server"

describe("app.logger", function()
  teardown(server.stop_all)

  it("writes formatted lines, and messages alone as they stand", function()
    local running = server.start { app = [[
      local qlua = require "qlua"
      local app = qlua.App(...)
      app.logger:info("%d of %s", 3, "four")
      app.logger:warning "100%"
      app.logger:critical "worse"
      qlua.log:error("without %s", "an app")
      qlua.log:debug "below the level"
      local _, message = pcall(function() app.logger:info("%d", "x") end)
      app.logger:info(message)
      _, message = pcall(function() app.logger.info "dot" end)
      app.logger:info(message)
      app.logger:exception "here"
      return app
    ]] }
    local log = running:wait_for_stderr "[ERROR] here\nstack traceback:\n"
    for _, text in ipairs {
      "[INFO] 3 of four\n", "[WARNING] 100%\n", "[CRITICAL] worse\n", "[ERROR] without an app\n",
      "log: bad argument", '(in the format "%d")', "[ERROR] here\nstack traceback:\n",
    } do
      assert.matches(text, log, 1, true)
    end
    assert.matches("app%.lua:8: log: bad argument", log)
    assert.matches('app%.lua:10: log: write it with a colon, app%.logger:info%(message%), got the '
      .. 'string "dot"', log)
    assert.is_nil(log:find "below the level")
  end)

  it("writes debug lines while app.debug is on, unless log_level says more", function()
    local APP = [[
      local qlua = require "qlua"
      local app = qlua.App(...)
      app.logger:debug "at loading"
      app:before_serving(function()
        app.logger:debug "before serving"
      end)
      app:get("/", function()
        app.logger:debug "in debug mode"
        app.debug = false
        app.logger:debug "out of it"
        app.logger:warning "last"
        return ""
      end)
      return app
    ]]
    local debugged = server.start { app = APP, args = { "--debug" } }
    http.get(debugged, "/")
    local log = debugged:wait_for_stderr "[WARNING] last\n"
    assert.matches("[DEBUG] at loading\n", log, 1, true)
    assert.matches("[DEBUG] before serving\n", log, 1, true)
    assert.matches("[DEBUG] in debug mode\n", log, 1, true)
    assert.is_nil(log:find("out of it", 1, true))
    local args = { "--debug", "--set", "server.log_level=warning" }
    local quiet = server.start { app = APP, args = args }
    http.get(quiet, "/")
    assert.is_nil(quiet:wait_for_stderr("[WARNING] last\n"):find("[DEBUG]", 1, true))
  end)
end)
