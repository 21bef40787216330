--- Markup: text that is HTML already, which templates do not escape again; escape makes it of other
--- text.
--- Flow: a view or a filter makes one, the template engine and the session know it by its
--- metatable. Its algebra is MarkupSafe's: what is joined to it, or formatted into it, is escaped.

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

---@class qlua.Markup tostring gives its text; `a .. b` with one is Markup, the other part escaped
---@field [1] string
local methods = {}
local meta = getmetatable(core.markup "")

local function is_markup(value)
  return type(value) == "table" and getmetatable(value) == meta
end

--- The value's own HTML, from its metatable's or class' __html; nil without one.
local function html_of(value)
  local value_meta = type(value) == "table" and getmetatable(value)
  local html = type(value_meta) == "table" and value_meta.__html
  return html and html(value)
end

--- The text as HTML. Nothing is escaped: it must be safe.
---@param text string|number|qlua.Markup or a value whose metatable has __html
---@return qlua.Markup
function M.Markup(text)
  local html = html_of(text) or text
  if is_markup(html) then
    return html
  elseif type(html) ~= "string" and type(html) ~= "number" then
    check.fail("Markup: the text must be a string, got %s", check.describe(text))
  end
  return core.markup(tostring(html))
end

--- The value's text with & < > " ' escaped; a Markup stays as it is.
---@param value any nil is the empty text
---@return qlua.Markup
function M.escape(value)
  if is_markup(value) then
    return value
  end
  local html = html_of(value)
  if html then
    return M.Markup(html)
  end
  return core.markup(value == nil and "" or core.escape_html(tostring(value)))
end

--- string.format of the markup, with the arguments for %s escaped.
---@param ... any
---@return qlua.Markup
function methods:format(...)
  local arguments = { ... }
  for i = 1, select("#", ...) do
    local value = arguments[i]
    if type(value) ~= "number" then
      arguments[i] = M.escape(value)[1]
    end
  end
  return core.markup(self[1]:format(unpack(arguments, 1, select("#", ...))))
end

meta.__index = methods

function meta.__concat(a, b)
  return core.markup(M.escape(a)[1] .. M.escape(b)[1])
end

return M
