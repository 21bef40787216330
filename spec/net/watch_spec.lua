--- net/loop: descriptors that somebody else reads and writes, watched for both.

local ffi = require "ffi"
local socket = require "posix.sys.socket"
local unistd = require "posix.unistd"

local native = require "support.native"

ffi.cdef [[
struct loop; struct watch;
struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_turn(struct loop *loop, bool wait);
struct watch *loop_watch(struct loop *loop, int fd, void (*fn)(void *data), void *data);
void loop_watch_writable(struct watch *watch, void (*on_writable)(void *data));
void loop_unwatch(struct watch *watch);
]]

jit.off(true, true) -- C calls back into what is below

local lib = native.lib

describe("watch", function()
  local loop, near, far, watch, readable, writable, on_readable, on_writable

  before_each(function()
    loop, readable, writable = lib.loop_new(), 0, 0
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM, 0)
    on_readable = ffi.cast("void (*)(void *)", function()
      readable = readable + 1
      unistd.read(near, 100)
    end)
    on_writable = ffi.cast("void (*)(void *)", function() writable = writable + 1 end)
    watch = lib.loop_watch(loop, near, on_readable, nil)
  end)

  after_each(function()
    lib.loop_unwatch(watch)
    lib.loop_free(loop)
    on_readable:free()
    on_writable:free()
    unistd.close(near)
    unistd.close(far)
  end)

  local function turn(times)
    for _ = 1, times do
      lib.loop_turn(loop, false)
    end
  end

  it("tells of what can be read, and of nothing else", function()
    turn(3)
    assert.same({ 0, 0 }, { readable, writable })
    unistd.write(far, "x")
    turn(3)
    assert.same({ 1, 0 }, { readable, writable })
  end)

  it("tells of room to write as long as it is asked to", function()
    lib.loop_watch_writable(watch, on_writable)
    turn(3)
    assert.same({ 0, 3 }, { readable, writable })
    unistd.write(far, "x")
    turn(1)
    assert.same({ 1, 4 }, { readable, writable })
    lib.loop_watch_writable(watch, nil)
    unistd.write(far, "x")
    turn(3)
    assert.same({ 2, 4 }, { readable, writable })
  end)

  it("calls nobody for reading once the writer has ended it", function()
    on_writable:set(function()
      lib.loop_unwatch(watch)
      watch = nil
    end)
    lib.loop_watch_writable(watch, on_writable)
    unistd.write(far, "x")
    turn(3)
    assert.equal(0, readable)
  end)

  it("tells the reader of a peer that is gone", function()
    unistd.close(far)
    turn(1)
    assert.equal(1, readable)
  end)
end)
