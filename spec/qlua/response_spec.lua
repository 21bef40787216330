local http = require "support.http"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local Response, request = qlua.Response, qlua.request

local COOKIES = {
  plain = { "b" }, none = {}, space = { "x y" }, special = { 'a,b;c"d\\e' }, unicode = { "é☃" },
  max_age = { "b", { max_age = 60 } }, expires = { "b", { expires = 2145916800 } },
  flags = { "b", { secure = true, httponly = true, samesite = "LAX", partitioned = true } },
  place = { "b", { path = "/x", domain = ".example.com:80" } },
  no_path = { "b", { path = false } },
}

-- what a case returns is answered as JSON
local CASES = {}

function CASES.status()
  local r = Response "x"
  local first = r.status
  r.status_code = 404
  local second = r.status
  r.status = "201 Made"
  local third, code = r.status, r.status_code
  r.status_code = 299
  return { first, second, third, code, r.status }
end

function CASES.text()
  return { tostring(Response(("x"):rep(18))), tostring(Response("", 404)),
    tostring(Response(function() end)) }
end

function CASES.types()
  local r = Response "x"
  local out = { r.mimetype, r.content_type }
  r.mimetype = "text/csv"
  out[3] = r.content_type
  r.mimetype = "image/svg+xml"
  out[4] = r.content_type
  r.content_type = "Application/JSON; a=b"
  out[5], out[6] = r.mimetype, tostring(r.is_json)
  out[7] = r.headers["content-type"]
  r.mimetype = "application/json"
  out[8] = r.headers["content-type"]
  out[9] = Response("x", 200, nil, { mimetype = "text/plain" }).content_type
  out[10] = Response("x", 200, nil, { content_type = "text/plain" }).content_type
  out[11] = Response("x", 200, { ["Content-Type"] = "a/b" }).content_type
  return out
end

function CASES.data()
  local pieces, i = { "a", "b" }, 0
  local r = Response(function()
    i = i + 1
    return pieces[i]
  end)
  local before = tostring(r.content_length)
  local text = r:get_data()
  r:set_data(text .. "c")
  local json = qlua.jsonify { a = 1 }
  return { before, text, r.data, r.headers["Content-Length"], json.json.a }
end

function CASES.properties()
  local r = Response "x"
  r.last_modified, r.expires, r.age, r.retry_after = 1700000000, 0, 5, 30
  r.location, r.content_encoding = "/é x", "br"
  r.vary:add "Cookie"
  r.vary:update { "Accept", "cookie" }
  r.allow = { "GET", "POST" }
  r.content_language:add "en"
  r.vary:discard "cookie"
  local out = { r.last_modified, r.expires, r.age, r.retry_after, tostring(r.vary),
    tostring(r.allow:contains "post"), r.allow:to_list(), r.location, r.content_encoding,
    r.headers["Last-Modified"] }
  r.last_modified = nil
  out[11] = tostring(r.headers["Last-Modified"])
  return out
end

function CASES.more_properties()
  local r = Response("x", 200, nil, { content_type = "text/plain; a=b; C=d" })
  local before = { tostring(r.access_control_allow_credentials), tostring(r.content_md5) }
  r.access_control_allow_credentials, r.access_control_max_age = true, 600
  r.access_control_allow_origin = "https://a.test"
  r.access_control_allow_methods = { "GET", "PUT" }
  r.access_control_expose_headers:add "X-A"
  r.content_security_policy = "default-src 'self'"
  r.cross_origin_opener_policy, r.cross_origin_embedder_policy = "same-origin", "require-corp"
  r.www_authenticate = 'Basic realm="x"'
  r.date, r.content_location = 0, "/there"
  return { before, r.headers["Access-Control-Allow-Credentials"], r.access_control_max_age,
    r.access_control_allow_methods:to_list(), tostring(r.access_control_expose_headers),
    r.content_security_policy, r.cross_origin_opener_policy, r.www_authenticate, r.date,
    r.content_location, r.mimetype_params }
end

