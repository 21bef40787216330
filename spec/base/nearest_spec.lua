local ffi = require "ffi"

local native = require "support.native"

ffi.cdef [[
const char *nearest_name(struct slice word, const char *const *names, size_t count);
]]

local NAMES = { "--host", "--port", "--workers", "--access-log", "run", "routes" }

local function nearest(word)
  local names = ffi.new("const char *[?]", #NAMES + 1)
  for i, name in ipairs(NAMES) do
    names[i - 1] = name
  end
  names[#NAMES] = nil -- a NULL entry is skipped
  local found = native.lib.nearest_name(native.slice(word), names, #NAMES + 1)
  return found ~= nil and ffi.string(found) or nil
end

describe("nearest name", function()
  local cases = {
    { "--prot", "--port", "two letters swapped" },
    { "--hots", "--host", "two letters swapped at the end" },
    { "--worker", "--workers", "a letter less" },
    { "--acess-log", "--access-log", "a letter less inside" },
    { "--portt", "--port", "a letter more" },
    { "--PORT", "--port", "another case" },
    { "runn", "run", "a letter more in a short word" },
    { "rutes", "routes", "a letter less in a command" },
    { "xyz", nil, "nothing alike" },
    { "", nil, "nothing at all" },
    { ("w"):rep(65), nil, "a word longer than any name" },
  }
  for _, case in ipairs(cases) do
    it(("finds %s for %q: %s"):format(case[2] or "none", case[1]:sub(1, 12), case[3]), function()
      assert.equal(case[2], nearest(case[1]))
    end)
  end
end)
