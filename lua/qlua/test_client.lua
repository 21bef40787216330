--- The test client: requests to an app without a socket, through the same parser, router and
--- response code as one.
--- Flow: `app:test_client()` (testing.lua) makes one; it builds the bytes (test_request.lua), the
--- core feeds them to a connection over memory, test_answer.lua reads what comes back. The task
--- that asks waits meanwhile, so the app may wait too.

local check = require "qlua.check"
local cookie_jar = require "qlua.cookie_jar"
local core = require "qlua.core"
local sessions = require "qlua.sessions"
local test_answer = require "qlua.test_answer"
local test_cookies = require "qlua.test_cookies"
local test_request = require "qlua.test_request"

local M = {}

local MAX_REDIRECTS = 20

---@class qlua.ClientOptions: qlua.RequestOptions
---@field follow_redirects? boolean
---@field stream? boolean return with the head; the second result gives the body's pieces

---@alias qlua.ClientRequest async fun(self, path: string, options?: qlua.ClientOptions):
---  qlua.Response, (fun(): string?)?

--- A client of an app in tests: it asks without a socket and keeps cookies.
---@class qlua.TestClient
---@field app qlua.App whom it asks
---@field cookie_jar? qlua.CookieJar nil with use_cookies = false
---@field get qlua.ClientRequest open with the method GET
---@field post qlua.ClientRequest open with the method POST
---@field put qlua.ClientRequest open with the method PUT
---@field patch qlua.ClientRequest open with the method PATCH
---@field delete qlua.ClientRequest open with the method DELETE
---@field head qlua.ClientRequest open with the method HEAD
---@field options qlua.ClientRequest open with the method OPTIONS
---@field trace qlua.ClientRequest open with the method TRACE
local Client = { __name = "qlua.TestClient" }
Client.__index = Client

local OPTIONS = { follow_redirects = "boolean", stream = "boolean" }
for name, kind in pairs(test_request.OPTIONS) do
  OPTIONS[name] = kind
end

--- What an app raised while it answered a connection, by the connection's id: { error }.
---@type table<number, table>
local raised = {}

--- failures.lua tells of an error that leaves the app: the client raises it.
---@param err any
function M.on_propagate(err)
  local id = core.test_id()
  if id then
    raised[id] = { err }
  end
end

---@param app qlua.App
---@param serve fun(app: qlua.App, what: string): function called before each request; what it
---  returns is called after it
---@param use_cookies boolean
---@return qlua.TestClient
function M.new(app, serve, use_cookies)
  return setmetatable({
    app = app, cookie_jar = use_cookies and cookie_jar.new() or nil, _serve = serve,
  }, Client)
end

-- ---- one request and its answer ---------------------------------------------------------------

--- Run fn; the connection is closed when it is over, well or not.
local function closing(conn, done, ok, ...)
  core.test_close(conn)
  done()
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Raise what left the app while it answered.
local function raise_for(id)
  local problem = raised[id]
  if problem then
    raised[id] = nil
    error(problem[1], 0)
  end
end

--- Make one request, keep the cookies that its answer sets.
---@async
---@private
---@return qlua.Response
---@return function? pieces
function Client:_ask(where, url, options)
  local cookies = self.cookie_jar and self.cookie_jar:header(url)
  local bytes, method = test_request.build(self.app, where, url, options, cookies)
  local what = method .. " " .. url.path
  local done = self._serve(self.app, what)
  local conn, id = core.test_open(bytes, false)
  local answer = test_answer.new(conn, what)
  local function read_head()
    local status, headers = answer:head()
    raise_for(id)
    for _, line in ipairs(self.cookie_jar and headers:getlist "Set-Cookie" or {}) do
      self.cookie_jar:take(url, line)
    end
    return status, headers, answer:body(method, status, headers)
  end
  if options.stream then
    local ok, status, headers, next_piece = pcall(read_head)
    if not ok then
      return closing(conn, done, false, status)
    end
    local pieces = answer:pieces(next_piece, done)
    local function iterate()
      return pieces()
    end
    return test_answer.response(status, headers, iterate), pieces
  end
  return closing(conn, done, pcall(function()
    local status, headers, next_piece = read_head()
    return test_answer.response(status, headers, test_answer.collect(next_piece))
  end))
