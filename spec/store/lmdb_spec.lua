--- store/lmdb: bytes under keys in a file that processes share; expiry, queue, limits, damage.

local ffi = require "ffi"
local unistd = require "posix.unistd"
local stat = require "posix.sys.stat"

local files = require "support.files"
local native = require "support.native"
local stores = require "support.store"
local wait = require "support.wait"

ffi.cdef [[
struct lmdb_env;
struct lmdb_env *lmdb_env_open(const char *path, uint64_t size, struct err *err);
void lmdb_env_close(struct lmdb_env *env);
int lmdb_env_read(struct lmdb_env *env, struct slice key, int64_t now, bool *found,
                  struct slice *value);
void lmdb_env_read_end(struct lmdb_env *env);
bool lmdb_sweep_is_due(struct lmdb_env *env, int64_t now);
int lmdb_sweep_step(struct lmdb_env *env, int64_t now, bool force);
]]

jit.off(true, true)

local lib = native.lib
local MIB = 1048576

describe("store/lmdb", function()
  local folder, path, bench

  before_each(function()
    folder = files.folder()
    path = folder .. "/session.lmdb"
    bench = stores.new()
  end)

  after_each(function()
    stores.free_all()
    files.remove(folder)
  end)

  local function open(size)
    return assert(bench:open("lmdb", path, size or 8 * MIB))
  end

  --- The result of what was begun.
  local function finish(call)
    return bench:turn_until(function() return call.result end)
  end

  --- What a tool of LMDB's own finds in the file.
  local function dump()
    local pipe = io.popen(("mdb_dump -n -p -s records %s 2>&1"):format(path))
    local text = pipe:read "*a"
    pipe:close()
    return text
  end

  it("gives back what was set, whatever bytes it is of", function()
    local store = open()
    local every = {}
    for i = 0, 255 do
      every[#every + 1] = string.char(i)
    end
    local bytes = table.concat(every)
    for key, value in pairs { a = "1", [bytes] = bytes, ["\0"] = "", [""] = "empty",
      [("x"):rep(511)] = "511", [("x"):rep(512)] = "512", [("x"):rep(5000)] = "5000" } do
      assert.same(0, store:set(key, value, 60).code)
      local got = store:get(key)
      assert.same({ 0, true, value }, { got.code, got.found, got.value })
    end
    assert.equal("511", store:get(("x"):rep(511)).value)
    assert.equal("512", store:get(("x"):rep(512)).value)
    assert.is_false(store:get("b").found)
  end)

  it("keeps a key that looks like a long one's digest apart from it", function()
    local store = open()
    local long = ("k"):rep(600)
    store:set(long, "long", 60)
    local stored = dump():match "\n (\\00[^\n]*)\n"
    local digest = stored:gsub("\\(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    assert.equal(33, #digest)
    assert.is_false(store:get(digest).found)
    store:set(digest, "short", 60)
    assert.equal("long", store:get(long).value)
  end)

  it("removes, and finds nothing wrong in removing what is not there", function()
    local store = open()
    store:set("a", "1", 60)
    assert.equal(0, store:remove("a").code)
    assert.is_false(store:get("a").found)
    assert.equal(0, store:remove("a").code)
  end)

  it("touches what is there, and says when nothing is", function()
    local store = open()
    store:set("a", "1", 1)
    assert.is_true(store:touch("a", 60).found)
    assert.is_false(store:touch("b", 60).found)
    local touched_at = wait.now()
    wait.until_true(function() return wait.now() > touched_at + 1.1 end, 5)
    assert.equal("1", store:get("a").value)
    assert.is_false(store:get("b").found)
  end)

  it("forgets what has expired", function()
    local store = open()
    store:set("a", "1", 1)
    assert.is_true(store:get("a").found)
    assert.truthy(wait.until_true(function() return not store:get("a").found end, 10))
    assert.is_false(store:touch("a", 60).found)
    assert.is_false(store:get("a").found)
  end)

  it("shows a write that is only queued to those that read, and commits it later", function()
    local store = open()
    local one = store:begin("set", "a", "1", 60)
    assert.is_nil(one.result)
    assert.equal("1", store:get("a").value)
    local two = store:begin("set", "a", "2", 60)
    assert.equal("2", store:get("a").value)
    local three = store:begin("touch", "a", 60)
    assert.equal("2", store:get("a").value)
    local four = store:begin("remove", "a")
    assert.is_false(store:get("a").found)
    for _, each in ipairs { one, two, three, four } do
      assert.equal(0, finish(each).code)
    end
    assert.is_true(three.result.found)
    assert.is_false(store:get("a").found)
  end)

  it("is read while it writes", function()
    local store = open()
    local pending = {}
    for i = 1, 2000 do
      pending[i] = store:begin("set", "key" .. i, "value" .. i, 60)
      if i % 10 == 0 then
        bench:turn_for(0.001)
      end
      assert.equal("value" .. i, store:get("key" .. i).value)
      assert.equal("value1", store:get("key1").value)
    end
    for i = 1, 2000 do
      assert.equal(0, finish(pending[i]).code)
      assert.equal("value" .. i, store:get("key" .. i).value)
    end
  end)

  it("does a cancelled write, and tells nobody", function()
    local store = open()
    local one = store:begin("set", "a", "1", 60)
    store:cancel(one)
    assert.equal(0, store:set("b", "2", 60).code)
    assert.is_nil(one.result)
    assert.equal("1", store:get("a").value)
  end)

  it("is one store for all names of a file", function()
    local store = open()
    assert(unistd.link(folder, folder .. "/other", true))
    local other = assert(bench:open("lmdb", folder .. "/other/./other/session.lmdb", MIB))
    assert.equal(store.raw, other.raw)
    assert.equal(store.raw, open().raw)
  end)

  it("keeps everything over closing, with what was queued last", function()
    local store = open()
    for i = 1, 100 do
      store:begin("set", "key" .. i, ("v"):rep(i), 60)
    end
    bench:free()
    bench = stores.new()
    store = open()
    for i = 1, 100 do
      assert.equal(("v"):rep(i), store:get("key" .. i).value)
    end
  end)

  it("refuses what does not fit, keeps the rest, and goes on when there is room", function()
    local store = open(MIB)
    local kept, failed = 0, nil
    while not failed and kept < 1000 do
      local one = store:set("key" .. kept + 1, ("v"):rep(3000), 60)
      if one.code == 0 then
        kept = kept + 1
      else
        failed = one
      end
    end
    assert.truthy(failed)
    assert.equal(path .. " is full: it may grow to 1048576 bytes; raise SESSION_LMDB_SIZE, or let "
      .. "sessions expire sooner", failed.message)
    assert.is_true(kept > 50)
    for i = 1, kept do
      assert.equal(3000, #store:get("key" .. i).value)
    end
    assert.is_false(store:get("key" .. kept + 1).found)
    -- one too large does not take with it what is committed beside it
    local large = store:begin("set", "large", ("v"):rep(200000), 60)
    local gone = store:begin("remove", "key1")
    assert.is_true(finish(large).code ~= 0)
    assert.equal(0, finish(gone).code)
    for i = 2, kept do
      assert.equal(0, store:remove("key" .. i).code)
    end
    assert.equal(0, store:set("again", ("v"):rep(3000), 60).code)
  end)

  it("makes room from what has expired when it is full", function()
    local store = open(MIB)
    local failed
    for i = 1, 1000 do
      failed = store:set("old" .. i, ("v"):rep(3000), 1).code ~= 0
      if failed then
        break
      end
    end
    assert.is_true(failed)
    assert.truthy(wait.until_true(function()
      return store:set("new", ("v"):rep(3000), 60).code == 0
    end, 60))
    assert.equal(3000, #store:get("new").value)
  end)

  --- Another process opens the file with a larger size, and uses it.
  local function grow()
    local runtime = os.getenv "SANITIZER" -- of a sanitized library: it must be loaded first
    assert.equal(0, os.execute(("%s luajit spec/data/store/grow.lua %s")
      :format(runtime and "LD_PRELOAD=" .. runtime or "", path)))
  end

  it("takes over the size to which another process lets the file grow", function()
    local store = open(MIB)
    store:set("a", "1", 60)
    grow()
    local pending = store:begin("set", "b", "2", 60)
    assert.equal(10000, #store:get("grown1000").value)
    assert.equal(0, finish(pending).code)
    grow()
    assert.equal(0, store:set("c", "3", 60).code)
    for key, value in pairs { a = "1", b = "2", c = "3" } do
      assert.equal(value, store:get(key).value)
    end
  end)

  describe("as a place", function()
    local function why(place, size)
      local store, message = bench:open("lmdb", place, size or MIB)
      assert.is_nil(store)
      return message
    end

    it("must have a folder", function()
      assert.equal(folder .. "/no/session.lmdb cannot be opened: No such file or directory",
        why(folder .. "/no/session.lmdb"))
    end)

    it("must not be a folder", function()
      assert.equal(folder .. " cannot be opened: Is a directory", why(folder))
    end)

    it("must be an LMDB file, and one of ours", function()
      files.write(path, ("no database\n"):rep(1000))
      assert.equal(path .. " cannot be opened: it is no LMDB file", why(path))
    end)

    it("must be large enough", function()
      assert.equal(path .. " cannot be opened: SESSION_LMDB_SIZE must be from 1 MiB (1048576 bytes)"
        .. " to 64 TiB; got 4096", why(path, 4096))
    end)

    it("is refused when its end was lost, or its pages were", function()
      local store = open()
      for i = 1, 300 do
        store:begin("set", "key" .. i, ("v"):rep(1000), 60)
      end
      bench:free()
      bench = stores.new()
      local text = files.read(path)
      files.write(path, text:sub(1, 12288)) -- the two headers and a page
      assert.equal(path .. " cannot be opened: it is damaged; stop what uses it, remove it and its "
        .. "-lock file, and start again", why(path))
    end)
  end)

  describe("sweep", function()
    local env

    local function set_all(count, seconds, prefix)
      local store, pending = open(64 * MIB), {}
      for i = 1, count do
        pending[i] = store:begin("set", (prefix or "key") .. i, "value", seconds)
      end
      for i = 1, count do
        assert.equal(0, finish(pending[i]).code)
      end
    end

    --- The file without a store around it.
    local function reopen()
      bench:free()
      bench = stores.new()
      env = lib.lmdb_env_open(path, 64 * MIB, nil)
      assert.is_true(env ~= nil)
    end

    after_each(function()
      if env then
        lib.lmdb_env_close(env)
        env = nil
      end
    end)

    local function count()
      local _, n = dump():gsub("\n key", "")
      return n
    end

    it("removes what has expired, a bounded number a step, and nothing else", function()
      set_all(5000, 600) -- so long that the store itself removes none, however slow it is
      set_all(3, 7200, "key-that-stays-")
      reopen()
      for i = 1, 10 do -- end the pass that the store itself may have begun, if it was slow
        lib.lmdb_sweep_step(env, os.time() * 1000 + i * 100, false)
      end
      local now = (os.time() + 3600) * 1000
      assert.is_true(lib.lmdb_sweep_is_due(env, now))
      local removed, steps = 0, 0
      while steps < 100 and removed < 5000 do
        local n = lib.lmdb_sweep_step(env, now, false)
        assert.is_true(n >= 0 and n <= 2000, tostring(n))
        removed, steps, now = removed + n, steps + 1, now + 100
      end
      assert.same({ 5000, 3 }, { removed, steps })
      assert.equal(3, count())
    end)

    it("is due again after a while, and not before", function()
      set_all(3, 3600)
      reopen()
      local now = (os.time() + 3) * 1000 + 120000
      assert.is_true(lib.lmdb_sweep_is_due(env, now))
      assert.equal(0, lib.lmdb_sweep_step(env, now, false))
      assert.is_false(lib.lmdb_sweep_is_due(env, now + 50000))
      assert.equal(0, lib.lmdb_sweep_step(env, now + 50000, false))
      assert.is_true(lib.lmdb_sweep_is_due(env, now + 60000))
      assert.is_true(lib.lmdb_sweep_is_due(env, now - 3600000)) -- the clock was set back
    end)

    it("is done by the store itself", function()
      local store = open()
      store:set("key1", "1", 1)
      store:set("key2", "2", 1000)
      bench:free()
      assert.equal(2, count())
      local set_at = wait.now()
      wait.until_true(function() return wait.now() > set_at + 1.1 end, 5)
      bench = stores.new()
      open()
      assert.truthy(wait.until_true(function()
        bench:turn_for(0.001)
        return count() == 1
      end, 20))
    end)
  end)

  it("lets nobody else read the file", function()
    open()
    assert.equal(384, stat.stat(path).st_mode % 512) -- 0600
    assert.equal(384, stat.stat(path .. "-lock").st_mode % 512)
  end)
end)