function CASES.add_etag()
  local r = Response "hello"
  r:add_etag()
  local first = r.headers.ETag
  r:set_data "other"
  r:add_etag { weak = true }
  local second = r.headers.ETag
  r:add_etag { weak = true, overwrite = true }
  return { first, second == first, r.headers.ETag, tostring(r:get_json()) }
end

function CASES.stated_length()
  local r = Response(function() end)
  r.content_length = 12
  local stated = r.headers["Content-Length"]
  r.content_length = nil
  return { stated, tostring(r.headers["Content-Length"]) }
end

function CASES.cache_control()
  local r = Response "x"
  local c = r.cache_control
  c.public = true
  c.max_age = 60
  c.no_cache = true
  c.no_cache = nil
  local out = { tostring(c), c.max_age, tostring(c.public), tostring(c.no_store) }
  c.max_age = 5
  c.private = "Set-Cookie"
  out[5] = r.headers["Cache-Control"]
  return out
end

function CASES.etag()
  local r = Response "x"
  local none = tostring(r:get_etag())
  r:set_etag "abc"
  local strong, is_weak = r:get_etag()
  r:set_etag("d", { weak = true })
  local weak, is_weak_now = r:get_etag()
  return { none, strong, is_weak, weak, is_weak_now, r.headers.ETag }
end

-- what is wrong about each call
local MISTAKES = {
  body = function() Response {} end,
  number = function() Response(5) end,
  status = function() Response("x", 99) end,
  headers = function() Response("x", 200, 5) end,
  inject = function() Response("x", 200, { A = "b\nc" }) end,
  option = function() Response("x", 200, nil, { mimtype = "x" }) end,
  field = function() Response("x").statuscode = 1 end,
  method = function() Response("x").set_cookie = 1 end,
  code = function() Response("x").status_code = "404" end,
  word = function() Response("x").status = "Not Found" end,
  cookie_key = function() Response("x"):set_cookie(1) end,
  cookie_option = function() Response("x"):set_cookie("a", "b", { maxage = 1 }) end,
  samesite = function() Response("x"):set_cookie("a", "b", { samesite = "Sometimes" }) end,
  etag = function() Response("x"):set_etag '"a"' end,
  directive = function() Response("x").cache_control.maxage = 1 end,
  seconds = function() Response("x").cache_control.max_age = true end,
  location = function() Response("x").location = 5 end,
  redirect = function() qlua.redirect(5) end,
  redirect_code = function() qlua.redirect("/", 200) end,
  make = function() qlua.make_response(5) end,
}

app:route("/case/<name>", function(name) return CASES[name]() end)
app:route("/mistake/<name>", { endpoint = "mistake" }, function(name)
  return select(2, pcall(MISTAKES[name]))
end)
app:route("/cookie/<name>", { endpoint = "cookie" }, function(name)
  local r = qlua.make_response "set"
  r:set_cookie("a", COOKIES[name][1], COOKIES[name][2])
  return r
end)
app:route("/forget", function()
  local r = qlua.make_response "gone"
  r:delete_cookie("a", { path = "/x" })
  return r
end)
app:route("/redirect", function()
  local code = request.args:get("code", 302, tonumber)
  return qlua.redirect(request.args:get("to", "/a?b=c&d"), code)
end)
app:route("/conditional", function()
  local r = Response "0123456789"
  r:set_etag "abc"
  r.last_modified = 1700000000
  return r:make_conditional(request, { accept_ranges = request.args.ranges ~= nil })
end)
app:route("/unconditional", function()
  local _, message = pcall(function() Response "x":make_conditional() end)
  return message
end)
app:route("/make", function()
  return qlua.make_response { a = 1 }, 201, { ["X-A"] = "1" }
end)
app:route("/empty", function() return qlua.make_response() end)
app:route("/large-cookie", function()
  local r = Response "x"
  r:set_cookie("a", ("x"):rep(5000))
  return r
end)
app:run()
]]

