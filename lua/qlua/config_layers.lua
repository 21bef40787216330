--- What was given outside of the app's code, laid into app.config: the config file's `app`
--- object and `--set KEY=VALUE`.
--- Flow: App begins with all of it; when the file is loaded the loader lays `--set` over again.

local core = require "qlua.core"

local M = {}

local function lay(config, keys)
  for _, key in ipairs(keys) do
    config:set(key[1], key[2])
  end
end

--- Before the app's own code: defaults < file < `--set`.
---@param config qlua.Config
function M.begin(config)
  lay(config, core.config_file())
  lay(config, core.config_set())
end

--- After the app's own code: `--set` is over all.
---@param config qlua.Config
function M.finish(config)
  lay(config, core.config_set())
end

return M
