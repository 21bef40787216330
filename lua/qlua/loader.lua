--- Loads the app file and finds the app in it.
--- Flow: the core runs M.prepare in a task once per generation, and the other steps of its life as
--- they come: commit, begin, retire, shutdown. `qlua FILE.lua` runs M.script.
---
--- The app is what the chunk returns, or else the one on which it called app:run(), or else the
--- only qlua.App it made.

require "qlua.coroutine"
require "qlua.require"

local asgi_lifespan = require "qlua.asgi_lifespan"
local config_layers = require "qlua.config_layers"
local core = require "qlua.core"
local current = require "qlua.current"
local errors = require "qlua.errors"
local failures = require "qlua.failures"

core.set_cancelled(errors.Cancelled "cancelled")
core.set_stopped(errors.CpuLimitExceeded)

local M = {}

local function compile(path)
  local chunk, message = loadfile(path)
  if not chunk then
    error(message, 0)
  end
  return chunk
end

local function is_app(value)
  for _, app in ipairs(current.made) do
    if rawequal(app, value) then
      return true
    end
  end
  return false
end

--- The app among what the file returned and made. Raises when it is not clear which.
local function find_app(path, result)
  if is_app(result) then
    return result
  elseif current.run then
    return current.run
  elseif #current.made == 1 then
    return current.made[1]
  elseif #current.made == 0 then
    error(("%s makes no app: make one with `local app = qlua.App(...)`, and `return app` at the " ..
      "end"):format(path), 0)
  end
  error(("%s makes %d apps: return the one to serve at its end, or call run() on it"):format(path,
    #current.made), 0)
end

--- Run the app file and give its app.
---@async
---@param path string absolute
---@param name string what `...` is in the file
---@return qlua.App
function M.load(path, name)
  config_layers.check()
  local app = find_app(path, (compile(path)(name)))
  config_layers.finish(app.config)
  return app
end

--- Load the app and do what it does before serving.
---@async
---@param path string
---@param name string
function M.prepare(path, name)
  local app = M.load(path, name)
  if core.debug_prefix() then
    require("qlua.debugger").start()
  end
  require("qlua.dispatch").start(app)
  asgi_lifespan.startup(app)
end

--- Requests come to the app from now on.
function M.commit()
  current.served:_commit()
end

--- The background tasks of the code before have ended: those of this app begin.
function M.begin()
  current.served:_begin()
end

--- Newer code serves: the background tasks end.
---@async
function M.retire()
  if failures.debugger then
    failures.debugger.stop()
  end
  current.served:_retire()
end

--- The last answer is out: what the app does after serving.
---@async
function M.shutdown()
  if current.served then
    asgi_lifespan.shutdown(current.served)
  end
end

--- Run a plain script.
---@async
---@param path string
---@param name string
function M.script(path, name)
  compile(path)(name)
end

--- Run the module of a subcommand on an app; its words are in `arg`.
---@async
---@param module string
---@param path string "" for a command without an app
---@param name string
function M.command(module, path, name)
  local app
  if path ~= "" then
    app = M.load(path, name)
    require("qlua.dispatch").start(app)
  end
  return require(module)(app, arg)
end

return M
