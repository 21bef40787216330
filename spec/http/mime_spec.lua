--- http/mime: types by file name, and which of them say a charset.

local ffi = require "ffi"
local native = require "support.native"
local lists = require "support.fields"

ffi.cdef [[
struct slice mime_type_of(struct slice filename);
bool mime_wants_charset(struct slice mimetype);
]]

local lib, slice = native.lib, lists.slice

local function type_of(filename)
  return native.text(lib.mime_type_of(slice(filename)))
end

-- The extensions of the table, read from the source: a wrong order would hide some.
local function extensions()
  local found = {}
  for line in io.lines "src/http/mime.c" do
    local extension, type = line:match '^    {SLICE%("(.-)"%), SLICE%("(.-)"%)},$'
    if extension then
      found[#found + 1] = { extension, type }
    end
  end
  return found
end

describe("mime type", function()
  it("goes by the last extension, in any case", function()
    for filename, expected in pairs {
      ["index.html"] = "text/html",
      ["a/b/app.js"] = "text/javascript",
      ["style.CSS"] = "text/css",
      ["data.json"] = "application/json",
      ["pic.svg"] = "image/svg+xml",
      ["m.wasm"] = "application/wasm",
      ["a.b.txt"] = "text/plain",
      ["a.tar.gz"] = "application/gzip",
      ["app.webmanifest"] = "application/manifest+json",
      ["favicon.ico"] = "image/vnd.microsoft.icon",
      ["..a.txt"] = "text/plain",
    } do
      assert.equal(expected, type_of(filename), filename)
    end
  end)

  it("is empty when the name says nothing", function()
    for _, filename in ipairs {
      "", ".", "..", "README", "a.", "a.unknown", "a.webmanifestx", ".html", "...css", "d/.html",
      "html", "a.html/b", "a.html/", "a.ht\0ml", "/.js",
    } do
      assert.equal("", type_of(filename), filename)
    end
  end)

  it("finds every extension of its table", function()
    local all = extensions()
    assert.is_true(#all > 100)
    for _, pair in ipairs(all) do
      assert.equal(pair[2], type_of("x." .. pair[1]), pair[1])
      assert.equal(pair[2], type_of("x." .. pair[1]:upper()), pair[1])
    end
  end)

  it("has a charset when it is text or XML", function()
    for _, mimetype in ipairs {
      "text/html", "text/x-anything", "TEXT/PLAIN", "image/svg+xml", "application/atom+xml",
      "application/xml", "application/javascript", "application/ecmascript", "application/sql",
      "application/xml-dtd", "application/xml-external-parsed-entity",
    } do
      assert.is_true(lib.mime_wants_charset(slice(mimetype)), mimetype)
    end
    for _, mimetype in ipairs { "", "text", "application/json", "image/png", "xml", "a+xml2" } do
      assert.is_false(lib.mime_wants_charset(slice(mimetype)), mimetype)
    end
  end)
end)
