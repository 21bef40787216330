--- Template: one template, compiled.
--- Flow: environment.lua makes them; render and stream go to the driver (template_render.lua),
--- which runs the program in C and does for it what only Lua may do.

local check = require "qlua.check"

--- One template, compiled.
---@class qlua.Template
---@field name? string nil: made of a string
---@field filename? string where the loader found it
---@field environment qlua.Environment that it was made by
---@field package program userdata the core's
local Template = {}
Template.__index = Template
Template.__name = "qlua.Template"

local M = {}

-- late, so that an environment can be made where nothing is rendered
local driver
local function render_module()
  driver = driver or require "qlua.template_render"
  return driver
end

local function check_context(where, context)
  if context ~= nil and type(context) ~= "table" then
    check.fail("%s: the context must be a table, got %s", where, check.describe(context))
  end
  return context
end

--- The text that the template makes of the values. Functions that it calls may wait.
---@async
---@param context? table<string, any>
---@return string
function Template:render(context)
  check_context("template:render", context)
  return render_module().render(self.environment, self.program, context)
end

--- Bytes after which a stream gives what it has.
M.FLUSH_SIZE = 16 * 1024

--- The same text piece by piece: an iterator of strings, which a view may return. It renders on
--- while it is asked for more.
---@param context? table<string, any>
---@param flush_size? integer bytes a piece has at least, but for the last
---@return fun(): string?
function Template:stream(context, flush_size)
  check_context("template:stream", context)
  if flush_size ~= nil and not (type(flush_size) == "number" and flush_size >= 1) then
    check.fail("template:stream: flush_size must be a number of bytes, got %s",
      check.describe(flush_size))
  end
  return render_module().stream(self.environment, self.program, context,
    flush_size or M.FLUSH_SIZE)
end

--- What the template exports: its macros (functions) and the values it sets at its top level.
---@async
---@param context? table<string, any>
---@return table<string, any>
function Template:module(context)
  check_context("template:module", context)
  return render_module().module(self.environment, self.program, context)
end

function Template:__tostring()
  return self.name and ("<Template %q>"):format(self.name) or "<Template>"
end

---@param environment qlua.Environment
---@param program userdata
---@param name? string
---@param filename? string
---@return qlua.Template
function M.new(environment, program, name, filename)
  return setmetatable({
    environment = environment, program = program, name = name, filename = filename,
  }, Template)
end

---@param value any
---@return boolean
function M.is_template(value)
  return type(value) == "table" and getmetatable(value) == Template
end

return M
