--- The test client and its contexts. They need qlua around them: the files in spec/data/testing
--- are specs that `qlua test` runs, on the app beside them.

local files = require "support.files"
local http = require "support.http"
local server = require "support.server"
local unistd = require "posix.unistd"

local FOLDER = unistd.getcwd() .. "/spec/data/testing/"

describe("qlua.testing", function()
  after_each(server.stop_all)

  for file, what in pairs {
    client = "asks an app as a browser would", cookies = "keeps cookies as a browser does",
    contexts = "gives contexts to code outside of requests",
  } do
    it(what, function()
      local ended = server.run({ argv = { "test", FOLDER .. file .. ".lua" } }, 60)
      if ended:exit_code() ~= 0 then
        error(ended:stdout() .. "\n" .. ended:stderr(), 0)
      end
    end)
  end

  describe("in a script", function()
    local folder
    after_each(function()
      files.remove(folder)
    end)

    local function run(text)
      folder = files.folder { ["script.lua"] = text, ["app.lua"] = [[
          local app = require("qlua").App(...)
          app:route("/", function() return "hello from " .. app.name end)
          app:run()
          app.after_run = true
        ]] }
      local ended = server.run({ argv = { "script.lua" }, cwd = folder, folder = folder }, 20)
      return ended:exit_code(), ended:stdout(), ended:stderr()
    end

    it("asks an app of the script's own", function()
      local code, out = run [[
        local app = require("qlua").App(...)
        app:route("/", function() return app.name end)
        print(app:test_client():get("/").data)
      ]]
      assert.same({ 0, "script\n" }, { code, out })
    end)

    it("loads an app that runs itself, and goes on", function()
      local code, out = run [[
        local qlua = require "qlua"
        local app = qlua.testing.load "app.lua"
        print(app:test_client():get("/").data, app.after_run)
      ]]
      assert.same({ 0, "hello from app\ttrue\n" }, { code, out })
    end)

    it("ends with requests under way", function()
      local code, out, err = run [[
        local qlua = require "qlua"
        local app = qlua.App(...)
        app:route("/", function() return function() qlua.sleep(0) return "x" end end)
        app:route("/slow", function() qlua.sleep(60) end)
        local client = app:test_client()
        PIECES = { client:get("/", { stream = true }) }
        qlua.spawn(function() client:get "/slow" end)
        qlua.sleep(0.01)
        print(PIECES[2]())
      ]]
      assert.same({ 0, "x\n", "" }, { code, out, err })
    end)
  end)

  it("does not take the place of an app that is served", function()
    local s = server.start { app = [[
      local qlua = require "qlua"
      local app = qlua.App(...)
      app:route("/", function() return "hello" end)
      app:route("/inner", function() return app:test_client():get("/").data end)
      app:route("/other", function()
        local ok, err = pcall(function() qlua.App("other"):test_client():get "/" end)
        return tostring(err)
      end)
      return app
    ]] }
    assert.equal("hello", http.request(s, "GET", "/inner").body)
    assert.matches("app%.lua:%d+: <App other> cannot be tested here: <App app> is being served",
      http.request(s, "GET", "/other").body)
    assert.equal("hello", http.request(s, "GET", "/").body)
    s:stop()
  end)
end)
