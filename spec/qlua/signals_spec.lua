-- the module needs nothing of the core but the array mark
local marked = setmetatable({}, { __mode = "k" })
local stand_in = {
  array = function(list)
    marked[list] = true
    return list
  end,
}
local real = package.loaded["qlua.core"]
package.loaded["qlua.core"] = stand_in
package.loaded["qlua.signal"], package.loaded["qlua.signals"] = nil, nil
local signals = require "qlua.signals"
package.loaded["qlua.core"] = real
package.loaded["qlua.signal"], package.loaded["qlua.signals"] = nil, nil

local CORE = {
  "appcontext_popped", "appcontext_pushed", "appcontext_tearing_down", "before_render_template",
  "got_background_exception", "got_request_exception", "got_serving_exception",
  "got_websocket_exception", "message_flashed", "request_finished", "request_started",
  "request_tearing_down", "template_rendered", "websocket_finished", "websocket_received",
  "websocket_sent", "websocket_started", "websocket_tearing_down",
}

--- A list, and a receiver that notes its senders in it.
local function notes()
  local got = {}
  return got, function(sender)
    got[#got + 1] = sender == nil and "nobody" or sender
  end
end

local function new()
  return signals.Namespace():signal "test"
end

--- The message of a call that fails; its position must be in this file.
local function failure(fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  return (message:gsub("^.-signals_spec%.lua:%d+: ", "AT "))
end

describe("signals", function()
  describe("the core ones", function()
    it("are 18, with dashes in their names", function()
      local found = {}
      for name, value in pairs(signals) do
        if type(value) == "table" then
          found[#found + 1] = name
          assert.equal((name:gsub("_", "-")), value.name)
          assert.is_nil(value.receivers)
        end
      end
      table.sort(found)
      assert.same(CORE, found)
    end)

    it("tell on_change of each change of their connections", function()
      local changes = {}
      function signals.on_change(which)
        changes[#changes + 1] = which.name .. (which.receivers and " heard" or " unheard")
      end
      local started = signals.request_started
      local receiver = started:connect(print)
      started:connect(receiver)
      started:disconnect(receiver, "never connected")
      started:disconnect(receiver)
      started:disconnect(receiver)
      new():connect(print)
      signals.on_change = nil
      assert.same({ "request-started heard", "request-started unheard" }, changes)
    end)
  end)

  describe("a namespace", function()
    it("gives the same signal for the same name", function()
      local space, other = signals.Namespace(), signals.Namespace()
      local ready = space:signal("report-ready", "a report is ready")
      assert.equal("report-ready", ready.name)
      assert.equal("a report is ready", ready.doc)
      assert.equal('<Signal "report-ready">', tostring(ready))
      assert.equal(ready, space:signal "report-ready")
      assert.not_equal(ready, other:signal "report-ready")
      assert.not_equal(ready, signals.signal "report-ready")
      assert.equal(signals.signal "report-ready", signals.signal "report-ready")
      assert.not_equal(signals.request_started, signals.signal "request-started")
    end)
  end)

  describe("send", function()
    it("calls receivers in connection order and gives what each returned", function()
      local signal = new()
      local first = signal:connect(function() return 1, "dropped" end)
      local second = signal:connect(function() return nil end)
      local third = signal:connect(function() return 3 end)
      local results = signal:send "me"
      assert.same({ { first, 1 }, { second, nil }, { third, 3 } }, results)
      assert.is_true(marked[results])
      assert.is_true(marked[results[1]])
    end)

    it("hands over the sender and always a table", function()
      local signal, got = new(), {}
      signal:connect(function(...)
        got[#got + 1] = { n = select("#", ...), ... }
      end)
      local extra = { r = 1 }
      signal:send()
      signal:send("me", extra)
      assert.same({ { n = 2, nil, {} }, { n = 2, "me", { r = 1 } } }, got)
      assert.equal(extra, got[2][2])
    end)

    it("gives an empty list while nobody listens", function()
      local results = new():send "me"
      assert.same({}, results)
      assert.is_true(marked[results])
    end)

    it("ends at the first error, which it raises as it is", function()
      local signal, got, receiver = new(), notes()
      local raised = {}
      signal:connect(function() error(raised) end)
      signal:connect(receiver)
      local ok, err = pcall(signal.send, signal, "me")
      assert.is_false(ok)
      assert.equal(raised, err)
      assert.same({}, got)
    end)

    it("does not call what is connected meanwhile", function()
      local signal, got, receiver = new(), notes()
      local for_other = function() got[#got + 1] = "for other" end
      signal:connect(function()
        signal:connect(receiver)
        signal:connect(for_other, "me")
      end)
      signal:connect(for_other, "other")
      signal:send "me"
      assert.same({}, got)
      signal:send "me"
      assert.same({ "for other", "me" }, got)
    end)

    it("passes over what is disconnected before its turn", function()
      local signal, got, receiver = new(), notes()
      local for_me = function() got[#got + 1] = "for me" end
      signal:connect(function()
        signal:disconnect(receiver)
        signal:disconnect(for_me, "me")
      end)
      signal:connect(receiver)
      signal:connect(for_me, "me")
      signal:connect(for_me, "other")
      signal:send "me"
      assert.same({}, got)
      signal:send "other"
      assert.same({ "for me" }, got)
    end)

    it("lets receivers wait", function()
      local signal = new()
      signal:connect(coroutine.yield)
      local results
      local co = coroutine.create(function()
        results = signal:send("me", { a = 1 })
      end)
      assert.same({ true, "me", { a = 1 } }, { coroutine.resume(co) })
      coroutine.resume(co, "answer")
      assert.equal("answer", results[1][2])
    end)
  end)

  describe("connect", function()
    it("gives the receiver back and holds it", function()
      local signal, count = new(), 0
      assert.equal(print, signals.Namespace():signal("x"):connect(print))
      signal:connect(function() count = count + 1 end)
      collectgarbage()
      signal:send()
      assert.equal(1, count)
    end)

    it("takes what can be called", function()
      local signal, got = new(), {}
      local object = setmetatable({}, { __call = function(_, sender) got[1] = sender end })
      signal:connect(object)
      signal:send "me"
      assert.same({ "me" }, got)
    end)

    it("makes one connection of two, also for any sender and for one", function()
      for _, orders in ipairs { { "a" }, { nil, "a" }, { "a", nil } } do
        local signal, got, receiver = new(), notes()
        for i = 1, 2 do
          signal:connect(receiver, orders[i])
          signal:connect(receiver, orders[i])
        end
        signal:send "a"
        assert.same({ "a" }, got)
        signal:disconnect(receiver)
        assert.is_nil(signal.receivers)
      end
    end)

    it("keeps a receiver's place when it is connected for more", function()
      local signal, got = new(), {}
      local first = function() got[#got + 1] = "first" end
      signal:connect(first, "a")
      signal:connect(function() got[#got + 1] = "second" end)
      signal:connect(first)
      signal:send "b"
      assert.same({ "first", "second" }, got)
      signal:disconnect(first)
      signal:connect(first)
      signal:send "b"
      assert.same({ "first", "second", "second", "first" }, got)
    end)

    it("compares strings and numbers by value, all else by identity", function()
      local signal, got, receiver = new(), notes()
      local sender, twin = { 1 }, { 1 }
      for _, value in ipairs { "a" .. 1, 2, sender } do
        signal:connect(receiver, value)
      end
      signal:connect(receiver, false)
      for _, value in ipairs { "a1", 4 / 2, "2", twin, sender, true } do
        signal:send(value)
      end
      signal:send(false)
      signal:send()
      assert.same({ "a1", 2, sender, false }, got)
      assert.equal(sender, got[3])
    end)
  end)

  describe("disconnect", function()
    it("ends one sender's connection, or all of them", function()
      local signal, got, receiver = new(), notes()
      signal:connect(receiver, "a")
      signal:connect(receiver, "b")
      signal:disconnect(receiver, "a")
      signal:send "a"
      signal:send "b"
      assert.same({ "b" }, got)
      signal:disconnect(receiver)
      signal:send "b"
      assert.same({ "b" }, got)
      assert.is_nil(signal.receivers)
    end)

    it("leaves a connection for any sender when one sender is named", function()
      local signal, got, receiver = new(), notes()
      signal:connect(receiver)
      signal:connect(receiver, "a")
      signal:disconnect(receiver, "a")
      signal:send "a"
      assert.same({ "a" }, got)
    end)

    it("does not mind a receiver that is not connected", function()
      local signal = new()
      signal:disconnect(print)
      signal:disconnect(print, "a")
    end)
  end)

  it("know for whom they have receivers", function()
    local signal, receiver = new(), function() end
    assert.is_false(signal:has_receivers_for "a")
    assert.is_false(signal:has_receivers_for())
    signal:connect(receiver, "a")
    assert.is_true(signal:has_receivers_for "a")
    assert.is_false(signal:has_receivers_for "b")
    assert.is_false(signal:has_receivers_for())
    signal:disconnect(receiver, "a")
    assert.is_false(signal:has_receivers_for "a")
    signal:connect(receiver)
    assert.is_true(signal:has_receivers_for "b")
    assert.is_true(signal:has_receivers_for())
  end)

  describe("connected_to", function()
    it("connects for the time of its body and gives the body's results", function()
      local signal, got, receiver = new(), notes()
      local results = { signal:connected_to(receiver, function()
        signal:send "a"
        return 1, nil, 3
      end) }
      assert.same({ 1, nil, 3 }, results)
      signal:connected_to(receiver, "a", function()
        signal:send "a"
        signal:send "b"
      end)
      signal:send "a"
      assert.same({ "a", "a" }, got)
      assert.is_nil(signal.receivers)
    end)

    it("ends all connections of its receiver, after an error too", function()
      local signal, _, receiver = new(), notes()
      signal:connect(receiver, "before")
      local raised = {}
      local ok, err = pcall(signal.connected_to, signal, receiver, nil, function()
        error(raised)
      end)
      assert.is_false(ok)
      assert.equal(raised, err)
      assert.is_nil(signal.receivers)
    end)
  end)

  describe("muted", function()
    it("makes sending call nobody while its body runs", function()
      local signal, got, receiver = new(), notes()
      signal:connect(receiver)
      local result = signal:muted(function()
        signal:muted(function() end)
        return #signal:send "a"
      end)
      assert.equal(0, result)
      assert.is_false((pcall(signal.muted, signal, error)))
      signal:send "b"
      assert.same({ "b" }, got)
    end)
  end)

  describe("misuse", function()
    local signal = signals.Namespace():signal "ready"
    local CASES = {
      ["AT signal.connect was called on a function: call it with a colon, signal:connect(...)"] =
        function() signal.connect(print) end,
      ["AT signal.send was called on nil: call it with a colon, signal:send(...)"] =
        function() signal.send() end,
      ['AT signal "ready": connect: the receiver must be a function, got the string "x"'] =
        function() signal:connect "x" end,
      ['AT signal "ready": connect: nan is no sender, it equals nothing'] =
        function() signal:connect(print, 0 / 0) end,
      ['AT signal "ready": disconnect: the receiver must be a function, got nil'] =
        function() signal:disconnect() end,
      ['AT signal "ready": send: extra must be a table, got the number 5'] =
        function() signal:send("me", 5) end,
      ['AT signal "ready": send takes a sender and one table, got 3 arguments'] =
        function() signal:send("me", {}, 5) end,
      ['AT signal "ready": connected_to: the body, the last argument, must be a function, '
        .. "got nil"] = function() signal:connected_to(print) end,
      ['AT signal "ready": connected_to: the body, the last argument, must be a function, '
        .. 'got the string "me"'] = function() signal:connected_to(print, "me") end,
      ['AT signal "ready": muted: the body must be a function, got nil'] =
        function() signal:muted() end,
      ["AT signal: name must be a string, got nil"] = function() signals.Namespace():signal() end,
      ["AT signal: name must be a string, got the number 1"] = function() signals.signal(1) end,
      ["AT signal: doc must be a string, got a table"] = function() signals.signal("x", {}) end,
      ['AT namespace.signal was called on the string "x": call it with a colon, '
        .. "namespace:signal(name)"] = function() signals.Namespace().signal "x" end,
    }
    for text, fn in pairs(CASES) do
      it("says: " .. text, function()
        assert.equal(text, failure(fn))
        assert.is_nil(signal.receivers)
      end)
    end
  end)
end)
