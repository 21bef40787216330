--- template/entity and template/strip_tags: HTML back into text, against Python.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
void entity_unescape(struct slice html, struct buf *out);
void strip_tags(struct slice html, struct buf *out);
]]

local lib, slice = native.lib, native.slice

local function unhex(field)
  return (field:sub(2):gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function run(name, text)
  local out = native.buf()
  lib[name](slice(text), out)
  return native.text(out)
end

describe("entity", function()
  it("unescapes and strips tags as Python does", function()
    local pipe = assert(io.popen "/usr/bin/python3 spec/support/python_text.py entity")
    local lines = 0
    for line in pipe:lines() do
      local given, unescaped, stripped = line:match "^(%S+) (%S+) (%S+)$"
      given = unhex(given)
      assert.equal(unhex(unescaped), run("entity_unescape", given), given)
      assert.equal(unhex(stripped), run("strip_tags", given), given)
      lines = lines + 1
    end
    pipe:close()
    assert.is_true(lines > 20000)
  end)

  it("takes long texts in linear time", function()
    local started = os.clock()
    run("entity_unescape", ("&"):rep(1e6))
    run("entity_unescape", ("&nothing"):rep(1e5))
    run("strip_tags", ("<"):rep(1e6))
    run("strip_tags", ("<!--"):rep(1e6))
    run("strip_tags", ("<b>& "):rep(1e5) .. ("&nothing"):rep(1e5))
    assert.is_true(os.clock() - started < 2)
  end)
end)
