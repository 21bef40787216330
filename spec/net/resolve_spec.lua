--- net/resolve: names are looked up by a thread, not by the loop.

local ffi = require "ffi"

local native = require "support.native"

ffi.cdef [[
struct loop; struct resolve;
struct resolved { char addresses[8][64]; size_t count; const char *error; };
struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_turn(struct loop *loop, bool wait);
struct resolve *resolve_new(struct loop *loop, const char *host,
                            void (*fn)(void *data, const struct resolved *resolved), void *data);
void resolve_cancel(struct resolve *resolve);
]]

jit.off(true, true) -- C calls back into what is below

local lib = native.lib

describe("resolve", function()
  local loop, on_resolved, results

  before_each(function()
    loop, results = lib.loop_new(), {}
    on_resolved = ffi.cast("void (*)(void *, const struct resolved *)", function(_, resolved)
      local addresses = {}
      for i = 0, tonumber(resolved.count) - 1 do
        addresses[ffi.string(resolved.addresses[i])] = true
      end
      results[#results + 1] = { addresses = addresses, count = tonumber(resolved.count),
        error = resolved.count == 0 and ffi.string(resolved.error) or nil }
    end)
  end)

  after_each(function()
    lib.loop_free(loop)
    on_resolved:free()
  end)

  local function resolve(host)
    results = {}
    assert.is_true(lib.resolve_new(loop, host, on_resolved, nil) ~= nil)
    assert.equal(0, #results) -- in a later turn
    while not results[1] do
      lib.loop_turn(loop, true)
    end
    return results[1]
  end

  it("finds the addresses of a name", function()
    local result = resolve "localhost"
    assert.is_true(result.addresses["127.0.0.1"] or result.addresses["::1"])
    assert.is_true(result.count <= 8)
  end)

  it("takes an address for its own", function()
    assert.same({ ["127.0.0.9"] = true }, resolve("127.0.0.9").addresses)
    assert.same({ ["::1"] = true }, resolve("::1").addresses)
  end)

  it("says why there is none", function()
    local result = resolve "nosuch.invalid"
    assert.equal(0, result.count)
    assert.is_true(#result.error > 5)
  end)

  it("says nothing once it is cancelled", function()
    for _ = 1, 20 do -- more than there are threads
      lib.resolve_cancel(lib.resolve_new(loop, "localhost", on_resolved, nil))
    end
    lib.resolve_cancel(nil)
    lib.loop_free(loop)
    loop = lib.loop_new()
    assert.equal(0, #results)
  end)
end)
