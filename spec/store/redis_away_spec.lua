--- store/redis when its Redis is not there, goes, hangs, comes back, or is no Redis at all.

local poll = require "posix.poll"
local signal = require "posix.signal"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"

local redis = require "support.redis"
local store = require "support.store"
local support_server = require "support.server"
local wait = require "support.wait"

local fine = store.fine

describe("redis store", function()
  local bench, server
  before_each(function() bench = store.new() end)
  after_each(function()
    store.free_all()
    redis.stop_all()
  end)

  local function lines()
    local list = {}
    for line in bench:log():gmatch "%] (%[%u+%] [^\n]*)\n" do
      list[#list + 1] = line
    end
    return list
  end

  local function at()
    return ("Redis at 127.0.0.1:%d "):format(server.port)
  end

  local function away_line(why)
    return "[ERROR] " .. at() .. "is away: " .. why
      .. "; what is kept there cannot be had meanwhile"
  end

  local function is_back(times)
    local _, count = bench:log():gsub("is back after %d+%.%d s", "")
    return count == (times or 1)
  end

  it("fails calls at once while Redis is away, and finds it when it comes", function()
    server = redis.new()
    local s = bench:open("redis", server.url)
    assert.equal(at() .. "is away: Connection refused", s:get("a").message)
    local begun = wait.now()
    for _ = 1, 500 do
      local call = s:begin("set", "a", "1", 100)
      assert.equal(at() .. "is away: Connection refused", call.result.message)
    end
    assert.is_true(wait.now() - begun < 1)
    bench:turn_for(1)
    assert.same({ away_line "Connection refused" }, lines())
    server:start()
    bench:turn_until(is_back)
    fine(s:set("a", "1", 100))
    assert.equal(2, #lines())
    assert.truthy(lines()[2]:find("[WARNING] " .. at() .. "is back after ", 1, true))
  end)

  it("fails no call that another cancels when it fails", function()
    server = redis.new()
    local s = bench:open("redis", server.url)
    local second, third
    local first = s:begin("get", "a")
    first.on_done = function()
      s:cancel(second)
      third = s:begin("get", "a")
    end
    second = s:begin("get", "b")
    bench:turn_until(function() return third and third.result end)
    assert.is_nil(second.result)
    assert.equal(at() .. "is away: Connection refused", first.result.message)
    assert.equal(at() .. "is away: Connection refused", third.result.message)
  end)

  it("is lost and found again, with a line for each", function()
    server = redis.start()
    local s = bench:open("redis", server.url)
    fine(s:get "a")
    bench:turn_for(1.1) -- a connection that has lasted is made again at once
    for times = 1, 2 do
      server:stop()
      bench:turn_until(function() return #lines() == 2 * times - 1 end)
      assert.equal(away_line "Connection refused", lines()[2 * times - 1])
      assert.equal(at() .. "is away: Connection refused", s:get("a").message)
      bench:turn_for(0.3)
      assert.equal(2 * times - 1, #lines())
      server:start()
      bench:turn_until(function() return is_back(times) end)
      fine(s:get "a")
      bench:turn_for(1.1)
    end
  end)

  it("connects again without a word when only the connection was closed", function()
    server = redis.start()
    local s = bench:open("redis", server.url)
    fine(s:get "a")
    bench:turn_for(1.1)
    server:cli("CLIENT", "KILL", "TYPE", "normal")
    bench:turn_for(0.2)
    fine(s:get "a")
    assert.same({}, lines())
  end)

  it("drops a Redis that hangs, in bounded time", function()
    server = redis.start()
    local s = bench:open("redis", server.url)
    fine(s:get "a")
    server:signal(signal.SIGSTOP)
    local begun = wait.now()
    local first, second = s:begin("get", "a"), s:begin("set", "b", "1", 100)
    bench:turn_until(function() return first.result and second.result end)
    local took = wait.now() - begun
    assert.is_true(took > 1.9 and took < 3, took)
    assert.equal(at() .. "was lost: it did not answer within 2 s", first.result.message)
    assert.equal(at() .. "was lost: it did not answer within 2 s", second.result.message)
    begun = wait.now()
    assert.equal(at() .. "is away: it did not answer within 2 s", s:get("a").message)
    assert.is_true(wait.now() - begun < 0.1)
    bench:turn_for(3) -- the next attempts hang as well
    assert.same({ away_line "it did not answer within 2 s" }, lines())
    server:signal(signal.SIGCONT)
    bench:turn_until(is_back)
    fine(s:get "a")
  end)

  it("does not wait for a first connection longer than for an answer", function()
    server = redis.start()
    server:signal(signal.SIGSTOP)
    local s = bench:open("redis", server.url)
    local begun = wait.now()
    local result = s:get "a"
    assert.is_true(wait.now() - begun < 3)
    assert.truthy(result.message:find(at() .. "is away: no ", 1, true), result.message)
    assert.equal(1, #lines())
  end)

  it("does not take a loop that was held up for a Redis that hangs", function()
    server = redis.start()
    local s = bench:open("redis", server.url)
    fine(s:get "a")
    bench:turn_for(0)
    local call = s:begin("get", "a") -- which nobody sends, or reads the answer of, for so long
    local resume = wait.now() + 2.2
    wait.until_true(function() return wait.now() > resume end, 5)
    bench:turn_until(function() return call.result end)
    fine(call.result)
  end)

  it("says which part of the greeting was refused", function()
    server = redis.start { password = "s3cret" }
    for credentials, why in pairs {
      [""] = "it refused the database: NOAUTH Authentication required.",
      [":wrong@"] = "it refused the password: WRONGPASS invalid username-password pair or user is "
        .. "disabled.",
    } do
      local s = bench:open("redis", ("redis://%s127.0.0.1:%d"):format(credentials, server.port))
      assert.equal(at() .. "is away: " .. why, s:get("a").message)
      assert.equal(away_line(why), lines()[#lines()])
    end
    server = redis.start()
    local s = bench:open("redis", ("redis://:hush@127.0.0.1:%d"):format(server.port))
    assert.equal(at() .. "is away: it refused the password: it has none", s:get("a").message)
    s = bench:open("redis", ("redis://127.0.0.1:%d/99"):format(server.port))
    assert.equal(at() .. "is away: it refused the database: ERR DB index is out of range",
      s:get("a").message)
    assert.is_nil(bench:log():find "hush")
  end)

  it("says when a name has no address", function()
    local s = bench:open("redis", "redis://nosuch.invalid")
    assert.truthy(s:get("a").message:find("Redis at nosuch.invalid:6379 is away: its name cannot "
      .. "be resolved: ", 1, true))
  end)

  it("lets no more than 64 MiB wait", function()
    server = redis.start()
    local s = bench:open("redis", server.url)
    fine(s:get "a")
    server:signal(signal.SIGSTOP)
    local value, calls = ("x"):rep(15 * 2 ^ 20), {}
    for i = 1, 5 do
      calls[i] = s:begin("set", "k" .. i, value, 100)
    end
    assert.is_nil(calls[4].result)
    assert.equal(at() .. "is too slow: 64 MiB of commands wait for it", calls[5].result.message)
    server:signal(signal.SIGCONT)
    bench:turn_until(function() return calls[4].result end)
    fine(calls[4].result)
    fine(s:set("k5", value, 100))
  end)

  --- A peer that answers the greeting, and then what it is told to.
  describe("with something else at its address", function()
    local listener, port, peer, accepted

    before_each(function()
      listener = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
      port = support_server.free_port()
      assert(socket.setsockopt(listener, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1))
      assert(socket.bind(listener, { family = socket.AF_INET, addr = "127.0.0.1", port = port }))
      assert(socket.listen(listener, 16))
      server, accepted, peer = { port = port }, 0, nil
    end)

    after_each(function()
      unistd.close(listener)
      if peer then
        unistd.close(peer)
      end
    end)

    --- Accept and greet, as long as the loop turns.
    local function serve(answer)
      if poll.rpoll(listener, 0) == 1 then
        if peer then
          unistd.close(peer)
        end
        peer = assert(socket.accept(listener))
        accepted = accepted + 1
        if answer then
          socket.send(peer, answer)
        else
          unistd.close(peer)
          peer = nil
        end
      end
    end

    local function answered(call, answer)
      return bench:turn_until(function()
        serve(answer)
        return call.result
      end).message
    end

    for name, case in pairs {
      ["an answer that nobody asked for"] =
        { "+OK\r\n+OK\r\n$-1\r\n+OK\r\n", "it sent an answer that nobody asked for", true },
      ["a list"] = { "+OK\r\n*2147483647\r\n", "it sent a list, which no command asks for" },
      ["a value of 512 MB"] =
        { "+OK\r\n$536870912\r\nxxxx", "it sent a value of more than 16 MiB, which are not read" },
      ["a value of absurd size"] = { "+OK\r\n$99999999999999999999\r\nxxxx",
        "Bad bulk string length" },
      ["a line without an end"] =
        { "+OK\r\n+" .. ("x"):rep(40000), "it sent a line that does not end" },
      ["a length without an end"] =
        { "+OK\r\n$" .. ("1"):rep(40000), "it sent a line that does not end" },
      ["another protocol"] = { "HTTP/1.1 400 Bad Request\r\n\r\n",
        'Protocol error, got "H" as reply type byte' },
    } do
      it("drops it for " .. name, function()
        local s = bench:open("redis", "redis://127.0.0.1:" .. port)
        local call = s:begin("get", "a")
        if case[3] then -- with the answer to the first call, or after it
          answered(call, case[1])
          call = s:begin("get", "a")
        end
        assert.truthy(answered(call, case[1]):find(case[2], 1, true), call.result.message)
      end)
    end

    it("says what it was told when there are too many clients", function()
      local s = bench:open("redis", "redis://127.0.0.1:" .. port)
      assert.equal(at() .. "is away: it refused the database: ERR max number of clients reached",
        answered(s:begin("get", "a"), "-ERR max number of clients reached\r\n"))
    end)

    it("keeps a password out of the log that it quotes", function()
      local s = bench:open("redis", "redis://:s3cret@127.0.0.1:" .. port)
      assert.equal(at() .. "is away: it refused the password: (in words that quote it)",
        answered(s:begin("get", "a"), "-ERR unknown command 'AUTH', with args: 's3cret'\r\n"))
      assert.is_nil(bench:log():find "s3cret")
    end)

    it("tries less and less often", function()
      bench:open("redis", "redis://127.0.0.1:" .. port)
      local stop = wait.now() + 2
      bench:turn_until(function()
        serve(nil)
        return wait.now() > stop
      end)
      -- pauses of 50-100, 100-200, 200-400, 400-800, 800-1600 ms
      assert.is_true(accepted >= 3 and accepted <= 6, accepted)
      assert.equal(1, #lines())
    end)
  end)
end)
