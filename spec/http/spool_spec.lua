--- http/spool: memory up to a threshold, then a file without a name.

local ffi = require "ffi"
local files = require "support.files"
local native = require "support.native"

ffi.cdef [[
struct spool {
  struct buf memory; int fd; uint64_t size; uint64_t threshold; const char *folder;
};
void spool_init(struct spool *spool, uint64_t threshold, const char *folder);
void spool_clear(struct spool *spool);
int spool_write(struct spool *spool, struct slice bytes);
int spool_steal_fd(struct spool *spool);
ssize_t pread(int fd, void *buf, size_t count, long offset);
int close(int fd);
]]

local lib = native.lib

describe("spool", function()
  local folder, spool

  before_each(function()
    folder = files.folder()
    spool = ffi.new "struct spool"
  end)

  after_each(function()
    lib.spool_clear(spool)
    files.remove(folder)
  end)

  local function write(text)
    return lib.spool_write(spool, native.slice(text))
  end

  it("keeps what is not more than the threshold in memory", function()
    lib.spool_init(spool, 8, folder)
    assert.equal(0, write "1234")
    assert.equal(0, write "5678")
    assert.equal("12345678", native.text(spool.memory))
    assert.equal(-1, spool.fd)
    assert.equal(8, tonumber(spool.size))
  end)

  it("moves to a file that no folder lists", function()
    lib.spool_init(spool, 8, folder)
    write "12345678"
    assert.equal(0, write "9")
    assert.equal(0, write(("x"):rep(100000)))
    assert.equal(0, tonumber(spool.memory.len))
    assert.equal(100009, tonumber(spool.size))
    local bytes = ffi.new "char[16]"
    assert.equal(12, tonumber(ffi.C.pread(spool.fd, bytes, 12, 0)))
    assert.equal("123456789xxx", ffi.string(bytes, 12))
    assert.equal(0, #require("posix.dirent").dir(folder) - 2)
  end)

  it("says why a file cannot be made", function()
    lib.spool_init(spool, 0, folder .. "/none")
    assert.equal(-2, write "x")
  end)

  it("hands out its file once", function()
    lib.spool_init(spool, 0, folder)
    write "x"
    local fd = lib.spool_steal_fd(spool)
    assert.is_true(fd >= 0)
    assert.equal(-1, lib.spool_steal_fd(spool))
    ffi.C.close(fd)
  end)
end)
