--- What was given outside of the app's code, laid into app.config: the config file's `app`
--- object and `--set KEY=VALUE`.
--- Flow: the loader checks it first, App begins with all of it, and when the file is loaded the
--- loader lays `--set` over again.

local core = require "qlua.core"
local store = require "qlua.config_store"

local M = {}

local USAGE = 2 -- exit code of a mistake on the command line

local function check_all(keys, from)
  for _, key in ipairs(keys) do
    store.check(key.name, key.value, { from = from, where = key.origin, in_app = true })
  end
end

--- Before anything of the app's is run: what is wrong with the values is not its code's fault.
function M.check()
  check_all(core.config_file(), "file")
  core.set_exit_code(USAGE)
  check_all(core.config_set(), "option")
  core.set_exit_code(0)
end

local function lay(config, keys, from)
  for _, key in ipairs(keys) do
    store.put(config, key.name, key.value, { from = from, where = key.origin, in_app = true })
  end
end

--- Before the app's own code: defaults < file < `--set`.
---@param config qlua.Config
function M.begin(config)
  lay(config, core.config_file(), "file")
  lay(config, core.config_set(), "option")
end

--- After the app's own code: `--set` is over all.
---@param config qlua.Config
function M.finish(config)
  lay(config, core.config_set(), "option")
end

return M
