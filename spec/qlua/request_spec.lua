--- request: what it says of the request line, the headers and the body; g and current_app.

local raw = require "support.raw"
local server = require "support.server"
local views = require "support.views"

local VIEWS = {
  field = [[ local v = request[request.args.name]
    if v == nil then return null end
    return v ]],
  url = [[ local r = request
    return { r.url, r.base_url, r.root_url, r.url_root, r.host_url, r.host, r.path, r.full_path,
      r.query_string, r.root_path, r.scheme, r.is_secure, r.method, r.http_version } ]],
  text = "return tostring(request)",
  peer = "return { request.remote_addr, request.access_route }",
  matched = [[ return { request.endpoint, request.url_rule.rule, request.view_args,
    request.blueprint == nil, request.blueprints } ]],
  agent = "return { request.user_agent.string, tostring(request.user_agent) }",
  cookies = "return { request.cookies:to_dict { flat = false }, request.cookies.a }",
  auth = [[ local a = request.authorization
    if not a then return null end
    return { type = a.type, username = a.username, password = a.password, token = a.token,
      realm = a.realm, nonce = a.nonce } ]],
  meta = [[ local r = request
    return { r.content_type or null, r.mimetype or null, r.mimetype_params,
      r.content_length or null, r.is_json } ]],
  accept = [[ local m = request.accept_mimetypes
    return { m:best_match { "application/json", "text/html" } or null, m.accept_json,
      m.accept_html, m:quality "text/html", m:quality "image/png", m.best or null, m.provided } ]],
  best = [[ local l, e = request.accept_languages, request.accept_encodings
    return { l:best_match({ "de", "en" }, "fr"), l:best_match { "en-GB", "de-AT" } or null,
      e:best_match { "br", "gzip" } or null, e:quality "gzip", e:contains "br", e:values() } ]],
  conditions = [[ local r = request
    return { r.if_modified_since or null, r.if_none_match:contains "abc",
      r.if_none_match:contains_weak "w", r.if_none_match:contains "w", r.if_match:contains "abc",
      r.if_match.star_tag, r.cache_control.max_age or null, r.cache_control.no_cache or false,
      r.cache_control.min_fresh or null } ]],
  range = [[ local range, other = request.range, request.if_range
    return { range and { range.units, range.ranges, tostring(range) } or null,
      other.etag or null, other.date or null } ]],
  data = "return { request:get_data(), request:get_data(), request.data }",
  uncached = "return { request:get_data { cache = false }, request:get_data() }",
  json = "return { request:get_json(), request.json, request.is_json }",
  json_null = "return { request.json == qlua.null, request:get_json() == qlua.null }",
  json_kind = "return { type(request.json), qlua.json.is_array(request.json) }",
  json_force = "return request:get_json { force = true }",
  json_silent = "return { request:get_json { silent = true } == nil }",
  json_after_silent = "request:get_json { silent = true } return request:get_json()",
  body = [[ local n, text = 0, {}
    for chunk in request.body do n = n + 1 text[n] = chunk end
    return { table.concat(text), request:get_data() } ]],
  body_twice = [[ local data = request:get_data()
    local text = ""
    for _ = 1, 2 do for chunk in request.body do text = text .. chunk .. "|" end end
    return { data, text } ]],
  together = [[ return { qlua.gather(
    function() return request:get_data() end,
    function() return request.form.a end,
    function() return request:get_data() end) } ]],
  limit = [[ request.max_content_length = 5
    return { request.max_content_length, request:get_data() } ]],
  unlimited = [[ local r = request
    r.max_content_length, r.max_form_parts, r.body_timeout = nil, nil, 1.5
    return { r.max_content_length == nil, r.max_form_parts == nil, r.body_timeout,
      #r:get_data() } ]],
  limits = [[ local r = request
    return { r.max_content_length, r.max_form_parts, r.body_timeout } ]],
  own = "request.mine = { 1 } return request.mine",
  g = [[ local before = g.x == nil
    g.x = 1
    g:set("get", "m")
    local d = g:setdefault("x", 5) + g:setdefault("y", 6)
    local names = g:keys()
    local popped = { g:pop "y", g:pop("y", "gone"), g:get("x"), g:get("none", "d"), g:get "get" }
    g:update { a = 1 }
    local all = g:to_dict()
    local had = g:contains "a"
    g:remove "a"
    g:clear()
    return { before, d, names, popped, all, had, g.x == nil, tostring(g) } ]],
  contexts = "return { qlua.has_request_context(), qlua.has_app_context() }",
  load_contexts = "return app.config.CONTEXTS",
  current_app = [[ return { qlua.current_app:get() == app, qlua.current_app.config.X,
    qlua.current_app:url_for_test(3), qlua.current_app.name == app.name } ]],
  outside = "return OUTSIDE",
  ended = [[ return ENDED or null ]],
  keep = [[ request:get_data() KEPT = coroutine.wrap(function() return 1 end) return 1 ]],
  assign_method = "request.get_json = 1",
  assign_field = "request.path = '/x'",
  assign_private = "request._data = 'x'",
  assign_limit = "request.max_content_length = 'big'",
  g_method = "g.get = 1",
  data_option = "request:get_data { cahce = true }",
  json_option = "request:get_json { force = 1 }",
  best_argument = "request.accept_mimetypes:best_match 'text/html'",
}

local SETUP = [[
app.config.X = 5
app.config.MAX_CONTENT_LENGTH = 1000
app.config.CONTEXTS = { qlua.has_request_context(), qlua.has_app_context() }
function app:url_for_test(n) return (self == app) and n or "wrapped" end
OUTSIDE = {}
for i, fn in ipairs {
  function() return request.path end, function() return g.x end, function() g.x = 1 end,
  function() return request:get_data() end,
} do
  local _, message = pcall(fn)
  OUTSIDE[i] = message
end
app:route("/v/<int:id>/<name>", { endpoint = "v", defaults = { z = 1 } }, function()
  return { request.endpoint, request.url_rule.rule, request.view_args }
end)
app:route("/dotted", { endpoint = "p.c.view" }, function()
  return { request.blueprint, request.blueprints }
end)
]]

describe("request", function()
  local live
  local null = require("cjson").null

  setup(function()
    live = views.start(VIEWS, SETUP)
  end)

  teardown(server.stop_all)

  local function value(target, options)
    return views.value(live, target, options)
  end

  local function field(name, headers)
    return value("/field?name=" .. name, { headers = headers })
  end

  describe("URL", function()
    it("is given in all its parts", function()
      assert.same({
        "http://h.test:81/url?a=1&b=%26", "http://h.test:81/url", "http://h.test:81/",
        "http://h.test:81/", "http://h.test:81/", "h.test:81", "/url", "/url?a=1&b=%26",
        "a=1&b=%26", "", "http", false, "GET", "1.1",
      }, value("/url?a=1&b=%26", { host = "h.test:81" }))
    end)

    it("leaves out the scheme's own port, and keeps full_path's question mark", function()
      local got = value("/url", { host = "H.test:80" })
      assert.same({ "http://h.test/url", "H.test", "/url?" }, { got[1], got[6], got[8] })
    end)

    it("has an empty host when the client names none", function()
      local c = raw.connect(live)
      c:send "GET /field?name=url HTTP/1.0\r\n\r\n"
      assert.equal('{"value":"http:///field?name=url"}', (c:response().body:gsub("%s", "")))
      c:close()
    end)

    it("is readable where that changes no meaning", function()
      local got = value "/field?name=url&x=%C3%A9%20%2B&y=%3C"
      assert.equal("http://localhost/field?name=url&x=é%20%2B&y=<", got)
    end)

    it("stands in the request's text", function()
      assert.equal("<Request 'http://localhost/text?x=1' [GET]>", value "/text?x=1")
    end)
  end)

  describe("headers", function()
    it("give plain fields, nil when absent", function()
      assert.equal("http://a/", field("referrer", { Referer = "http://a/" }))
      assert.equal("http://b", field("origin", { Origin = "http://b" }))
      assert.equal("no-cache", field("pragma", { Pragma = "no-cache" }))
      assert.equal(7, field("max_forwards", { ["Max-Forwards"] = "7" }))
      for _, name in ipairs {
        "referrer", "origin", "pragma", "max_forwards", "content_encoding", "date",
        "if_unmodified_since", "no_such_field",
      } do
        assert.equal(null, field(name), name)
      end
    end)

    it("name the peer and the way here", function()
      assert.same({ "127.0.0.1", { "127.0.0.1" } }, value "/peer")
      assert.same({ "127.0.0.1", { "10.0.0.1", "10.0.0.2", "10.0.0.3" } }, value("/peer", {
        headers = { { "X-Forwarded-For", "10.0.0.1,10.0.0.2" }, { "X-Forwarded-For", "10.0.0.3" } },
      }))
    end)

    it("name the user agent, \"\" when absent", function()
      assert.same({ "x/1", "x/1" }, value("/agent", { headers = { ["User-Agent"] = "x/1" } }))
      assert.same({ "", "" }, value "/agent")
    end)

    it("bring cookies, the first of a name first", function()
      local headers = { { "Cookie", 'a=1; b="x \\"y\\""; a=2' }, { "Cookie", "c=3; =4; d" } }
      local cookies = value("/cookies", { headers = headers })
      assert.same({ a = { "1", "2" }, b = { 'x "y"' }, c = { "3" }, d = { "" } }, cookies[1])
      assert.equal("1", cookies[2])
    end)

    it("bring credentials", function()
      for header, expected in pairs {
        ["Basic YWxpY2U6YTpi"] = { type = "basic", username = "alice", password = "a:b" },
        ["basic YWxpY2U="] = { type = "basic", username = "alice", password = "" },
        ["BASIC  w7w6w7w="] = { type = "basic", username = "ü", password = "ü" },
        ["Bearer abc=="] = { type = "bearer", token = "abc==" },
        ['Digest username="a\\"b", realm=r, nonce="n,1"'] = {
          type = "digest", username = 'a"b', realm = "r", nonce = "n,1",
        },
        ["Basic !!!"] = null, ["Basic /w=="] = null, ["Basic YWxpY2U"] = null,
      } do
        assert.same(expected, value("/auth", { headers = { Authorization = header } }), header)
      end
      assert.equal(null, value "/auth")
    end)

    it("describe the body", function()
      assert.same({ null, null, {}, null, false }, value "/meta")
      assert.same({
        'Text/HTML; Charset="utf-8"; x=y', "text/html", { charset = "utf-8", x = "y" }, 2, false,
      }, value("/meta", {
        body = "ab", headers = { ["Content-Type"] = 'Text/HTML; Charset="utf-8"; x=y' },
      }))
      for mimetype, is_json in pairs {
        ["application/json"] = true, ["application/problem+json; a=b"] = true,
        ["application/json5"] = false, ["text/json"] = false,
      } do
        assert.equal(is_json, value("/meta", { headers = { ["Content-Type"] = mimetype } })[5])
      end
    end)
  end)

  describe("accept", function()
    local function accept(header)
      return value("/accept", { headers = header and { Accept = header } })
    end

    it("knows nothing without the header", function()
      assert.same({ null, false, false, 0, 0, null, false }, accept())
    end)

    it("weighs types by specificity and quality", function()
      assert.same({ "text/html", true, true, 1, 0.8, "text/html", true },
        accept "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
      assert.same({ "application/json", true, true, 0, 0, "application/json", true },
        accept "application/json;q=0.5, text/html;q=0, text/plain;q=2")
      assert.same({ "text/html", true, true, 0.3, 0.1, "text/*", true },
        accept "text/*;q=0.3, */*;q=0.1")
    end)

    it("finds languages and encodings", function()
      assert.same({ "de", "de-AT", "br", 0.5, true, { "br", "gzip" } }, value("/best", {
        headers = {
          ["Accept-Language"] = "en-US, de;q=0.5", ["Accept-Encoding"] = "gzip;q=0.5, br",
        },
      }))
      assert.same({ "fr", null, null, 0, false, {} }, value("/best", {
        headers = { ["Accept-Language"] = "it" },
      }))
    end)
  end)

  for header, expected in pairs {
    ["bytes=0-499"] = { "bytes", { { 0, 499 } }, "bytes=0-499" },
    ["Bytes = 0-1 , 5-7, 9-"] = { "bytes", { { 0, 1 }, { 5, 7 }, { 9 } }, "bytes=0-1,5-7,9-" },
    ["items=-5"] = { "items", { { -5 } }, "items=-5" },
    ["bytes=5-1"] = null, ["bytes=5-6,1-2"] = null, ["bytes=5-,7-8"] = null, ["bytes"] = null,
    ["bytes="] = null, ["bytes=a-b"] = null,
  } do
    it("reads Range: " .. header, function()
      assert.same({ expected, null, null }, value("/range", { headers = { Range = header } }))
    end)
  end

  it("reads If-Range as an entity tag or a date", function()
    local function if_range(text)
      return value("/range", { headers = { ["If-Range"] = text } })
    end
    assert.same({ null, "a b", null }, if_range '"a b"')
    assert.same({ null, "a", null }, if_range 'W/"a"')
    assert.same({ null, null, 1700000000 }, if_range "Tue, 14 Nov 2023 22:13:20 GMT")
  end)

  it("reads conditions", function()
    local expected = { 1700000000, true, true, false, true, false, 5, true, null }
    assert.same(expected, value("/conditions", {
      headers = {
        ["If-Modified-Since"] = "Tue, 14 Nov 2023 22:13:20 GMT",
        ["If-None-Match"] = 'W/"w", "abc"', ["If-Match"] = '"abc"',
        ["Cache-Control"] = "no-cache, max-age=5",
      },
    }))
    assert.same({ null, false, false, false, true, true, null, false, null }, value("/conditions", {
      headers = { ["If-Modified-Since"] = "yesterday", ["If-Match"] = "*" },
    }))
  end)

  describe("match", function()
    it("tells endpoint, rule and arguments", function()
      assert.same({ "v", "/v/<int:id>/<name>", { id = 7, name = "x", z = 1 } },
        require("cjson").decode(require("support.http").get(live, "/v/7/x").body))
      assert.same({ "matched", "/matched", {}, true, {} }, value "/matched")
    end)

    it("tells the blueprints, innermost first", function()
      local response = require("support.http").get(live, "/dotted")
      assert.same({ "p.c", { "p.c", "p" } }, require("cjson").decode(response.body))
    end)
  end)

  describe("body", function()
    it("is read whole and kept", function()
      assert.same({ "some", "some", "some" }, value("/data", { body = "some" }))
      assert.same({ "", "", "" }, value "/data")
      assert.same({ "some", "" }, value("/uncached", { body = "some" }))
    end)

    it("comes in chunks", function()
      assert.same({ "some text", "" }, value("/body", { body = "some text" }))
      assert.same({ "some", "some|some|" }, value("/body_twice", { body = "some" }))
    end)

    it("comes in chunks as they arrive", function()
      local c = raw.connect(live)
      c:send "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      for piece in ("ab cd ef"):gmatch "%w+" do
        c:send("2\r\n" .. piece .. "\r\n")
      end
      c:send "0\r\n\r\n"
      assert.equal('{"value":["abcdef",""]}',
        (c:response().body:gsub("%s", "")))
      c:close()
    end)

    it("may be wanted by several tasks at once", function()
      local c = raw.connect(live)
      c:send("POST /together HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        .. "Content-Type: application/x-www-form-urlencoded\r\n\r\na=")
      assert.is_true(c:is_silent(0.05))
      c:send "1"
      assert.equal('{"value":["a=1","1","a=1"]}',
        (c:response().body:gsub("%s", "")))
      c:close()
    end)

    it("is refused above MAX_CONTENT_LENGTH and the request's own limit", function()
      assert.equal(413, views.call(live, "/data", { body = ("x"):rep(1001) }))
      assert.equal(413, views.call(live, "/limit", { body = "123456" }))
      assert.same({ 5, "12345" }, value("/limit", { body = "12345" }))
      assert.same({ 1000, 1000, 60 }, value "/limits")
      local c = raw.connect(live)
      c:send "POST /unlimited HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      assert.is_true(c:is_silent(0.05)) -- the view must have lifted the limit before
      c:send(("7d0\r\n%s\r\n0\r\n\r\n"):format(("x"):rep(2000)))
      assert.equal('{"value":[true,true,1.5,2000]}', (c:response().body:gsub("%s", "")))
      c:close()
    end)
  end)

  describe("JSON", function()
    local JSON = { ["Content-Type"] = "application/json" }

    local function post(target, body, headers)
      return views.call(live, target, { body = body, headers = headers or JSON })
    end

    it("is decoded", function()
      assert.same({ { a = { 1 } }, { a = { 1 } }, true }, post("/json", '{"a":[1]}').value)
      assert.same({ "table", true }, post("/json_kind", "[]").value)
      assert.same({ "table", false }, post("/json_kind", "{}").value)
      assert.same({ "boolean", false }, post("/json_kind", "false").value)
      assert.same({ true, true }, post("/json_null", "null").value)
    end)

    it("is nil of another type, unless forced", function()
      local text = { ["Content-Type"] = "text/plain" }
      assert.same({ "nil", false }, post("/json_kind", "[]", text).value)
      assert.same({ 1 }, post("/json_force", "[1]", text).value)
    end)

    it("is a 400 when it cannot be decoded", function()
      for _, body in ipairs { "", "{", "{'a': 1}", "[1] x", '"\xff"', "nan" } do
        assert.equal(400, post("/json", body), body)
      end
      assert.same({ true }, post("/json_silent", "nonsense").value)
      assert.equal(400, post("/json_after_silent", "nonsense"))
    end)
  end)

  describe("context", function()
    it("is there in a view and not while loading", function()
      assert.same({ true, true }, value "/contexts")
      assert.same({ false, false }, value "/load_contexts")
    end)

    it("keeps values of the app's own", function()
      assert.same({ 1 }, value "/own")
    end)

    it("has a g of its own for each request", function()
      for _ = 1, 2 do
        assert.same({
          true, 7, { "get", "x", "y" }, { 6, "gone", 1, "d", "m" }, { x = 1, get = "m", a = 1 },
          true, true, "<qlua.g>",
        }, value "/g")
      end
    end)

    it("has the app", function()
      assert.same({ true, 5, 3, true }, value "/current_app")
    end)
  end)

  describe("mistakes", function()
    it("outside of a request say where it may be used", function()
      local messages = value "/outside"
      for i, text in ipairs {
        "Not within a request context: request.path was used outside of a request. Use it in a",
        "Not within an app context: g.x was used outside of a request. Use it in a view",
        "Not within an app context: g.x was used outside of a request",
        "Not within a request context: request.get_data was used outside of a request",
      } do
        assert.is_truthy(messages[i]:find(text, 1, true), messages[i])
        assert.is_truthy(messages[i]:find "app.lua:%d+: ", messages[i])
      end
    end)

    it("name what was given and what is expected", function()
      for name, text in pairs {
        assign_method = "request.get_json is a method and cannot be assigned",
        assign_field = "request.path is what the client sent and cannot be assigned; keep values",
        assign_private = "request._data: names that begin with _ are qlua's own",
        assign_limit = 'request.max_content_length must be a number of bytes, or nil for none, got '
          .. 'the string "big"',
        g_method = 'g.get is a method; use g:set("get", value)',
        data_option = 'request:get_data: unknown option "cahce" (did you mean "cache"?)',
        json_option = 'request:get_json: option "force" must be a boolean, got the number 1',
        best_argument = 'best_match: a list of values expected, got the string "text/html"',
      } do
        local answer = views.call(live, "/" .. name)
        local got = type(answer) == "table" and answer.error or tostring(answer)
        assert.is_truthy(got:find(text, 1, true), name .. ": " .. got)
        assert.is_truthy(got:find "app.lua:%d+: ", got)
      end
    end)
  end)
end)
