--- session, flash and the session interface, as an app sees them. They need qlua
--- around them: the files in spec/data/session are specs that `qlua test` runs.

local http = require "support.http"
local server = require "support.server"
local unistd = require "posix.unistd"

local FOLDER = unistd.getcwd() .. "/spec/data/session/"

describe("qlua.session", function()
  after_each(server.stop_all)

  for file, what in pairs {
    session = "keeps what a visitor did",
  } do
    it(what, function()
      local ended = server.run({ argv = { "test", FOLDER .. file .. ".lua" } }, 60)
      if ended:exit_code() ~= 0 then
        error(ended:stdout() .. "\n" .. ended:stderr(), 0)
      end
    end)
  end

  it("logs a cookie that is signed well but cannot be read, and goes on without it", function()
    local s = server.start { app = [[
      local qlua = require "qlua"
      local app = qlua.App(...)
      app.config:update { SECRET_KEY = "dev-secret", PERMANENT_SESSION_LIFETIME = 1e10 }
      app:get("/all", function() return qlua.session:to_dict() end)
      return app
    ]] }
    local not_json = "aGVsbG8.ZVPxAA.-3xs1qB5YRsngITshkEDHGoWkik"
    local answer = http.get(s, "/all", { headers = { Cookie = "session=" .. not_json } })
    assert.same({ 200, "{}\n" }, { answer.status, answer.body })
    s:wait_for_stderr "signed with a key of this app but cannot be read"
  end)

  it("names the key when the app starts with a kind of session that is not there", function()
    local s = server.launch { app = [[
      local app = require("qlua").App(...)
      app.config.SESSION_TYPE = "cookei"
      return app
    ]] }
    local _, text = pcall(s.wait_for_stderr, s, "SESSION_TYPE")
    assert.matches('SESSION_TYPE is the string "cookei"', tostring(text), 1, true)
    assert.matches('did you mean "cookie"?', tostring(text), 1, true)
  end)
end)
