--- The bytes of session cookies: against recorded ones, and against Debian's Flask. They need qlua
--- around them: the files in spec/data/session are specs that `qlua test` runs.

local server = require "support.server"
local unistd = require "posix.unistd"

local FOLDER = unistd.getcwd() .. "/spec/data/session/"

describe("the session codec", function()
  after_each(server.stop_all)

  for file, what in pairs {
    codec = "writes and reads Python's cookies",
    flask = "and Flask read each other",
    random = "and Flask agree on random sessions and on random cookies",
  } do
    it(what, function()
      local ended = server.run({ argv = { "test", FOLDER .. file .. ".lua" } }, 300)
      if ended:exit_code() ~= 0 then
        error(ended:stdout() .. "\n" .. ended:stderr(), 0)
      end
    end)
  end
end)
