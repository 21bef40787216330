--- Scopes: which local variables a function has at one of its lines.
--- Flow: frames.lua asks for the frame where the Lua machine itself raised an error (nil was
--- indexed or called): of such a frame LuaJIT has forgotten the position, and with it which slot of
--- the stack is which variable. Both stand in the function's bytecode, as string.dump gives it:
---
---   ESC L J version flags [name]  { length prototype }  0        children before their parents
---   prototype: flags params frame upvalues, counts, ..., line of each instruction, names of
---   upvalues, then each variable: name, where it begins (from the one before), how long it lives

local M = {}

local STRIPPED, BIG_ENDIAN = 0x02, 0x01
-- names that are one byte: what `for` keeps to itself
local LAST_INTERNAL = 6

--- A number of seven bits a byte, the lowest first.
local function uleb(text, at)
  local value, scale = 0, 1
  while true do
    local byte = text:byte(at)
    at = at + 1
    value = value + byte % 128 * scale
    if byte < 128 then
      return value, at
    end
    scale = scale * 128
  end
end

--- Where the last prototype, the function's own, begins and ends; nil when it has no names.
local function own_prototype(dump)
  local flags, at = uleb(dump, 5)
  if dump:sub(1, 3) ~= "\27LJ" or flags % (2 * STRIPPED) >= STRIPPED
    or flags % (2 * BIG_ENDIAN) >= BIG_ENDIAN then
    return nil
  end
  local length
  length, at = uleb(dump, at)
  at = at + length
  local from, to
  while true do
    length, at = uleb(dump, at)
    if length == 0 then
      return from, to
    end
    from, to = at, at + length - 1
    at = at + length
  end
end

--- Counts at the head of a prototype.
local function head_of(dump, at)
  local head, _ = { upvalues = dump:byte(at + 3) }, nil
  at = at + 4
  _, at = uleb(dump, at)
  _, at = uleb(dump, at)
  head.instructions, at = uleb(dump, at)
  head.size, at = uleb(dump, at)
  if head.size > 0 then
    head.first_line, at = uleb(dump, at)
    head.lines = uleb(dump, at)
  end
  return head
end

--- The last instruction of the first run of a line: what begins at the line is not yet there.
local function instruction_at(dump, head, at, line)
  local width = head.lines < 256 and 1 or head.lines < 65536 and 2 or 4
  local found
  for i = 0, head.instructions - 1 do
    local delta, scale = 0, 1
    for byte = 0, width - 1 do
      delta = delta + dump:byte(at + i * width + byte) * scale
      scale = scale * 256
    end
    if head.first_line + delta == line then
      found = i + 1
    elseif found then
      break
    end
  end
  return found, at + head.instructions * width
end

local function skip_texts(dump, at, count)
  for _ = 1, count do
    at = dump:find("\0", at, true) + 1
  end
  return at
end

local function names_at(dump, at, pc)
  local names, from = {}, 0
  while dump:byte(at) ~= 0 do
    local name
    if dump:byte(at) <= LAST_INTERNAL then
      at = at + 1
    else
      local stop = dump:find("\0", at, true)
      name = dump:sub(at, stop - 1)
      at = stop + 1
    end
    local delta, span
    delta, at = uleb(dump, at)
    from = from + delta
    if from > pc then
      break
    end
    span, at = uleb(dump, at)
    if pc < from + span then
      names[#names + 1] = name or false
    end
  end
  return names
end

local function read(fn, line)
  local dump = string.dump(fn)
  local from, to = own_prototype(dump)
  local head = from and head_of(dump, from)
  if not head or head.size == 0 then
    return nil
  end
  local pc, at = instruction_at(dump, head, to - head.size + 1, line)
  return pc and names_at(dump, skip_texts(dump, at, head.upvalues), pc) or nil
end

--- The names of the local variables that are in force at a line of a function, by slot, parameters
--- first; false for those that have none. nil when the function does not tell.
---@param fn function
---@param line integer
---@return (string|false)[]?
function M.names(fn, line)
  local ok, names = pcall(read, fn, line)
  return ok and names or nil
end

return M
