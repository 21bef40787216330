--- Places: where in a template the code was that called a Lua function which failed.
--- Flow: an error of a user's own passes through a render as it is; whoever logs it (coroutine.lua)
--- asks here what the frames that it left tell of templates.

local classes = require "qlua.class"
local core = require "qlua.core"
local driver = require "qlua.template_render"
local errors = require "qlua.template_errors"

local place_text = errors.TemplateError.place_text

local SOURCE = debug.getinfo(driver.render, "S").source

local M = {}

--- The render that a frame of the driver works for.
local function render_of(co, level)
  local at = 1
  while true do
    local name, value = debug.getlocal(co, level, at)
    if not name then
      return nil
    elseif name == "render" and type(value) == "userdata" then
      return value
    end
    at = at + 1
  end
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
  local lines, seen, level = {}, {}, 0
  local info = debug.getinfo(co, level, "S")
  while info do
    local render = info.source == SOURCE and render_of(co, level)
    if render and not seen[render] then
      seen[render] = true
      for _, place in ipairs(core.template_chain(render)) do
        lines[#lines + 1] = (#lines == 0 and "in " or "from ") .. place_text(place)
      end
    end
    level = level + 1
    info = debug.getinfo(co, level, "S")
  end
  return lines[1] and "\n  " .. table.concat(lines, "\n  ") or ""
end

return M
