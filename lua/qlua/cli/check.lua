--- `qlua check [FILE] [--json]`: loads the app, compiles every template of it and its blueprints,
--- looks for those that they name, and has luacheck look at its code when that is installed.
--- Flow: the core calls the function below with the app file's path, how it was named and, when it
--- was given, "--json". Each error is told with file and line; one is enough for exit code 1.
--- Warnings are told too: those of luacheck, what the app logs while it loads, and endpoints in
--- templates that the app does not have.

local app_environment = require "qlua.app_environment"
local classes = require "qlua.class"
local check_code = require "qlua.cli.check_code"
local checks = require "qlua.check"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local environments = require "qlua.environment"
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

--- Loads the app as `qlua run` does. Gives it, or the error. Warnings that are logged meanwhile,
--- of keys that nobody knows and the like, are findings.
---@async
local function load_app(path, warnings)
  local log = core.log
  function core.log(level, text)
    if level == "debug" or level == "info" then
      return log(level, text)
    end
    warnings[#warnings + 1] = of_code(text, path)
  end
  local ok, app = pcall(function()
    local app = require("qlua.loader").load(path, path:match "([^/]*)%.lua$" or path)
    require("qlua.dispatch").start(app)
    return app
  end)
  core.log = log
  return ok, app
end

--- Rules whose endpoint was never given a view.
---@param app qlua.App
local function check_views(app, path, findings)
  for _, rule in ipairs(app.url_map:ordered()) do
    if not app.view_functions[rule.endpoint] then
      findings[#findings + 1] = {
        file = shown(path),
        message = ("the rule %s has no view: nothing was registered for its endpoint %q"):format(
          rule.rule, rule.endpoint),
      }
    end
  end
end

-- ---- templates --------------------------------------------------------------------------------

--- Is there a template of this name?
local function is_there(environment, name, parent)
  local ok, source = pcall(function()
    local joined = environment.join_path and environment:join_path(name, parent) or name
    return (environment.loader:get_source(environment, joined))
  end)
  return ok and source ~= nil
end

--- Look for the templates that a source extends, includes and imports.
---@async
local function check_references(environment, source, name, filename, findings)
  for _, reference in ipairs(environments.references(environment, source)) do
    local found = reference.optional
    for _, other in ipairs(reference.names) do
      found = found or is_there(environment, other, name)
    end
    if not found then
      findings[#findings + 1] = {
        file = shown(filename or name), line = reference.lineno,
        message = ("there is no template '%s'"):format(table.concat(reference.names, "', '")),
      }
    end
  end
end

--- Warn of `url_for('...')` with an endpoint that the app does not have. Those that begin with a
--- dot depend on the request.
local function check_endpoints(app, source, file, warnings)
  source = source:gsub("{#.-#}", function(comment)
    return (comment:gsub("[^\n]", ""))
  end)
  for at, endpoint in source:gmatch "%f[%w_]url_for%(%s*()['\"]([%w_][%w_.]*)['\"]" do
    if not app.view_functions[endpoint] then
      local near = checks.nearest(endpoint, app.view_functions)
      warnings[#warnings + 1] = {
        file = shown(file), line = select(2, source:sub(1, at):gsub("\n", "")) + 1,
        message = ("url_for: there is no endpoint '%s'%s"):format(endpoint,
          near and ("; did you mean '%s'?"):format(near) or ""),
      }
    end
  end
end

--- Compile all templates of a loader; those that do not go through are added to the findings.
---@async
---@return integer count
local function compile_all(app, loader, findings, warnings)
  local environment = app.jinja_env
  local names = loader:list_templates()
  for _, name in ipairs(names) do
    local source, filename = loader:get_source(environment, name)
    local ok, err = pcall(environment.compile, environment, source or "", name, filename)
    if ok then
      check_references(environment, source or "", name, filename, findings)
      check_endpoints(app, source or "", filename or name, warnings)
    else
      findings[#findings + 1] = of_template(err, name, filename)
    end
  end
  return #names
end

--- Every folder by itself, for a template of the app's may hide one of a blueprint's.
---@async
---@param app qlua.App
---@param findings qlua.Finding[]
---@param warnings qlua.Finding[]
---@return integer count
local function check_templates(app, findings, warnings)
  local loader, count = app.jinja_env.loader, 0
  local parts = app_environment.is_app_loader(loader) and loader:loaders() or { loader }
  for _, part in ipairs(parts) do
    if part.list_templates then
      count = count + compile_all(app, part, findings, warnings)
    end
  end
  return count
end

local function print_findings(list, kind)
  for _, one in ipairs(list) do
    io.stderr:write(one.file, one.line and ":" .. one.line or "", ": ", kind, one.message, "\n")
  end
end

local function counted(count, what)
  return ("%d %s%s"):format(count, what, count == 1 and "" or "s")
end

---@param count? integer nil: the app could not be loaded
local function tell(findings, warnings, count, as_json)
  if as_json then
    return print(json.dumps {
      templates = count or json.null, errors = json.array(findings),
      warnings = json.array(warnings),
    })
  end
  print_findings(findings, "")
  print_findings(warnings, "warning: ")
  if count then
    print(counted(count, "template") .. ", " .. counted(#findings, "error")
      .. (#warnings > 0 and ", " .. counted(#warnings, "warning") or ""))
  end
end

---@param _ any no app: it is loaded here
---@param args string[]
return function(_, args)
  local path, findings, warnings, count = args[1], {}, {}, nil
  set_root(path, args[2])
  local ok, app = load_app(path, warnings)
  if ok then
    check_views(app, path, findings)
    count = check_templates(app, findings, warnings)
    for _, one in ipairs(check_code.luacheck(path, root)) do
      one.file = shown(one.file)
      warnings[#warnings + 1] = one
    end
  else
    findings[1] = of_code(app, path)
  end
  tell(findings, warnings, count, args[3] == "--json")
  core.set_exit_code(#findings == 0 and 0 or 1)
end
