--- The public API as a running qlua shows it: every name of `require "qlua"` and of the objects
--- that come of it, each with what the annotations say of it.
--- Flow: what checks the annotations, what writes the types for editors and what makes reference
--- pages ask here. Nothing is listed by hand but how to come by an object of each class.

local annotations = require "qlua.cli.annotations"
local core = require "qlua.core"

local M = {}

--- The folder with the types of the API (library/qlua.lua, one file with all public annotations):
--- beside the program as it is installed, or as `make` has built it.
---@return string
function M.library()
  local folder = (core.program() or "/usr/local/bin/qlua"):match "^(.*)/[^/]*$"
  local prefix = folder:match "^(.*)/bin$"
  return prefix and prefix .. "/share/qlua/library" or folder .. "/library"
end

-- ---- the objects ------------------------------------------------------------------------------

---@class qlua.Owner something public that has names
---@field name string of a class or module: "qlua.App", "qlua.json"
---@field value any
---@field is_module boolean its names are called with a dot

local PATH = "/?a=1"

--- An app, and what can only be had while a request of it is under way; call(name, value) for each.
---@async
local function with_request(qlua, call)
  local app = qlua.App("surface", { static_folder = false })
  app:route("/", function()
    return ""
  end)
  call("qlua.App", app)
  call("qlua.Config", app.config)
  call("qlua.UrlMap", app.url_map)
  call("qlua.json.Provider", app.json)
  call("qlua.Environment", app.jinja_env)
  call("qlua.TestClient", app:test_client())
  app:test_request_context(PATH, {
    headers = { Accept = "text/html", ["If-Match"] = '"a"', Authorization = "Basic YTpi",
      Range = "bytes=0-1" },
  }, function()
    local request = qlua.request
    call("qlua.Request", request)
    call("qlua.MultiDict", request.args)
    call("qlua.Accept", request.accept_mimetypes)
    call("qlua.ETags", request.if_match)
  end)
end

