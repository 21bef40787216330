--- The options of an Environment: Jinja's names, their defaults and checks, and how the core is
--- told of them.
--- Flow: environment.lua reads them here when an environment is made or an option is set later.

local check = require "qlua.check"
local loaders = require "qlua.template_loaders"

local M = {}

---@class qlua.EnvironmentOptions
---@field block_start_string? string "{%"
---@field block_end_string? string "%}"
---@field variable_start_string? string "{{"
---@field variable_end_string? string "}}"
---@field comment_start_string? string "{#"
---@field comment_end_string? string "#}"
---@field line_statement_prefix? string none
---@field line_comment_prefix? string none
---@field trim_blocks? boolean the first newline after a block goes
---@field lstrip_blocks? boolean blanks before a block go
---@field newline_sequence? "\n"|"\r\n"|"\r"
---@field keep_trailing_newline? boolean
---@field extensions? ("do"|"loopcontrols"|"i18n"|"debug")[]
---@field optimized? boolean true; constants are always folded
---@field undefined? "default"|"strict"|"chainable"|"debug"
---@field finalize? fun(value: any): any called with every value before it is printed
---@field autoescape? boolean|fun(name?: string): boolean false; the name is the template's
---@field loader? qlua.Loader
---@field cache_size? integer compiled templates kept, 400; 0: none, -1: all
---@field auto_reload? boolean|fun(): boolean true: look whether the source has changed
---@field enable_async? boolean of no effect: whatever a template calls may wait
---@field sandboxed? boolean for templates from strangers
---@field max_instructions? integer of one render
---@field max_output? integer bytes of one render
---@field max_depth? integer macros, includes and loops within each other
---@field max_range? integer numbers of a range()
local DEFAULTS = {
  block_start_string = "{%", block_end_string = "%}",
  variable_start_string = "{{", variable_end_string = "}}",
  comment_start_string = "{#", comment_end_string = "#}",
  trim_blocks = false, lstrip_blocks = false, newline_sequence = "\n",
  keep_trailing_newline = false, extensions = {}, optimized = true, undefined = "default",
  autoescape = false, cache_size = 400, auto_reload = true, enable_async = false,
  sandboxed = false,
}

local TYPES = {
  line_statement_prefix = "string", line_comment_prefix = "string", extensions = "list",
  finalize = "function", autoescape = "boolean|function", loader = "table",
  cache_size = "integer", auto_reload = "boolean|function", max_instructions = "integer",
  max_output = "integer", max_depth = "integer", max_range = "integer",
}
for name, default in pairs(DEFAULTS) do
  TYPES[name] = TYPES[name] or type(default)
end

-- of the syntax: as the core has them too
local SYNTAX = {
  "block_start_string", "block_end_string", "variable_start_string", "variable_end_string",
  "comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix",
  "trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline",
}

local NEWLINES = { ["\n"] = true, ["\r\n"] = true, ["\r"] = true }
local UNDEFINED = { default = true, strict = true, chainable = true, debug = true }
local EXTENSIONS = { ["do"] = true, loopcontrols = true, i18n = true, debug = true }

local function one_of(option, value, known)
  if not known[value] then
    check.fail("Environment: option %q cannot be %q%s", option, tostring(value),
      check.hint(tostring(value), known))
  end
end

--- Checks beyond the type.
local CHECKS = {
  newline_sequence = function(value)
    if not NEWLINES[value] then
      check.fail('Environment: option "newline_sequence" must be "\\n", "\\r\\n" or "\\r", got %s',
        check.describe(value))
    end
  end,
  undefined = function(value)
    one_of("undefined", value, UNDEFINED)
  end,
  extensions = function(value)
    for _, name in ipairs(value) do
      one_of("extensions", name, EXTENSIONS)
    end
  end,
  loader = function(value)
    loaders.check_loader('Environment: option "loader"', value)
  end,
}
for _, name in ipairs { "max_instructions", "max_output", "max_depth", "max_range" } do
  CHECKS[name] = function(value)
    if value < 1 then
      check.fail("Environment: option %q must be at least 1, got %s", name, check.describe(value))
    end
  end
end

local function check_value(name, value)
  if name:find "_string$" and value == "" then
    check.fail("Environment: option %q must not be empty", name)
  elseif CHECKS[name] then
    CHECKS[name](value)
  end
end

--- The options with their defaults; raises for what is none.
---@param given? qlua.EnvironmentOptions
---@return table
function M.read(given)
  local options = {}
  for name, default in pairs(DEFAULTS) do
    options[name] = default
  end
  for name, value in pairs(check.options("Environment", given, TYPES)) do
    check_value(name, value)
    options[name] = value
  end
  local block, variable = options.block_start_string, options.variable_start_string
  if block == variable or variable == options.comment_start_string
    or block == options.comment_start_string then
    check.fail("Environment: block, variable and comment start strings must be different")
  end
  return options
end

--- An option is set later; nil takes an optional one back.
---@param name any
---@param value any
function M.check_one(name, value)
  if type(name) ~= "string" or not TYPES[name] then
    check.fail("Environment: unknown option %s%s", tostring(name),
      type(name) == "string" and check.hint(name, TYPES) or "")
  elseif value == nil and DEFAULTS[name] ~= nil then
    check.fail("Environment: option %q must be a %s, got nil", name, TYPES[name])
  elseif value ~= nil then
    check.options("Environment", { [name] = value }, TYPES)
    check_value(name, value)
  end
end

---@param options table
---@param extension string
---@return boolean
function M.has_extension(options, extension)
  for _, name in ipairs(options.extensions) do
    if name == extension then
      return true
    end
  end
  return false
end

--- What the core is told: the options that concern it, and the tables it looks into, which stay
--- the environment's own.
---@param state table
---@return table
function M.for_core(state)
  local told = {
    extensions = state.extensions, newstyle_gettext = state._newstyle_gettext or false,
    undefined = state.undefined, sandboxed = state.sandboxed, finalize = state.finalize,
    limits = {
      instructions = state.max_instructions, output = state.max_output,
      recursion = state.max_depth, range = state.max_range,
    },
    filters = state.filters, tests = state.tests, globals = state.globals,
    policies = state.policies,
  }
  for _, name in ipairs(SYNTAX) do
    told[name] = state[name]
  end
  return told
end

return M
