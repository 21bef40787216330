--- Server-side stores in this process, for unit specs of src/store: a loop and calls that wait.
---
---   local bench = stores.new()                     -- a loop, and the stores a worker would have
---   local store = assert(bench:open("lmdb", path, bytes))
---   store:set("key", "value", 60)                  -- each gives { code, found, value, message }
---   bench:close()

local ffi = require "ffi"

local native = require "support.native"

-- tags of our own: other specs may describe the same structs
ffi.cdef [[
struct loop;
struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_turn(struct loop *loop, bool wait);
struct spec_list { void *next, *prev; };
struct spec_log { int fd; int level; bool json; };
struct spec_result { int code; bool found; struct slice value; const char *message; };
struct spec_call {
  struct spec_list node; void (*done)(struct spec_call *call, const struct spec_result *result);
  void *data; bool pending; uint64_t own[4];
};
struct spec_store {
  const struct spec_store_ops *ops; struct spec_list node; int kind; char *place;
};
struct spec_store_ops {
  void (*get)(struct spec_store *, struct slice, struct spec_call *);
  void (*set)(struct spec_store *, struct slice, struct slice, uint32_t, struct spec_call *);
  void (*touch)(struct spec_store *, struct slice, uint32_t, struct spec_call *);
  void (*remove)(struct spec_store *, struct slice, struct spec_call *);
  void (*cancel)(struct spec_store *, struct spec_call *);
  void (*close)(struct spec_store *);
};
struct spec_store_options { int kind; const char *place; uint64_t size; };
struct spec_stores { struct loop *loop; const struct spec_log *log; struct spec_list open; };
void stores_init(struct spec_stores *stores, struct loop *loop, const struct spec_log *log);
void stores_close(struct spec_stores *stores);
struct spec_store *store_open(struct spec_stores *stores,
                              const struct spec_store_options *options, struct err *err);
]]

jit.off(true, true) -- C calls back into what is below

local lib = native.lib
local KINDS = { lmdb = 0, redis = 1 }
local SECONDS = 20

local M = {}

-- calls by their number, which data holds; C keeps pointers to them
local under_way, last = {}, 0

local function on_done(call, result)
  local number = tonumber(ffi.cast("uintptr_t", call.data))
  local one = under_way[number]
  under_way[number] = nil
  one.is_done, one.code, one.found = true, result.code, result.found
  one.value = native.text(result.value)
  one.message = result.message ~= nil and ffi.string(result.message) or nil
end

local callback = ffi.cast("void (*)(struct spec_call *, const struct spec_result *)", on_done)

---@class spec.Store
local Store = {}
Store.__index = Store

--- Begin an operation: what is returned has is_done, and the result once that is true.
function Store:begin(name, ...)
  last = last + 1
  local one = { call = ffi.new "struct spec_call", is_done = false, args = { ... } }
  under_way[last] = one
  one.call.done, one.call.data = callback, ffi.cast("void *", last)
  local arguments = {}
  for i, value in ipairs(one.args) do
    arguments[i] = type(value) == "string" and native.slice(value) or value
  end
  arguments[#arguments + 1] = one.call
  self.store.ops[name](self.store, unpack(arguments))
  return one
end

--- Turn the loop until an operation is done.
function Store:finish(one)
  local deadline = os.time() + SECONDS
  while not one.is_done do
    assert(os.time() < deadline, "the store does not answer")
    lib.loop_turn(self.bench.loop, true)
  end
  return one
end

--- Forget a pending operation.
function Store:cancel(one)
  self.store.ops.cancel(self.store, one.call)
end

for _, name in ipairs { "get", "set", "touch", "remove" } do
  Store[name] = function(self, ...)
    return self:finish(self:begin(name, ...))
  end
end

---@class spec.StoreBench
local Bench = {}
Bench.__index = Bench

---@return spec.StoreBench
function M.new()
  local log = ffi.new("struct spec_log", 2, 4)
  local self = setmetatable({ loop = lib.loop_new(), log = log }, Bench)
  self.stores = ffi.new "struct spec_stores"
  lib.stores_init(self.stores, self.loop, log)
  return self
end

--- A store, or nil and why it cannot be opened.
---@return spec.Store?
---@return string? message
function Bench:open(kind, place, size)
  local err = ffi.new "struct err"
  local options = ffi.new("struct spec_store_options", KINDS[kind], place, size or 0)
  local store = lib.store_open(self.stores, options, err)
  if store == nil then
    return nil, ffi.string(err.message)
  end
  return setmetatable({ store = store, bench = self }, Store)
end

function Bench:turn(wait)
  lib.loop_turn(self.loop, wait or false)
end

function Bench:close()
  if self.loop then
    lib.stores_close(self.stores)
    lib.loop_free(self.loop)
    self.loop = nil
  end
end

return M
