--- The cost of a lookup does not grow with the number of rules.
---
--- Two tables of the same shape, 50 rules and 5,000; the same number of different paths is looked
--- up in each, in turns. The median of the rounds' ratios keeps a busy machine out of it.

local ffi = require "ffi"
local native = require "support.native"
local routes = require "support.routes"

local lib = native.lib

local SMALL, LARGE = 50, 5000
local ROUNDS, LOOKUPS = 21, 20000
local MOST = 1.25

local FOUND, NOT_FOUND = 0, 4

--- Half of the rules without variables, half with one.
local function rules(count)
  local map = routes.new()
  local step = LARGE / count
  for i = 0, count / 2 - 1 do
    assert(map:add(("/api/v1/thing%d/list"):format(i * step)))
    assert(map:add(("/api/v1/thing%d/<int:id>"):format(i * step)))
  end
  lib.route_table_build(map.table)
  return map
end

--- Queries for 25 paths that both tables have rules for. The texts must be kept while in use.
local function queries(form)
  local texts = {}
  local list = ffi.new("struct route_query[25]")
  for i = 0, 24 do
    local text = form:format(i * LARGE / SMALL)
    texts[#texts + 1] = text
    list[i].method, list[i].path = 1, native.slice(text)
  end
  return list, texts
end

--- Seconds that LOOKUPS lookups take.
local function measure(map, list, match)
  local pointer = map.table
  local start = os.clock()
  for i = 0, LOOKUPS - 1 do
    lib.route_match(pointer, list + i % 25, match)
  end
  return os.clock() - start
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) / 2]
end

describe("lookup among 5,000 rules", function()
  local small, large = rules(SMALL), rules(LARGE)
  local cases = {
    { "without variables", "/api/v1/thing%d/list", FOUND },
    { "with one variable", "/api/v1/thing%d/42", FOUND },
    { "that is missing", "/api/v1/nothing%d/x", NOT_FOUND },
  }
  for _, case in ipairs(cases) do
    it(("of a path %s costs at most %.2f of one among 50"):format(case[1], MOST), function()
      local list, texts = queries(case[2])
      local match = ffi.new "struct route_match"
      for i = 0, 24 do
        assert.equal(case[3], lib.route_match(small.table, list + i, match))
        assert.equal(case[3], lib.route_match(large.table, list + i, match))
      end
      local ratios = {}
      for round = 1, ROUNDS do
        -- in turns, and the other one first each time
        local first, second = small, large
        if round % 2 == 0 then
          first, second = large, small
        end
        local a, b = measure(first, list, match), measure(second, list, match)
        ratios[round] = round % 2 == 0 and a / b or b / a
      end
      local ratio = median(ratios)
      assert.is_true(ratio <= MOST, ("it is %.2f"):format(ratio))
      assert.equal(25, #texts)
    end)
  end
end)
