--- `qlua check [FILE] [--json]`: loads the app and compiles every template of it and its
--- blueprints.
--- Flow: the core calls the function below with the app file's path, how it was named and, when it
--- was given, "--json". Each error is told with file and line; one is enough for exit code 1.

local app_environment = require "qlua.app_environment"
local classes = require "qlua.class"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local json = require "qlua.json"
local template_errors = require "qlua.template_errors"

---@class qlua.Finding
---@field file string
---@field line? integer
---@field message string

local root, root_as_named -- the app's folder with its last slash

local function set_root(path, named)
  local file = path:match "[^/]*$"
  root = path:sub(1, -#file - 1)
  root_as_named = named:sub(-#file) == file and named:sub(1, -#file - 1) or named:gsub("/*$", "/")
end

--- A path as it is shown: below the app's folder as the user has named that.
local function shown(path)
  return path:sub(1, #root) == root and root_as_named .. path:sub(#root + 1) or path
end

--- An error of the app's Lua code.
local function of_code(err, path)
  local text = coroutines.text_of(err)
  local file, line, message = text:match "^([^\n:]+):(%d+): (.*)$"
  if not file then
    return { file = shown(path), message = text }
  end
  return { file = shown(file), line = tonumber(line), message = message }
end

local function of_template(err, name, filename)
  if classes.is_a(err, template_errors.TemplateError) then
    return { file = shown(filename or name), line = err.lineno, message = err.message }
  end
  return { file = shown(filename or name), message = coroutines.text_of(err) }
end

--- Loads the app as `qlua run` does. Gives it, or the error.
---@async
local function load_app(path)
  return pcall(function()
    local app = require("qlua.loader").load(path, path:match "([^/]*)%.lua$" or path)
    require("qlua.dispatch").start(app)
    return app
  end)
end

--- Compile all templates of a loader; those that do not go through are added to the findings.
---@async
---@return integer count
local function compile_all(environment, loader, findings)
  local names = loader:list_templates()
  for _, name in ipairs(names) do
    local source, filename = loader:get_source(environment, name)
    local ok, err = pcall(environment.compile, environment, source or "", name, filename)
    if not ok then
      findings[#findings + 1] = of_template(err, name, filename)
    end
  end
  return #names
end

--- Every folder by itself, for a template of the app's may hide one of a blueprint's.
---@async
---@param app qlua.App
---@param findings qlua.Finding[]
---@return integer count
local function check_templates(app, findings)
  local environment, count = app.jinja_env, 0
  local loader = environment.loader
  local parts = app_environment.is_app_loader(loader) and loader:loaders() or { loader }
  for _, part in ipairs(parts) do
    if part.list_templates then
      count = count + compile_all(environment, part, findings)
    end
  end
  return count
end

---@param count? integer nil: the app could not be loaded
local function tell(findings, count, as_json)
  if as_json then
    return print(json.dumps { templates = count or json.null, errors = json.array(findings) })
  end
  for _, one in ipairs(findings) do
    io.stderr:write(one.file, one.line and ":" .. one.line or "", ": ", one.message, "\n")
  end
  if count then
    print(("%d template%s, %d error%s"):format(count, count == 1 and "" or "s", #findings,
      #findings == 1 and "" or "s"))
  end
end

---@param _ any no app: it is loaded here
---@param args string[]
return function(_, args)
  local path, findings, count = args[1], {}, nil
  set_root(path, args[2])
  local ok, app = load_app(path)
  if ok then
    count = check_templates(app, findings)
  else
    findings[1] = of_code(app, path)
  end
  tell(findings, count, args[3] == "--json")
  core.set_exit_code(#findings == 0 and 0 or 1)
end