end

-- ---- redirects --------------------------------------------------------------------------------

--- May a redirect lead there? To the same host, to SERVER_NAME and what is below it, and with
--- host_matching anywhere.
local function is_own_host(app, from, to)
  local function plain(host)
    return (host:lower():gsub(":%d+$", ""))
  end
  local own = app.config.SERVER_NAME and plain(app.config.SERVER_NAME)
  to = plain(to)
  return to == plain(from) or app.url_map.host_matching
    or (own and (to == own or to:sub(-#own - 1) == "." .. own)) or false
end

local REDIRECTS = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

--- Does the method become GET, as browsers do it? (fetch standard, "HTTP-redirect fetch")
local function becomes_get(status, method)
  return ((status == 302 or status == 303) and method ~= "HEAD")
    or (status == 301 and method == "POST")
end

--- The options of the request that a redirect asks for.
local function redirected(options, status)
  local again = {}
  for name, value in pairs(options) do
    again[name] = value
  end
  again.query_string = nil
  if becomes_get(status, (options.method or "GET"):upper()) then
    again.method, again.data, again.form, again.files, again.json = "GET", nil, nil, nil, nil
    again.headers = core.headers(options.headers)
    again.headers:remove "Content-Type"
    again.headers:remove "Content-Length"
  end
  return again
end

---@async
---@private
function Client:_follow(where, url, options, response, pieces)
  for _ = 1, MAX_REDIRECTS do
    local location = REDIRECTS[response.status_code] and response.headers:get "Location"
    if not location then
      return response, pieces
    end
    local target = test_request.parse_url(location, url)
    if not is_own_host(self.app, url.host, target.host) then
      check.fail("%s: the answer redirects to %s, which is not this app; without follow_redirects "
        .. "look at response.location", where, location)
    end
    if pieces then
      pieces.close()
    end
    options, url = redirected(options, response.status_code), target
    response, pieces = self:_ask(where, url, options)
  end
  check.fail("%s: more than %d redirects, the last one to %s", where, MAX_REDIRECTS, url.path)
end

-- ---- what users call --------------------------------------------------------------------------

local function run(self, where, path, options)
  if getmetatable(self) ~= Client then
    check.fail("%s was called on %s: call it with a colon, client:get(path)", where,
      check.describe(self))
  end
  local url = test_request.url(self.app, where, path, options)
  local response, pieces = self:_ask(where, url, options)
  if options.follow_redirects then
    return self:_follow(where, url, options, response, pieces)
  end
  return response, pieces
end

--- Make a request and wait for its answer. With `stream` the answer's head is enough; the second
--- result is then an iterator over the body's pieces, with a method close().
---@async
---@param path string "/path?query", or a whole URL
---@param options? qlua.ClientOptions
---@return qlua.Response
---@return (fun(): string?)? pieces
function Client:open(path, options)
  return run(self, "client:open", path, check.options("client:open", options, OPTIONS))
end

for _, method in ipairs { "get", "post", "put", "patch", "delete", "head", "options", "trace" } do
  --- open with this method.
  Client[method] = function(self, path, options)
    local where = "client:" .. method
    local with_method = { method = method }
    for name, value in pairs(check.options(where, options, OPTIONS)) do
      if name == "method" then
        check.fail("%s: the method is in the name; give it to client:open", where)
      end
      with_method[name] = value
    end
    return run(self, where, path, with_method)
  end
end

--- Read and change the session that the next request will find: fn gets it.
---@async
---@param fn fun(session: qlua.Session): any
---@return any ... what fn returns
function Client:session_transaction(fn)
  check.type("client:session_transaction", "the function", fn, "function")
  if not self.cookie_jar then
    check.fail("client:session_transaction: this client keeps no cookies, and so no session: it "
      .. "was made with use_cookies = false")
  end
  local url = test_request.url(self.app, "client:session_transaction", "/", {})
  local headers = { Cookie = self.cookie_jar:header(url) }
  return self.app:test_request_context("/", { headers = headers }, function()
    return sessions.transaction(fn, function(line)
      self.cookie_jar:take(url, line)
    end)
  end)
end

for name, method in pairs(test_cookies) do
  Client[name] = method
end

return M
