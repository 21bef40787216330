--- Contexts: which code has which, functions that take one along, and what changes while the app
--- serves.

local http = require "support.http"
local server = require "support.server"

local PRELUDE = [[
local qlua = require "qlua"
local app, g, request = qlua.App(...), qlua.g, qlua.request
local errors, signals = qlua.errors, qlua.signals

local notes = {}
local function note(...)
  local parts = { ... }
  for i = 1, select("#", ...) do
    parts[i] = tostring(parts[i])
  end
  notes[#notes + 1] = table.concat(parts, " ")
end
app:get("/notes", function()
  return table.concat(notes, ", ")
end)

--- A failing call's message, without its position.
local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  return not ok and (tostring(err):gsub("^.-app%.lua:%d+: ", "AT: ")) or "no error"
end

]]

describe("contexts", function()
  local s

  after_each(server.stop_all)

  local function start(text, options)
    options = options or {}
    options.app = PRELUDE .. text .. "\nreturn app\n"
    s = server.start(options)
    return s
  end

  local function get(path)
    local answer = http.get(s, path)
    return answer.body, answer.status
  end

  local function wait_for_notes(text)
    local seen
    local ok = pcall(s.wait_for, s, function()
      seen = get "/notes"
      return seen == text
    end, 5)
    assert(ok, ("the notes are %q, not %q; %s"):format(seen, text, s:stderr()))
  end

  describe("has_request_context and has_app_context", function()
    it("know where they are", function()
      start [[
        local seen = {}
        local function look(where)
          seen[where] = tostring(qlua.has_request_context()) .. " "
            .. tostring(qlua.has_app_context())
        end
        local function looking(where, ...)
          local results = { ... }
          return function() look(where) return unpack(results) end
        end
        look "module"
        app:before_serving(looking "before_serving")
        app:while_serving(function() look "while_serving" coroutine.yield() end)
        app:add_background_task(looking "background")
        app:url_value_preprocessor(looking "url_value_preprocessor")
        app:before_request(looking "before_request")
        app:after_request(looking "after_request")
        app:teardown_request(looking "teardown_request")
        app:teardown_appcontext(looking "teardown_appcontext")
        app:errorhandler(404, looking("errorhandler", "none", 404))
        signals.request_started:connect(looking "request_started")
        signals.request_finished:connect(looking "request_finished")
        app:get("/view", function()
          look "view"
          qlua.after_this_request(looking "after_this_request")
          qlua.spawn(looking "task"):wait()
          coroutine.wrap(looking "coroutine")()
          qlua.sleep(0.001)
          look "view after a wait"
          return "", 200
        end)
        app:get("/seen", function() return seen end)
      ]]
      get "/view"
      get "/nothing"
      local body
      s:wait_for(function()
        body = get "/seen"
        return body:find "background"
      end)
      local function where(name, what)
        assert.matches(('"%s":"%s"'):format(name, what), body, 1, true)
      end
      where("module", "false false")
      for _, name in ipairs { "before_serving", "while_serving", "background" } do
        where(name, "false true")
      end
      for _, name in ipairs { "url_value_preprocessor", "before_request", "after_request",
        "teardown_request", "teardown_appcontext", "errorhandler", "request_started",
        "request_finished", "view", "after_this_request", "task", "coroutine",
        "view after a wait" } do
        where(name, "true true")
      end
    end)

    it("know it in after_serving", function()
      start [[
        app:after_serving(function()
          print(qlua.has_request_context(), qlua.has_app_context())
        end)
      ]]
      get "/"
      s:stop()
      assert.equal("false\ttrue\n", s:stdout())
    end)
  end)

  describe("outside of them", function()
    local CASES = {
      ["g.x"] = { "g.x",
        "Not within an app context: g.x was used outside of a request. Use it in a view, a hook "
          .. "or a function they call; values for all requests belong in app.config" },
      ["copy_current_request_context"] = { "qlua.copy_current_request_context(print)",
        "Not within a request context: copy_current_request_context belongs into a view, a hook "
          .. "or a function they call" },
      ["after_this_request"] = { "qlua.after_this_request(print)",
        "Not within a request context: after_this_request belongs into a view, a hook or a "
          .. "function they call" },
    }
    for name, case in pairs(CASES) do
      it("ends the start at the line that says " .. name, function()
        local ended = server.run { app = PRELUDE .. "local _ = " .. case[1] .. "\nreturn app" }
        assert.equal(1, ended:exit_code())
        assert.matches("app.lua:23: " .. case[2] .. "\n", ended:stderr(), 1, true)
      end)
    end

    it("says so in before_serving and in a background task", function()
      start [[
        local function try(where)
          note(where, failure(qlua.after_this_request, print))
          note(where, failure(qlua.copy_current_request_context, print))
          note(where, failure(function() return request.path end))
        end
        app:before_serving(function() try "start" end)
        app:add_background_task(try, "task")
      ]]
      s:wait_for(function() return select(2, get("/notes"):gsub("task ", "")) == 3 end)
      local body = get "/notes"
      assert.equal(6, select(2, body:gsub("Not within a request context", "")))
      assert.is_nil(body:find("no error", 1, true))
    end)

    it("tells what is no function, inside", function()
      start [[
        app:get("/", function()
          return failure(function() qlua.after_this_request(5) end) .. "\n"
            .. failure(function() qlua.copy_current_request_context "x" end)
        end)
      ]]
      assert.equal("AT: after_this_request: the function must be a function, got the number 5\n"
        .. 'AT: copy_current_request_context: the function must be a function, got the string "x"',
        (get "/"))
    end)
  end)

  describe("copy_current_request_context", function()
    it("keeps the request for a task that goes on after the answer", function()
      start [[
        app:get("/job/<name>", function(name)
          g.name = name
          qlua.spawn(qlua.copy_current_request_context(function(a, b)
            qlua.sleep(0.03)
            note(a, b, g.name, request.path, request.args.q, request.headers.host)
          end), 1, 2)
          return "answered"
        end)
      ]]
      assert.equal("answered", (get "/job/first?q=x"))
      assert.equal("answered", (get "/job/second?q=y"))
      wait_for_notes "1 2 first /job/first x localhost, 1 2 second /job/second y localhost"
    end)

    it("gives what the function gives, each time it is called", function()
      start [[
        app:get("/", function()
          local copied = qlua.copy_current_request_context(function(...)
            g.count = (g.count or 0) + 1
            return g.count, nil, ...
          end)
          local a, b, c = copied "x"
          local d, e, f = qlua.spawn(copied, "y"):wait()
          return table.concat({ a, tostring(b), c, d, tostring(e), f, g.count }, " ")
        end)
      ]]
      assert.equal("1 nil x 2 nil y 2", (get "/"))
    end)

    it("is the other request's within another, until it is left", function()
      start [[
        local copied
        app:get("/lend", function()
          g.name = "lender"
          copied = qlua.copy_current_request_context(function(fails)
            qlua.sleep(0.001)
            note(request.path, g.name)
            if fails then
              error("fails", 0)
            end
          end)
          return ""
        end)
        app:get("/borrow", function()
          g.name = "borrower"
          copied()
          note(request.path, g.name)
          note(pcall(copied, true))
          note(request.path, g.name)
          return ""
        end)
      ]]
      get "/lend"
      get "/borrow"
      assert.equal("/lend lender, /borrow borrower, /lend lender, false fails, /borrow borrower",
        (get "/notes"))
    end)

    it("goes along into a background task", function()
      start [[
        app:get("/", function()
          g.name = "the view's"
          local function look() note(g.name, request.path) end
          app:add_background_task(qlua.copy_current_request_context(look))
          app:add_background_task(look)
          return ""
        end)
      ]]
      get "/"
      wait_for_notes "the view's /, nil /"
    end)

    it("lets go of the request while a coroutine that is in it yields", function()
      start [[
        app:after_request(function(response) response.headers["X-Path"] = request.path end)
        local numbers
        app:get("/lend", function()
          g.name = "lender"
          numbers = coroutine.wrap(qlua.copy_current_request_context(function(first)
            qlua.sleep(0.001)
            local second = coroutine.yield(g.name .. first)
            qlua.sleep(0.001)
            return g.name .. second
          end))
          return ""
        end)
        app:get("/borrow", function()
          g.name = "borrower"
          return numbers(#notes) .. " " .. g.name .. request.path
        end)
      ]]
      get "/lend"
      for _, name in ipairs { "first", "second" } do
        local answer = http.get(s, "/borrow")
        assert.equal("lender0 borrower/borrow", answer.body, name)
        assert.equal("/borrow", answer.header["x-path"], name)
      end
    end)

    it("leaves the frames of an error to be told", function()
      start [[
        app:get("/", function()
          local function inner() error "lost" end
          qlua.copy_current_request_context(function() inner() end)()
        end)
      ]]
      get "/"
      assert.matches("app.lua:24: lost\nstack traceback of a coroutine:\n.*in function 'inner'\n"
        .. ".*\nstack traceback:\n.*app.lua:25: in function",
        s:wait_for_stderr "context.lua:")
    end)

    it("may be called from where there is no request", function()
      start [[
        local copied
        app:get("/lend", function()
          copied = qlua.copy_current_request_context(function() note(request.path) end)
          return ""
        end)
        app:add_background_task(function()
          while not copied do
            qlua.sleep(0.001)
          end
          copied()
          note(qlua.has_request_context())
        end)
      ]]
      get "/lend"
      wait_for_notes "/lend, false"
    end)
  end)

  describe("while the app serves", function()
    local WAY = [[
      local function way()
        return debug.traceback():find("dispatch.lua", 1, true) and "surrounded" or "plain"
      end
      app:get("/way", way)
    ]]

    it("a new error handler answers", function()
      start [[
        app:get("/fail", function() error("lost", 0) end)
        app:get("/add", function()
          app:errorhandler(404, function() return "none here", 404 end)
          app:errorhandler(500, function(err) return "500: " .. err.original_exception, 500 end)
          return ""
        end)
      ]]
      local body, status = get "/nothing"
      assert.same({ 207, 404 }, { #body, status })
      assert.equal(265, #get "/fail")
      get "/add"
      assert.same({ "none here", 404 }, { get "/nothing" })
      assert.same({ "500: lost", 500 }, { get "/fail" })
    end)

    it("a new hook runs from the next request on", function()
      start(WAY .. [[
        app:get("/add/<kind>", function(kind)
          app[kind](app, function()
            if request.path == "/way" then
              note(kind)
            end
          end)
          return way()
        end)
      ]])
      assert.equal("plain", (get "/way"))
      for i, kind in ipairs { "teardown_appcontext", "teardown_request", "after_request",
        "before_request", "url_value_preprocessor" } do
        assert.equal(i == 1 and "plain" or "surrounded", (get("/add/" .. kind)))
      end
      assert.equal("", (get "/notes"))
      assert.equal("surrounded", (get "/way"))
      assert.equal("url_value_preprocessor, before_request, after_request, teardown_request, "
        .. "teardown_appcontext", (get "/notes"))
    end)

    it("a new rule and a new blueprint answer", function()
      start [[
        app:get("/add", function()
          app:get("/new", function() return "new" end)
          local bp = qlua.Blueprint("bp", { url_prefix = "/bp" })
          bp:before_request(function() g.name = "bp's" end)
          bp:get("/new", function() return g.name end)
          app:register_blueprint(bp)
          return ""
        end)
      ]]
      assert.equal(404, select(2, get "/new"))
      get "/add"
      assert.equal("new", (get "/new"))
      assert.equal("bp's", (get "/bp/new"))
    end)

    it("a connected signal is sent, and costs nothing once it is disconnected", function()
      start(WAY .. [[
        local function receiver() note(request.path) end
        app:get("/connect/<name>", function(name)
          signals[name]:connect(receiver)
          return way()
        end)
        app:get("/disconnect/<name>", function(name)
          signals[name]:disconnect(receiver)
          return way()
        end)
      ]])
      assert.equal("plain", (get "/way"))
      for _, name in ipairs { "request_started", "request_finished", "request_tearing_down",
        "appcontext_pushed", "appcontext_tearing_down", "appcontext_popped" } do
        assert.equal("plain", (get("/connect/" .. name)), name)
        assert.equal("surrounded", (get "/way"), name)
        assert.equal("surrounded", (get("/disconnect/" .. name)), name)
        assert.equal("plain", (get "/way"), name)
      end
      local seen = get "/notes"
      local _, ways = seen:gsub("/way", "")
      assert.equal(6, ways)
    end)

    it("a signal of errors leaves the rules plain", function()
      start(WAY .. [[
        app:before_serving(function()
          signals.got_request_exception:connect(function(_, extra) note(extra.exception) end)
        end)
        app:get("/fail", function() error("lost", 0) end)
      ]])
      assert.equal(500, select(2, get "/fail"))
      assert.equal("plain", (get "/way"))
      assert.equal("lost", (get "/notes"))
    end)
  end)

  describe("config keys on errors", function()
    local VIEWS = [[
      app:get("/set/<key>/<value>", function(key, value)
        app.config[key] = ({ yes = true, no = false })[value]
        return tostring(app.config[key])
      end)
      app:get("/abort/<int:code>", function(code) qlua.abort(code, "because") end)
      app:get("/fail", function() error("lost", 0) end)
      app:errorhandler(500, function(err)
        return "500: " .. tostring(err.original_exception), 500
      end)
      app:errorhandler(409, function(err) return "409: " .. err.description, 409 end)
    ]]

    it("TRAP_HTTP_EXCEPTIONS makes HTTP errors without a handler uncaught ones", function()
      start(VIEWS)
      assert.equal(404, select(2, get "/nothing"))
      get "/set/TRAP_HTTP_EXCEPTIONS/yes"
      assert.same({ "500: 403 Forbidden: because", 500 }, { get "/abort/403" })
      assert.equal(500, select(2, get "/nothing"))
      assert.same({ "409: because", 409 }, { get "/abort/409" })
      s:wait_for_stderr "Exception on request GET /abort/403\n403 Forbidden: because\n"
      get "/set/TRAP_HTTP_EXCEPTIONS/no"
      assert.equal(403, select(2, get "/abort/403"))
    end)

    it("TRAP_BAD_REQUEST_ERRORS does so with a 400 alone", function()
      start(VIEWS .. [[
        app:get("/json", function() return { request:get_json() } end)
        local Odd = qlua.class("Odd", errors.BadRequest)
        app:get("/odd", function() error(Odd "odd") end)
      ]])
      assert.equal(400, select(2, get "/abort/400"))
      get "/set/TRAP_BAD_REQUEST_ERRORS/yes"
      assert.same({ "500: 400 Bad Request: because", 500 }, { get "/abort/400" })
      assert.same({ "500: 400 Bad Request: odd", 500 }, { get "/odd" })
      assert.equal(404, select(2, get "/abort/404"))
      assert.same({ "409: because", 409 }, { get "/abort/409" })
    end)

    it("PROPAGATE_EXCEPTIONS keeps the handler of 500 from answering", function()
      start(VIEWS)
      assert.same({ "500: lost", 500 }, { get "/fail" })
      get "/set/PROPAGATE_EXCEPTIONS/yes"
      local body, status = get "/fail"
      assert.same({ 265, 500 }, { #body, status })
      assert.same({ "409: because", 409 }, { get "/abort/409" })
      -- an HTTP 500 is no uncaught error
      assert.same({ "500: nil", 500 }, { get "/abort/500" })
      local _, logged = s:wait_for_stderr("Exception on request"):gsub("Exception on request", "")
      assert.equal(2, logged)
    end)

    for _, key in ipairs { "TESTING", "DEBUG" } do
      it("PROPAGATE_EXCEPTIONS, not set, is as " .. key, function()
        start(VIEWS)
        get("/set/" .. key .. "/yes")
        assert.is_nil(get("/fail"):find("500: lost", 1, true))
        get "/set/PROPAGATE_EXCEPTIONS/no"
        assert.same({ "500: lost", 500 }, { get "/fail" })
      end)
    end
  end)
end)
