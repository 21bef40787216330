--- Runs cases of the conformance corpus and shows those that fail: for work on the engine.
---
---   luajit spec/template/corpus_run.lua [-a] [PATTERN ...]
---
--- PATTERN is an area ("filters") or a Lua pattern in the cases' ids; none: all cases. -a: the
--- excepted ones too.

package.path = "spec/?.lua;" .. package.path

local corpus = require "support.corpus"

local patterns, with_excepted = {}, false
for _, word in ipairs(arg) do
  if word == "-a" then
    with_excepted = true
  else
    patterns[#patterns + 1] = word
  end
end

local function is_wanted(case)
  for _, pattern in ipairs(patterns) do
    if case.area == pattern or case.id:find(pattern) then
      return true
    end
  end
  return #patterns == 0
end

local function show(case, expected, got)
  print(("---- %s"):format(case.id))
  for name, source in pairs(case.templates or {}) do
    print(("  %s: %s"):format(name, source))
  end
  if case.source then
    print("  source:   " .. case.source)
  end
  print("  expected: " .. expected)
  print("  got:      " .. got)
end

local passed, failed, excepted = 0, 0, 0
local by_area = {}
for _, path in ipairs(corpus.FILES) do
  for _, case in ipairs(corpus.cases(path)) do
    if not is_wanted(case) then -- luacheck: ignore 542
    elseif not with_excepted and corpus.excepted(case) then
      excepted = excepted + 1
    else
      io.stderr:write(os.getenv "VERBOSE" and case.id .. "\n" or "")
      local expected, got = corpus.judge(case, corpus.run(case))
      if expected then
        failed = failed + 1
        by_area[case.area] = (by_area[case.area] or 0) + 1
        show(case, expected, got)
      else
        passed = passed + 1
      end
    end
  end
end

for area, count in pairs(by_area) do
  print(("%-16s %d failed"):format(area, count))
end
print(("%d passed, %d failed, %d excepted"):format(passed, failed, excepted))
os.exit(failed == 0 and 0 or 1)
