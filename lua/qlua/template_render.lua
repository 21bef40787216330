--- The driver: runs programs and does for them what only Lua may do.
--- Flow: template.lua and templating.lua call render, stream and module; the VM (src/template/vm*)
--- runs a slice and comes back when it is done or needs something: a function called, an object
--- asked, another template loaded. That is done here, in the task that renders, so it may wait;
--- then the next slice runs. A template that needs nothing is one call.

local classes = require "qlua.class"
local core = require "qlua.core"
local errors = require "qlua.template_errors"
local objects = require "qlua.template_objects"

local run, step, chain = core.template_run, core.template_step, core.template_chain

local M = {}

-- ---- what the VM asks for -----------------------------------------------------------------------

local asks = core.template_asks
local ASK_LOAD, ASK_LOAD_IF_ANY, ASK_FLUSH = asks.load, asks.load_if_any, asks.flush

-- function -> how many parameters it declares
local declared = setmetatable({}, { __mode = "k" })

local function parameters_of(fn)
  local count = declared[fn]
  if not count then
    count = type(fn) == "function" and debug.getinfo(fn, "u").nparams or 0
    declared[fn] = count
  end
  return count
end

local function text_of(object)
  return tostring(object)
end

--- Markup, or text that is escaped.
local function html_of(object)
  local html = objects.html_of(object)
  return html == nil and text_of(object) or html
end

local function metamethod(object, name)
  local meta = debug.getmetatable(object)
  return type(meta) == "table" and rawget(meta, name) or nil
end

local function name_of(value)
  local name = metamethod(value, "__name")
  return type(name) == "string" and name or type(value)
end

--- Fail at the place in the template that is being rendered.
local function fail(format, ...)
  error(require("qlua.template_places").error(format:format(...)), 0) -- late: it knows this file
end

--- Can Lua do this with the two? (An integer of 64 bits is cdata, and has its own ways.)
local function supports(name, a, b)
  return type(a) == "cdata" or type(b) == "cdata" or metamethod(a, name) or metamethod(b, name)
end

local function equal(a, b)
  return a == b
end

local function less(a, b)
  if not supports("__lt", a, b) then
    fail("'<' not supported between instances of '%s' and '%s'", name_of(a), name_of(b))
  end
  return a < b
end

local OPERATORS = {
  ["+"] = function(a, b)
    return a + b
  end,
  ["-"] = function(a, b)
    return a - b
  end,
  ["*"] = function(a, b)
    return a * b
  end,
  ["/"] = function(a, b)
    return a / b
  end,
  ["//"] = function(a, b)
    return math.floor(a / b)
  end,
  ["%"] = function(a, b)
    return a % b
  end,
  ["**"] = function(a, b)
    return a ^ b
  end,
}

local METAMETHODS = { ["+"] = "__add", ["-"] = "__sub", ["*"] = "__mul", ["/"] = "__div",
  ["//"] = "__div", ["%"] = "__mod", ["**"] = "__pow" }

local function arith(operator, ...)
  local a, b = ...
  if select("#", ...) == 1 then
    if not supports("__unm", a, a) then
      fail("bad operand type for unary %s: '%s'", operator, name_of(a))
    end
    return operator == "-" and -a or a
  elseif not supports(METAMETHODS[operator], a, b) then
    fail("unsupported operand type(s) for %s: '%s' and '%s'", operator, name_of(a), name_of(b))
  end
  return OPERATORS[operator](a, b)
end

local function dict_of(object)
  local dict = {}
  for _, pair in ipairs(objects.pairs_of(object)) do
    dict[pair[1]] = pair[2]
  end
  return dict
end

local function call(fn, ...)
  if type(fn) ~= "function" and not metamethod(fn, "__call") then
    fail("'%s' object is not callable", name_of(fn))
  end
  return (fn(...))
end

--- Keyword arguments are one table, in the place of the last declared parameter or behind what was
--- given.
local function call_with_keywords(fn, ...)
  local count = select("#", ...)
  local arguments = { ... }
  local keywords = arguments[count]
  local place = math.max(count, parameters_of(fn))
  arguments[count] = nil
  arguments[place] = keywords
  return call(fn, unpack(arguments, 1, place))
