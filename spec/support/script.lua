--- Lua scripts run by the real program: for what needs qlua's modules but no server.

local files = require "support.files"
local server = require "support.server"

local M = {}

---@class spec.ScriptResult
---@field code integer the exit code
---@field stdout string
---@field stderr string

--- Run a script to its end, in a folder of its own.
---@param text string
---@param options? { files?: table<string, string>, args?: string[], env?: table }
---@return spec.ScriptResult
function M.run(text, options)
  options = options or {}
  local folder = files.folder(options.files)
  files.write(folder .. "/job.lua", text)
  local ended = server.run({
    argv = { "job.lua", unpack(options.args or {}) }, folder = folder, cwd = folder,
    env = options.env,
  }, 20)
  local result = { code = ended:exit_code(), stdout = ended:stdout(), stderr = ended:stderr() }
  files.remove(folder)
  return result
end

--- Run a script that must end well; gives what it printed.
---@param text string
---@param options? table as of run
---@return string
function M.output(text, options)
  local result = M.run(text, options)
  if result.code ~= 0 then
    error(("the script ended with %d: %s"):format(result.code, result.stderr), 2)
  end
  return result.stdout
end

return M
