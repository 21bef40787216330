--- qlua.log and app.logger: levelled log lines.
--- Flow: both format here; the core writes the line (src/base/log.h).

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

---@alias qlua.LogLine fun(self, message: string, ...) with arguments a format of string.format

---@class qlua.Logger
---@field name string whose lines they are
---@field debug qlua.LogLine a line of level debug
---@field info qlua.LogLine of level info
---@field warning qlua.LogLine of level warning
---@field error qlua.LogLine of level error
---@field critical qlua.LogLine of level critical
local Logger = {}
Logger.__index = Logger
Logger.__name = "qlua.Logger"

--- The text of a message: with arguments a format of string.format, alone as it stands.
local function text_of(message, ...)
  if select("#", ...) == 0 then
    return tostring(message)
  end
  local ok, text = pcall(string.format, message, ...)
  if not ok then
    check.fail("log: %s (in the format %q)", text, tostring(message))
  end
  return text
end

for _, level in ipairs { "debug", "info", "warning", "error", "critical" } do
  --- Log a line of this level.
  Logger[level] = function(self, message, ...)
    if type(self) ~= "table" then
      check.fail("log: write it with a colon, app.logger:%s(message), got %s before the message",
        level, check.describe(self))
    end
    core.log(level, text_of(message, ...))
  end
end

--- Log a line of the level "error" with a traceback of here.
---@param message string
function Logger.exception(_, message, ...)
  core.log("error", text_of(message, ...) .. "\n" .. debug.traceback("", 2):sub(2))
end

---@param name string
---@return qlua.Logger
function M.new(name)
  return setmetatable({ name = name }, Logger)
end

return M
