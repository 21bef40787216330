--- http/status: phrases, lines, descriptions, default pages.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct slice status_phrase(int code);
struct slice status_line(int code);
struct slice status_description(int code);
bool status_forbids_body(int code);
void status_page(struct buf *out, int code, struct slice description);
]]

local lib, text = native.lib, native.text

local function page(code, description)
  local out = native.buf()
  lib.status_page(out, code, native.slice(description or ""))
  return text(out)
end

describe("status", function()
  it("gives phrase and line of a code", function()
    for code, phrase in pairs {
      [100] = "Continue",
      [200] = "OK",
      [203] = "Non Authoritative Information",
      [226] = "IM Used",
      [404] = "Not Found",
      [413] = "Request Entity Too Large",
      [414] = "Request URI Too Long",
      [418] = "I'm a teapot",
      [449] = "Retry With",
      [511] = "Network Authentication Failed",
    } do
      assert.equal(phrase, text(lib.status_phrase(code)))
      assert.equal("HTTP/1.1 " .. code .. " " .. phrase .. "\r\n", text(lib.status_line(code)))
    end
  end)

  it("calls other codes UNKNOWN and has no line for them", function()
    for _, code in ipairs { -1, 0, 99, 199, 299, 430, 509, 599, 600, 2147483647 } do
      assert.equal("UNKNOWN", text(lib.status_phrase(code)))
      assert.equal("", text(lib.status_line(code)))
      assert.equal("", text(lib.status_description(code)))
    end
  end)

  it("describes the codes that have an error class", function()
    local classes = {}
    for code = 0, 999 do
      if text(lib.status_description(code)) ~= "" then
        classes[#classes + 1] = code
      end
    end
    assert.equal(
      "400 401 403 404 405 406 408 409 410 411 412 413 414 415 416 417 418 421 422 423 424 428 "
        .. "429 431 451 500 501 502 503 504 505",
      table.concat(classes, " ")
    )
  end)

  it("knows which codes never have a body", function()
    for _, code in ipairs { 100, 101, 199, 204, 304 } do
      assert.is_true(lib.status_forbids_body(code))
    end
    for _, code in ipairs { 0, 200, 205, 301, 404, 500 } do
      assert.is_false(lib.status_forbids_body(code))
    end
  end)

  describe("page", function()
    it("is Quart's, byte for byte", function()
      assert.equal(
        "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
          .. "<p>The requested URL was not found on the server. If you entered the URL manually "
          .. "please check your spelling and try again.</p>\n",
        page(404)
      )
      assert.equal(207, #page(404))
      assert.equal(153, #page(405))
      assert.equal(265, #page(500))
      assert.equal(146, #page(418))
    end)

    it("escapes names and descriptions, and breaks lines", function()
      assert.truthy(page(418):find("<h1>I&#39;m a teapot</h1>", 1, true))
      assert.truthy(page(411):find("&lt;code&gt;Content-Length&lt;/code&gt;", 1, true))
      local own = page(400, 'a<b>\n"c"\n')
      assert.truthy(own:find("<p>a&lt;b&gt;<br>&#34;c&#34;<br></p>", 1, true))
    end)

    it("names an unknown code as Quart does", function()
      assert.equal(
        "<!doctype html>\n<html lang=en>\n<title>599 Unknown Error</title>\n"
          .. "<h1>Unknown Error</h1>\n<p></p>\n",
        page(599)
      )
    end)
  end)
end)
