--- The conformance corpus (shared/jinja/README.md): its cases, and how one is run and judged.

local core = require("support.template").core
local classes = require "qlua.class"
local environments = require "qlua.environment"
local errors = require "qlua.template_errors"
local loaders = require "qlua.template_loaders"

local M = {}

M.FILES = { "spec/data/jinja/own-dev.jsonl", "spec/data/jinja/found.jsonl",
  "../shared/jinja/recorded-dev.jsonl" }

--- Cases that touch what Lua does not have: the README of the corpus says what each tag means.
M.EXCEPTED = {
  "bigint", "bytes", "object-repr", "pytype-repr", "python-internals", "py-typename", "impl-quirk",
  "nonstring-key",
}

--- All cases of a file, in order; none when there is no such file.
function M.cases(path)
  local cases = {}
  local file = io.open(path, "rb")
  if not file then
    return cases
  end
  for line in file:lines() do
    cases[#cases + 1] = assert(core.json_decode(line))
  end
  file:close()
  return cases
end

local function has_tag(case, tag)
  for _, other in ipairs(case.pyism or {}) do
    if other == tag then
      return true
    end
  end
  return false
end

local function comes_from_context(case)
  local from = case.order_from
  if type(from) == "table" then
    from = table.concat(from, " ")
  end
  return from ~= nil and from:find("context", 1, true) ~= nil
end

--- Is it a case that cannot be had? Gives the tag.
function M.excepted(case)
  for _, tag in ipairs(M.EXCEPTED) do
    if has_tag(case, tag) then
      return tag
    end
  end
  if has_tag(case, "dict-order") and comes_from_context(case) then
    return "dict-order"
  end
end

--- `{"$markup": "s"}` stands for the string s, marked safe.
local function unwrap(value)
  if type(value) ~= "table" then
    return value
  elseif type(value["$markup"]) == "string" then
    return core.markup(value["$markup"])
  end
  for key, inner in pairs(value) do
    value[key] = unwrap(inner)
  end
  return value
end

local OPTIONS = {
  "block_start_string", "block_end_string", "variable_start_string", "variable_end_string",
  "comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix",
  "trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline", "autoescape",
  "undefined", "extensions", "sandboxed",
}

local function environment(case)
  local given = case.env or {}
  local options = { loader = loaders.DictLoader(case.templates or {}) }
  for _, name in ipairs(OPTIONS) do
    options[name] = given[name]
  end
  local env = environments.Environment(options)
  for name, value in pairs(given.policies or {}) do
    env.policies[name] = value
  end
  if given.i18n then
    env:install_null_translations { newstyle = given.i18n == "newstyle" }
  end
  for name, value in pairs(unwrap(case.globals or {})) do
    env.globals[name] = value
  end
  return env
end

local CLASSES = {
  { errors.TemplateAssertionError, "syntax" }, { errors.TemplateSyntaxError, "syntax" },
  { errors.TemplateNotFound, "notfound" }, { errors.UndefinedError, "undefined" },
  { errors.SecurityError, "security" }, { errors.TemplateLimitError, "recursion" },
  { errors.FilterArgumentError, "any" }, { errors.TemplateRuntimeError, "runtime" },
}

local function kind_of(err)
  for _, pair in ipairs(CLASSES) do
    if classes.is_a(err, pair[1]) then
      return pair[2]
    end
  end
  return "lua"
end

--- Kinds as they are compared: python and filterarg are any error.
local KINDS = { assertion = "syntax", python = "any", filterarg = "any" }

--- Run a case: its output, or nil and the error.
function M.run(case)
  local ok, result = pcall(function()
    local env = environment(case)
    local template
    if case.source then
      template = env:from_string(case.source)
    else
      template = env:get_or_select_template(case.template)
    end
    return template:render(unwrap(case.context or {}))
  end)
  if ok then
    return result
  end
  return nil, result
end

--- nil when the outcome is what Jinja's was; else what was expected and what came.
function M.judge(case, output, err)
  if output ~= nil and (output == case.output or output == case.alt_intfloat) then
    return nil -- alt_intfloat may stand beside an error: a float where an int is wanted
  end
  if not case.error then
    return ("%q"):format(case.alt_intfloat or case.output),
      output and ("%q"):format(output) or "error: " .. tostring(err)
  end
  local want = KINDS[case.error.kind] or case.error.kind
  local expected = ("%s error: %s (line %s)"):format(case.error.kind, case.error.message or "",
    tostring(case.error.lineno))
  if output and output == case.alt_intfloat then
    return nil
  elseif output then
    return expected, ("%q"):format(output)
  end
  local kind = kind_of(err)
  if kind == "lua" then
    return expected, "an error of Lua: " .. tostring(err)
  elseif want ~= "any" and kind ~= want then
    return expected, ("%s error: %s"):format(kind, tostring(err))
  elseif want == "syntax" and err.lineno ~= case.error.lineno then
    return expected, ("line %s: %s"):format(tostring(err.lineno), tostring(err))
  end
end

return M
