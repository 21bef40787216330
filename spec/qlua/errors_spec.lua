local http = require "support.http"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local errors, abort = qlua.errors, qlua.abort

local Teapot = qlua.class("Teapot", errors.HTTPException)
Teapot.code, Teapot.description = 418, "short and stout"
local Odd = qlua.class("Odd", errors.HTTPException)
Odd.code = 299
local Own = qlua.class("Own", errors.Exception)

local CASES = {
  code = function() abort(404) end,
  text = function() abort(404, "no <b> here") end,
  options = function() abort(404, { description = "by name" }) end,
  response = function() abort(404, { response = qlua.Response("own", 404) }) end,
  as_is = function() abort(qlua.Response("as is", 202, { ["X-A"] = "1" })) end,
  raised = function() error(errors.Gone "gone") end,
  allow = function() error(errors.MethodNotAllowed(nil, { valid_methods = { "PUT", "GET" } })) end,
  retry = function() error(errors.TooManyRequests("slow", { retry_after = 30 })) end,
  range = function() error(errors.RequestedRangeNotSatisfiable(nil, { length = 10 })) end,
  login = function() error(errors.Unauthorized(nil, { www_authenticate = "Basic" })) end,
  own_class = function() error(Teapot()) end,
  below = function() error(qlua.class("Lost", errors.NotFound) "lost") end,
  odd = function() error(Odd()) end,

  string = function() error "secret words" end,
  no_position = function() error("bare words", 0) end,
  table = function() error { a = 1 } end,
  ["nil"] = function() error() end,
  number = function() error(5) end,
  instance = function() error(Own "own words") end,
  bad_tostring = function() error(setmetatable({}, { __tostring = error })) end,
  unknown = function() abort(402) end,
  abort_error = function() abort(errors.Gone()) end,
  tail_call = function() return qlua.redirect(nil) end,
  index = function() local t = nil; return t.x end,
  cancelled = function()
    local task = qlua.spawn(function() qlua.sleep(10) end)
    task:cancel()
    return task:wait()
  end,
}

app:route("/<case>", { endpoint = "case" }, function(case) return CASES[case]() end)

app:route("/values", function()
  local out = qlua.array {}
  for _, value in ipairs { errors.NotFound(), errors.NotFound "x", errors.Timeout "late",
    errors.HTTPException(), Teapot(), Odd() } do
    out[#out + 1] = tostring(value)
  end
  local err = errors.InternalServerError(nil, { original_exception = "why" })
  out[#out + 1] = { err.code, err.name, err.original_exception }
  out[#out + 1] = { Teapot().name, Odd().name }
  return out
end)
app:route("/classes", function()
  local out = {}
  for code, class in pairs(errors.default_exceptions) do
    local err = class()
    out[tostring(code)] = { class.__name, err.name, err.code == code, #err.description > 10 }
  end
  return out
end)
app:route("/mistakes", function()
  local out = qlua.array {}
  for i, fn in ipairs {
    function() abort(402) end,
    function() abort "404" end,
    function() abort() end,
    function() errors.NotFound(5) end,
    function() errors.NotFound("x", { retry = 1 }) end,
    function() abort(404, { text = "x" }) end,
  } do
    out[i] = select(2, pcall(fn)):gsub("^.*app.lua:%d+", "AT")
  end
  return out
end)
app:run()
]]

describe("qlua.errors", function()
  local running

  setup(function()
    running = server.start { app = APP }
  end)
  teardown(server.stop_all)

  local function get(case)
    return http.get(running, "/" .. case)
  end

  local NOT_FOUND = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n"
    .. "<h1>Not Found</h1>\n<p>%s</p>\n"

  it("answers with the default page", function()
    local r = get "code"
    assert.same({ 404, 207, "text/html; charset=utf-8" },
      { r.status, #r.body, r.header["content-type"] })
    assert.equal(NOT_FOUND:format "no &lt;b&gt; here", get("text").body)
    assert.equal(NOT_FOUND:format "by name", get("options").body)
  end)

  for case, expected in pairs {
    response = { 404, "own" }, as_is = { 202, "as is" }, raised = { 410, "<p>gone</p>" },
    allow = { 405, "not allowed", "allow", "GET, PUT" },
    retry = { 429, "slow", "retry-after", "30" },
    range = { 416, "provide", "content-range", "bytes */10" },
    login = { 401, "credentials", "www-authenticate", "Basic" },
    own_class = { 418, "short and stout" }, below = { 404, "lost" }, odd = { 299, "299" },
  } do
    it("answers: " .. case, function()
      local r = get(case)
      assert.equal(expected[1], r.status)
      assert.matches(expected[2], r.body, 1, true)
      assert.equal(expected[4], r.header[expected[3] or ""])
    end)
  end

  for case, text in pairs {
    string = "app.lua:%d+: secret words", no_position = "bare words", table = "{ a = 1 }",
    ["nil"] = "nil", number = "5", instance = "own words", bad_tostring = "of type table",
    unknown = "abort: there is no HTTP error for the number 402; codes that have one are the keys "
      .. "of qlua.errors.default_exceptions",
    cancelled = "\ncancelled\n",
    abort_error = "app.lua:%d+: abort: an HTTP error is raised by error%(err%); abort takes its "
      .. "code, got an instance of Gone",
    tail_call = 'view "case" %(app.lua:%d+%): redirect: location must be a string, got nil',
    index = "app.lua:%d+: attempt to index local 't' %(a nil value%)",
  } do
    it("hides other errors from the client, and logs them: " .. case, function()
      local r = get(case)
      assert.same({ 500, 265 }, { r.status, #r.body })
      local log = running:wait_for_stderr("Exception on request GET /" .. case .. "\n")
      local _, at = log:find("Exception on request GET /" .. case .. "\n", 1, true)
      running:wait_for(function()
        return running:stderr():sub(at):find(text:find "%%" and text or text:gsub("%p", "%%%0"))
      end)
      assert.matches("stack traceback:", log:sub(at), 1, true)
    end)
  end

  it("is text as Python's str(error)", function()
    assert.equal('["404 Not Found: The requested URL was not found on the server. If you entered '
      .. 'the URL manually please check your spelling and try again.","404 Not Found: x","late",'
      .. '"??? Unknown Error","418 I\'m a teapot: short and stout","299 Unknown Error",'
      .. '[500,"Internal Server Error","why"],'
      .. '["I\'m a teapot","Unknown Error"]]\n', get("values").body)
  end)

  it("has a class for each status that has one", function()
    local body = get("classes").body
    local _, count = body:gsub("true,true", "")
    assert.equal(31, count)
    for _, part in ipairs { '"404":["NotFound","Not Found"', '"418":["ImATeapot","I\'m a teapot"',
      '"413":["RequestEntityTooLarge","Request Entity Too Large"',
      '"505":["HTTPVersionNotSupported","HTTP Version Not Supported"' } do
      assert.matches(part, body, 1, true)
    end
  end)

  it("says what is wrong with a call", function()
    local body = get("mistakes").body
    for _, text in ipairs {
      "AT: abort: there is no HTTP error for the number 402", "for the string \\\"404\\\"",
      "AT: abort: there is no HTTP error for nil",
      "AT: NotFound: description must be a string, got the number 5",
      'AT: NotFound: unknown option \\"retry\\" (did you mean \\"retry_after\\"?)',
      'AT: NotFound: unknown option \\"text\\"',
    } do
      assert.matches(text, body, 1, true)
    end
  end)
end)
