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

  it("tells of a cookie that browsers may drop, and of one that cannot be made", function()
    local s = server.start { app = [[
      local qlua = require "qlua"
      local app = qlua.App(...)
      app.secret_key = "dev-secret"
      app:get("/large", function()
        local text = {}
        for i = 1, 2000 do text[i] = string.char(97 + i * i * 7 % 26, 97 + i * i % 23) end
        qlua.session.text = table.concat(text)
        return "large"
      end)
      app:get("/function", function()
        qlua.session.user = { call = print }
        return "never"
      end)
      app:get("/untouched", function() return "untouched" end)
      app.config.MAX_COOKIE_SIZE = 300
      return app
    ]] }
    local answer = http.get(s, "/large")
    assert.same({ 200, "large" }, { answer.status, answer.body })
    assert.is_true(#answer.header["set-cookie"] > 300)
    s:wait_for_stderr 'the cookie "session" has '
    assert.equal(500, http.get(s, "/function").status)
    s:wait_for_stderr "the session cannot be saved: cannot encode a function at user.call"
    -- a cookie that cannot be read is for those to hear of who read it
    local changed = answer.header["set-cookie"]:match "^[^;]+" .. "x"
    answer = http.get(s, "/untouched", { headers = { Cookie = changed } })
    assert.same({ 200, "untouched" }, { answer.status, answer.body })
    assert.is_nil(answer.header["set-cookie"])
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
