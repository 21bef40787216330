--- base/escape: text made safe for HTML, URLs and JSON strings.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
void escape_html(struct buf *out, struct slice text);
void escape_url(struct buf *out, struct slice text, struct slice safe);
void unescape_url(struct buf *out, struct slice text, bool plus_is_space);
void escape_json(struct buf *out, struct slice text, bool ascii);
]]

local lib, slice = native.lib, native.slice

local function html(text)
  local out = native.buf()
  lib.escape_html(out, slice(text))
  return native.text(out)
end

local function url(text, safe)
  local out = native.buf()
  lib.escape_url(out, slice(text), slice(safe or ""))
  return native.text(out)
end

local function unescape(text, plus_is_space)
  local out = native.buf()
  lib.unescape_url(out, slice(text), plus_is_space or false)
  return native.text(out)
end

local function json(text, ascii)
  local out = native.buf()
  lib.escape_json(out, slice(text), ascii)
  return native.text(out)
end

local all_bytes = {}
for byte = 0, 255 do
  all_bytes[byte + 1] = string.char(byte)
end
all_bytes = table.concat(all_bytes)

describe("escape", function()
  it("makes text safe for HTML", function()
    assert.equal("", html "")
    assert.equal("plain é", html "plain é")
    assert.equal("&lt;a b=&#34;c&#34; d=&#39;e&#39;&gt;&amp;amp;", html "<a b=\"c\" d='e'>&amp;")
    assert.equal("\0&lt;\0", html "\0<\0")
  end)

  it("finds what needs an entity wherever it stands", function()
    local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\""] = "&#34;",
      ["'"] = "&#39;" }
    for length = 1, 40 do
      for place = 1, length do
        for special, entity in pairs(entities) do
          local before, behind = ("a"):rep(place - 1), ("=%"):rep(length):sub(1, length - place)
          assert.equal(before .. entity .. behind, html(before .. special .. behind))
          assert.equal(entity .. before .. behind .. entity,
            html(special .. before .. behind .. special))
        end
      end
    end
    assert.equal((all_bytes:gsub("[&<>\"']", entities)), html(all_bytes))
  end)

  it("percent-encodes for URLs", function()
    assert.equal("aZ09-._~", url "aZ09-._~")
    assert.equal("%20%2F%3F%C3%A9%00%25", url " /?é\0%")
    assert.equal("/a%3F/%25", url("/a?/%", "/"))
  end)

  it("decodes every byte it has encoded", function()
    assert.equal(all_bytes, unescape(url(all_bytes)))
  end)

  it("leaves a percent sign without two digits", function()
    for text, expected in pairs {
      ["%"] = "%", ["%4"] = "%4", ["%zz"] = "%zz", ["%%41"] = "%A", ["%4%41"] = "%4A",
      ["%e9%E9"] = "\xe9\xe9", ["a+b"] = "a+b",
    } do
      assert.equal(expected, unescape(text))
    end
    assert.equal("a b+", unescape("a+b%2B", true))
  end)

  it("makes text safe for JSON strings", function()
    assert.equal('a\\"b\\\\c/\\n\\r\\t\\b\\f\\u0000\\u001f', json('a"b\\c/\n\r\t\b\f\0\31', false))
    assert.equal("é☃😀\127", json("é☃😀\127", false))
    assert.equal("\\u00e9\\u2603\\ud83d\\ude00\\u007f", json("é☃😀\127", true))
  end)

  it("puts U+FFFD for what is not UTF-8", function()
    assert.equal("a\\ufffdb", json("a\xffb", false))
    assert.equal("a\\ufffdb\\ufffd", json("a\xe2\x98b\xff", true))
  end)
end)
