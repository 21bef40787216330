--- `qlua test [PATH ...]`: runs specs with busted, in this process and on its loop, so that what
--- waits may be called in them and the test client is at hand.
--- Flow: the core calls the function below; the words are in `arg`, where busted looks for them.

local core = require "qlua.core"

-- what os.exit raises here: the core ends the process, once everything is put away
local EXIT = {}

--- qlua's own modules stay loaded while busted gives each spec file a fresh package.loaded: two
--- copies of one would not know each other's classes.
local function keep_own_modules()
  local plain, kept = require, {}
  local function is_own(name)
    return type(name) == "string" and (name == "qlua" or name:sub(1, 5) == "qlua.")
  end
  for name, value in pairs(package.loaded) do
    kept[name] = is_own(name) and value or nil
  end
  function require(name) -- luacheck: ignore 121
    if not is_own(name) then
      return plain(name)
    end
    package.loaded[name] = kept[name] or package.loaded[name]
    kept[name] = plain(name)
    return kept[name]
  end
end

--- The runner takes the program's name for its messages from the file that calls it.
local call = assert(loadstring("local runner = ... runner { standalone = false }", "@qlua test"))

--- Run busted; is all well?
---@async
local function run()
  local found, runner = pcall(require, "busted.runner")
  if not found then
    io.stderr:write("qlua test: busted is not there: install lua-busted (Debian) or busted ",
      "(LuaRocks)\n", tostring(runner):match "^[^\n]*", "\n")
    return false
  end
  local ok, err = pcall(call, runner)
  if not ok and type(err) == "table" and err[1] == EXIT then
    return err.code == nil or err.code == true or err.code == 0
  elseif not ok and err ~= nil then
    error(err, 0)
  end
  return ok -- an error without a value is how the runner says that something failed
end

return function()
  keep_own_modules()
  require "qlua.testing"
  os.exit = function(code) -- luacheck: ignore 122
    error({ EXIT, code = code }, 0)
  end
  core.set_exit_code(run() and 0 or 1)
end
