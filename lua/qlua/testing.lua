--- qlua.testing: an app under test, in process.
--- Flow: specs that `qlua test` runs (or any script) load the app here and ask it through a client;
--- app.lua has the methods below. One app at a time is served: the one that was asked last.

local asgi_lifespan = require "qlua.asgi_lifespan"
local check = require "qlua.check"
local core = require "qlua.core"
local current = require "qlua.current"
local dispatch = require "qlua.dispatch"
local failures = require "qlua.failures"
local loader = require "qlua.loader"
local task = require "qlua.task"
local test_client = require "qlua.test_client"
local test_context = require "qlua.test_context"
local test_request = require "qlua.test_request"

--- An app under test, in process: load() gives it, its methods make clients and contexts.
---@class qlua.testing
---@field package methods table
local M = {}

-- ---- loading the app --------------------------------------------------------------------------

local IS_FOLDER = -21 -- EISDIR

--- The app file that a path means, absolute: a folder means its app.lua.
local function app_file(path)
  local root = core.app_root() or "."
  local full = path:sub(1, 1) == "/" and path or root .. "/" .. path
  full = #full > 1 and full:gsub("/+$", "") or full
  local size, message, code = core.file_stat(full)
  if code == IS_FOLDER then
    full = full .. "/app.lua"
    size, message = core.file_stat(full)
  end
  if not size then
    check.fail("testing.load: %s", message)
  end
  return full
end

--- Modules beside the app file are found first.
local function search_beside(path)
  local folder = path:match "^(.*)/[^/]*$"
  local first = ("%s/?.lua;%s/?/init.lua;"):format(folder, folder)
  if package.path:sub(1, #first) ~= first then
    package.path = first .. package.path
  end
end

--- Load an app file anew and give its app. Without a path: the app.lua above spec/. What the file
--- `require`s is loaded once in a spec file.
---@async
---@param path? string relative to the app's folder; a folder means its app.lua
---@return qlua.App
function M.load(path)
  check.type("testing.load", "path", path, "string", true)
  if not path and not core.app_path() then
    check.fail("testing.load: no app.lua lies in or above the folder of the specs; give a path: "
      .. 'qlua.testing.load("app.lua")')
  end
  path = path and app_file(path) or core.app_path()
  core.set_app_file(path)
  search_beside(path)
  current.made, current.run = {}, nil
  local run_called = core.run_called
  core.run_called = function() end -- app:run only says which app it is
  local ok, app = pcall(loader.load, path, (path:match "([^/]*)%.lua$" or path))
  core.run_called = run_called
  if not ok then
    error(app, 0)
  end
  return app
end

-- ---- serving it -------------------------------------------------------------------------------

-- requests whose answer is not read to its end: their mark to the app and the request
local under_way = setmetatable({}, { __mode = "k" })
local mine ---@type qlua.App? the app that was made the served one here

local function other_under_way(app)
  for _, one in pairs(under_way) do
    if one.app ~= app then
      return one
    end
  end
end

--- Serve this app from now on. Raises where it would take the place of one at work.
---@async
local function serve(app)
  if current.served == app then
    return
  elseif current.served and current.served ~= mine then
    check.fail("%s cannot be tested here: %s is being served", tostring(app),
      tostring(current.served))
  end
  local other = other_under_way(app)
  if other then
    check.fail("%s cannot be asked while %s of %s is under way: one app at a time is served in a "
      .. "process; read a stream to its end or close it", tostring(app), other.what,
      tostring(other.app))
  end
  if mine then
    task.sleep(0) -- handlers whose client has left end in the app they are of
  end
  mine = app
  failures.on_propagate = function(err)
    if mine.testing or mine.config.PROPAGATE_EXCEPTIONS then
      test_client.on_propagate(err)
    end
  end
  dispatch.start(app)
end

--- Before a request: the app is served, and its background tasks run. What is returned is called
--- when the answer has been read.
local function begin(app, what)
  serve(app)
  app:_serve()
  local mark = {}
  under_way[mark] = { app = app, what = what }
  return function()
    under_way[mark] = nil
  end
end

-- ---- what an app has --------------------------------------------------------------------------

---@class qlua.App
local methods = {}
M.methods = methods

--- A client that makes requests to this app without a socket.
---@param options? { use_cookies?: boolean } true unless given
---@return qlua.TestClient
function methods:test_client(options)
  options = check.options("test_client", options, { use_cookies = "boolean" })
  return test_client.new(self, begin, options.use_cookies ~= false)
end

--- Run fn in the context of a request: `request`, `g`, `url_for` and the rest are at hand, hooks
--- and view are not run; teardown functions are.
---@async
---@param path string
---@param options? qlua.RequestOptions
---@param fn fun(): any
---@return any ... what fn returns
---@overload fun(self, path: string, fn: fun(): any): any
function methods:test_request_context(path, options, fn)
  if fn == nil and type(options) == "function" then
    options, fn = nil, options
  end
  check.type("test_request_context", "the function", fn, "function")
  options = check.options("test_request_context", options, test_request.OPTIONS)
  return test_context.of_request(self, begin, path, options, fn)
end

--- Run fn in an app context without a request: `g`, `current_app` and `url_for` are at hand.
---@async
---@param fn fun(): any
---@return any ... what fn returns
function methods:app_context(fn)
  check.type("app_context", "the function", fn, "function")
  serve(self)
  return test_context.of_app(self, fn)
end

--- Run fn(app) between before_serving and after_serving.
---@async
---@param fn fun(app: qlua.App): any
---@return any ... what fn returns
function methods:test_app(fn)
  check.type("test_app", "the function", fn, "function")
  serve(self)
  asgi_lifespan.startup(self)
  self:_serve()
  return test_context.settle(function()
    asgi_lifespan.shutdown(self)
  end, pcall(fn, self))
end

return M
