--- Waiting: sleep, spawn, gather, timeout, cancel, and where waiting works.

local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"
local views = require "support.views"
local wait = require "support.wait"

describe("task", function()
  local s

  local function start(bodies, files)
    s = views.start_bare(bodies, files)
    return s
  end

  local function get(path)
    local response = http.get(s, path)
    return response.body, response.status
  end

  --- What one view gives.
  local function run(body, files)
    start({ ["/"] = body }, files)
    return get "/"
  end

  after_each(server.stop_all)

  describe("sleep", function()
    it("wakes in the order of the times, none too early", function()
      assert.equal("c b a", run [[
        local ffi = require "ffi"
        ffi.cdef "struct timespec { long s, ns; }; int clock_gettime(int, struct timespec *);"
        local function now()
          local time = ffi.new "struct timespec"
          ffi.C.clock_gettime(1, time) -- CLOCK_MONOTONIC
          return tonumber(time.s) + tonumber(time.ns) / 1e9
        end
        local order = {}
        local function later(name, seconds)
          return function()
            local t0 = now()
            qlua.sleep(seconds)
            local slept = now() - t0
            assert(slept >= seconds - 0.0011, "woke after " .. slept) -- both clocks are cut to ms
            order[#order + 1] = name
          end
        end
        qlua.gather(later("a", 0.09), later("b", 0.05), later("c", 0.01))
        return table.concat(order, " ")
      ]])
    end)

    it("does not block other requests", function()
      start { ["/slow"] = "qlua.sleep(30) return 'slow'", ["/fast"] = "return 'fast'" }
      local c = raw.connect(s)
      c:send "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
      assert.equal("fast", get "/fast")
      assert.is_true(c:is_silent(0.01))
      c:close()
    end)

    it("lets others run for 0 and below", function()
      assert.equal("1 2 1 2", run [[
        local order = {}
        local function twice(name)
          return function()
            order[#order + 1] = name
            qlua.sleep(name == "1" and 0 or -5)
            order[#order + 1] = name
          end
        end
        qlua.gather(twice "1", twice "2")
        return table.concat(order, " ")
      ]])
    end)

    it("refuses what is no number, at the caller's line", function()
      start {
        ["/text"] = "qlua.sleep('soon') return ''", ["/none"] = "qlua.sleep() return ''",
        ["/nan"] = "qlua.sleep(0 / 0) return ''",
      }
      local given = { text = 'the string "soon"', none = "nil", nan = "the number nan" }
      for path, what in pairs(given) do
        get("/" .. path)
        local text = s:wait_for_stderr("request GET /" .. path .. "\n")
        local message = text:match("request GET /" .. path .. "\n([^\n]*)")
        assert.truthy(message:find("app.lua:%d+: sleep: seconds must be a number, got "), message)
        assert.truthy(message:gsub("%-nan", "nan"):find(what, 1, true), message)
      end
    end)
  end)

  describe("spawn", function()
    it("shares the request and g of its parent", function()
      assert.equal("/ before after", run [[
        g.word = "before"
        local task = qlua.spawn(function()
          local path, word = request.path, g.word
          g.word = "after"
          return path, word
        end)
        local path, word = task:wait()
        return path .. " " .. word .. " " .. g.word
      ]])
    end)

    it("gets its arguments, and gives all its results", function()
      assert.equal("3 1 nil 3", run [[
        local function back(...) return ... end
        local function show(...)
          return ("%d %s %s %s"):format(select("#", ...), tostring((...)),
            tostring((select(2, ...))), tostring((select(3, ...))))
        end
        return show(qlua.spawn(back, 1, nil, 3):wait())
      ]])
    end)

    it("gives its results again to whoever waits again", function()
      assert.equal("5 5", run [[
        local task = qlua.spawn(function() return "5" end)
        local first = task:wait()
        return first .. " " .. task:wait()
      ]])
    end)

    it("raises its error where it is waited for, with the frames of both", function()
      local body, status = run [[
        local function inner() error { code = 7 } end
        local task = qlua.spawn(function() inner() end)
        local ok, err = pcall(task.wait, task)
        assert(not ok and err.code == 7)
        qlua.spawn(function() qlua.sleep(0.001) error "deep" end):wait()
        return "not reached"
      ]]
      assert.equal(500, status)
      assert.falsy(body:find "deep")
      local text = s:wait_for_stderr "deep"
      assert.truthy(text:find("Exception on request GET /\n[^\n]*app.lua:10: deep\n"), text)
      assert.truthy(text:find("traceback of a coroutine:.*app.lua:10: in .*app.lua:10: in "), text)
      assert.falsy(text:find("nobody waits", 1, true))
    end)

    it("has its error logged when nobody waits", function()
      assert.equal("done", run [[
        qlua.spawn(function()
          local function inner() error "lonely" end
          inner()
        end)
        return "done"
      ]])
      local text = s:wait_for_stderr "lonely"
      assert.truthy(text:find("%[ERROR%] Exception in a spawned task, which nobody waits for\n"
        .. "[^\n]*app.lua:7: lonely\nstack traceback:\n.*app.lua:7: in function 'inner'"), text)
    end)

    it("outlives the answer, with its request", function()
      start {
        ["/begin"] = [[
          qlua.spawn(function()
            qlua.sleep(0.05)
            result = request.path .. " " .. g.mark -- luacheck: ignore
          end)
          g.mark = "m"
          return "answered"
        ]],
        ["/result"] = "return result or ''",
      }
      assert.equal("answered", get "/begin")
      assert.equal("/begin m", s:wait_for(function()
        local text = get "/result"
        return text ~= "" and text
      end))
    end)

    it("says what it is and how it stands", function()
      assert.equal("<Task running> <Task returned> <Task failed> <Task cancelled>", run [[
        local a = qlua.spawn(function() end)
        local b = qlua.spawn(function() error "x" end)
        local c = qlua.spawn(function() qlua.sleep(9) end)
        local first = tostring(a)
        pcall(b.wait, b)
        c:cancel()
        pcall(c.wait, c)
        return table.concat({ first, tostring(a), tostring(b), tostring(c) }, " ")
      ]])
    end)

    it("needs a function", function()
      run "qlua.spawn('x') return ''"
      s:wait_for_stderr('spawn: argument 1 must be a function, got the string "x"')
    end)
  end)

  describe("wait", function()
    it("cannot be for the waiting task itself", function()
      run [[
        local task
        task = qlua.spawn(function() task:wait() return "" end)
        return task:wait()
      ]]
      assert.truthy(s:wait_for_stderr("itself"):find(
        "app.lua:7: a task cannot wait for itself", 1, true))
    end)

    it("is for one task at a time", function()
      run [[
        local task = qlua.spawn(function() qlua.sleep(5) end)
        qlua.spawn(function() task:wait() end)
        qlua.sleep(0.01)
        task:wait()
        return ""
      ]]
      assert.truthy(s:wait_for_stderr("another task"):find("app.lua:9: another task waits for this "
        .. "one already; only one can: wait there and hand the results on", 1, true))
    end)

    it("is free again when the one who waited has given up", function()
      assert.equal("late", run [[
        local task = qlua.spawn(function() qlua.sleep(0.03) return "late" end)
        local impatient = qlua.spawn(function() task:wait() end)
        qlua.sleep(0.005)
        impatient:cancel()
        qlua.sleep(0)
        return task:wait()
      ]])
    end)
  end)

  describe("gather", function()
    it("gives the first result of each, in order", function()
      assert.equal("a nil c 4", run [[
        local a, b, c, d = qlua.gather(
          function() qlua.sleep(0.02) return "a", "more" end,
          function() end,
          function() return "c" end,
          function() qlua.sleep(0.01) return 4 end)
        return ("%s %s %s %s"):format(a, tostring(b), c, d)
      ]])
    end)

    it("gives nothing for nothing", function()
      assert.equal("0", run [[return tostring(select("#", qlua.gather()))]])
    end)

    it("raises the first error, and has cancelled the rest", function()
      assert.equal("boom cleaned false", run [[
        local cleaned, finished = "", false
        local ok, err = pcall(qlua.gather,
          function() qlua.sleep(0.005) error("boom", 0) end,
          function()
            local ok, why = pcall(qlua.sleep, 5)
            cleaned = "cleaned"
            error(why, 0)
          end,
          function() qlua.sleep(5) finished = true end)
        return ("%s %s %s"):format(err, cleaned, tostring(ok or finished))
      ]])
      assert.falsy(s:stderr():find "Exception")
    end)

    it("nests", function()
      assert.equal("1 2 3 4", run [[
        local function pair(x, y)
          return function()
            local a, b = qlua.gather(function() qlua.sleep(0.002) return x end,
              function() return y end)
            return a .. " " .. b
          end
        end
        local first, second = qlua.gather(pair("1", "2"), pair("3", "4"))
        return first .. " " .. second
      ]])
    end)

    it("cancels its functions when it is cancelled", function()
      assert.equal("2", run [[
        local cleaned = 0
        local function one()
          pcall(qlua.sleep, 9)
          cleaned = cleaned + 1
        end
        local task = qlua.spawn(function() qlua.gather(one, one) end)
        qlua.sleep(0.005)
        task:cancel()
        qlua.sleep(0.005)
        return tostring(cleaned)
      ]])
    end)

    it("names an argument that is no function", function()
      run "qlua.gather(print, 5) return ''"
      assert.truthy(s:wait_for_stderr("gather:"):find(
        "app.lua:6: gather: argument 2 must be a function, got the number 5", 1, true))
    end)

    it("does not take longer for each when 4,000 wait", function()
      start {
        ["/"] = [[
          local function timed(count)
            local functions = {}
            for i = 1, count do
              functions[i] = function() qlua.sleep(0.001) return i end
            end
            local t0 = os.clock()
            local last = select(count, qlua.gather(unpack(functions)))
            assert(last == count)
            return (os.clock() - t0) / count
          end
          timed(400)
          return ("%.9f %.9f"):format(timed(400), timed(4000))
        ]],
      }
      local few, many = get("/"):match "(%S+) (%S+)"
      if not os.getenv "SANITIZER" then
        assert.is_true(tonumber(many) < 5 * tonumber(few) + 2e-6, few .. " " .. many)
      end
    end)
  end)

  describe("timeout", function()
    it("passes the results of who is fast enough", function()
      assert.equal("a b 3", run [[
        local a, b, n = qlua.timeout(5, function(...)
          qlua.sleep(0.001)
          return "a", "b", select("#", ...)
        end, nil, nil, nil)
        return a .. " " .. b .. " " .. n
      ]])
    end)

    it("raises errors.Timeout, after the function's clean-up", function()
      assert.equal("true true timed out after 0.01 seconds", run [[
        local cleaned = false
        local ok, err = pcall(qlua.timeout, 0.01, function()
          local ok, why = pcall(qlua.sleep, 60)
          cleaned = getmetatable(why) == qlua.errors.Cancelled
          error(why, 0)
        end)
        return ("%s %s %s"):format(tostring(cleaned),
          tostring(getmetatable(err) == qlua.errors.Timeout), tostring(err))
      ]])
    end)

    it("raises the function's own error", function()
      assert.equal("own", run [[
        local _, err = pcall(qlua.timeout, 5, function() error("own", 0) end)
        return err
      ]])
    end)

    it("nests: the shorter time ends the inner alone", function()
      assert.equal("inner done", run [[
        return qlua.timeout(5, function()
          local ok, err = pcall(qlua.timeout, 0.005, qlua.sleep, 60)
          assert(not ok and getmetatable(err) == qlua.errors.Timeout)
          return "inner done"
        end)
      ]])
    end)

    it("refuses wrong arguments", function()
      start { ["/a"] = "qlua.timeout('1', print) return ''", ["/b"] = "qlua.timeout(1) return ''" }
      get "/a"
      get "/b"
      s:wait_for_stderr 'timeout: seconds must be a number, got the string "1"'
      s:wait_for_stderr "timeout: argument 2 must be a function, got nil"
    end)
  end)

  describe("cancel", function()
    it("raises errors.Cancelled at the wait, and at each further one", function()
      assert.equal("Cancelled Cancelled", run [[
        local seen = {}
        local task = qlua.spawn(function()
          local _, first = pcall(qlua.sleep, 9)
          local _, second = pcall(qlua.sleep, 9)
          seen = { getmetatable(first).__name, getmetatable(second).__name }
        end)
        qlua.sleep(0.001)
        assert(task:cancel() == true)
        task:wait()
        return table.concat(seen, " ")
      ]])
    end)

    it("keeps a task that has not begun from running at all", function()
      assert.equal("false Cancelled", run [[
        local ran = false
        local task = qlua.spawn(function() ran = true end)
        task:cancel()
        local _, err = pcall(task.wait, task)
        return tostring(ran) .. " " .. getmetatable(err).__name
      ]])
    end)

    it("is nothing for a task that is over", function()
      assert.equal("false kept", run [[
        local task = qlua.spawn(function() return "kept" end)
        task:wait()
        return tostring(task:cancel()) .. " " .. task:wait()
      ]])
    end)

    it("logs what goes wrong in the clean-up, and nothing else", function()
      run [[
        local task = qlua.spawn(function()
          pcall(qlua.sleep, 9)
          error "clean-up failed"
        end)
        local silent = qlua.spawn(function() qlua.sleep(9) end)
        qlua.sleep(0.001)
        task:cancel()
        silent:cancel()
        qlua.sleep(0.001)
        return ""
      ]]
      local text = s:wait_for_stderr "clean-up failed"
      assert.equal(1, select(2, text:gsub("Exception", "")))
    end)

    it("ends a task that catches it and waits again for ever", function()
      assert.equal("Cancelled", run [[
        local task = qlua.spawn(function()
          while true do
            pcall(qlua.sleep, 1)
          end
        end)
        qlua.sleep(0.001)
        task:cancel()
        local _, err = pcall(task.wait, task)
        return getmetatable(err).__name
      ]])
      s:wait_for_stderr("[WARNING] a cancelled task caught errors.Cancelled and waited again, 100 "
        .. "times; it was ended. A pcall around a wait must let errors.Cancelled through")
    end)

    it("comes to a view whose client has gone", function()
      start {
        ["/wait"] = [[
          local ok, err = pcall(qlua.sleep, 30)
          result = getmetatable(err).__name
          error(err, 0)
        ]],
        ["/result"] = "return result or ''",
      }
      local c = raw.connect(s)
      c:send "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
      get "/result"
      c:reset()
      assert.equal("Cancelled", s:wait_for(function()
        local text = get "/result"
        return text ~= "" and text
      end))
      assert.falsy(s:stderr():find "Exception")
    end)

    it("leaves a log of what else goes wrong once the client has gone", function()
      start { ["/wait"] = "pcall(qlua.sleep, 30) error 'too late'", ["/"] = "return ''" }
      local c = raw.connect(s)
      c:send "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"
      get "/"
      c:reset()
      local text = s:wait_for_stderr "too late"
      assert.truthy(text:find("Exception on request GET /wait", 1, true))
    end)

    it("leaves no task waiting for a body whose client has gone, or was answered", function()
      start {
        ["/gone"] = [[
          qlua.spawn(function()
            local ok, err = pcall(request.get_data, request)
            gone = tostring(ok) .. " " .. tostring(err.code)
          end)
          qlua.sleep(60)
        ]],
        ["/answered"] = [[
          qlua.spawn(function()
            local ok, err = pcall(request.get_data, request)
            answered = tostring(ok) .. " " .. tostring(err.code)
          end)
          return "early"
        ]],
        ["/result"] = "return tostring(gone) .. ' ' .. tostring(answered)",
      }
      local head = "GET %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
      local first, second = raw.connect(s), raw.connect(s)
      first:send(head:format "/gone")
      second:send(head:format "/answered")
      assert.equal("early", second:response().body)
      first:reset()
      s:wait_for(function() return get "/result" == "false 400 false 400" end)
      second:close()
    end)

    it("is an error of the view when the app itself cancelled what it waits for", function()
      local _, status = run [[
        local task = qlua.spawn(function() qlua.sleep(9) end)
        task:cancel()
        task:wait()
      ]]
      assert.equal(500, status)
      assert.truthy(s:wait_for_stderr("Exception"):find(
        "Exception on request GET /\ncancelled\n", 1, true))
    end)

    it("ends an endless stream with its client", function()
      start {
        ["/stream"] = [[
          local count = 0
          return function()
            count = count + 1
            written = count
            return ("x"):rep(1000)
          end
        ]],
        ["/written"] = "return tostring(written or 0)",
      }
      local c = raw.connect(s)
      c:send "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
      c:read(100000)
      c:reset()
      local last
      s:wait_for(function()
        local before = last
        last = get "/written"
        return last == before
      end)
      assert.falsy(s:stderr():find "Exception")
    end)
  end)

  describe("a bare coroutine.yield", function()
    it("is an error that says what to do", function()
      local _, status = run "coroutine.yield(1) return 'x'"
      assert.equal(500, status)
      local text = s:wait_for_stderr "attempt to yield"
      assert.truthy(text:find("app.lua:6: attempt to yield from outside a coroutine: "
        .. "coroutine.yield works inside coroutine.create and coroutine.wrap only; to let others "
        .. "run, call qlua.sleep(0)", 1, true), text)
      assert.truthy(text:find "stack traceback:\n.*app.lua:6: in ", text)
    end)
  end)

  it("ends coroutines that resume each other without an end; the worker lives", function()
    for _, inner in ipairs {
      "return coroutine.wrap(function() return r() end)()",
      "return assert(coroutine.resume(coroutine.create(function() return r() end)))",
    } do
      local body, status = run("local function r() " .. inner .. " end "
        .. "local _, err = pcall(r) return err:sub(1, 500)")
      assert.equal(200, status)
      assert.matches("C stack overflow: too many coroutines are resumed within each other", body)
      s:stop()
    end
  end)

  it("finds 10,000 waiting tasks without searching", function()
    start {
      ["/"] = [[
        for i = 1, 10000 do
          qlua.spawn(function() qlua.sleep(60) end)
        end
        qlua.sleep(0.001)
        local function timed()
          local t0 = os.clock()
          for i = 1, 2000 do
            qlua.spawn(function() end):wait()
          end
          return os.clock() - t0
        end
        return tostring(timed())
      ]],
    }
    local t0 = wait.now()
    assert.is_true(tonumber((get "/")) < 1)
    assert.is_true(wait.now() - t0 < 5)
  end)
end)
