--- net/file: what is not in the page cache is read by a thread, not by the loop.

local ffi = require "ffi"
local fcntl = require "posix.fcntl"
local unistd = require "posix.unistd"

local files = require "support.files"
local native = require "support.native"

ffi.cdef [[
struct loop; struct file_fetch;
struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_turn(struct loop *loop, bool wait);
bool file_is_warm(int fd, int64_t offset, size_t length);
struct file_fetch *file_fetch_new(struct loop *loop, int fd, int64_t offset, size_t length,
                                  void (*fn)(void *data), void *data);
void file_fetch_cancel(struct file_fetch *fetch);
int posix_fadvise(int fd, int64_t offset, int64_t length, int advice);
]]

jit.off(true, true) -- C calls back into what is below

local lib = native.lib
local SIZE = 3000000
local DONTNEED = 4

describe("file", function()
  local folder, fd, loop, count, on_fetched

  before_each(function()
    folder = files.folder { data = ("x"):rep(SIZE) }
    fd = assert(fcntl.open(folder .. "/data", fcntl.O_RDONLY))
    loop, count = lib.loop_new(), 0
    on_fetched = ffi.cast("void (*)(void *)", function() count = count + 1 end)
  end)

  after_each(function()
    lib.loop_free(loop)
    on_fetched:free()
    if fd then
      unistd.close(fd)
    end
    files.remove(folder)
  end)

  -- Not every file system forgets, or can say whether it would have to wait.
  local function make_cold()
    unistd.fsync(fd)
    ffi.C.posix_fadvise(fd, 0, 0, DONTNEED)
    return not lib.file_is_warm(fd, 0, SIZE)
  end

  it("is warm when it was just written, beyond its end, and when nothing is asked for", function()
    assert.is_true(lib.file_is_warm(fd, 0, SIZE))
    assert.is_true(lib.file_is_warm(fd, SIZE, 1000))
    assert.is_true(lib.file_is_warm(fd, 0, 0))
  end)

  it("is fetched in a later turn, and is warm then", function()
    local was_cold = make_cold()
    assert.truthy(lib.file_fetch_new(loop, fd, 0, SIZE, on_fetched, nil) ~= nil)
    assert.equal(0, count)
    while count == 0 do
      lib.loop_turn(loop, true)
    end
    assert.is_true(lib.file_is_warm(fd, 0, SIZE), was_cold and "was cold" or "was warm")
    assert.equal(1, count)
  end)

  it("may be closed while it is fetched", function()
    lib.file_fetch_new(loop, fd, 0, SIZE, on_fetched, nil)
    unistd.close(fd)
    fd = nil
    while count == 0 do
      lib.loop_turn(loop, true)
    end
  end)

  it("says nothing once the fetch is cancelled", function()
    lib.file_fetch_cancel(lib.file_fetch_new(loop, fd, 0, SIZE, on_fetched, nil))
    lib.file_fetch_cancel(nil)
    lib.loop_turn(loop, true)
    lib.loop_free(loop)
    loop = lib.loop_new()
    assert.equal(0, count)
  end)

  it("cannot be fetched without a descriptor", function()
    assert.is_true(lib.file_fetch_new(loop, -1, 0, SIZE, on_fetched, nil) == nil)
  end)
end)