describe("qlua.Response", function()
  local running

  setup(function()
    running = server.start { app = APP }
  end)
  teardown(server.stop_all)

  local function get(path, headers, method)
    return http.get(running, path, { headers = headers, method = method })
  end

  for case, expected in pairs {
    status = '["200 OK","404 NOT FOUND","201 Made",201,"299 UNKNOWN"]',
    text = '["<Response 18 bytes [200 OK]>","<Response 0 bytes [404 NOT FOUND]>",'
      .. '"<Response streamed [200 OK]>"]',
    types = '["text/html","text/html; charset=utf-8","text/csv; charset=utf-8",'
      .. '"image/svg+xml; charset=utf-8","application/json","true","Application/JSON; a=b",'
      .. '"application/json","text/plain; charset=utf-8","text/plain","a/b"]',
    data = '["nil","ab","abc","3",1]',
    properties = '[1700000000,0,5,30,"Accept","true",["GET","POST"],"/%C3%A9%20x","br",'
      .. '"Tue, 14 Nov 2023 22:13:20 GMT","nil"]',
    more_properties = '[["false","nil"],"true",600,["GET","PUT"],"X-A","default-src \'self\'",'
      .. '"same-origin","Basic realm=\\"x\\"",0,"/there",{"a":"b","c":"d"}]',
    add_etag = '["\\"5d41402abc4b2a76b9719d911017c592\\"",true,'
      .. '"W/\\"795f3202b17cb6bc3d4b771d8c6c9eaf\\"","nil"]',
    stated_length = '["12","nil"]',
    cache_control = '["public, max-age=60",60,"true","nil",'
      .. '"public, max-age=5, private=\\"Set-Cookie\\""]',
    etag = '["nil","abc",false,"d",true,"W/\\"d\\""]',
  } do
    it("reads and writes: " .. case, function()
      assert.equal(expected .. "\n", get("/case/" .. case).body)
    end)
  end

  for case, expected in pairs {
    body = "Response: the body must be a string or an iterator function, got a table; "
      .. "qlua.jsonify makes a response of a table",
    number = "Response: the body must be a string or an iterator function, got the number 5",
    status = "response.status: the status must be an integer from 200 to 599, got the number 99",
    headers = "Response: headers must be a table, got the number 5",
    inject = "Response: header A: the value holds a line break or another control character",
    option = 'Response: unknown option "mimtype" (did you mean "mimetype"?)',
    field = 'a Response has no field "statuscode" (did you mean "status_code"?)',
    method = "response.set_cookie cannot be assigned",
    code = "response.status_code: the status must be an integer from 200 to 599, got the string "
      .. '"404"',
    word = "response.status: the status must be an integer from 200 to 599, got the string "
      .. '"Not Found"',
    cookie_key = "set_cookie: key must be a string, got the number 1",
    cookie_option = 'set_cookie: unknown option "maxage" (did you mean "max_age"?)',
    samesite = 'set_cookie: samesite must be "Strict", "Lax" or "None"',
    etag = 'response:set_etag: the etag is given without quotes, got "a"',
    directive = 'cache_control has no directive "maxage" (did you mean "max_age"?)',
    seconds = "cache_control.max_age must be a number of seconds or nil, got the boolean true",
    location = "response: location must be a string, got the number 5",
    redirect = "redirect: location must be a string, got the number 5",
    redirect_code = "redirect: the code must be one of 301, 302, 303, 305, 307, 308, got the "
      .. "number 200",
    make = "make_response got the number 5, which is no answer",
  } do
    it("says where and what the mistake is: " .. case, function()
      local message = get("/mistake/" .. case).body
      assert.matches("^[^:]*app%.lua:%d+: ", message)
      assert.equal(1, message:gsub("^[^:]*:%d+: ", ""):find(expected, 1, true), message)
    end)
  end

  describe("set_cookie", function()
    for case, expected in pairs {
      plain = "a=b; Path=/", none = "a=; Path=/", space = 'a="x y"; Path=/',
      special = [[a="a\054b\073c\"d\\e"; Path=/]],
      unicode = [[a="\303\251\342\230\203"; Path=/]],
      expires = "a=b; Expires=Fri, 01 Jan 2038 00:00:00 GMT; Path=/",
      flags = "a=b; Secure; HttpOnly; Path=/; SameSite=Lax; Partitioned",
      place = "a=b; Domain=example.com; Path=/x", no_path = "a=b",
    } do
      it("writes: " .. case, function()
        assert.equal(expected, get("/cookie/" .. case).header["set-cookie"])
      end)
    end

    it("adds Expires to a max_age", function()
      assert.matches("^a=b; Expires=%a+, .- GMT; Max%-Age=60; Path=/$",
        get("/cookie/max_age").header["set-cookie"])
    end)

    it("makes the client forget one", function()
      assert.equal("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/x",
        get("/forget").header["set-cookie"])
    end)

    it("warns of one that browsers may drop", function()
      assert.equal(200, get("/large-cookie").status)
      running:wait_for_stderr 'the cookie "a" has 5010 bytes, more than MAX_COOKIE_SIZE (4093)'
    end)
  end)

  it("redirects with a page", function()
    local r = get "/redirect"
    assert.same({ 302, "/a?b=c&d" }, { r.status, r.header.location })
    assert.equal("<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n"
      .. "<h1>Redirecting...</h1>\n<p>You should be redirected automatically to the target URL: "
      .. '<a href="/a?b=c&amp;d">/a?b=c&amp;d</a>. If not, click the link.\n', r.body)
    assert.equal(308, get("/redirect?code=308").status)
    assert.equal("http://x/%C3%A9%20y?%41", get("/redirect?to=http://x/%C3%A9+y%3F%2541")
      .header.location)
  end)

  it("makes responses", function()
    local r = get "/make"
    assert.same({ 201, '{"a":1}\n', "1" }, { r.status, r.body, r.header["x-a"] })
    assert.same({ 200, "" }, { get("/empty").status, get("/empty").body })
  end)

  describe("make_conditional", function()
    it("needs the request", function()
      assert.matches("app.lua:%d+: response:make_conditional: the first argument must be the "
        .. "request, got nil", get("/unconditional").body)
    end)

    local DATE = "Tue, 14 Nov 2023 22:13:20 GMT"

    for _, case in ipairs {
      { {}, 200, "0123456789" },
      { { ["If-None-Match"] = '"abc"' }, 304, "" },
      { { ["If-None-Match"] = '"x", W/"abc"' }, 304, "" },
      { { ["If-None-Match"] = "*" }, 304, "" },
      { { ["If-None-Match"] = '"x"', ["If-Modified-Since"] = DATE }, 200, "0123456789" },
      { { ["If-Modified-Since"] = DATE }, 304, "" },
      { { ["If-Modified-Since"] = "Tue, 14 Nov 2023 22:13:19 GMT" }, 200, "0123456789" },
      { { ["If-Match"] = '"abc"' }, 200, "0123456789" },
      { { ["If-Match"] = "*" }, 200, "0123456789" },
      { { ["If-Match"] = '"x"' }, 412 },
      { { ["If-Unmodified-Since"] = "Tue, 14 Nov 2023 22:13:19 GMT" }, 412 },
      { { Range = "bytes=0-3" }, 200, "0123456789" },
    } do
      local name, value = next(case[1])
      it(("gives %d for %s: %s"):format(case[2], name or "no condition", value or ""), function()
        local r = get("/conditional", case[1])
        assert.equal(case[2], r.status)
        assert.equal(case[3] or r.body, r.body)
        assert.equal(case[2] == 304 and "" or r.body, r.body)
        if r.status == 304 then
          assert.equal('"abc"', r.header.etag)
          assert.is_nil(r.header["content-type"])
        end
      end)
    end

    it("sends a range when asked to", function()
      local r = get("/conditional?ranges=1", { Range = "bytes=-3" })
      assert.same({ 206, "789", "bytes 7-9/10", "3" }, { r.status, r.body,
        r.header["content-range"], r.header["content-length"] })
      r = get("/conditional?ranges=1", { Range = "bytes=10-" })
      assert.same({ 416, "bytes */10" }, { r.status, r.header["content-range"] })
      assert.equal("bytes", get("/conditional?ranges=1").header["accept-ranges"])
    end)
  end)
end)
