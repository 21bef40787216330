--- Frames: what the coroutine that died of an error tells of how it came to be there.
--- Flow: errors.lua has the frames of an error listed when it is kept, and their variables
--- described; console.lua evaluates in them later, as long as the coroutine is kept.

local classes = require "qlua.class"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local current = require "qlua.current"
local scope = require "qlua.debugger.scope"
local source = require "qlua.debugger.source"
local template_errors = require "qlua.template_errors"
local values = require "qlua.debugger.values"

local getinfo, getlocal = debug.getinfo, debug.getlocal

local M = {}

---@class qlua.debugger.Frame innermost first; of Lua, of a C function, or of a template
---@field kind "lua"|"c"|"template"
---@field title string what runs in it
---@field place? string "app.lua:12"
---@field path? string the file
---@field line? integer
---@field own? boolean qlua's, and no news to who wrote the app
---@field thread? thread where it is, ...
---@field level? integer ... and at which level of it; of a template: where its values are
---@field arguments? qlua.debugger.Variable[]
---@field locals? qlua.debugger.Variable[]
---@field upvalues? qlua.debugger.Variable[]
---@field lines? qlua.debugger.Line[]
---@field context? table of a template: its values

---@class qlua.debugger.Variable
---@field name string
---@field node qlua.debugger.Node

-- of a recursion without end the innermost and the outermost frames tell enough
local MOST_INNER, MOST_OUTER = 40, 10

local OWN = "^@lua/qlua/"
local own_folder = os.getenv "QLUA_LUA_DIR"

