--- The order of all that runs for a request, as Quart has it, whatever fails on the way.
--- spec/data/lifecycle/app.lua notes it; a trace is printed with LIFECYCLE_TRACE=1.

local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local APP = "spec/data/lifecycle/app.lua"
local VIEW = "/par/ch/view/1"

local PUSHED, STARTED = "appcontext_pushed", "request_started"
local VALUES = "values_app values_par values_ch"
local BEFORE_APP = "before_app1 before_app2 before_via_par before_via_ch"
local BEFORE = BEFORE_APP .. " before_par1 before_par2 before_ch1 before_ch2"
local AFTER_THIS = "after_this_1 after_this_2"
local AFTER_BLUEPRINTS = "after_ch2 after_ch1 after_par2 after_par1"
local AFTER_APP = "after_via_ch after_via_par after_app2 after_app1"
local AFTER = AFTER_BLUEPRINTS .. " " .. AFTER_APP
local FINISHED = "request_finished"
local EXCEPTION = "got_request_exception"
local TEARDOWN_BLUEPRINTS = "teardown_ch2 teardown_ch1 teardown_par2 teardown_par1"
local TEARDOWN_APP = "teardown_via_ch teardown_via_par teardown_app2 teardown_app1 "
  .. "request_tearing_down teardown_appcontext2 teardown_appcontext1 appcontext_tearing_down "
  .. "appcontext_popped"
local TEARDOWN = TEARDOWN_BLUEPRINTS .. " " .. TEARDOWN_APP

local function path(...)
  return table.concat({ ... }, " ")
end

local TO_VIEW = path(PUSHED, STARTED, VALUES, BEFORE, "view")
local FROM_VIEW = path(AFTER_THIS, AFTER, FINISHED, TEARDOWN)
local WELL = path(TO_VIEW, FROM_VIEW)
--- Of a request of which the app alone knows: nothing matched.
local UNMATCHED = path(PUSHED, STARTED, "values_app", BEFORE_APP)
local UNMATCHED_END = path(AFTER_APP, FINISHED, TEARDOWN_APP)
--- An error left the app: each is handed it.
local ESCAPED = (TEARDOWN:gsub("%S+", "%0!"):gsub("appcontext_popped!", "appcontext_popped"))

--- The part of a trace up to and with a name.
local function up_to(name, trace)
  return (assert(trace:match("^(.-%f[%w_]" .. name .. ")%f[^%w_]"), name))
end

