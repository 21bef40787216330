--- Loaders: where the sources of templates come from.
--- Flow: environment.lua asks get_source for a name it has not compiled yet, and the function that
--- came with the source before it uses a compiled one again. Any table with get_source will do.

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

---@class qlua.Loader
---@field get_source fun(self, environment: qlua.Environment, name: string): string?, string?,
---  (fun(): boolean)? the source, or nil when there is none of the name; the file it is from, for
---  messages; a function that says whether the source is still current (nil: always). May wait
---@field list_templates? fun(self): string[] all names, sorted

local function is_loader(value)
  return type(value) == "table" and type(value.get_source) == "function"
end

--- Raise unless the value is a loader.
---@param where string
---@param value any
function M.check_loader(where, value)
  if not is_loader(value) then
    check.fail("%s must be a loader (a table with a get_source method, as qlua.DictLoader makes), "
      .. "got %s", where, check.describe(value))
  end
end

local function sorted_keys(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function class(name)
  local made = { __name = "qlua." .. name }
  made.__index = made
  return made
end

-- ---- files ------------------------------------------------------------------------------------

---@class qlua.FileSystemLoader: qlua.Loader
---@field searchpath string[] its folders
local FileSystemLoader = class "FileSystemLoader"

--- A template's name as a path below a folder, or nil when it could lead out of one. A name that
--- begins with "/" begins at the folder, as in Jinja.
---@param name string
---@return string?
function M.clean(name)
  local parts = {}
  if name:find "[%z\\]" then
    return nil
  end
  for part in name:gmatch "[^/]+" do
    if part == ".." then
      return nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return #parts > 0 and table.concat(parts, "/") or nil
end

--- Folders are relative to the app's.
local function absolute(path)
  local root = core.app_root()
  return (path:sub(1, 1) == "/" or not root) and path or root .. "/" .. path
end

local function read(path)
  local file, message, _, is_missing = core.file_open(path)
  if not file then
    return nil, not is_missing and message
  end
  local text, size, mtime = file:read() or "", file.size, file.mtime
  file:close()
  return text, nil, size, mtime
end

function FileSystemLoader:get_source(_, name)
  local clean = M.clean(name)
  for _, folder in ipairs(clean and self.searchpath or {}) do
    local path = absolute(folder) .. "/" .. clean
    if core.watch then -- not in an engine without a server
      core.watch(path)
    end
    local source, message, size, mtime = read(path)
    if source then
      return source, path, function()
        local now_size, now_mtime = core.file_stat(path)
        return now_size == size and now_mtime == mtime
      end
    elseif message then
      error("template " .. message, 0)
    end
  end
end

--- Names of all files below the folders.
---@return string[]
function FileSystemLoader:list_templates()
  local names = {}
  for _, folder in ipairs(self.searchpath) do
    for _, name in ipairs(core.files_below(absolute(folder))) do
      names[name] = true
    end
  end
  return sorted_keys(names)
end

--- Templates in a folder, or in several: the first that has the name. Relative to the app's folder.
---@param paths string|string[]
---@return qlua.FileSystemLoader
function M.FileSystemLoader(paths)
  if type(paths) == "string" then
    paths = { paths }
  elseif type(paths) ~= "table" then
    check.fail("FileSystemLoader: a path or a list of paths is expected, got %s",
      check.describe(paths))
  end
  for i, path in ipairs(paths) do
    check.type("FileSystemLoader", "path " .. i, path, "string")
  end
  return setmetatable({ searchpath = { unpack(paths) } }, FileSystemLoader)
end

-- ---- tables and functions ---------------------------------------------------------------------

---@class qlua.DictLoader: qlua.Loader
---@field mapping table<string, string> its sources by name; may be changed
local DictLoader = class "DictLoader"

function DictLoader:get_source(_, name)
  local mapping = self.mapping
  local source = mapping[name]
  if source ~= nil then
    check.type("DictLoader", ("the template %q"):format(name), source, "string")
    return source, nil, function()
      return mapping[name] == source
    end
  end
end

function DictLoader:list_templates()
  return sorted_keys(self.mapping)
end

--- Templates from a table: name to source.
---@param mapping table<string, string>
---@return qlua.DictLoader
function M.DictLoader(mapping)
  check.type("DictLoader", "the mapping", mapping, "table")
  return setmetatable({ mapping = mapping }, DictLoader)
end

---@class qlua.FunctionLoader: qlua.Loader
---@field load fun(name: string): string?, string?, (fun(): boolean)?
local FunctionLoader = class "FunctionLoader"

function FunctionLoader:get_source(_, name)
  local source, filename, is_current = self.load(name)
  if source ~= nil then
    check.type("FunctionLoader", ("what the function returned for %q"):format(name), source,
      "string")
  end
  return source, filename, is_current
end

--- Templates from a function: it returns the source, or nil; then, if it likes, a file name for
--- messages and a function that says whether the source is still current. It may wait.
---@param fn fun(name: string): string?, string?, (fun(): boolean)?
---@return qlua.FunctionLoader
function M.FunctionLoader(fn)
  check.type("FunctionLoader", "the function", fn, "function")
  return setmetatable({ load = fn }, FunctionLoader)
end

-- ---- loaders of loaders -----------------------------------------------------------------------

---@class qlua.PrefixLoader: qlua.Loader
---@field mapping table<string, qlua.Loader>
---@field delimiter string
local PrefixLoader = class "PrefixLoader"

function PrefixLoader:get_source(environment, name)
  local from, to = name:find(self.delimiter, 1, true)
  local loader = from and self.mapping[name:sub(1, from - 1)]
  if loader then
    return loader:get_source(environment, name:sub(to + 1))
  end
end

function PrefixLoader:list_templates()
  local names = {}
  for prefix, loader in pairs(self.mapping) do
    for _, name in ipairs(loader.list_templates and loader:list_templates() or {}) do
      names[prefix .. self.delimiter .. name] = true
    end
  end
  return sorted_keys(names)
end

--- Loaders by the first part of the name: `app1/index.html` is index.html of the loader `app1`.
---@param mapping table<string, qlua.Loader>
---@param delimiter? string "/" unless given
---@return qlua.PrefixLoader
function M.PrefixLoader(mapping, delimiter)
  check.type("PrefixLoader", "the mapping", mapping, "table")
  check.type("PrefixLoader", "the delimiter", delimiter, "string", true)
  for prefix, loader in pairs(mapping) do
    M.check_loader(("PrefixLoader: the value of %q"):format(tostring(prefix)), loader)
  end
  return setmetatable({ mapping = mapping, delimiter = delimiter or "/" }, PrefixLoader)
end

---@class qlua.ChoiceLoader: qlua.Loader
---@field loaders qlua.Loader[]
local ChoiceLoader = class "ChoiceLoader"

function ChoiceLoader:get_source(environment, name)
  for _, loader in ipairs(self.loaders) do
    local source, filename, is_current = loader:get_source(environment, name)
    if source ~= nil then
      return source, filename, is_current
    end
  end
end

function ChoiceLoader:list_templates()
  local names = {}
  for _, loader in ipairs(self.loaders) do
    for _, name in ipairs(loader.list_templates and loader:list_templates() or {}) do
      names[name] = true
    end
  end
  return sorted_keys(names)
end

--- The first of several loaders that has the name.
---@param loaders qlua.Loader[]
---@return qlua.ChoiceLoader
function M.ChoiceLoader(loaders)
  check.type("ChoiceLoader", "the loaders", loaders, "table")
  for i, loader in ipairs(loaders) do
    M.check_loader(("ChoiceLoader: loader %d"):format(i), loader)
  end
  return setmetatable({ loaders = loaders }, ChoiceLoader)
end

return M
