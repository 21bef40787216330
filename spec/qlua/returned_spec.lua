local http = require "support.http"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local Own = qlua.class "Own"

local function each(pieces)
  local i = 0
  return function()
    i = i + 1
    if pieces[i] == error then
      error("the well is dry", 0)
    end
    return pieces[i]
  end
end

local CASES = {
  text = function() return "hé" end,
  empty = function() return "" end,
  bytes = function() return "\0\255" end,
  table = function() return { b = 1, a = { 1, qlua.null } } end,
  array = function() return qlua.array {} end,
  object = function() return {} end,
  status = function() return "made", 201 end,
  headers = function() return "x", { ["X-A"] = "1" } end,
  both = function() return { a = 1 }, 404, { ["X-A"] = "1" } end,
  nil_status = function() return "x", nil, { ["X-A"] = "1" } end,
  list = function() return "x", 200, { ["X-A"] = { "1", "2" } } end,
  type = function() return "<x/>", 200, { ["content-type"] = "application/xml" } end,
  headers_object = function() return "x", qlua.Headers { ["X-A"] = "1" } end,
  response = function() return qlua.Response("x", 202, { ["X-A"] = "1" }) end,
  response_over = function() return qlua.Response("x", 202, { ["X-A"] = "1", ["X-B"] = "2" }),
    418, { ["X-A"] = "3" } end,
  http_error = function() return qlua.errors.NotFound "no <such> thing" end,
  http_error_over = function() return qlua.errors.NotFound(), 410 end,
  stream = function() return each { "a", "", "b" } end,
  stream_with = function() return each { "a" }, 201, { ["Content-Type"] = "text/plain" } end,
  metatable = function() return setmetatable({ a = 1 }, { __index = function() end }) end,

  nothing = function() end,
  ["nil"] = function() return nil end,
  nil_first = function() return nil, 404 end,
  number = function() return 5 end,
  ["true"] = function() return true end,
  instance = function() return Own() end,
  multidict = function() return qlua.request.args end,
  gsub = function() return (("a"):gsub("a", "b")), select(2, ("a"):gsub("a", "b")) end,
  text_status = function() return "x", "201" end,
  low_status = function() return "x", 100 end,
  half_status = function() return "x", 200.5 end,
  third = function() return "x", 200, 5 end,
  fourth = function() return "x", 200, {}, "y" end,
  inject = function() return "x", 200, { ["X-A"] = "1\r\nX-Evil: 1" } end,
  inject_list = function() return "x", 200, { ["X-A"] = { "1\n2" } } end,
  json = function() return { a = { print } } end,
  chunk = function() return each { "a", 5 } end,
  raises = function() return each { "a", error } end,
}

app:route("/<case>", { endpoint = "case", methods = { "GET", "POST" } }, function(case)
  return CASES[case]()
end)
app:run()
]]

describe("what a view returns", function()
  local running

  setup(function()
    running = server.start { app = APP }
  end)
  teardown(server.stop_all)

  local function get(case)
    return http.get(running, "/" .. case)
  end

  local HTML = "text/html; charset=utf-8"

  for case, expected in pairs {
    text = { 200, "hé", HTML },
    empty = { 200, "", HTML },
    bytes = { 200, "\0\255", HTML },
    table = { 200, '{"a":[1,null],"b":1}\n', "application/json" },
    array = { 200, "[]\n", "application/json" },
    object = { 200, "{}\n", "application/json" },
    metatable = { 200, '{"a":1}\n', "application/json" },
    status = { 201, "made", HTML },
    headers = { 200, "x", HTML, "1" },
    both = { 404, '{"a":1}\n', "application/json", "1" },
    nil_status = { 200, "x", HTML, "1" },
    list = { 200, "x", HTML, "1, 2" },
    type = { 200, "<x/>", "application/xml" },
    headers_object = { 200, "x", HTML, "1" },
    response = { 202, "x", HTML, "1" },
    response_over = { 418, "x", HTML, "3" },
    stream = { 200, "ab", HTML },
    stream_with = { 201, "a", "text/plain" },
  } do
    it("answers: " .. case, function()
      local r = get(case)
      assert.same(expected, { r.status, r.body, r.header["content-type"], r.header["x-a"] })
    end)
  end

  it("takes an HTTP error as its page", function()
    local r = get "http_error"
    assert.equal(404, r.status)
    assert.matches("<p>no &lt;such&gt; thing</p>", r.body, 1, true)
    assert.equal(410, get("http_error_over").status)
  end)

  it("sends an iterator's chunks one by one", function()
    assert.same({ "a", "b" }, get("stream").chunks)
    assert.equal("", http.get(running, "/stream", { method = "HEAD" }).body)
  end)

  describe("when it is no answer", function()
    for case, text in pairs {
      nothing = 'returned nothing: return a string, a table, a Response, an iterator function or '
        .. 'an HTTP error; for an empty answer, ""',
      ["nil"] = "returned nil: return a string",
      nil_first = "returned nil: return a string",
      number = "returned the number 5, which is no answer",
      ["true"] = "returned the boolean true, which is no answer",
      instance = "returned an instance of Own, which is no answer",
      multidict = "x:to_dict() makes a table of a MultiDict",
      gsub = "returned the number 1 as its second value, where a status (an integer from 200 to "
        .. "599) or a table of headers belongs; if it is the second result of a call, as of "
        .. "text:gsub(...), put the call in parentheses",
      text_status = 'returned the string "201" as its second value',
      low_status = "returned the number 100 as its second value",
      half_status = "returned the number 200.5 as its second value",
      third = "returned the number 5 as its third value, where a table of headers belongs",
      fourth = 'returned a fourth value, the string "y"',
    } do
      it("says so in the log and not to the client: " .. case, function()
        local r = get(case)
        assert.equal(500, r.status)
        assert.equal(265, #r.body)
        local log = running:wait_for_stderr(text)
        assert.matches("Exception on request GET /" .. case .. "\n", log, 1, true)
        assert.matches('view "case" (app.lua:', log, 1, true)
      end)
    end

    for _, case in ipairs { "inject", "inject_list", "json" } do
      it("is an error: " .. case, function()
        local r = get(case)
        assert.equal(500, r.status)
        assert.is_nil(r.header["x-evil"])
        running:wait_for_stderr("Exception on request GET /" .. case .. "\n")
      end)
    end
  end)

  it("cuts the connection when an iterator fails after the head is out", function()
    for case, text in pairs { raises = "the well is dry", chunk = "an iterator that gave" } do
      assert.is_false(pcall(get, case))
      running:wait_for_stderr(text)
    end
    assert.equal(200, get("text").status)
  end)
end)
