--- The words of a subcommand that is written in Lua, as the core passes them on: the names and
--- values of its options ("" for none), "--", and the rest.

local M = {}

---@class qlua.Words
---@field options table<string, string[]> by name without dashes: its values, in order
---@field rest string[]

---@param args string[]
---@param first integer where the options begin
---@return qlua.Words
function M.read(args, first)
  local options, rest, i = {}, {}, first
  while args[i] and args[i] ~= "--" do
    local name = args[i]:sub(3)
    options[name] = options[name] or {}
    table.insert(options[name], args[i + 1])
    i = i + 2
  end
  for at = i + 1, #args do
    rest[#rest + 1] = args[at]
  end
  return { options = options, rest = rest }
end

return M
