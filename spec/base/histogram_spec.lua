--- base/histogram: steps that grow with the time; sums and quantiles.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct histogram { uint64_t sum_ns, longest_ns, counts[448]; };
struct histogram_total { uint64_t sum_ns, longest_ns, counts[448]; };
uint64_t histogram_step_end(unsigned step);
void histogram_add(struct histogram_total *total, const struct histogram *histogram);
void histogram_subtract(struct histogram_total *total, const struct histogram_total *former);
uint64_t histogram_count(const struct histogram_total *total);
uint64_t histogram_below(const struct histogram_total *total, unsigned bits);
uint64_t histogram_quantile(const struct histogram_total *total, double share);
]]

local lib = native.lib

local function step_end(step)
  return tonumber(lib.histogram_step_end(step))
end

--- A total of these times in ns, each counted in the step whose end is the first above it.
local function total_of(times)
  local total = ffi.new "struct histogram_total"
  for _, ns in ipairs(times) do
    local step = 0
    while step < 447 and step_end(step) <= ns do
      step = step + 1
    end
    total.counts[step] = total.counts[step] + 1
    total.sum_ns = total.sum_ns + ns
    total.longest_ns = math.max(tonumber(total.longest_ns), ns)
  end
  return total
end

local function quantile(total, share)
  return tonumber(lib.histogram_quantile(total, share))
end

describe("histogram", function()
  it("has steps that are 1/16 of their time at most", function()
    assert.equal(64, step_end(0))
    for step = 1, 447 do
      local from, to = step_end(step - 1), step_end(step)
      assert.is_true(to > from)
      assert.is_true(to - from <= math.max(64, from / 16), step)
    end
    assert.equal(2 ^ 37, step_end(447))
  end)

  it("counts what is below a power of two exactly", function()
    local times = {}
    for bits = 10, 36 do
      times[#times + 1] = 2 ^ bits - 1
      times[#times + 1] = 2 ^ bits
    end
    local total = total_of(times)
    assert.equal(54, tonumber(lib.histogram_count(total)))
    for bits = 10, 36 do
      assert.equal(2 * (bits - 10) + 1, tonumber(lib.histogram_below(total, bits)), bits)
    end
  end)

  it("gives quantiles, at most 1/16 too long and never above the longest", function()
    local times = {}
    for i = 1, 1000 do
      times[i] = i * 1000 -- 1 us to 1 ms
    end
    local total = total_of(times)
    for _, share in ipairs { 0.001, 0.5, 0.9, 0.99, 1 } do
      local right, given = share * 1e6, quantile(total, share)
      assert.is_true(given >= right and given <= right * 17 / 16 + 64, share)
    end
    assert.equal(1000000, quantile(total, 1))
    assert.equal(5, quantile(total_of { 5 }, 0.5))
    assert.equal(3e14, quantile(total_of { 3e14 }, 0.5)) -- three days: longer than the last step
    assert.equal(0, quantile(total_of {}, 0.99))
  end)

  it("adds up, and takes away what was there before", function()
    local one, sum = total_of { 100, 5000 }, total_of { 5000, 70000 }
    lib.histogram_add(sum, ffi.cast("const struct histogram *", one))
    assert.equal(4, tonumber(lib.histogram_count(sum)))
    assert.equal(80100, tonumber(sum.sum_ns))
    assert.equal(70000, tonumber(sum.longest_ns))
    lib.histogram_subtract(sum, one)
    assert.equal(2, tonumber(lib.histogram_count(sum)))
    assert.equal(75000, tonumber(sum.sum_ns))
  end)
end)
