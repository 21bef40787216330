--- http/url: the path and query of request.url.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
enum url_part { URL_PATH, URL_QUERY };
struct slice url_iri(struct arena *arena, struct slice text, enum url_part part);
]]

local function iri(text, part)
  return native.text(native.lib.url_iri(native.arena(), native.slice(text), part))
end

describe("url", function()
  it("shows a path as people read it", function()
    for text, expected in pairs {
      [""] = "", ["/a/b"] = "/a/b", ["/é"] = "/é", ["/a b"] = "/a%20b", ["/a?b#c"] = "/a%3Fb%23c",
      ["/<x>\"'"] = "/<x>\"'", ["/a\1\127"] = "/a%01%7F", ["/100%"] = "/100%",
      ["/a%2Fb%41"] = "/a%2FbA", ["/%c3%A9"] = "/é", ["/%25"] = "/%25", ["/+&="] = "/+&=",
    } do
      assert.equal(expected, iri(text, "URL_PATH"), text)
    end
  end)

  it("decodes of a query what changes no meaning", function()
    for text, expected in pairs {
      ["a=1&b=2"] = "a=1&b=2", ["a=%26%3D%2b%23"] = "a=%26%3D%2b%23", ["q=a+b%20c"] = "q=a+b%20c",
      ["%C3%A9=%e2%98%83"] = "é=☃", ["a=/?%2F%3f"] = "a=/?/?", ["a=é"] = "a=é",
    } do
      assert.equal(expected, iri(text, "URL_QUERY"), text)
    end
  end)

  it("escapes again what is not UTF-8", function()
    assert.equal("/%FF", iri("/%ff", "URL_PATH"))
    assert.equal("a=%FF%C3x", iri("a=\xff%C3x", "URL_QUERY"))
    assert.equal("é%A9", iri("%C3%A9%A9", "URL_QUERY"))
  end)
end)
