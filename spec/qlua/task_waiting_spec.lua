--- Where waiting works: in views, hooks, coroutines, metamethods and modules, and where not.

local http = require "support.http"
local server = require "support.server"
local views = require "support.views"

describe("waiting", function()
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

  describe("inside a C function", function()
    it("is an error that names the function and the line", function()
      start {
        ["/sort"] = [[
          table.sort({ 3, 1, 2 }, function(a, b)
            qlua.sleep(0)
            return a < b
          end)
          return ""
        ]],
        ["/gsub"] = "return (('abc'):gsub('b', function() qlua.sleep(0) end))",
        ["/pcall"] = [[
          table.sort({ 3, 1, 2 }, function(a, b)
            local ok, err = pcall(qlua.sleep, 0)
            error(err, 0)
          end)
          return ""
        ]],
      }
      for path, name in pairs { sort = "table.sort", gsub = "string.gsub", pcall = "table.sort" } do
        local _, status = get("/" .. path)
        assert.equal(500, status)
        local text = s:wait_for_stderr("request GET /" .. path .. "\n")
        local message = text:match("request GET /" .. path .. "\n([^\n]*)")
        assert.truthy(message:find("^[^\n]*app.lua:%d+: this call would wait, and the C function '"
          .. name .. "' is in the way: it cannot be suspended; fetch what is waited for before "
          .. "calling it"), message)
      end
    end)

    it("is refused through a user's coroutine too, and the task goes on well", function()
      assert.equal("false table.sort slept", run [[
        local co = coroutine.create(function()
          local ok, err = pcall(qlua.sleep, 0.001)
          coroutine.yield(ok, err)
        end)
        local seen, text
        pcall(table.sort, { 2, 1 }, function(a, b)
          local _, ok, err = coroutine.resume(co)
          seen, text = ok, tostring(err):match "C function '([%a.]+)'"
          return a < b
        end)
        qlua.sleep(0.01)
        return tostring(seen) .. " " .. tostring(text) .. " slept"
      ]])
    end)
  end)

  describe("elsewhere", function()
    it("works inside pcall, xpcall, iterators and metamethods", function()
      assert.equal("pcall xpcall 123 index call sum", run [[
        local out = {}
        local ok, value = pcall(function() qlua.sleep(0.001) return "pcall" end)
        out[1] = value
        ok, value = xpcall(function() qlua.sleep(0.001) return "xpcall" end, debug.traceback)
        out[2] = value
        local digits = ""
        for i in function(_, last)
          qlua.sleep(0.001)
          return (last or 0) < 3 and (last or 0) + 1 or nil
        end do
          digits = digits .. i
        end
        out[3] = digits
        local object = setmetatable({}, {
          __index = function(_, key) qlua.sleep(0.001) return key end,
          __call = function() qlua.sleep(0.001) return "call" end,
          __add = function() qlua.sleep(0.001) return "sum" end,
        })
        out[4], out[5], out[6] = object.index, object(), object + 1
        return table.concat(out, " ")
      ]])
    end)

    it("keeps the error handler of xpcall", function()
      assert.equal("handled late", run [[
        local _, text = xpcall(function()
          qlua.sleep(0.001)
          error("late", 0)
        end, function(err) return "handled " .. err end)
        return text
      ]])
    end)

    it("works in coroutines of the user's, three deep", function()
      assert.equal("1 2 3 end dead", run [[
        local function level(n)
          return coroutine.create(function(x)
            qlua.sleep(0.001)
            if n == 3 then
              coroutine.yield(x + 1)
              qlua.sleep(0.001)
              coroutine.yield(x + 2)
              return "end"
            end
            local inner = level(n + 1)
            local _, value = coroutine.resume(inner, x)
            while value ~= "end" do
              coroutine.yield(value)
              qlua.sleep(0.001)
              _, value = coroutine.resume(inner)
            end
            return "end"
          end)
        end
        local co = level(1)
        local out = { "1" }
        local _, value = coroutine.resume(co, 1)
        repeat
          out[#out + 1] = value
          _, value = coroutine.resume(co)
        until value == "end"
        out[#out + 1] = value
        out[#out + 1] = coroutine.status(co)
        return table.concat(out, " ")
      ]])
    end)

    it("works in generators", function()
      assert.equal("1 4 9", run [[
        local function squares(n)
          return coroutine.wrap(function()
            for i = 1, n do
              qlua.sleep(0.001)
              coroutine.yield(i * i)
            end
          end)
        end
        local out = {}
        for square in squares(3) do
          out[#out + 1] = square
        end
        return table.concat(out, " ")
      ]])
    end)

    it("leaves status and running as Lua has them", function()
      assert.equal("suspended running suspended normal dead normal", run [[
        local out = {}
        local co
        co = coroutine.create(function()
          out[#out + 1] = coroutine.status(co)
          assert(coroutine.running() == co)
          coroutine.yield()
          local inner = coroutine.wrap(function() out[#out + 1] = coroutine.status(co) end)
          inner()
        end)
        out[1] = coroutine.status(co)
        coroutine.resume(co)
        out[#out + 1] = coroutine.status(co)
        coroutine.resume(co)
        out[#out + 1] = coroutine.status(co)
        local waits = coroutine.create(function() qlua.sleep(0.02) end)
        qlua.spawn(function() coroutine.resume(waits) end)
        qlua.sleep(0.005)
        out[#out + 1] = coroutine.status(waits)
        local ok, message = coroutine.resume(waits)
        assert(not ok and message == "cannot resume a coroutine whose inner code waits; it goes on "
          .. "by itself", message)
        return table.concat(out, " ")
      ]])
    end)

    it("passes errors through wrap and resume", function()
      assert.equal("raised table true", run [[
        local ok, err = pcall(coroutine.wrap(function() qlua.sleep(0.001) error("raised", 0) end))
        assert(not ok)
        local value = {}
        local _, other = coroutine.resume(coroutine.create(function()
          qlua.sleep(0.001)
          error(value)
        end))
        return err .. " " .. type(other) .. " " .. tostring(other == value)
      ]])
    end)
  end)

  describe("require", function()
    it("loads a module that waits while it loads", function()
      assert.equal("ready slow_module", run("return require('slow_module').text", {
        ["slow_module.lua"] = [[
          local name = ...
          require("qlua").sleep(0.005)
          return { text = "ready " .. name }
        ]],
      }))
    end)

    it("makes two tasks that need the same waiting module share it", function()
      assert.equal("1 true", run([[
        local a, b = qlua.gather(function() return require "slow" end,
          function() return require "slow" end)
        return loads .. " " .. tostring(a == b)
      ]], {
        ["slow.lua"] = [[
          loads = (loads or 0) + 1
          require("qlua").sleep(0.01)
          return {}
        ]],
      }))
    end)

    it("names a loop", function()
      run("return require 'one'", {
        ["one.lua"] = "local two = require 'two' return two",
        ["two.lua"] = "local one = require 'one' return one",
      })
      assert.truthy(s:wait_for_stderr("loading module"):find(
        "two.lua:1: loop or previous error loading module 'one'", 1, true))
    end)

    it("names a module that is not there, and where it looked", function()
      run "local module = require 'no.such_module' return module"
      local text = s:wait_for_stderr "no.such_module"
      assert.truthy(text:find("app.lua:6: module 'no.such_module' not found:\n", 1, true), text)
      assert.truthy(text:find("no file '" .. s.folder .. "/no/such_module.lua'", 1, true), text)
    end)

    it("tries a module again that failed", function()
      assert.equal("false first second", run([[
        local ok, err = pcall(require, "flaky")
        return tostring(ok) .. " " .. err .. " " .. require "flaky"
      ]], {
        ["flaky.lua"] = [[
          tries = (tries or 0) + 1
          if tries == 1 then error("first", 0) end
          return "second"
        ]],
      }))
    end)
  end)
end)
