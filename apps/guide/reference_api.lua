--- The API's reference: a class' annotations as blocks of a page.
--- Flow: reference.lua says which classes are on which page. What is public was settled when
--- library/qlua.lua was made of the sources (lua/tools/library.lua); it is read here.

local annotations = require "qlua.cli.annotations"
local core = require "qlua.core"

local M = {}

--- The file with the types: beside the program as it is installed, or as `make` has built it.
local function library()
  local folder = assert(core.program()):match "^(.*)/[^/]*$"
  for _, path in ipairs { folder .. "/library/qlua.lua", folder .. "/../library/qlua.lua",
    folder .. "/../share/qlua/library/qlua.lua" } do
    local file = io.open(path)
    if file then
      local text = file:read "*a"
      file:close()
      return text
    end
  end
  error("the guide's reference needs library/qlua.lua, which `make` builds beside " .. folder, 0)
end

---@class guide.Class
---@field entry qlua.Annotated the class or alias
---@field functions qlua.Annotated[]

local names, classes = {}, {} ---@type string[], table<string, guide.Class>

for _, entry in ipairs(annotations.parse(library(), "qlua.lua")) do
  if entry.kind == "class" or entry.kind == "alias" then
    names[#names + 1] = entry.name
    classes[entry.name] = { entry = entry, functions = {} }
  end
end
for _, entry in ipairs(annotations.parse(library(), "qlua.lua")) do
  local class = entry.kind == "function" and classes[entry.class or "qlua"]
  if class then
    table.insert(class.functions, entry)
  end
end

--- All classes and aliases.
---@return string[]
function M.names()
  return names
end

-- ---- writing ----------------------------------------------------------------------------------

-- what an object of a class is called in examples
local VARIABLES = {
  ["qlua.TestClient"] = "client", ["qlua.UrlMap"] = "app.url_map", ["qlua.Config"] = "app.config",
  ["qlua.Environment"] = "env", ["qlua.Scaffold"] = "app", ["qlua.Logger"] = "app.logger",
  ["qlua.CookieJar"] = "jar", ["qlua.HeaderSet"] = "response.vary",
}

local function variable_of(class_name)
  local last = class_name:match "[^.]*$"
  if class_name == "qlua" or last:find "^%l" then
    return class_name -- a module
  end
  return VARIABLES[class_name] or last:lower()
end

--- How a function is called.
local function call_of(entry, class_name)
  local name = entry.name:match "[^.:]*$"
  local variable, arguments = variable_of(class_name), entry.arguments or ""
  local first = arguments:match "^[%w_]*"
  local is_module = variable == class_name
  local takes_self = first == "_" or first == "self" or first == class_name:match "[^.]*$":lower()
  if entry.name:find(":", 1, true) then
    return ("%s:%s(%s)"):format(variable, name, arguments)
  elseif not is_module and takes_self then
    return ("%s:%s(%s)"):format(variable, name, (arguments:gsub("^[%w_]*,?%s*", "")))
  end
  return ("%s.%s(%s)"):format(variable, name, arguments)
end

local function paragraphs(blocks, text)
  for part in (text .. "\n\n"):gmatch "(.-)\n\n+" do
    if part ~= "" then
      blocks[#blocks + 1] = { kind = "paragraph", text = part }
    end
  end
end

local function code(text)
  return text and text ~= "" and "`" .. text:gsub("`", "'") .. "`" or ""
end

local function definitions(title, parts)
  local rows = {}
  for i, part in ipairs(parts) do
    local name = part.name and code(part.name .. (part.optional and "?" or "")) .. " " or ""
    rows[i] = { name .. "*" .. code(part.type) .. "*", part.text }
  end
  return { kind = "definitions", title = title, rows = rows }
end

local function add_function(blocks, entry, class_name)
  local own = class_name:match "[^.]*$" .. "." .. entry.name:match "[^.:]*$"
  blocks[#blocks + 1] = { kind = "heading", level = 3, id = own,
    text = code(call_of(entry, class_name)) }
  paragraphs(blocks, entry.text .. (entry.is_async and " *May wait.*" or ""))
  if #entry.params > 0 then
    blocks[#blocks + 1] = definitions("takes", entry.params)
  end
  if #entry.returns > 0 then
    blocks[#blocks + 1] = definitions("returns", entry.returns)
  end
end

--- Add a class to the blocks of a page.
---@param blocks guide.Block[]
---@param class_name string
function M.add(blocks, class_name)
  local class = assert(classes[class_name], class_name)
  local entry, fields = class.entry, {}
  blocks[#blocks + 1] = { kind = "heading", level = 2, id = class_name, text = code(class_name) }
  paragraphs(blocks, entry.text)
  if #entry.parents > 0 then
    local list = {}
    for i, parent in ipairs(entry.parents) do
      list[i] = code(parent)
    end
    blocks[#blocks + 1] = { kind = "paragraph",
      text = "Has all that " .. table.concat(list, " and ") .. " has, too." }
  end
  if entry.kind == "alias" then
    blocks[#blocks + 1] = { kind = "paragraph", text = code(entry.type) }
  end
  for _, overload in ipairs(entry.overloads) do
    blocks[#blocks + 1] = { kind = "paragraph", text = "Is called: " .. code(overload) }
  end
  for _, field in ipairs(entry.fields) do
    if field.visibility == "public" then
      fields[#fields + 1] = field
    end
  end
  if #fields > 0 then
    blocks[#blocks + 1] = definitions("has", fields)
  end
  for _, fn in ipairs(class.functions) do
    add_function(blocks, fn, class_name)
  end
end

return M