end

local ASKS = {
  [asks.call] = call, [asks.call_with_keywords] = call_with_keywords, [asks.index] = objects.index,
  [asks.item] = objects.item, [asks.text] = text_of, [asks.html] = html_of,
  [asks.length] = objects.length_of, [asks.truth] = objects.truth_of, [asks.list] = objects.list_of,
  [asks.pairs] = objects.pairs_of, [asks.equal] = equal, [asks.less] = less,
  [asks.contains] = objects.contains, [asks.is] = objects.is,
  [asks.arith] = arith, [asks.dict] = dict_of,
}

-- ---- loading ----------------------------------------------------------------------------------

--- An error of loading tells which templates wanted what could not be loaded.
local function failed(render, err)
  if classes.is_a(err, errors.TemplateError) and err.chain == nil then
    err.chain = chain(render)
  end
  error(err, 0)
end

local function load(env, render, may_miss, names, parent)
  local ok, program = pcall(env.load_program, env, names, parent)
  if ok then
    return program
  elseif may_miss and classes.is_a(program, errors.TemplateNotFound) then
    return nil
  end
  return failed(render, program)
end

-- ---- rendering --------------------------------------------------------------------------------

--- What is asked for, as the next slice gets it.
local function answer(env, render, ask, ...)
  if ask == ASK_LOAD or ask == ASK_LOAD_IF_ANY then
    return load(env, render, ask == ASK_LOAD_IF_ANY, ...)
  end
  return ASKS[ask](...)
end

--- Slice by slice, until there is a value.
local function go(env, value, render, ...)
  if render == nil then
    return value
  end
  return go(env, step(render, answer(env, render, ...)))
end

--- The text that a program makes of the values.
---@async
---@param env qlua.Environment
---@param program userdata
---@param context? table<string, any>
---@param globals? table<string, any> before the environment's own; the same table each time when it
---  is the same: what is imported is kept for it
---@return string
function M.render(env, program, context, globals)
  return go(env, run(env, program, globals, context))
end

--- The same in pieces of at least flush_size bytes, but for the last; not one that is empty.
---@param env qlua.Environment
---@param program userdata
---@param context? table<string, any>
---@param flush_size integer
---@param globals? table<string, any>
---@return fun(): string?
function M.stream(env, program, context, flush_size, globals)
  local waiting, is_over -- the render, once it has handed out a piece
  local next_piece

  --- The next piece: of a render that has one to hand out, or its last.
  local function piece(value, render, ask, ...)
    if render == nil then
      is_over = true
      return value ~= "" and value or nil
    elseif ask == ASK_FLUSH then
      waiting = render
      return ...
    end
    return piece(step(render, answer(env, render, ask, ...)))
  end

  function next_piece()
    if is_over then
      return nil
    end
    is_over = true -- unless it comes to a piece: an error ends it
    local text
    if waiting then
      local render = waiting
      waiting = nil
      text = piece(step(render))
    else
      text = piece(run(env, program, globals, context, flush_size))
    end
    is_over = waiting == nil
    return text
  end

  return next_piece
end

--- What a program exports: its macros, which Lua may call, and the values it sets at top level.
---@async
---@param env qlua.Environment
---@param program userdata
---@param context? table<string, any>
---@param globals? table<string, any>
---@return table<string, any>
function M.module(env, program, context, globals)
  local exported = {}
  for name, value in next, go(env, run(env, program, globals, context, nil, true)) do
    if type(name) == "string" then
      exported[name] = value
    end
  end
  return exported
end

--- A macro that Lua calls is a render of its own. Its arguments are positional.
core.template_on_call(function(macro, ...)
  local env = core.template_environment(macro)
  return go(env, core.template_call(macro, ...))
end)

--- Called where a render may have to stop: the error of who wants the processor back is raised
--- before this begins. template_places.lua finds in its frame where the render was.
core.template_on_stop(function(stopped_at)
  return stopped_at
end)

return M