describe("the order of life", function()
  local running = {} ---@type table<string, spec.Server>

  --- The server of one environment, started when first asked for.
  local function serve(env)
    local key = (env.HANDLERS or "") .. " " .. (env.CONFIG or "")
    running[key] = running[key] or server.start { path = APP, env = env }
    return running[key]
  end

  teardown(server.stop_all)

  --- What ran for a request, and the answer to it.
  local function trace(query, options)
    options = options or {}
    local s = serve {
      HANDLERS = options.handlers and "1" or false, CONFIG = options.config or false,
    }
    local answer = http.request(s, options.method or "GET", (options.path or VIEW) .. "?" .. query)
    local text = http.get(s, "/trace").body
    if os.getenv "LIFECYCLE_TRACE" then
      print(("\n%s %s\n  %s"):format(query, answer.status, text))
    end
    return text, answer
  end

  --- Ask, and compare the trace and the status.
  local function expect(query, status, wanted, options)
    local text, answer = trace(query, options)
    assert.equal(wanted, text)
    assert.equal(status, answer.status)
    return answer
  end

  it("of a request that is well, is Quart's", function()
    assert.equal("viewed", expect("", 200, WELL).body)
  end)

  it("is that of a stream, whose pieces are made when all else is over", function()
    local answer = expect("answer=stream", 200, path(WELL, "chunk1 chunk2 chunk3"))
    assert.equal("chunk1 chunk2 ", answer.body)
  end)

  describe("of a template", function()
    local PROCESSORS = "processor_app processor_par processor_ch"

    it("has processors and signals between view and hooks", function()
      local answer = expect("answer=template", 200, path(TO_VIEW, PROCESSORS,
        "before_render_template template_rendered", FROM_VIEW))
      assert.equal("app par ch g", answer.body)
    end)

    it("that is streamed has its end behind all else", function()
      local answer = expect("answer=template_stream", 200, path(TO_VIEW, PROCESSORS,
        "before_render_template", FROM_VIEW, "template_rendered"))
      assert.equal("app par ch g", answer.body)
    end)

    it("breaks off where one of them fails", function()
      for _, name in ipairs { "processor_app", "processor_ch" } do
        expect("answer=template&raise=known&fail=" .. name, 418, path(TO_VIEW,
          up_to(name, PROCESSORS), "handler_known", AFTER_THIS, AFTER, FINISHED, TEARDOWN))
      end
      expect("answer=template&raise=known&fail=template_rendered", 418, path(TO_VIEW, PROCESSORS,
        "before_render_template template_rendered handler_known", AFTER_THIS, AFTER, FINISHED,
        TEARDOWN))
    end)
  end)

  it("ends with the answer of a hook before the view", function()
    local stopped = path(PUSHED, STARTED, VALUES, up_to("before_par1", BEFORE), AFTER, FINISHED,
      TEARDOWN)
    assert.equal("stopped", expect("stop=before_par1", 200, stopped).body)
    expect("stop=before_par1", 200, stopped, { method = "OPTIONS" })
  end)

  describe("without a view", function()
    local NONE = path(UNMATCHED, UNMATCHED_END)
    local STOPPED = path(PUSHED, STARTED, "values_app", "before_app1 before_app2", UNMATCHED_END)

    it("leaves the blueprints out, of whose prefix the path is", function()
      expect("", 404, NONE, { path = "/par/ch/nothing" })
      expect("", 404, NONE, { path = "/par/ch/view/text" })
      expect("", 405, NONE, { method = "POST" })
      expect("", 308, NONE, { path = "/par/ch/slash" })
      expect("raise=known&fail=before_app2", 418, path(PUSHED, STARTED, "values_app",
        "before_app1 before_app2", "handler_known", UNMATCHED_END), { path = "/nothing" })
    end)

    it("lets hooks answer in place of the refusal", function()
      expect("stop=before_app2", 200, STOPPED, { path = "/nothing" })
      expect("stop=before_app2", 200, STOPPED, { method = "POST" })
      expect("stop=before_app2", 200, STOPPED, { path = "/par/ch/slash" })
    end)

    it("asks the handler of the refusal", function()
      local asked = path(UNMATCHED, "handler_405", UNMATCHED_END)
      expect("", 405, asked, { method = "POST", handlers = true })
    end)

    it("runs the blueprints' hooks around automatic OPTIONS", function()
      local answer = expect("", 200, path(PUSHED, STARTED, VALUES, BEFORE, AFTER, FINISHED,
        TEARDOWN), { method = "OPTIONS" })
      assert.equal("GET, HEAD, OPTIONS", answer.header.allow)
    end)
  end)

  --- Where an error comes before there is an answer: the name that fails, and the trace up to it.
  local EARLY = {
    request_started = path(PUSHED, STARTED),
    values_app = path(PUSHED, STARTED, "values_app"),
    values_ch = path(PUSHED, STARTED, VALUES),
    before_app1 = path(PUSHED, STARTED, VALUES, "before_app1"),
    before_via_ch = path(PUSHED, STARTED, VALUES, BEFORE_APP),
    before_par2 = path(PUSHED, STARTED, VALUES, up_to("before_par2", BEFORE)),
    view = TO_VIEW,
  }
  for name, reached in pairs(EARLY) do
    local after = name == "view" and path(AFTER_THIS, AFTER) or AFTER

    describe("with an error in " .. name, function()
      it("goes on behind the view with the answer of its handler", function()
        local answer = expect("raise=known&fail=" .. name, 418, path(reached, "handler_known",
          after, FINISHED, TEARDOWN))
        assert.equal("known: " .. name, answer.body)
      end)

      it("goes on behind the view with the page of an HTTP error", function()
        expect("raise=missing&fail=" .. name, 404, path(reached, after, FINISHED, TEARDOWN))
      end)

      it("goes on behind the view with a 500", function()
        local answer = expect("fail=" .. name, 500, path(reached, EXCEPTION, after, FINISHED,
          TEARDOWN))
        assert.equal(265, #answer.body)
      end)

      it("goes on behind the view with the answer of the 500's handler", function()
        local answer = expect("fail=" .. name, 503, path(reached, EXCEPTION, "handler_500", after,
          FINISHED, TEARDOWN), { handlers = true })
        assert.equal("500: fails in " .. name, answer.body)
      end)
    end)
  end

  describe("with what a view raises", function()
    it("sends a response as it is", function()
      local answer = expect("answer=response", 202, WELL)
      assert.equal("aborted", answer.body)
      expect("answer=response", 202, WELL, { handlers = true })
    end)

    it("sends the page of an HTTP error", function()
      expect("answer=missing", 404, WELL)
    end)
  end)

  --- Where an error comes once the answer was found: no other handler than that of 500 is asked,
  --- and the hooks behind the view run for the 500 too.
  local AGAIN = path(AFTER_THIS, AFTER, FINISHED, TEARDOWN)
  local LATE = {
    after_this_1 = path(TO_VIEW, "after_this_1"),
    after_ch1 = path(TO_VIEW, AFTER_THIS, "after_ch2 after_ch1"),
    after_app1 = path(TO_VIEW, AFTER_THIS, AFTER),
    request_finished = path(TO_VIEW, AFTER_THIS, AFTER, FINISHED),
  }
  for name, reached in pairs(LATE) do
    describe("with an error in " .. name, function()
      -- it fails again for the 500, which ends the hooks of that
      local again = path(up_to(name, path(AFTER_THIS, AFTER, FINISHED)), TEARDOWN)

      it("is told twice and answered with a 500", function()
        for _, kind in ipairs { "known", "missing", "unknown" } do
          local answer = expect(("raise=%s&fail=%s"):format(kind, name), 500, path(reached,
            EXCEPTION, again))
          assert.equal(265, #answer.body)
        end
      end)

      it("is answered by the handler of 500", function()
        expect("fail=" .. name, 503, path(reached, EXCEPTION, "handler_500", again),
          { handlers = true })
      end)
    end)
  end

  describe("with an answer that is none", function()
    for _, what in ipairs { "number", "nothing" } do
      it("runs the hooks behind the view for the 500 alone: " .. what, function()
        expect("answer=" .. what, 500, path(TO_VIEW, EXCEPTION, AGAIN))
        expect("answer=" .. what, 503, path(TO_VIEW, EXCEPTION, "handler_500", AGAIN),
          { handlers = true })
      end)
    end
  end)

  describe("with an error in a handler", function()
    it("is the 500's, when the handler is another's", function()
      local reached = path(TO_VIEW, "handler_known", EXCEPTION)
      expect("raise=known&fail=view,handler_known", 500, path(reached, AGAIN))
      local answer = expect("raise=known&fail=view,handler_known", 503, path(reached,
        "handler_500", AGAIN), { handlers = true })
      assert.equal("500: handler_known", answer.body)
    end)

    it("leaves the app, when the handler is that of 500", function()
      local answer = expect("fail=view,handler_500", 500, path(TO_VIEW, EXCEPTION, "handler_500",
        ESCAPED), { handlers = true })
      assert.equal(265, #answer.body)
    end)

    it("is the 500's, when a refusal's handler fails", function()
      expect("fail=handler_405", 503, path(UNMATCHED, "handler_405", EXCEPTION, "handler_500",
        UNMATCHED_END), { method = "POST", handlers = true })
    end)

    it("leaves the app, when a receiver of got_request_exception fails", function()
      local answer = expect("fail=view,got_request_exception", 500, path(TO_VIEW, EXCEPTION,
        ESCAPED))
      assert.equal(265, #answer.body)
    end)
  end)

  describe("with an error at the end", function()
    for _, name in ipairs { "teardown_ch2", "teardown_ch1", "teardown_via_par", "teardown_app1",
      "request_tearing_down", "teardown_appcontext2", "appcontext_tearing_down",
      "appcontext_popped" } do
      it("runs all of it, logs, and answers with the plain 500: " .. name, function()
        for _, handlers in ipairs { false, true } do
          local answer = expect("fail=" .. name, 500, WELL, { handlers = handlers })
          assert.equal(265, #answer.body)
          serve({ HANDLERS = handlers and "1" or false }):wait_for_stderr("\nfails in " .. name
            .. "\nstack traceback:\n\t[C]: in function 'error'\n")
        end
      end)
    end

    it("hands an escaped error on although a hook fails", function()
      expect("fail=view,teardown_ch1!", 500, path(TO_VIEW, EXCEPTION, ESCAPED),
        { config = "PROPAGATE_EXCEPTIONS" })
    end)
  end)

  it("of a stream that fails has ended before; the connection is cut", function()
    local s = serve { HANDLERS = "1" }
    local c = raw.connect(s)
    c:send(("GET %s?answer=stream&fail=chunk2 HTTP/1.1\r\nHost: x\r\n\r\n"):format(VIEW))
    local bytes = c:read_all()
    c:close()
    assert.matches("^HTTP/1.1 200 OK\r\n", bytes)
    assert.matches("chunk1 ", bytes, 1, true)
    assert.is_nil(bytes:find("\r\n0\r\n", 1, true))
    s:wait_for_stderr("\nfails in chunk2")
    assert.equal(path(WELL, "chunk1 chunk2"), http.get(s, "/trace").body)
  end)

  describe("with a client that goes away meanwhile", function()
    local WAITS = {
      before_par2 = path(EARLY.before_par2, ESCAPED),
      view = path(TO_VIEW, ESCAPED),
      after_ch1 = path(LATE.after_ch1, ESCAPED),
      request_finished = path(LATE.request_finished, ESCAPED),
      teardown_ch1 = WELL,
      request_tearing_down = WELL,
      teardown_appcontext2 = WELL,
    }
    for name, wanted in pairs(WAITS) do
      it("goes to the end, which is not worth a log line: " .. name, function()
        local s = serve { HANDLERS = "1" }
        local logged = s:stderr()
        local c = raw.connect(s)
        c:send(("GET %s?wait=%s HTTP/1.1\r\nHost: x\r\n\r\n"):format(VIEW, name))
        s:wait_for(function()
          return http.get(s, "/trace?keep=1").body == up_to(name, WELL)
        end)
        c:reset()
        local seen
        pcall(s.wait_for, s, function()
          seen = http.get(s, "/trace?keep=1").body
          return seen == wanted
        end, 5)
        assert.equal(wanted, seen)
        http.get(s, "/trace")
        assert.equal(logged, s:stderr())
      end)
    end
  end)

  describe("with PROPAGATE_EXCEPTIONS", function()
    local options = { config = "PROPAGATE_EXCEPTIONS", handlers = true }

    it("goes from the error to the end, past hooks and the handler of 500", function()
      local answer = expect("fail=view", 500, path(TO_VIEW, EXCEPTION, ESCAPED), options)
      assert.equal(265, #answer.body)
      serve({ HANDLERS = "1", CONFIG = options.config }):wait_for_stderr("\nfails in view\n")
      expect("fail=after_ch1", 500, path(LATE.after_ch1, EXCEPTION, ESCAPED), options)
    end)

    it("lets other handlers answer", function()
      expect("raise=known&fail=view", 418, path(TO_VIEW, "handler_known", FROM_VIEW), options)
      expect("answer=missing", 404, WELL, options)
    end)
  end)

  describe("with TRAP_HTTP_EXCEPTIONS", function()
    it("makes a 500 of an HTTP error without a handler", function()
      local options = { config = "TRAP_HTTP_EXCEPTIONS" }
      expect("answer=missing", 500, path(TO_VIEW, EXCEPTION, FROM_VIEW), options)
      expect("answer=response", 500, path(TO_VIEW, EXCEPTION, FROM_VIEW), options)
      expect("", 500, path(UNMATCHED, EXCEPTION, UNMATCHED_END), { path = "/nothing",
        config = options.config })
    end)

    it("asks the handler where there is one", function()
      local options = { config = "TRAP_HTTP_EXCEPTIONS", handlers = true, method = "POST" }
      expect("", 405, path(UNMATCHED, "handler_405", UNMATCHED_END), options)
      expect("answer=missing", 503, path(TO_VIEW, EXCEPTION, "handler_500", FROM_VIEW),
        { config = options.config, handlers = true })
    end)
  end)
end)
