--- store/redis against a real redis-server: what it keeps, how it is reached, what it refuses.

local redis = require "support.redis"
local store = require "support.store"
local wait = require "support.wait"

local fine = store.fine

describe("redis store", function()
  local bench, server
  before_each(function() bench = store.new() end)
  after_each(function()
    store.free_all()
    redis.stop_all()
  end)

  local function start(options)
    server = redis.start(options)
    return assert(bench:open("redis", server.url))
  end

  describe("value", function()
    it("is any bytes, under any bytes", function()
      local s = start()
      for key, value in pairs {
        ["session:a"] = "text", [""] = "nameless", ["a b\r\n\0\xff"] = "b\r\n$3\r\n\0\xff",
        ["empty"] = "", ["large"] = ("0123456789abcdef"):rep(2 ^ 20),
      } do
        assert.is_false(fine(s:get(key)).found)
        fine(s:set(key, value, 60))
        local result = fine(s:get(key))
        assert.is_true(result.found)
        assert.is_true(result.value == value, key)
      end
    end)

    it("expires", function()
      local s = start()
      fine(s:set("a", "1", 100))
      assert.equal("100", server:cli("TTL", "a"))
      assert.is_true(fine(s:touch("a", 1)).found)
      assert.equal("1", server:cli("TTL", "a"))
      local begun = wait.now()
      bench:turn_until(function() return not fine(s:get "a").found end)
      assert.is_true(wait.now() - begun > 0.5)
      assert.is_false(fine(s:touch("a", 100)).found)
    end)

    it("is gone when it is removed", function()
      local s = start()
      fine(s:set("a", "1", 100))
      fine(s:remove "a")
      assert.equal("0", server:cli("EXISTS", "a"))
      fine(s:remove "a")
    end)

    it("has 16 MiB at most", function()
      local s = start()
      local result = s:set("a", ("x"):rep(16 * 2 ^ 20 + 1), 100)
      assert.equal(("Redis at 127.0.0.1:%d was not asked to keep the value: "):format(server.port)
        .. "it has more than 16 MiB", result.message)
      assert.is_false(fine(s:get "a").found)
    end)
  end)

  describe("address", function()
    it("may be a name, of several addresses", function()
      server = redis.start() -- on 127.0.0.1: where localhost is ::1 first, that one refuses
      local s = bench:open("redis", ("redis://localhost:%d"):format(server.port))
      fine(s:set("a", "1", 100))
      assert.equal("1", server:cli("GET", "a"))
    end)

    it("may be a Unix socket", function()
      server = redis.start()
      local s = bench:open("redis", ("unix://%s/socket?db=5"):format(server.folder))
      fine(s:set("a", "1", 100))
      assert.equal("1", server:cli("-n", 5, "GET", "a"))
    end)

    it("names a database", function()
      server = redis.start()
      local s = bench:open("redis", server.url .. "/3")
      fine(s:set("a", "1", 100))
      assert.equal("1", server:cli("-n", 3, "GET", "a"))
      assert.equal("", server:cli("GET", "a"))
    end)

    it("has a password", function()
      local s = start { password = "s3cret" }
      fine(s:set("a", "1", 100))
      assert.equal("1", server:cli("GET", "a"))
    end)

    it("has a user", function()
      server = redis.start()
      server:cli("ACL", "SETUSER", "ann", "on", ">p:w/d", "~session:*", "+@all")
      local s = bench:open("redis", ("redis://ann:p%%3Aw%%2Fd@127.0.0.1:%d"):format(server.port))
      fine(s:set("session:a", "1", 100))
      assert.truthy(s:set("b", "1", 100).message:find("refused SET: NOPERM", 1, true))
    end)

    it("is refused when it is none", function()
      local s, message = bench:open("redis", "redis://:hush@host:0")
      assert.is_nil(s)
      assert.truthy(message:find("its port is no number from 1 to 65535", 1, true))
      assert.is_nil(message:find "hush")
    end)

    it("is the same store when it is opened again", function()
      local s = start()
      assert.is_true(bench:open("redis", server.url).raw == s.raw)
      assert.is_false(bench:open("redis", server.url .. "/1").raw == s.raw)
    end)
  end)

  describe("answer", function()
    it("may be an error of Redis, of that call only", function()
      local s = start()
      local at = ("Redis at 127.0.0.1:%d refused "):format(server.port)
      server:cli("LPUSH", "list", "1")
      local wrong, right = s:begin("get", "list"), s:begin("set", "a", "1", 100)
      bench:turn_until(function() return right.result end)
      assert.equal(at .. "GET: WRONGTYPE Operation against a key holding the wrong kind of value",
        wrong.result.message)
      fine(right.result)
      server:cli("CONFIG", "SET", "maxmemory", "1")
      assert.truthy(s:set("a", "2", 100).message:find(at .. "SET: OOM command not allowed", 1,
        true))
      assert.equal("1", fine(s:get "a").value)
      server:cli("CONFIG", "SET", "maxmemory", "0")
      server:cli("REPLICAOF", "127.0.0.1", "1")
      server:cli("CONFIG", "SET", "replica-serve-stale-data", "yes")
      assert.truthy(s:set("a", "2", 100).message:find(at .. "SET: READONLY", 1, true))
      assert.truthy(s:remove("a").message:find(at .. "DEL: READONLY", 1, true))
      assert.truthy(s:touch("a", 5).message:find(at .. "EXPIRE: READONLY", 1, true))
      assert.equal("", bench:log())
    end)

    it("comes to each of many calls", function()
      local s = start()
      local calls = {}
      for i = 1, 3000 do
        calls[#calls + 1] = s:begin("set", "k" .. i, "v" .. i, 100)
        calls[#calls + 1] = s:begin("get", "k" .. i)
      end
      bench:turn_until(function() return bench:pending() == 0 end)
      for i = 1, 3000 do
        fine(calls[2 * i - 1].result)
        assert.equal("v" .. i, calls[2 * i].result.value)
      end
    end)

    it("is not told to a call that was cancelled", function()
      local s = start()
      fine(s:get "a")
      local before, cancelled, after = s:begin("get", "a"), s:begin("set", "a", "1", 100),
        s:begin("get", "a")
      s:cancel(cancelled)
      bench:turn_until(function() return after.result end)
      assert.is_false(fine(before.result).found)
      assert.equal("1", fine(after.result).value) -- it had been sent
      assert.equal(0, bench:pending())
    end)

    it("does not come to what was cancelled before it was sent", function()
      local s = start()
      local cancelled, after = s:begin("set", "a", "1", 100), s:begin("get", "a")
      s:cancel(cancelled) -- there is no connection yet
      bench:turn_until(function() return after.result end)
      assert.is_false(fine(after.result).found)
    end)

    it("may be followed by another call, begun by who is told", function()
      local s = start()
      local second
      local first = s:begin("set", "a", "1", 100)
      first.on_done = function() second = s:begin("get", "a") end
      bench:turn_until(function() return second and second.result end)
      assert.equal("1", fine(second.result).value)
    end)
  end)

  describe("end", function()
    it("fails what has no answer yet", function()
      local s = start()
      fine(s:get "a")
      local sent, cancelled = s:begin("get", "a"), s:begin("get", "b")
      s:cancel(cancelled)
      bench:free()
      assert.equal(("Redis at 127.0.0.1:%d was not waited for: the server ends")
        :format(server.port), sent.result.message)
      assert.is_nil(cancelled.result)
    end)

    it("may come before a connection, and while a name is looked up", function()
      server = redis.start()
      local calls = {}
      for i, place in ipairs { server.url, "redis://localhost:1", "redis://10.255.255.1" } do
        calls[i] = assert(bench:open("redis", place)):begin("get", "a")
      end
      bench:free()
      for i = 1, 3 do
        assert.truthy(calls[i].result.message:find("was not waited for", 1, true))
      end
    end)
  end)
end)
