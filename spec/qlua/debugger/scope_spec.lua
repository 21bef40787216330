--- Which variables a function has at a line, read from its bytecode: against what debug.getlocal
--- says while the function stands at that line.

local scope = require "qlua.debugger.scope"

--- Names by slot as the debug library has them, of the function at `level`; internals are false.
local function live(level)
  local names, index = {}, 1
  local name = debug.getlocal(level, index)
  while name do
    if name == "(*temporary)" then
      break
    end
    names[index] = name:sub(1, 1) ~= "(" and name or false
    index = index + 1
    name = debug.getlocal(level, index)
  end
  return names
end

--- Run fn and gather its variables at each line that calls here.
local function watch(fn, ...)
  local seen = {}
  local function here()
    seen[debug.getinfo(2, "l").currentline] = live(3)
    return true
  end
  fn(here, ...)
  return seen
end

describe("scope", function()
  it("knows the variables in force at each line", function()
    local function sample(here, a, ...)
      here()
      local x, y = 1, ...
      here(y)
      for i = 1, 1 do
        local q = i
        here()
        x = q + x
      end
      for k, v in pairs { one = 1 } do
        here()
        x = x + v + #k
      end
      do
        local inner = a
        here()
        y = inner
      end
      local x = y -- luacheck: ignore 411
      here()
      return x
    end
    local seen, lines = watch(sample, "a", "b"), 0
    for line, names in pairs(seen) do
      lines = lines + 1
      assert.same(names, scope.names(sample, line), "line " .. line)
    end
    assert.equal(6, lines)
  end)

  it("knows those of a function with upvalues, many lines and many variables", function()
    local text = { "local up = ... return function(here)" }
    for i = 1, 150 do
      text[#text + 1] = ("local v%d = up"):format(i)
    end
    for _ = 1, 200 do
      text[#text + 1] = ""
    end
    text[#text + 1] = "here() return v1 end"
    local fn = assert(loadstring(table.concat(text, "\n")))(1)
    local line, names = next(watch(fn))
    assert.equal(151, #names)
    assert.same(names, scope.names(fn, line))
  end)

  it("does not say what it cannot know", function()
    local function sample()
      return 1
    end
    assert.is_nil(scope.names(sample, 1))
    assert.is_nil(scope.names(print, 1))
    local stripped = loadstring(string.dump(sample, true))
    assert.is_nil(scope.names(stripped, debug.getinfo(sample, "S").linedefined + 1))
  end)
end)
