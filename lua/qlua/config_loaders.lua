--- The methods by which app.config is filled at once, from tables and files, and get_namespace.
--- Flow: config.lua adds them to its own. Rules and names are those of Quart's Config.

local check = require "qlua.check"
local core = require "qlua.core"
local json = require "qlua.json"
local store = require "qlua.config_store"

local put_all = store.put_all

---@class qlua.Config
local methods = {}

local M = { methods = methods }

--- Set the UPPER_CASE keys of a table; others are passed over, as in Quart.
---@param mapping table<string, any>
---@return true
function methods:from_mapping(mapping)
  check.type("config:from_mapping", "mapping", mapping, "table")
  put_all(self, mapping)
  return true
end

-- ---- objects ----------------------------------------------------------------------------------

--- Can `require` find the module?
local function is_module(name)
  if package.loaded[name] ~= nil or package.preload[name] then
    return true
  end
  local path = name:gsub("%.", "/")
  for template in (package.path .. ";" .. package.cpath):gmatch "[^;]+" do
    local file = io.open((template:gsub("%?", (path:gsub("%%", "%%%%")))))
    if file then
      file:close()
      return true
    end
  end
  return false
end

--- The table that a dotted name means: a module, or a field of one.
local function import(name)
  local module, fields = name, {}
  while not is_module(module) do
    local above, field = module:match "^(.*)%.([^.]+)$"
    if not above then
      module, fields = name, {}
      break -- require tells where it looked
    end
    table.insert(fields, 1, field)
    module = above
  end
  local value = require(module)
  local at = module
  for _, field in ipairs(fields) do
    if type(value) ~= "table" or value[field] == nil then
      check.fail("config:from_object: %q: %s has no %s", name, at, field)
    end
    value, at = value[field], at .. "." .. field
  end
  if type(value) ~= "table" then
    check.fail("config:from_object: %q must be a table, got %s", name, check.describe(value))
  end
  return value
end

--- What a table holds and what it inherits: of classes, their parents' keys below their own.
local function flatten(object, into, depth)
  local meta = getmetatable(object)
  local parent = type(meta) == "table" and rawget(meta, "__index")
  if type(parent) == "table" and parent ~= object and depth < 50 then
    flatten(parent, into, depth + 1)
  end
  for key, value in pairs(object) do
    into[key] = value
  end
  return into
end

--- Set the UPPER_CASE keys of a table, or of what a name stands for: `"module"`, `"module.Field"`.
--- Of a class or an instance inherited keys count too.
---@async
---@param object table|string
function methods:from_object(object)
  if type(object) == "string" then
    put_all(self, flatten(import(object), {}, 0))
  elseif type(object) == "table" then
    put_all(self, flatten(object, {}, 0))
  else
    check.fail("config:from_object: object must be a table or the name of a module, got %s",
      check.describe(object))
  end
end

-- ---- files ------------------------------------------------------------------------------------

local SILENT = { silent = "boolean" }
local MISSING = { [2] = true, [20] = true, [21] = true } -- ENOENT, ENOTDIR, EISDIR

--- The text of a file; nil when it is missing and that is to be silent.
local function read(config, where, name, options)
  check.type("config:" .. where, "name", name, "string")
  options = check.options("config:" .. where, options, SILENT)
  local path = store.of[config].resolve(name)
  core.watch(path)
  local file, message, code = io.open(path, "rb")
  local text
  if file then
    text, message, code = file:read "*a"
    message = message and path .. ": " .. message
    file:close()
  end
  if not text and not (options.silent and MISSING[code]) then
    check.fail("config:%s: the file cannot be read: %s", where, message)
  end
  return text, path
end

--- Set the keys of what a file held.
local function take(config, where, name, values)
  if type(values) ~= "table" or json.is_array(values) then
    check.fail("config:%s: %s: a table of keys and values is expected, got %s", where, name,
      json.is_array(values) and "a list" or check.describe(values))
  end
  put_all(config, values, { from = "file", where = name })
  return true
end

--- Set the UPPER_CASE keys of a file that a function reads: `app.config:from_file("c.yml",
--- yaml.load)`. Raises when the file is missing, unless it is to be silent.
---@param name string relative to the app's folder
---@param loader fun(text: string): table? raises, or gives nil and a message, when it cannot
---@param options? { silent?: boolean }
---@return boolean false when the file is missing
function methods:from_file(name, loader, options)
  check.type("config:from_file", "loader", loader, "function")
  local text = read(self, "from_file", name, options)
  if not text then
    return false
  end
  local ok, values, message = pcall(loader, text)
  if not ok or (values == nil and message ~= nil) then
    check.fail("config:from_file: %s: %s", name, tostring(ok and message or values))
  end
  return take(self, "from_file", name, values)
end

--- Set the UPPER_CASE keys of a JSON file.
---@param name string relative to the app's folder
---@param options? { silent?: boolean }
---@return boolean false when the file is missing
function methods:from_json(name, options)
  local text = read(self, "from_json", name, options)
  if not text then
    return false
  end
  local values, message = core.json_decode(text)
  if values == nil then
    check.fail("config:from_json: %s: %s", name, message)
  end
  return take(self, "from_json", name, values)
end

--- Run a Lua file and set the UPPER_CASE globals that it assigns, and the UPPER_CASE keys of the
--- table that it returns, if it does. Quart's from_pyfile.
---@async
---@param name string relative to the app's folder
---@param options? { silent?: boolean }
---@return boolean false when the file is missing
function methods:from_luafile(name, options)
  local text, path = read(self, "from_luafile", name, options)
  if not text then
    return false
  end
  local chunk, message = loadstring(text, "@" .. path)
  if not chunk then
    error(message, 0) -- begins with file and line
  end
  local globals = setmetatable({}, { __index = _G })
  local values = setfenv(chunk, globals)()
  if values ~= nil and type(values) ~= "table" then
    check.fail("config:from_luafile: %s: it must return a table or nothing, got %s", name,
      check.describe(values))
  end
  take(self, "from_luafile", name, setmetatable(globals, nil))
  return take(self, "from_luafile", name, values or {})
end

--- Set the keys of the file that a variable names: JSON when its name ends in .json, else Lua.
---@async
---@param variable string
---@param options? { silent?: boolean } an unset variable and a missing file are no errors
---@return boolean false when nothing was read
function methods:from_envvar(variable, options)
  check.type("config:from_envvar", "variable", variable, "string")
  options = check.options("config:from_envvar", options, SILENT)
  local name = os.getenv(variable)
  if not name or name == "" then
    if options.silent then
      return false
    end
    check.fail("config:from_envvar: the variable %s is not set; it must name a configuration file",
      variable)
  end
  if name:find "%.json$" then
    return self:from_json(name, options)
  end
  return self:from_luafile(name, options)
end

-- ---- parts ------------------------------------------------------------------------------------

local NAMESPACE = { lowercase = "boolean", trim_namespace = "boolean" }

--- The keys that begin with a prefix, as a table: `config:get_namespace "STORE_"`.
---@param prefix string
---@param options? { lowercase?: boolean, trim_namespace?: boolean } both true unless given
---@return table<string, any>
function methods:get_namespace(prefix, options)
  check.type("config:get_namespace", "prefix", prefix, "string")
  options = check.options("config:get_namespace", options, NAMESPACE)
  local found = {}
  for key, value in pairs(store.of[self].values) do
    if key:sub(1, #prefix) == prefix then
      local name = options.trim_namespace ~= false and key:sub(#prefix + 1) or key
      found[options.lowercase ~= false and name:lower() or name] = value
    end
  end
  return found
end

return M
