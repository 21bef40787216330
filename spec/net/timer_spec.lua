--- net/timer: the wheel by itself, at any time one likes, and the timers of a running loop.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct list { struct list *next, *prev; };
struct timer { struct list node; uint64_t due; void (*fn)(struct timer *timer); };
struct loop;
struct wheel { uint64_t now; uint64_t occupied[4]; struct list slots[4][64]; };
void wheel_init(struct wheel *wheel, uint64_t now);
void wheel_place(struct wheel *wheel, struct timer *timer);
void wheel_advance(struct wheel *wheel, uint64_t now);
uint64_t wheel_next(const struct wheel *wheel);
void timer_init(struct timer *timer, void (*fn)(struct timer *timer));
void timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms);
void timer_stop(struct timer *timer);
struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_turn(struct loop *loop, bool wait);
uint64_t loop_now(const struct loop *loop);
void loop_update_now(struct loop *loop);
struct later { struct later *next; void (*fn)(void *data); void *data; bool queued; };
void loop_later(struct loop *loop, struct later *later);
]]

jit.off(true, true) -- C calls back into what is below

local lib = native.lib
local SPAN = 64 ^ 4

describe("timer", function()
  local callbacks = {}

  local function callback(fn)
    local pointer = ffi.cast("void (*)(struct timer *)", fn)
    callbacks[#callbacks + 1] = pointer
    return pointer
  end

  after_each(function()
    for _, pointer in ipairs(callbacks) do
      pointer:free()
    end
    callbacks = {}
  end)

  describe("wheel", function()
    local wheel, fired, on_fire, names

    before_each(function()
      wheel, fired, names = ffi.new "struct wheel", {}, {}
      on_fire = callback(function(timer)
        fired[#fired + 1] = { names[tostring(timer)], tonumber(wheel.now) }
      end)
    end)

    local function place(name, due)
      local timer = ffi.new "struct timer"
      lib.timer_init(timer, on_fire)
      timer.due = due
      names[tostring(ffi.cast("struct timer *", timer))] = name
      names[#names + 1] = timer -- kept alive
      lib.wheel_place(wheel, timer)
      return timer
    end

    -- What fired, up to `now`, as "name@time ...".
    local function advance(now)
      fired = {}
      lib.wheel_advance(wheel, now)
      local list = {}
      for i, item in ipairs(fired) do
        list[i] = ("%s@%d"):format(item[1], item[2])
      end
      return table.concat(list, " ")
    end

    for _, start in ipairs { 0, 1, 63, 64, 4095, 4096, 262143, 1000003, SPAN - 1, 5 * SPAN + 77 } do
      it("fires at its time, not before, counted from " .. start, function()
        lib.wheel_init(wheel, start)
        local delays = { 1, 2, 62, 63, 64, 65, 127, 128, 4095, 4096, 4097, 8191, 8192, 262143,
          262144, 262145, 300000, SPAN - 1, SPAN, SPAN + 1, 2 * SPAN + 12345 }
        for _, delay in ipairs(delays) do
          place(tostring(delay), start + delay)
        end
        for _, delay in ipairs(delays) do
          assert.equal("", advance(start + delay - 1))
          assert.equal(("%d@%d"):format(delay, start + delay), advance(start + delay))
        end
        assert.equal(0xffffffffffffffffULL, lib.wheel_next(wheel))
      end)
    end

    it("fires all of a long turn in the order of their times", function()
      lib.wheel_init(wheel, 1000)
      for _, due in ipairs { 300000, 1001, 5096, 1064, 1063, 9000, 1002, 1065, 263144 } do
        place(due, due)
      end
      assert.equal("1001@1001 1002@1002 1063@1063 1064@1064 1065@1065 5096@5096 9000@9000 "
        .. "263144@263144 300000@300000", advance(10 ^ 6))
    end)

    it("keeps the order of starting within a millisecond", function()
      lib.wheel_init(wheel, 0)
      for i = 1, 5 do
        place("t" .. i, 10)
      end
      assert.equal("t1@10 t2@10 t3@10 t4@10 t5@10", advance(10))
    end)

    it("fires what is due at once at the next millisecond", function()
      lib.wheel_init(wheel, 500)
      place("past", 400)
      assert.equal("past@501", advance(501))
    end)

    it("agrees with a sorted list on random timers and steps", function()
      local seed = 42
      local function random(n)
        seed = (seed * 1103515245 + 12345) % 2147483648
        return math.floor(seed / 65536) % n
      end
      local now, model, live = 12345, {}, {}
      lib.wheel_init(wheel, now)
      for step = 1, 3000 do
        for _ = 1, random(4) do
          local due = now + 1 + random(({ 10, 200, 5000, 32768 })[1 + random(4)]) * (1 + random(90))
          local name = "t" .. step .. "/" .. #names
          live[name] = place(name, due)
          model[name] = due
        end
        local name = next(live)
        if name and random(3) == 0 then
          lib.timer_stop(live[name])
          live[name], model[name] = nil, nil
        end
        now = now + random(({ 3, 70, 6000, 32768 })[1 + random(4)])
        advance(now)
        local last = 0
        for _, item in ipairs(fired) do
          assert.equal(model[item[1]], item[2])
          assert.is_true(item[2] >= last)
          last = item[2]
          model[item[1]], live[item[1]] = nil, nil
        end
        for missed, due in pairs(model) do
          assert.is_true(due > now, missed .. " was not fired")
        end
        assert.is_true(lib.wheel_next(wheel) > now)
      end
    end)

    it("says when to look again, no later than the next timer", function()
      lib.wheel_init(wheel, 100)
      assert.equal(0xffffffffffffffffULL, lib.wheel_next(wheel))
      for _, due in ipairs { 3 * SPAN, 100 + 262144, 9000, 164, 101 } do
        place(due, due)
        assert.is_true(lib.wheel_next(wheel) <= due)
        assert.is_true(lib.wheel_next(wheel) > 100)
      end
    end)

    it("lets a callback stop another that is due in the same millisecond", function()
      lib.wheel_init(wheel, 0)
      local second
      local first = ffi.new "struct timer"
      lib.timer_init(first, callback(function() lib.timer_stop(second) end))
      first.due = 10
      lib.wheel_place(wheel, first)
      second = place("second", 10)
      place("third", 10)
      assert.equal("third@10", advance(10))
      assert.equal(0, tonumber(second.due))
    end)
  end)

  describe("of a loop", function()
    local loop
    local kept -- the loop's timers: C holds them, the collector does not know

    before_each(function()
      loop, kept = lib.loop_new(), {}
    end)

    after_each(function()
      lib.loop_free(loop)
    end)

    local function timer(fn)
      local new = ffi.new "struct timer"
      lib.timer_init(new, callback(fn or function() end))
      kept[#kept + 1] = new
      return new
    end

    local function now()
      lib.loop_update_now(loop)
      return tonumber(lib.loop_now(loop))
    end

    it("fires once, never early", function()
      for _, delay in ipairs { 0, 1, 5, 20 } do
        local count = 0
        local t = timer(function() count = count + 1 end)
        local due = now() + math.max(delay, 1)
        lib.timer_start(loop, t, delay)
        while count == 0 do
          lib.loop_turn(loop, true)
        end
        assert.is_true(now() >= due)
        lib.loop_turn(loop, false)
        assert.equal(1, count)
        assert.equal(0, tonumber(t.due))
      end
    end)

    it("is moved by another start", function()
      local at
      local t = timer(function() at = tonumber(lib.loop_now(loop)) end)
      local start = now()
      lib.timer_start(loop, t, 5)
      lib.timer_start(loop, t, 15)
      while not at do
        lib.loop_turn(loop, true)
      end
      assert.is_true(at >= start + 15)
      at = nil
      lib.timer_start(loop, t, 60000)
      lib.timer_start(loop, t, 2)
      while not at do
        lib.loop_turn(loop, true)
      end
      assert.is_true(at < start + 60000)
    end)

    it("does not fire once stopped", function()
      local stopped, fired = 0, false
      local t = timer(function() stopped = stopped + 1 end)
      local after = timer(function() fired = true end)
      lib.timer_start(loop, t, 1)
      lib.timer_start(loop, after, 5)
      lib.timer_stop(t)
      while not fired do
        lib.loop_turn(loop, true)
      end
      assert.equal(0, stopped)
    end)

    it("may be started again by its own callback", function()
      local count = 0
      local t
      t = timer(function()
        count = count + 1
        if count < 5 then
          lib.timer_start(loop, t, 1)
        end
      end)
      lib.timer_start(loop, t, 1)
      while count < 5 do
        lib.loop_turn(loop, true)
      end
      lib.loop_turn(loop, false)
      assert.equal(5, count)
    end)

    -- The turn could sleep on: until the second timer here, without one for ever.
    it("ends a turn that waits, when it was due before", function()
      local count = 0
      local start = now()
      lib.timer_start(loop, timer(function() count = count + 1 end), 1)
      lib.timer_start(loop, timer(function() end), 2000)
      while now() <= start + 1 do
        assert.equal(0, count)
      end
      lib.loop_turn(loop, true)
      assert.equal(1, count)
      assert.is_true(now() < start + 1500)
    end)

    it("is not waited for by a turn that has run what was put off", function()
      local count = 0
      local fn = ffi.cast("void (*)(void *)", function() count = count + 1 end)
      callbacks[#callbacks + 1] = fn
      local later = ffi.new("struct later", nil, fn)
      local start = now()
      lib.timer_start(loop, timer(function() end), 2000)
      lib.loop_later(loop, later)
      lib.loop_turn(loop, true)
      assert.equal(1, count)
      assert.is_true(now() < start + 1500)
    end)

    it("may go with its loop unfired", function()
      lib.timer_start(loop, timer(), 1000)
    end)
  end)
end)
