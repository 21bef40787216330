--- The console: Lua evaluated in a frame of a coroutine that died.
--- Flow: init.lua calls M.run with what was typed at a frame. The code sees the frame's variables,
--- then what the console has set before, then the request's proxies, then the function's globals;
--- what it assigns goes to the variable of that name, or else stays with the console. It runs in
--- the context of the request that failed, within the budget of the request that brings it.

local context = require "qlua.context"
local coroutines = require "qlua.coroutine"
local core = require "qlua.core"
local current = require "qlua.current"
local frames = require "qlua.debugger.frames"
local secrets = require "qlua.debugger.secrets"
local values = require "qlua.debugger.values"

local M = {}

local MOST_OUTPUT = 64 * 1024
local CHUNK = "=(console)"

-- ---- what the code sees -----------------------------------------------------------------------

--- A frame's variables by name: how to read and write each. Later ones hide earlier ones, locals
--- hide upvalues.
local function variables_of(frame)
  local slots, varargs, has_level = {}, { n = 0 }, frame.thread and frame.kind == "lua"
  if not has_level then
    return slots, varargs
  end
  local fn = debug.getinfo(frame.thread, frame.level, "f").func
  frames.each_variable(frame.thread, frame.level, frame.line, function(name, value, kind, index)
    if kind == "vararg" then
      varargs.n = -index
      varargs[varargs.n] = value
    elseif kind ~= "upvalue" then
      slots[name] = { index = index }
    elseif not slots[name] then
      slots[name] = { upvalue = index }
    end
  end)
  for _, slot in pairs(slots) do
    slot.fn = fn
  end
  return slots, varargs
end

local function read(frame, slot)
  local _, value
  if slot.upvalue then
    _, value = debug.getupvalue(slot.fn, slot.upvalue)
  else
    _, value = debug.getlocal(frame.thread, frame.level, slot.index)
  end
  return value
end

local function write(frame, slot, value)
  if slot.upvalue then
    debug.setupvalue(slot.fn, slot.upvalue, value)
  else
    debug.setlocal(frame.thread, frame.level, slot.index, value)
  end
end

--- The globals of the frame's function.
local function globals_of(frame)
  if frame.thread and frame.kind == "lua" then
    return debug.getfenv(debug.getinfo(frame.thread, frame.level, "f").func)
  end
  return _G
end

local function helpers(print)
  local qlua = require "qlua"
  return {
    print = print, request = qlua.request, session = qlua.session, g = qlua.g, qlua = qlua,
    app = current.served, current_app = qlua.current_app,
  }
end

--- The environment of what is typed.
local function environment(kept, frame, print)
  local slots, varargs = variables_of(frame)
  local own, help, globals = kept.console, helpers(print), globals_of(frame)
  local env = setmetatable({}, {
    __index = function(_, name)
      local slot = slots[name]
      if slot then
        return read(frame, slot)
      elseif frame.context and frame.context[name] ~= nil then
        return frame.context[name]
      elseif own[name] ~= nil then
        return own[name]
      elseif name ~= "print" and globals[name] ~= nil then
        return globals[name]
      end
      return help[name]
    end,
    __newindex = function(_, name, value)
      local slot = slots[name]
      if slot then
        write(frame, slot, value)
      elseif frame.context and frame.context[name] ~= nil then
        frame.context[name] = value
      else
        own[name] = value
      end
    end,
  })
  return env, varargs
end

-- ---- running it -------------------------------------------------------------------------------

--- An expression or statements, and which of them. `= x` is x, as at other Lua prompts.
---@return function? chunk, string? message, boolean? is_expression
local function compile(code)
  code = code:gsub("^%s*=", "return ")
  local chunk = loadstring("return " .. code, CHUNK)
  if chunk then
    return chunk, nil, true
  end
  return loadstring(code, CHUNK)
end

local function printer(lines)
  local size = 0
  return function(...)
    local parts = {}
    for i = 1, select("#", ...) do
      parts[i] = tostring((select(i, ...)))
    end
    local line = table.concat(parts, "\t")
    size = size + #line
    if size <= MOST_OUTPUT then
      lines[#lines + 1] = line
    elseif lines[#lines] ~= "..." then
      lines[#lines + 1] = "..."
    end
  end
end

local replaced -- the global print, while the code runs

--- The app's own functions print to the console, too, as long as they run for it.
local function capture(print)
  local ctx = core.current[1]
  local usual = rawget(_G, "print")
  replaced = replaced or usual
  rawset(_G, "print", function(...)
    if core.current[1] == ctx then
      return print(...)
    end
    return usual(...)
  end)
end

--- What was captured goes to standard output again: the code is over, or was stopped.
function M.release()
  if replaced then
    rawset(_G, "print", replaced)
    replaced = nil
  end
end

local function pack(...)
  return { n = select("#", ...), ... }
end

local function evaluate(chunk, varargs, print)
  capture(print)
  local co = coroutine.create(chunk)
  local results = pack(coroutine.resume(co, unpack(varargs, 1, varargs.n)))
  M.release()
  if not results[1] then
    local _, lines = debug.traceback(co):gsub("\n", "\n")
    results.told = coroutines.text_of(results[2])
    if lines > 1 then -- more than the line that was typed
      results.told = results.told .. "\n" .. debug.traceback(co):gsub("^stack traceback:\n", "")
    end
  end
  return results
end

---@class qlua.debugger.Answer
---@field ok boolean
---@field output string what was printed
---@field error? string
---@field results? qlua.debugger.Node[]

local function answer_of(results, lines, known)
  local answer = {
    ok = results[1], output = secrets.scrub(table.concat(lines, "\n"), known),
  }
  if not results[1] then
    answer.error = secrets.scrub(results.told, known)
    return answer
  end
  answer.results = {}
  local budget = values.budget(known, 1500)
  for i = 2, results.n do
    answer.results[i - 1] = values.describe(results[i], nil, budget)
  end
  return answer
end

--- Evaluate code at a frame.
---@async
---@param kept qlua.debugger.Kept
---@param frame? qlua.debugger.Frame nil: outside of all
---@param code string
---@return qlua.debugger.Answer
function M.run(kept, frame, code)
  local chunk, message, is_expression = compile(code)
  if not chunk then
    return { ok = false, output = "", error = message }
  end
  local lines = {}
  local print = printer(lines)
  local env, varargs = environment(kept, frame or {}, print)
  setfenv(chunk, env)
  local results
  if kept.held then
    results = context.within(kept.held, evaluate, chunk, varargs, print)
  else
    results = evaluate(chunk, varargs, print)
  end
  if not is_expression and results.n == 2 and results[2] == nil then
    results.n = 1 -- resume gives a nil where statements return nothing
  end
  return answer_of(results, lines, secrets.known(current.served.config))
end

return M