local function is_own(info)
  local from = info.source
  return from:find(OWN) ~= nil
    or own_folder ~= nil and from:sub(2, #own_folder + 1) == own_folder
end

-- ---- variables --------------------------------------------------------------------------------

--- The variables of a frame of Lua: each is called with (name, value, kind, index); kind is
--- "argument", "vararg", "local" or "upvalue". Of names that are there twice the one in force is
--- the last.
---@param thread thread
---@param level integer
---@param line integer where it is
---@param visit fun(name: string, value: any, kind: string, index: integer)
function M.each_variable(thread, level, line, visit)
  local info = getinfo(thread, level, "luf")
  local names = info.currentline < 0 and scope.names(info.func, line) or nil
  local index = 1
  local name, value = getlocal(thread, level, index)
  while name do
    if names then
      name = names[index] or "("
    end
    if name:sub(1, 1) ~= "(" then
      visit(name, value, index <= info.nparams and "argument" or "local", index)
    end
    index = index + 1
    name, value = getlocal(thread, level, index)
  end
  index = 1
  name, value = getlocal(thread, level, -index)
  while name do
    visit(("...%d"):format(index), value, "vararg", -index)
    index = index + 1
    name, value = getlocal(thread, level, -index)
  end
  index = 1
  name, value = debug.getupvalue(info.func, index)
  while name do
    if name ~= "" then
      visit(name, value, "upvalue", index)
    end
    index = index + 1
    name, value = debug.getupvalue(info.func, index)
  end
end

-- what the usual head of a file makes is no news: `local qlua = require "qlua"` and its parts
local function is_usual(value)
  local name = values.class_name(value)
  return type(value) == "table" and value == package.loaded.qlua
    or type(value) == "userdata" and name ~= nil and name:find "^qlua%." ~= nil
end

local function describe_variables(frame, budget)
  frame.arguments, frame.locals, frame.upvalues = {}, {}, {}
  M.each_variable(frame.thread, frame.level, frame.line, function(name, value, kind)
    local list = kind == "upvalue" and frame.upvalues or kind == "local" and frame.locals
      or frame.arguments
    if not (kind == "upvalue" and is_usual(value)) then
      list[#list + 1] = { name = name, node = values.describe(value, name, budget) }
    end
  end)
end

-- ---- frames of Lua ----------------------------------------------------------------------------

local function title_of(info, path, page)
  if info.what == "main" then
    return "main chunk"
  elseif info.what ~= "C" then
    local defined = ("%s:%d"):format(path and source.short(path, page.root) or info.short_src,
      info.linedefined)
    if page.where and page.where:find("(" .. defined .. ")", 1, true) then
      return (page.where:gsub(" %b()$", "")) -- view "index"
    elseif not info.name or info.name == "" then
      return "function <" .. defined .. ">"
    end
  end
  return info.name or "function"
end

--- The line of a frame; where the machine raised the error it stands in the text only.
local function line_of(info, err)
  local text = info.currentline < 0 and (type(err) == "string" and err
    or type(err) == "table" and rawget(err, "message"))
  if type(text) == "string" and text:sub(1, #info.short_src + 1) == info.short_src .. ":" then
    return tonumber(text:match("^%d+", #info.short_src + 2)) or info.linedefined
  end
  return info.currentline < 0 and info.linedefined or info.currentline
end

local function lua_frame(thread, level, info, page)
  local path = info.source:match "^@(.*)$"
  local own = is_own(info)
  local line = line_of(info, page.error)
  local frame = {
    kind = info.what == "C" and "c" or "lua", title = title_of(info, path, page), own = own or nil,
    thread = thread, level = level, line = line, path = path,
  }
  if frame.kind == "c" then
    frame.own, frame.line, frame.path = true, nil, nil
    frame.title = info.name and "C function " .. info.name or "C function"
    return frame
  end
  frame.place = ("%s:%d"):format(path and source.short(path, page.root) or info.short_src, line)
  local lines = path and source.lines_of(path, page.files) or not path and source.split(info.source)
  frame.lines = source.around(lines or nil, line, page.budget.known)
  if not own then
    describe_variables(frame, page.budget)
  end
  return frame
end

-- ---- frames of templates ----------------------------------------------------------------------

--- Where a template's loader has it, and its text; nil when it does not say.
local function loaded_from(name, env)
  env = env or current.served and rawget(current.served, "jinja_env")
  if not name or not env or not env.loader then
    return nil
  end
  local ok, text, filename = pcall(env.loader.get_source, env.loader, env, name)
  if ok and type(text) == "string" then
    return filename, source.split(text)
  end
end

local function template_frame(place, context, page, env)
  local path, lines = place.filename
  if path then
    lines = source.lines_of(path, page.files)
  else
    path, lines = loaded_from(place.name, env)
  end
  local name = path and source.short(path, page.root) or place.name or "<string>"
  local frame = {
    kind = "template", title = "template " .. (place.name or "of a string"), path = path,
    line = place.lineno, place = ("%s:%d"):format(name, place.lineno), context = context,
  }
  if lines then
    frame.lines = source.around(lines, place.lineno, page.budget.known)
  elseif place.source then
    frame.lines = { { number = place.lineno, text = place.source, current = true } }
  end
  if context then
    frame.locals = {}
    for _, item in ipairs(values.describe(context, nil, page.budget).entries or {}) do
      frame.locals[#frame.locals + 1] = { name = item.key, node = item.node }
    end
  end
  return frame
end

-- whose frames work for a template, and under which names they have its values
local DRIVERS = { ["qlua.template_render"] = true, ["qlua.templating"] = true,
  ["qlua.template"] = true }
local CONTEXTS = { context = true, values = true }

local function module_of(info)
  return info.source:find(OWN) and "qlua." .. info.source:match "qlua/(.-)%.lua$":gsub("/", ".")
    or is_own(info) and "qlua." .. info.source:match "([^/]*)%.lua$" or nil
end

--- A local of a frame that has one of these names and this type.
local function local_named(thread, level, names, wanted)
  local index = 1
  local name, value = getlocal(thread, level, index)
  while name do
    if names[name] and type(value) == wanted then
      return value
    end
    index = index + 1
    name, value = getlocal(thread, level, index)
  end
end

--- The values that a template is rendered with, when a frame of the driver still has them.
local function context_from(thread, level)
  local info = getinfo(thread, level, "S")
  while info and (info.what == "C" or DRIVERS[module_of(info) or ""]) do
    local context = info.what ~= "C" and local_named(thread, level, CONTEXTS, "table")
    if context then
      return context
    end
    level = level + 1
    info = getinfo(thread, level, "S")
  end
end

local RENDER, ENV = { render = true }, { env = true }

--- The frames of templates that a frame of the driver works for; none when they were listed.
local function rendered_in(thread, level, info, page)
  local render = module_of(info) == "qlua.template_render"
    and local_named(thread, level, RENDER, "userdata")
  if not render or page.renders[render] then
    return {}
  end
  page.renders[render] = true
  local frames, context = {}, context_from(thread, level)
  local env = local_named(thread, level, ENV, "table")
  for i, place in ipairs(core.template_chain(render)) do
    frames[i] = template_frame(place, context, page, env)
  end
  return frames
end

--- The places that an error of a template tells of itself.
local function places_of(err)
  local list = {}
  if classes.is_a(err, template_errors.TemplateError) then
    if err.lineno then
      list[1] = err
    end
    for _, place in ipairs(err.chain or {}) do
      if place.lineno then
        list[#list + 1] = place
      end
    end
  end
  return list
end

local function add_error_places(frames, err, threads, page)
  local list = places_of(err)
  local context
  for level = 0, 8 do
    local info = list[1] and getinfo(threads[1], level, "S")
    if info and DRIVERS[module_of(info) or ""] then
      context = context_from(threads[1], level)
      break
    end
  end
  for _, place in ipairs(list) do
    frames[#frames + 1] = template_frame(place, context, page)
  end
  return #list > 0
end

-- ---- all of them ------------------------------------------------------------------------------

local function add_thread(frames, thread, tells, page)
  local depth = coroutines.outermost(thread)
  local level = 0
  while level <= depth do
    if level == MOST_INNER and depth > MOST_INNER + MOST_OUTER then
      local skipped = depth - MOST_INNER - MOST_OUTER
      frames[#frames + 1] = { kind = "c", own = true, title = ("%d frames more"):format(skipped) }
      level = level + skipped
    end
    local info = getinfo(thread, level, "nSl")
    if not info then
      break
    end
    frames[#frames + 1] = lua_frame(thread, level, info, page)
    for _, frame in ipairs(tells and {} or rendered_in(thread, level, info, page)) do
      frames[#frames + 1] = frame
    end
    level = level + 1
  end
end

--- Let go of all that the frames of a coroutine hold. It is dead, and nobody looks any more.
---@param thread thread
function M.empty(thread)
  local level = 0
  while getinfo(thread, level, "l") do
    local index = 1
    while debug.setlocal(thread, level, index, nil) do
      index = index + 1
    end
    index = 1
    while debug.setlocal(thread, level, -index, nil) do
      index = index + 1
    end
    level = level + 1
  end
end

--- The frames of an error, innermost first, and the threads they lie in.
---@param err any
---@param co? thread|false that died of it; none: there are no frames
---@param budget qlua.debugger.Budget
---@param root? string the app's folder
---@param where? string the view at work: `view "index" (app.lua:12)`
---@return qlua.debugger.Frame[] frames, thread[] threads
function M.of(err, co, budget, root, where)
  local frames = {}
  local page = { budget = budget, root = root, files = {}, renders = {}, where = where,
    error = err }
  if not co then
    return frames, {}
  end
  local threads = coroutines.deaths_before(co, err)
  threads[#threads + 1] = co
  local tells = package.loaded["qlua.template_render"]
    and add_error_places(frames, err, threads, page)
  for _, thread in ipairs(threads) do
    add_thread(frames, thread, tells, page)
  end
  return frames, threads
end

return M