--- Everything public that has names.
---@async
---@return qlua.Owner[]
function M.owners()
  local qlua = require "qlua"
  local list = {}
  local function object(name, value)
    list[#list + 1] = { name = name, value = value, is_module = false }
  end
  -- the name of a module's table stands for its class
  for _, name in ipairs { "errors", "json", "signals", "signing", "testing", "worker" } do
    list[#list + 1] = { name = "qlua." .. name, value = qlua[name], is_module = true }
  end
  list[#list + 1] = { name = "qlua", value = qlua, is_module = true }
  with_request(qlua, object)
  local response = qlua.Response ""
  object("qlua.Response", response)
  object("qlua.CacheControl", response.cache_control)
  object("qlua.HeaderSet", response.vary)
  object("qlua.Headers", qlua.Headers())
  object("qlua.Blueprint", qlua.Blueprint("surface"))
  object("qlua.Session", qlua.session)
  object("qlua.G", qlua.g)
  object("qlua.Logger", qlua.log)
  object("qlua.Template", qlua.Template "")
  object("qlua.Markup", qlua.Markup "")
  object("qlua.Signal", qlua.signals.request_started)
  object("qlua.Namespace", qlua.signals.Namespace())
  object("qlua.Task", qlua.spawn(function() end))
  object("qlua.HTTPException", qlua.errors.NotFound())
  for _, name in ipairs { "DictLoader", "FileSystemLoader" } do
    object("qlua." .. name, qlua[name] {})
  end
  for _, name in ipairs { "Signer", "TimestampSigner", "Serializer", "TimedSerializer",
    "URLSafeSerializer", "URLSafeTimedSerializer" } do
    object("qlua." .. name, qlua.signing[name] "s")
  end
  return list
end

-- ---- their names ------------------------------------------------------------------------------

-- a module that is a table of an object's names
local HOLDS_NAMES = { ["qlua.request_fields"] = true, ["qlua.scaffold"] = true }

local function is_module_table(value)
  for name, loaded in pairs(package.loaded) do
    if rawequal(loaded, value) then
      return not HOLDS_NAMES[name]
    end
  end
  return value == core.current
end

--- Put the public keys of a table into names: those that are words and do not begin with "_".
local function add_keys(names, from, only_functions)
  for key, value in pairs(from) do
    local is_public = type(key) == "string" and key:find "^%a[%w_]*$"
    if is_public and (not only_functions or type(value) == "function") then
      names[key] = names[key] == nil and value or names[key]
    end
  end
end

--- The tables behind an __index that is a function: its upvalues hold names with their functions.
local function add_upvalues(names, fn)
  for i = 1, 60 do
    local name, value = debug.getupvalue(fn, i)
    if not name then
      return
    end
    for _ = 1, 10 do
      if type(value) ~= "table" or is_module_table(value) then
        break
      end
      add_keys(names, value, true)
      value = (getmetatable(value) or {}).__index
    end
  end
end

--- Every public name of an owner and its value; what a name that is computed gives is not asked.
---@param owner qlua.Owner
---@return table<string, any>
function M.names(owner)
  local names, value = {}, owner.value
  if type(value) == "table" then
    add_keys(names, value)
  end
  if owner.name == "qlua" then
    local late = select(2, debug.getupvalue(getmetatable(value).__index, 1))
    for name in pairs(type(late) == "table" and late or {}) do
      names[name] = value[name]
    end
    names.testing = value.testing
  end
  local meta = not owner.is_module and debug.getmetatable(value) or nil
  for _ = 1, 10 do -- classes above classes
    local index = meta and rawget(meta, "__index")
    if type(index) == "function" then
      add_upvalues(names, index)
      break
    elseif type(index) ~= "table" or is_module_table(index) then
      break
    end
    add_keys(names, index)
    meta = getmetatable(index)
  end
  names.init = nil -- a class' constructor is called by the class
  return names
end

-- ---- what is said of them ---------------------------------------------------------------------

---@class qlua.AnnotationIndex
---@field entries qlua.Annotated[]
---@field classes table<string, { parents: string[], members: table<string, table> }>
---@field places table<string, qlua.Annotated> "file:line" to the function that begins there

local function class_of(index, name)
  index.classes[name] = index.classes[name] or { parents = {}, members = {} }
  return index.classes[name]
end

--- Read sources: list of { path, text }.
---@param sources { [1]: string, [2]: string }[]
---@return qlua.AnnotationIndex
function M.index(sources)
  local index = { entries = {}, classes = {}, places = {} }
  for _, source in ipairs(sources) do
    for _, entry in ipairs(annotations.parse(source[2], source[1])) do
      index.entries[#index.entries + 1] = entry
      index.places[entry.file .. ":" .. entry.line] = entry
      if entry.kind == "class" then
        local class = class_of(index, entry.name)
        class.entry = class.entry or entry
        for _, parent in ipairs(entry.parents) do
          class.parents[#class.parents + 1] = parent
        end
        for _, field in ipairs(entry.fields) do
          class.members[field.name] = class.members[field.name] or field
        end
      elseif entry.class then
        class_of(index, entry.class).members[entry.name:match "[^.:]+$"] = entry
      end
    end
  end
  return index
end

--- A member of a class or of one above it.
---@param index qlua.AnnotationIndex
---@param class_name string
---@param name string
---@return table? said an entry or a field
---@return string? class it is of
function M.member(index, class_name, name)
  local class = index.classes[class_name]
  if not class then
    return nil
  elseif class.members[name] then
    return class.members[name], class_name
  end
  for _, parent in ipairs(class.parents) do
    local found, where = M.member(index, parent, name)
    if found then
      return found, where
    end
  end
end

--- What is said where a function begins, or of a function of the core.
local function said_of_function(index, fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then
    for name, value in pairs(core) do
      if value == fn then
        return M.member(index, "qlua.core", name)
      end
    end
  end
  return index.places[info.source:gsub("^[@=]", "") .. ":" .. info.linedefined]
end

--- What the annotations say of a public name.
---@param index qlua.AnnotationIndex
---@param owner qlua.Owner
---@param name string
---@param value any
---@return table? said an entry or a field; nil: nothing
function M.said(index, owner, name, value)
  local said = M.member(index, owner.name, name)
  if not said and type(value) == "function" then
    said = said_of_function(index, value)
  end
  if said then
    return said
  end
  local class = type(value) == "table" and index.classes["qlua." .. tostring(rawget(value,
    "__name") or name)] or index.classes[owner.name .. "." .. name]
  return class and class.entry
end

return M
