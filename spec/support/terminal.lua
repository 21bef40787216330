--- A program on a terminal of its own (support/terminal.py), with what is typed into it.

local cjson = require "cjson"
local unistd = require "posix.unistd"

local files = require "support.files"

local M = {}

local function quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

---@class spec.TerminalRun
---@field text string all that the terminal got
---@field code? integer nil: it was still there at the end

--- Run a program. Steps: { "expect", text }, { "send", keys }, { "signal", number }. Raises when
--- something expected does not come.
---@param argv string[]
---@param steps string[][]
---@param options? { columns?: integer, cwd?: string, env?: string }
---@return spec.TerminalRun
function M.run(argv, steps, options)
  options = options or {}
  local folder = files.folder { steps = cjson.encode(steps) }
  local words = {}
  for i, word in ipairs(argv) do
    words[i] = quoted(word)
  end
  local script = unistd.getcwd() .. "/spec/support/terminal.py"
  local pipe = assert(io.popen(("cd %s && %s python3 %s %d %s/steps %s"):format(
    quoted(options.cwd or "."), options.env or "", quoted(script), options.columns or 80, folder,
    table.concat(words, " "))))
  local result = cjson.decode(pipe:read "*a")
  pipe:close()
  files.remove(folder)
  if result.problem ~= cjson.null then
    error(("%s; the terminal got:\n%s"):format(result.problem, result.text), 2)
  end
  return { text = result.text, code = result.code ~= cjson.null and result.code or nil }
end

return M
