--- Templates from strangers: what a sandboxed environment refuses, and where its limits are.

local script = require "support.script"
local server = require "support.server"

local HEAD = [[
local qlua = require "qlua"
local object = setmetatable({ open = 1, _own = 2 }, { __index = { _hidden = 3 } })
local values = { object = object, f = function() return "f" end, t = { a = 1 } }
local function try(options, source)
  options.sandboxed = true
  local ok, result = pcall(function()
    return qlua.Environment(options):from_string(source):render(values)
  end)
  print(ok and result or getmetatable(result).__name .. ": " .. result.message)
end
]]

describe("a sandboxed environment", function()
  teardown(server.stop_all)

  -- options, template, what comes of it
  local CASES = {
    { "", "{{ object.open }}{{ f() }}{{ t.a }}", "1f1" },
    { "", "[{{ object._own }}{{ object['_own'] }}{{ object|attr('_hidden') }}{{ object.__index }}]",
      "[]" },
    { "", "{{ object._hidden.x }}",
      "SecurityError: access to attribute '_hidden' of 'object' object is unsafe." },
    { "", "{{ ''.__class__.__mro__ }}",
      "SecurityError: access to attribute '__class__' of 'str' object is unsafe." },
    { "", "[{{ os }}{{ io }}{{ require }}{{ request }}{{ _G }}]", "[]" },
    { "max_instructions = 1000", "{% for i in range(5000) %}{{ i }}{% endfor %}",
      "TemplateLimitError: the template ran for more than 1000 instructions (max_instructions)" },
    { "max_instructions = 100000",
      "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
      "TemplateLimitError: the template ran for more than 100000 instructions (max_instructions)" },
    { "max_output = 1000", "{% for i in range(1000) %}0123456789{% endfor %}",
      "TemplateLimitError: the output is longer than 1000 bytes (max_output)" },
    { "max_depth = 10", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "TemplateLimitError: "
      .. "recursion: macros, includes, blocks and loops lie deeper in each other than 10 "
      .. "(max_depth)" },
    { "max_range = 10", "{{ range(10)|length }}", "10" },
    { "max_range = 10", "{% for i in range(11) %}{% endfor %}",
      "TemplateLimitError: Range too big. The limit of a range is 10 items." },
    { "", "{{ range(100001) }}",
      "TemplateLimitError: Range too big. The limit of a range is 100000 items." },
    { "", "{{ 'x' * 1000000000 }}",
      "TemplateLimitError: a text of 1000000000 bytes; the limit is 67108864" },
    { "", "{{ '%1000000000d' % 1 }}",
      "TemplateLimitError: a text of 1000000000 bytes; the limit is 67108864" },
    { "max_output = 1000", "{{ 'x'|center(2000) }}",
      "TemplateLimitError: a text of 2000 bytes; the limit is 1000" },
  }

  it("gives what it is given, refuses the rest, and keeps its limits", function()
    local lines, expected = { HEAD }, {}
    for i, case in ipairs(CASES) do
      lines[i + 1] = ("try({ %s }, %q)"):format(case[1], case[2])
      expected[i] = case[3] .. "\n"
    end
    assert.equal(table.concat(expected), script.output(table.concat(lines, "\n")))
  end)
end)
