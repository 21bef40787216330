--- template/vm_*: methods, formats, operators, comparison and access, against the real Jinja2.

local cjson = require "cjson"
local files = require "support.files"

local BUILD = os.getenv "BUILD" or "build"
local CASES = 4000

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do
    lines[#lines + 1] = line
  end
  return lines
end

describe("values in templates", function()
  it("are what they are in Jinja", function()
    local folder = files.folder()
    local cases, answers = folder .. "/cases", folder .. "/answers"
    assert.equal(0, os.execute(("/usr/bin/python3 spec/support/python_values.py 1 %d >%s"):format(
      CASES, cases)))
    assert.equal(0, os.execute(("%s/qlua spec/fuzz/jinja_qlua.lua <%s >%s"):format(BUILD, cases,
      answers)))
    local expected, given = lines_of(cases), lines_of(answers)
    assert.equal(CASES, #expected)
    assert.equal(#expected, #given)
    for i, line in ipairs(expected) do
      local case, answer = cjson.decode(line), cjson.decode(given[i])
      if case.output ~= answer.output then
        assert.same({ case.output, case.error }, { answer.output, answer.message },
          case.templates.main)
      end
    end
    files.remove(folder)
  end)
end)
