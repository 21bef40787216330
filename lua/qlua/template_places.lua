--- Places: where in a template the code was that called a Lua function which failed.
--- Flow: an error of a user's own passes through a render as it is; whoever logs it (coroutine.lua)
--- asks here what the frames that it left tell of templates. template_objects.lua has its errors
--- made here.

local classes = require "qlua.class"
local core = require "qlua.core"
local driver = require "qlua.template_render"
local errors = require "qlua.template_errors"

local add_places = errors.TemplateError.add_places

local SOURCE = debug.getinfo(driver.render, "S").source

local M = {}

--- The value of a local of the frame at a level, found by its name.
local function local_of(co, level, wanted)
  local at = 1
  local name, value = debug.getlocal(co, level, at)
  while name do
    if name == wanted and value ~= nil then
      return value
    end
    at = at + 1
    name, value = debug.getlocal(co, level, at)
  end
end

--- Iterate over the ways, innermost first, by which renders came to be where they are: those that
--- frames of the driver work for, each once; with the environment where the frame knows it.
local function ways(co)
  local seen, level, way = {}, -1, nil
  local deeper = co == coroutine.running() and 1 or 0 -- local_of is a frame too
  return function()
    while true do
      level = level + 1
      local info = debug.getinfo(co, level, "S")
      if not info then
        return nil
      elseif info.source == SOURCE then
        local render, last = local_of(co, level + deeper, "render"), way
        way = local_of(co, level + deeper, "stopped_at")
        if type(render) == "userdata" and not seen[render] then
          seen[render] = true
          return core.template_chain(render), local_of(co, level + deeper, "env")
        elseif last and not render then -- a render that has not left the core so far
          return last
        end
      end
    end
  end
end

--- The error of this message, at the place in the template that is being rendered.
---@param message string
---@return qlua.TemplateRuntimeError
function M.error(message)
  local co = coroutine.running()
  local chain, env = nil, nil
  if co then
    chain, env = ways(co)()
  end
  chain = chain or {}
  local place = table.remove(chain, 1)
  if place and env then
    return env:error("runtime", message, place.lineno, place.name, place.source, chain)
  elseif place then
    place.chain = chain
  end
  return errors.TemplateRuntimeError(message, place)
end

--- Lines to put behind an error's text: how the coroutine that failed, dead or running, came to be
--- there, as far as templates are concerned, innermost first. "" when none is, or when the error
--- tells of itself.
---@param co thread
---@param err any
---@return string
function M.text(co, err)
  if classes.is_a(err, errors.TemplateError) then
    return ""
  end
  local lines = {}
  for way in ways(co) do
    add_places(lines, way, #lines == 0 and "in " or "from ")
  end
  return lines[1] and "\n  " .. table.concat(lines, "\n  ") or ""
end

return M
