--- The life of an app around its requests: before_serving, while_serving, after_serving and
--- background tasks.

local signal = require "posix.signal"

local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local PRELUDE = [[
local qlua = require "qlua"
local app, g = qlua.App(...), qlua.g
local request, signals = qlua.request, qlua.signals

local function say(...)
  print(...)
  io.stdout:flush()
end

]]

describe("lifespan", function()
  after_each(server.stop_all)

  local function start(text, options)
    options = options or {}
    options.app = PRELUDE .. text .. "\nreturn app\n"
    return server.start(options)
  end

  --- Run an app that does not start, to its end.
  local function refused(text)
    local s = server.run { app = PRELUDE .. text .. "\nreturn app\n" }
    assert.equal(1, s:exit_code())
    return (s:stderr():gsub(s.folder:gsub("%p", "%%%0"), "DIR")), s:stdout()
  end

  local function wait_for_stdout(s, text)
    return s:wait_for(function()
      return s:stdout():find(text, 1, true)
    end, 10, ("stdout to hold %q, not %q"):format(text, s:stdout()))
  end

  --- What an app printed from its start to the end that SIGTERM makes.
  local function whole_life(text, options)
    local s = start(text, options)
    http.get(s, "/up") -- a 404, which only an app that has started gives
    s:stop()
    return s:stdout(), s:stderr()
  end

  describe("before_serving", function()
    it("runs all in order, each waiting, before the first request", function()
      local s = start [[
        local steps = {}
        for i = 1, 3 do
          app:before_serving(function()
            qlua.sleep(0.03 - i / 100)
            steps[i] = i .. " of " .. #steps + 1
          end)
        end
        app:get("/", function() return table.concat(steps, ", ") end)
      ]]
      assert.equal("1 of 1, 2 of 2, 3 of 3", http.get(s, "/").body)
    end)

    it("shares a g that is no request's and not that of the end", function()
      local s = start [[
        app:before_serving(function() g.step = "start" end)
        app:before_serving(function() say(g.step, qlua.has_request_context()) end)
        app:after_serving(function() say(g.step); g.step = "end" end)
        app:after_serving(function() say(g.step, qlua.has_request_context()) end)
        app:get("/", function() return g:get("step", "none") end)
      ]]
      assert.equal("none", http.get(s, "/").body)
      s:stop()
      assert.equal("start\tfalse\nnil\nend\tfalse\n", s:stdout())
    end)

    it("reaches the app as current_app", function()
      assert.equal("true\n", (whole_life [[
        app:before_serving(function() say(qlua.current_app.name == app.name) end)
      ]]))
    end)

    it("gives the function back and takes nothing else", function()
      local s = start [[
        local function fn() end
        say(app:before_serving(fn) == fn, app:after_serving(fn) == fn, app:while_serving(
          coroutine.yield) == coroutine.yield)
        say((select(2, pcall(app.before_serving, app, 5)):gsub("^.*: before", "before")))
      ]]
      wait_for_stdout(s, "true\ttrue\ttrue\nbefore_serving: the function must be a function, got "
        .. "the number 5\n")
    end)

    it("ends the start with its error and where it was raised", function()
      local stderr, stdout = refused [[
        local function connect() error "no database" end
        signals.got_serving_exception:connect(function(sender, extra)
          qlua.sleep(0.001)
          say("told", sender == app, (tostring(extra.exception):gsub("^.*: ", "")))
        end)
        app:before_serving(function()
          qlua.sleep(0.001)
          connect()
          say "not reached"
        end)
        app:before_serving(function() say "nor this" end)
        app:while_serving(function() say "nor that"; coroutine.yield() end)
        app:after_serving(function() say "nor the end" end)
      ]]
      assert.matches("^qlua: the app did not load: DIR/app.lua:10: no database\nstack traceback",
        stderr)
      assert.matches("\tDIR/app.lua:10: in function 'connect'\n\tDIR/app.lua:17:", stderr, 1, true)
      assert.equal("told\ttrue\tno database\n", stdout)
    end)

    it("ends the start with an error value that is no text", function()
      local stderr, stdout = refused [[
        local Down = qlua.class("Down", qlua.errors.Exception)
        signals.got_serving_exception:connect(function(_, extra)
          say(getmetatable(extra.exception) == Down)
        end)
        app:before_serving(function() error(Down "not up yet") end)
      ]]
      assert.matches("^qlua: the app did not load: not up yet\n", stderr)
      assert.equal("true\n", stdout)
    end)
  end)

  for how, workers in pairs { ["under the supervisor"] = 1, ["without a supervisor"] = 0 } do
    it("runs after_serving at SIGTERM " .. how, function()
      local stdout = whole_life([[
        for i = 1, 2 do
          app:after_serving(function()
            qlua.sleep(0.03 - i / 100)
            say("after", i)
          end)
        end
      ]], { workers = workers })
      assert.equal("after\t1\nafter\t2\n", stdout)
    end)

    it("runs after_serving after the last answer " .. how, function()
      local s = start([[
        local entered = false
        app:get("/entered", function() return tostring(entered) end)
        app:get("/", function()
          say "in"
          qlua.sleep(0.2)
          say "out"
          return "answered"
        end)
        app:after_serving(function() say "after" end)
      ]], { workers = workers })
      local c = raw.connect(s)
      c:send "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
      wait_for_stdout(s, "in\n")
      s:signal(signal.SIGTERM)
      assert.equal("answered", c:response().body)
      c:close()
      s:stop()
      assert.equal("in\nout\nafter\n", s:stdout())
    end)
  end

  it("goes on to the other functions of the end after an error, and ends well", function()
    local stdout, stderr = whole_life [[
      signals.got_serving_exception:connect(function(_, extra)
        say("told", (extra.exception:gsub("^.*: ", "")))
      end)
      app:while_serving(function() coroutine.yield(); error "second half" end)
      app:while_serving(function() coroutine.yield(); say "still there" end)
      app:after_serving(function() error "fails" end)
      app:after_serving(function() say "not kept back" end)
    ]]
    assert.equal("told\tfails\nnot kept back\ntold\tsecond half\nstill there\n", stdout)
    assert.matches("Exception in after_serving\n[^\n]*app.lua:15: fails\nstack traceback:\n"
      .. "[^\n]+\n[^\n]*app.lua:15: in function", stderr)
    assert.matches("Exception in while_serving\n[^\n]*app.lua:13: second half\nstack", stderr)
  end)

  describe("while_serving", function()
    it("runs its halves behind the others of start and end, each in order", function()
      local stdout = whole_life [[
        for i = 1, 2 do
          app:while_serving(function()
            qlua.sleep(0.01)
            local before = i
            say("up", i)
            coroutine.yield()
            qlua.sleep(0.01)
            say("down", before)
          end)
        end
        app:before_serving(function() say "before" end)
        app:after_serving(function() say "after" end)
      ]]
      assert.equal("before\nup\t1\nup\t2\nafter\ndown\t1\ndown\t2\n", stdout)
    end)

    it("must yield", function()
      local stderr = refused "app:while_serving(function() end)"
      assert.matches("app.lua:%d+: a while_serving function must yield exactly once: ", stderr)
      assert.matches("where the app serves; this one does not yield\n", stderr, 1, true)
    end)

    it("must not yield twice", function()
      local _, stderr = whole_life [[
        app:while_serving(function() coroutine.yield() coroutine.yield() end)
      ]]
      assert.matches("Exception in while_serving\na while_serving function must yield exactly "
        .. "once: coroutine.yield() where the app serves; this one yields again\n", stderr, 1, true)
    end)

    it("ends the start with an error of its first half", function()
      local stderr, stdout = refused [[
        signals.got_serving_exception:connect(function() say "told" end)
        app:while_serving(function() error "first half" end)
      ]]
      assert.matches("the app did not load: DIR/app.lua:11: first half\n", stderr, 1, true)
      assert.equal("told\n", stdout)
    end)
  end)

  describe("a background task", function()
    it("begins when the app serves, or at once when it does", function()
      local s = start [[
        local log = {}
        local function note(...)
          log[#log + 1] = table.concat({ ... }, " ")
        end
        app:add_background_task(note, "added", "at", "load")
        app:before_serving(function()
          app:add_background_task(note, "added at the start")
          qlua.sleep(0.01)
          note "started"
        end)
        app:get("/add", function()
          app:add_background_task(function() qlua.sleep(0.001) note "added in a view" end)
          note "view"
          return ""
        end)
        app:get("/", function() return table.concat(log, ", ") end)
      ]]
      http.get(s, "/add")
      s:wait_for(function()
        return http.get(s, "/").body == "started, added at load, added at the start, view, "
          .. "added in a view"
      end)
    end)

    it("has a g of its own, and the request that added it", function()
      local s = start [[
        local log = "nothing"
        local function look(where)
          qlua.sleep(0.01)
          log = table.concat({ where, tostring(g.name), tostring(qlua.has_request_context()),
            tostring(qlua.has_app_context()),
            qlua.has_request_context() and request.path .. "?" .. request.args.a or "-" }, " ")
          g.name = "its own"
        end
        app:add_background_task(look, "load")
        app:before_serving(function()
          g.name = "the start's"
          app:add_background_task(look, "start")
        end)
        app:get("/view", function()
          g.name = "the view's"
          app:add_background_task(look, "view")
          return "answered"
        end)
        app:get("/", function() return log end)
      ]]
      s:wait_for(function() return http.get(s, "/").body == "start nil false true -" end)
      assert.equal("answered", http.get(s, "/view?a=1").body)
      s:wait_for(function() return http.get(s, "/").body == "view nil true true /view?1" end)
    end)

    it("tells of its error and harms nothing", function()
      local s = start [[
        signals.got_background_exception:connect(function(sender, extra)
          qlua.sleep(0.001)
          say("told", sender == app, (tostring(extra.exception):gsub("^.*: ", "")))
        end)
        local function work() error "lost" end
        app:add_background_task(function() qlua.sleep(0.001) work() end)
        app:get("/", function()
          app:add_background_task(error, "from a view", 0)
          return "well"
        end)
      ]]
      local log = s:wait_for_stderr "Exception in a background task\n"
      s:wait_for_stderr "in function 'work'\n"
      assert.matches("Exception in a background task\n[^\n]*app.lua:14: lost\nstack traceback:",
        log)
      wait_for_stdout(s, "told\ttrue\tlost\n")
      assert.equal("well", http.get(s, "/").body)
      wait_for_stdout(s, "told\ttrue\tfrom a view\n")
      assert.equal("well", http.get(s, "/").body)
      s:stop()
    end)

    it("harms nothing with an error in the receiver", function()
      local s = start [[
        signals.got_background_exception:connect(function() error "in the receiver" end)
        app:get("/", function()
          app:add_background_task(error, "lost", 0)
          return "well"
        end)
      ]]
      assert.equal("well", http.get(s, "/").body)
      s:wait_for_stderr "Exception in a background task\nlost\n"
      s:wait_for_stderr "in the receiver\n"
      assert.equal("well", http.get(s, "/").body)
      s:stop()
    end)

    for how, workers in pairs { ["under the supervisor"] = 1, ["without a supervisor"] = 0 } do
      it("is awaited before after_serving " .. how, function()
        assert.equal("first done\nsecond done\nafter\n", (whole_life([[
          app:after_serving(function() say "after" end)
          app:add_background_task(function()
            qlua.sleep(0.2)
            app:add_background_task(function() qlua.sleep(0.05) say "second done" end)
            say "first done"
          end)
        ]], { workers = workers })))
      end)

      it("is cancelled when it takes longer than it may " .. how, function()
        local stdout, stderr = whole_life([[
          app.config.BACKGROUND_TASK_SHUTDOWN_TIMEOUT = 0.05
          app:after_serving(function() say "after" end)
          app:add_background_task(function()
            local ok, err = pcall(qlua.sleep, 600)
            say("cancelled", ok, tostring(err))
            app:add_background_task(say, "too late")
            pcall(qlua.sleep, 0.02)
            say "cleaned up"
            error(err, 0)
          end)
        ]], { workers = workers })
        assert.equal("cancelled\tfalse\tcancelled\ncleaned up\nafter\n", stdout)
        assert.is_nil(stderr:find("Exception", 1, true))
      end)
    end

    it("wants a function", function()
      local s = start [[
        say((select(2, pcall(app.add_background_task, app, {})):gsub("^.*: add", "add")))
      ]]
      wait_for_stdout(s, "add_background_task: the function must be a function, got a table\n")
    end)
  end)
end)
