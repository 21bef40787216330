--- qlua.log and app.logger: levelled log lines.
--- Flow: both format here; the core writes the line (src/base/log.h).

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

---@alias qlua.LogLevel "debug"|"info"|"warning"|"error"|"critical"
---@alias qlua.LogLine fun(self, message: string, ...) with arguments a format of string.format

---@class qlua.Logger
---@field name string whose lines they are
---@field level? qlua.LogLevel least level that is written; nil: the parent's, or log_level
---@field parent? qlua.Logger
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

local RANKS = { debug = 1, info = 2, warning = 3, error = 4, critical = 5 }
local LEVELS = { "debug", "info", "warning", "error", "critical" }

--- The level which a logger or the nearest one above it was given; nil: the server's log_level.
local function level_of(logger)
  local at = logger
  while at do
    local level = rawget(at, "level")
    if level ~= nil then
      return RANKS[level] or check.fail("log: the level of the logger %q must be one of %s, got %s",
        at.name, table.concat(LEVELS, ", "), check.describe(level))
    end
    at = rawget(at, "parent")
  end
end

--- Are lines of this level written? A logger with a level of its own goes by that one.
local function wants(logger, level)
  local least = level_of(logger)
  if least then
    return RANKS[level] >= least
  end
  return core.log_wants(level)
end

for _, level in ipairs(LEVELS) do
  --- Log a line of this level.
  Logger[level] = function(self, message, ...)
    if type(self) ~= "table" then
      check.fail("log: write it with a colon, app.logger:%s(message), got %s before the message",
        level, check.describe(self))
    end
    if wants(self, level) then
      core.log(level, text_of(message, ...), self.name, nil, true)
    end
  end
end

--- Log a line of the level "error" with a traceback of here.
---@param message string
function Logger:exception(message, ...)
  if wants(self, "error") then
    core.log("error", text_of(message, ...), self.name, debug.traceback("", 2):sub(2), true)
  end
end

--- Are lines of this level written? For what is costly to put together (Python: isEnabledFor).
---@param level qlua.LogLevel
---@return boolean
function Logger:is_enabled_for(level)
  if not RANKS[level] then
    check.fail("log: is_enabled_for takes one of %s, got %s", table.concat(LEVELS, ", "),
      check.describe(level))
  end
  return wants(self, level)
end

--- A logger for a part of the app, "NAME.part" in the logs, with this one's level until it is given
--- one of its own (Python: getChild).
---@param name string
---@return qlua.Logger
function Logger:child(name)
  if type(name) ~= "string" or name == "" then
    check.fail("log: a child's name must be a string that is not empty, got %s",
      check.describe(name))
  end
  return setmetatable({ name = self.name .. "." .. name, parent = self }, Logger)
end

---@param name string
---@return qlua.Logger
function M.new(name)
  return setmetatable({ name = name }, Logger)
end

return M
