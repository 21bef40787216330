--- The errors of templates, as qlua.errors has them: Jinja's classes in Lua form.
--- Flow: environment.lua makes them of what the core reports; qlua.errors takes all names over.

local classes = require "qlua.class"

local M = {}

---@class qlua.TemplatePlace where a template was included, imported or extended
---@field filename? string
---@field name? string nil: the template was made of a string
---@field lineno? integer
---@field source? string the text of the line

---@class qlua.TemplateError: qlua.Exception its text is the message, then the places, one a line
---@field message string
---@field name? string of the template it is in; nil: made of a string, or unknown
---@field lineno? integer in it
---@field filename? string where the template's loader found it
---@field source? string the text of that line
---@field chain? qlua.TemplatePlace[] how it was reached, innermost first
local TemplateError = classes.class("TemplateError", classes.Exception)
M.TemplateError = TemplateError

-- What is shown of a template's line that is longer, in bytes; of places that are more than both
-- ends, so many at each end: those between are most often a circle.
local LINE_SHOWN, END_SHOWN = 200, 5

local function shortened(line)
  if #line <= LINE_SHOWN then
    return line
  end
  local head = line:sub(1, LINE_SHOWN + 1) -- whole characters: it ends before one begins
  return head:match "^(.*)[%z\1-\127\192-\255]" .. "..."
end

--- `template page.html, line 3: {{ a.b }}`
---@param place qlua.TemplatePlace|qlua.TemplateError
---@return string
function TemplateError.place_text(place)
  local text = ("template %s, line %d"):format(place.filename or place.name or "<string>",
    place.lineno)
  local line = place.source and place.source:match "^%s*(.-)%s*$"
  return line and line ~= "" and text .. ": " .. shortened(line) or text
end

--- The texts of places, one a line, of many the first and the last.
---@param lines string[] they are put behind these
---@param places qlua.TemplatePlace[] those without a line are left out
---@param first string what to write before the first of them
function TemplateError.add_places(lines, places, first)
  local told = {}
  for _, place in ipairs(places) do
    if place.lineno then
      told[#told + 1] = place
    end
  end
  local hidden = #told - 2 * END_SHOWN
  for i, place in ipairs(told) do
    if hidden < 2 or i <= END_SHOWN or i > #told - END_SHOWN then
      lines[#lines + 1] = (i == 1 and first or "from ") .. TemplateError.place_text(place)
    elseif i == END_SHOWN + 1 then
      lines[#lines + 1] = ("... %d more ..."):format(hidden)
    end
  end
end

---@param message string
---@param place? { name?: string, lineno?: integer, filename?: string, source?: string,
---  chain?: qlua.TemplatePlace[] }
function TemplateError:init(message, place)
  self.message = message
  for key, value in pairs(place or {}) do
    self[key] = value
  end
end

function TemplateError:__tostring()
  local lines = { tostring(self.message) }
  if self.lineno then
    lines[2] = self.place_text(self)
  end
  self.add_places(lines, self.chain or {}, "from ")
  return table.concat(lines, "\n  ")
end

--- The loader has no template of the name.
---@class qlua.TemplateNotFound: qlua.TemplateError
---@field templates string[] the names that were tried
M.TemplateNotFound = classes.class("TemplateNotFound", TemplateError)

function M.TemplateNotFound:__tostring()
  return "template not found: " .. TemplateError.__tostring(self)
end

---@param name string
---@param message? string the name unless given
function M.TemplateNotFound:init(name, message)
  self.name = name
  self.message = message or name
  self.templates = { name }
end

--- None of several was there.
---@class qlua.TemplatesNotFound: qlua.TemplateNotFound
M.TemplatesNotFound = classes.class("TemplatesNotFound", M.TemplateNotFound)

M.TemplatesNotFound.__tostring = TemplateError.__tostring

---@param names string[]
---@param message? string
function M.TemplatesNotFound:init(names, message)
  self.name = names[#names]
  self.templates = names
  self.message = message or "none of the templates given were found: " .. table.concat(names, ", ")
end

--- The template cannot be compiled.
---@class qlua.TemplateSyntaxError: qlua.TemplateError
M.TemplateSyntaxError = classes.class("TemplateSyntaxError", TemplateError)

--- Its syntax is right, but not what it says: an unknown filter, a block defined twice.
---@class qlua.TemplateAssertionError: qlua.TemplateSyntaxError
M.TemplateAssertionError = classes.class("TemplateAssertionError", M.TemplateSyntaxError)

--- It failed while it was rendered. Python's TypeError, ValueError and the like are this one.
---@class qlua.TemplateRuntimeError: qlua.TemplateError
M.TemplateRuntimeError = classes.class("TemplateRuntimeError", TemplateError)

--- Something undefined was used for more than printing and testing.
---@class qlua.UndefinedError: qlua.TemplateRuntimeError
M.UndefinedError = classes.class("UndefinedError", M.TemplateRuntimeError)

--- A filter got arguments that do not belong to it.
---@class qlua.FilterArgumentError: qlua.TemplateRuntimeError
M.FilterArgumentError = classes.class("FilterArgumentError", M.TemplateRuntimeError)

--- A sandboxed template reached for what it may not have.
---@class qlua.SecurityError: qlua.TemplateRuntimeError
M.SecurityError = classes.class("SecurityError", M.TemplateRuntimeError)

--- A limit of the environment was passed: instructions, output, depth or range. Not Jinja's.
---@class qlua.TemplateLimitError: qlua.TemplateRuntimeError
M.TemplateLimitError = classes.class("TemplateLimitError", M.TemplateRuntimeError)

return M
