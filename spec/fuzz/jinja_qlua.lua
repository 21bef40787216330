--- qlua's side of the differential fuzzer: a script for build/qlua that answers JSON lines.
--- Flow: jinja_differential.lua writes cases as to spec/support/jinja_render.py, and reads the same
--- answers: { output = text } or { error = kind, message = text }.

local qlua = require "qlua"

local errors = qlua.errors

local KINDS = { { errors.TemplateSyntaxError, "syntax" }, { errors.TemplateNotFound, "notfound" },
  { errors.UndefinedError, "undefined" }, { errors.SecurityError, "security" } }

local function is_a(value, class)
  local of = type(value) == "table" and getmetatable(value)
  while type(of) == "table" do
    if of == class then
      return true
    end
    of = (getmetatable(of) or {}).__index
  end
  return false
end

local function kind_of(err)
  for _, pair in ipairs(KINDS) do
    if is_a(err, pair[1]) then
      return pair[2]
    end
  end
  return "runtime"
end

--- { "$markup": text } stands for a Markup.
local function value_of(value)
  if type(value) ~= "table" then
    return value
  elseif value["$markup"] then
    return qlua.Markup(value["$markup"])
  end
  for key, item in pairs(value) do
    value[key] = value_of(item)
  end
  return value
end

local function environment(case)
  local options = {}
  for name, value in pairs(case.env) do
    options[name] = value
  end
  options.i18n, options.loader = nil, qlua.DictLoader(case.templates)
  local env = qlua.Environment(options)
  if case.env.i18n then
    env:install_null_translations { newstyle = case.env.i18n == "newstyle" }
  end
  return env
end

local function render(case)
  return environment(case):get_template("main"):render(value_of(case.context))
end

io.stdout:setvbuf "no"
for line in io.lines() do
  local ok, result = pcall(render, qlua.json.loads(line))
  local answer = ok and { output = result }
    or { error = kind_of(result), message = tostring(result) }
  io.write(qlua.json.dumps(answer), "\n")
end
