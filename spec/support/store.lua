--- The stores of src/store on a loop of a spec's own, through FFI: C without a server around it.
---
---   local bench = require("support.store").new()
---   local s = bench:open("redis", url)         -- or nil, message
---   local result = s:get "key"                 -- { code =, found =, value =, message = }
---   local call = s:begin("get", "key")         -- call.result, once the loop has turned enough
---   bench:turn_until(function() return call.result end)
---   bench:log(), bench:free()
---   after_each(stores.free_all)                -- a spec leaves no loop and no folder

local ffi = require "ffi"
local fcntl = require "posix.fcntl"
local unistd = require "posix.unistd"

local files = require "support.files"
local native = require "support.native"
local wait = require "support.wait"

ffi.cdef [[
struct spec_list { void *next, *prev; };
struct store_result { int code; bool found; struct slice value; const char *message; };
struct store_call {
  struct spec_list node;
  void (*done)(struct store_call *call, const struct store_result *result);
  void *data;
  bool pending;
  uint64_t private_words[4];
};
struct store;
struct store_ops {
  void (*get)(struct store *store, struct slice key, struct store_call *call);
  void (*set)(struct store *store, struct slice key, struct slice value, uint32_t ttl,
              struct store_call *call);
  void (*touch)(struct store *store, struct slice key, uint32_t ttl, struct store_call *call);
  void (*remove)(struct store *store, struct slice key, struct store_call *call);
  void (*cancel)(struct store *store, struct store_call *call);
  void (*close)(struct store *store);
};
struct store { const struct store_ops *ops; };
struct store_options { int kind; const char *place; uint64_t size; };
struct spec_log { int fd; int level; bool json; int worker; void *sink; };
struct loop;
struct timer;
struct spec_stores { struct loop *loop; const void *log; struct spec_list open; };
void stores_init(struct spec_stores *stores, struct loop *loop, const struct spec_log *log);
void stores_close(struct spec_stores *stores);
struct store *store_open(struct spec_stores *stores, const struct store_options *options,
                         struct err *err);
struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_turn(struct loop *loop, bool wait);
void timer_init(struct timer *timer, void (*fn)(struct timer *timer));
void timer_start(struct loop *loop, struct timer *timer, uint64_t delay_ms);
]]

jit.off(true, true) -- C calls back into what is below

local lib = native.lib
local TURN_MS = 5 -- how long a turn of the loop may sleep
local KINDS = { lmdb = 0, redis = 1 }

---@class spec.StoreBench
local Bench = {}
Bench.__index = Bench

---@class spec.Store
local Store = {}
Store.__index = Store

local M = {}

local open = {} ---@type table<spec.StoreBench, boolean>

local function address(call)
  return tonumber(ffi.cast("uintptr_t", ffi.cast("void *", call)))
end

function M.new()
  local self = setmetatable({ _calls = {} }, Bench)
  self._folder = files.folder()
  local flags = fcntl.O_WRONLY + fcntl.O_CREAT + fcntl.O_APPEND
  self._log = ffi.new("struct spec_log", assert(fcntl.open(self._folder .. "/log", flags, 420)))
  self._loop = lib.loop_new()
  self._timer_memory = ffi.new "char[64]"
  self._timer = ffi.cast("struct timer *", self._timer_memory)
  self._on_timer = ffi.cast("void (*)(struct timer *)", function() end)
  lib.timer_init(self._timer, self._on_timer)
  self._stores = ffi.new "struct spec_stores"
  lib.stores_init(self._stores, self._loop, self._log)
  self._done = ffi.cast("void (*)(struct store_call *, const struct store_result *)",
    function(pointer, result)
      local call = self._calls[address(pointer)]
      self._calls[address(pointer)] = nil
      call.result = {
        code = result.code, found = result.found, value = native.text(result.value),
        message = result.message ~= nil and ffi.string(result.message) or nil,
      }
      if call.on_done then
        call.on_done(call.result)
      end
    end)
  open[self] = true
  return self
end

--- Free every bench that a spec has left: `after_each(stores.free_all)`.
function M.free_all()
  for self in pairs(open) do
    self:free()
  end
end

--- The result of a call that has to succeed.
---@param result { code: integer, message?: string }
function M.fine(result)
  assert(result.code == 0, result.message)
  return result
end

--- Open a store; nil and the message when it cannot be.
---@param kind "lmdb"|"redis"
---@param place string
---@param size? integer
function Bench:open(kind, place, size)
  local err = ffi.new "struct err"
  local options = ffi.new("struct store_options", KINDS[kind], place, size or 2 ^ 24)
  local store = lib.store_open(self._stores, options, err)
  if store == nil then
    return nil, ffi.string(err.message)
  end
  return setmetatable({ _bench = self, _store = store, raw = store }, Store)
end

--- Turn the loop until the condition holds; raises after `seconds`.
function Bench:turn_until(condition, seconds, what)
  local deadline = wait.now() + (seconds or 10)
  while true do
    local result = condition()
    if result then
      return result
    end
    if wait.now() > deadline then
      error(("waited %g s for %s; log: %s"):format(seconds or 10, what or "a condition",
        self:log()), 2)
    end
    lib.timer_start(self._loop, self._timer, TURN_MS)
    lib.loop_turn(self._loop, true)
  end
end

--- Turn the loop for so long, whatever happens.
function Bench:turn_for(seconds)
  local deadline = wait.now() + seconds
  self:turn_until(function() return wait.now() > deadline end, seconds + 5)
end

--- The lines logged so far.
function Bench:log()
  return files.read(self._folder .. "/log")
end

--- Calls that were begun and are neither done nor cancelled.
function Bench:pending()
  local count = 0
  for _ in pairs(self._calls) do
    count = count + 1
  end
  return count
end

--- Close the stores as a worker does at its end, then the loop.
function Bench:free()
  if self._loop then
    lib.stores_close(self._stores)
    lib.loop_free(self._loop)
    self._loop = nil
    open[self] = nil
    self._done:free()
    self._on_timer:free()
    unistd.close(self._log.fd)
    files.remove(self._folder)
  end
end

--- Begin an operation: get, set (value, ttl), touch (ttl), remove.
---@param name string
---@param key string
---@return { result?: table, on_done?: function }
function Store:begin(name, key, ...)
  local struct = ffi.new "struct store_call"
  struct.done = self._bench._done
  local call = { struct = struct, store = self }
  self._bench._calls[address(struct)] = call
  local arguments = { ... }
  if name == "set" then
    arguments[1] = native.slice(arguments[1])
  end
  arguments[#arguments + 1] = struct
  self._store.ops[name](self._store, native.slice(key), unpack(arguments))
  return call
end

--- Cancel what was begun.
function Store:cancel(call)
  self._store.ops.cancel(self._store, call.struct)
  self._bench._calls[address(call.struct)] = nil
end

--- The same as begin, to its end: the result.
function Store:run(name, key, ...)
  local call = self:begin(name, key, ...)
  return self._bench:turn_until(function() return call.result end, 15, name)
end

for _, name in ipairs { "get", "set", "touch", "remove" } do
  Store[name] = function(self, key, ...)
    return self:run(name, key, ...)
  end
end

return M
