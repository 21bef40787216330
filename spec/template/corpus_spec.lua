--- The conformance corpus: what real Jinja2 makes of some 3,000 templates (the README beside the
--- recorded cases says how they came about). Excepted are the tags that support/corpus.lua lists.

package.path = "spec/?.lua;" .. package.path

local corpus = require "support.corpus"

describe("the conformance corpus", function()
  for _, path in ipairs(corpus.FILES) do
    local areas, order = {}, {}
    for _, case in ipairs(corpus.cases(path)) do
      if not corpus.excepted(case) then
        if not areas[case.area] then
          areas[case.area] = {}
          order[#order + 1] = case.area
        end
        table.insert(areas[case.area], case)
      end
    end
    for _, area in ipairs(order) do
      it(("%s: %s, %d cases"):format(path:match "[^/]+$", area, #areas[area]), function()
        local failed = {}
        for _, case in ipairs(areas[area]) do
          local expected, got = corpus.judge(case, corpus.run(case))
          if expected then
            failed[#failed + 1] = ("%s\n  expected: %s\n  got:      %s"):format(case.id, expected,
              got)
          end
        end
        assert.equal("", table.concat(failed, "\n"))
      end)
    end
  end
end)
