local cjson = require "cjson"
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

  it("has levels of its own, and children with their names", function()
    local running = server.start { args = { "--set", "server.log_format=json" }, app = [[
      local qlua = require "qlua"
      local app = qlua.App("shop")
      local db = app.logger:child "db"
      local pool = db:child "pool"
      pool:debug "below the server's level"
      db.level = "debug"
      pool:debug "as the parent"
      pool.level = "error"
      pool:warning "below its own"
      app.logger.level = "critical"
      app.logger:error "below the app's"
      app.logger:exception "this one too"
      local enabled = {}
      for _, logger in ipairs { app.logger, db, pool, qlua.log } do
        for _, level in ipairs { "debug", "info", "error", "critical" } do
          enabled[#enabled + 1] = logger:is_enabled_for(level) and "1" or "0"
        end
      end
      db:info(table.concat(enabled))
      for _, mistake in ipairs {
        function() app.logger:child "" end, function() app.logger:is_enabled_for "loud" end,
        function() db.level = "loud" db:info "x" end,
      } do
        local _, message = pcall(mistake)
        qlua.log:warning(message)
      end
      qlua.log:info "the end"
      return app
    ]] }
    local lines = {}
    for line in running:wait_for_stderr('"the end"'):gmatch "[^\n]+" do
      local object = cjson.decode(line)
      lines[#lines + 1] = ("%s %s %s"):format(object.logger, object.level,
        object.message:gsub("^/.*/", ""))
      if object.message == "the end" then
        break
      end
    end
    assert.same({
      "shop.db.pool debug as the parent",
      "shop.db info 0001111100110111",
      "qlua warning app.lua:21: log: a child's name must be a string that is not empty, got the "
        .. 'string ""',
      "qlua warning app.lua:21: log: is_enabled_for takes one of debug, info, warning, error, "
        .. 'critical, got the string "loud"',
      'qlua warning app.lua:22: log: the level of the logger "shop.db" must be one of debug, info, '
        .. 'warning, error, critical, got the string "loud"',
      "qlua info the end",
    }, lines)
  end)
end)
