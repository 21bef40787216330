--- `qlua test`: which specs it runs, on which app, and how it ends.

local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
app:route("/", function()
  qlua.sleep(0.01)
  return require("greeting") .. (app.config.NAME or "") .. (os.getenv "FROM_DOTENV" or "")
end)
return app
]]

local PASSING = [[
local qlua = require "qlua"
describe("the app", function()
  local app = qlua.testing.load()
  before_each(function() qlua.sleep(0) end)
  it("waits and answers", function()
    assert.equal("hi", app:test_client():get("/").data)
  end)
end)
]]

describe("qlua test", function()
  local folder

  local function place(more)
    local all = { ["app.lua"] = APP, ["greeting.lua"] = 'return "hi"' }
    for name, text in pairs(more) do
      all[name] = text
    end
    folder = server.folder(all)
  end

  local function run(argv, cwd, env)
    local ended = server.run({
      argv = { "test", unpack(argv or {}) }, cwd = cwd or folder, folder = folder, env = env,
    }, 30)
    return ended:exit_code(), ended:stdout(), ended:stderr()
  end

  after_each(server.stop_all)

  it("runs the specs in ./spec on the app beside them, which may wait", function()
    place { ["spec/a_spec.lua"] = PASSING, ["spec/deep/b_spec.lua"] = PASSING,
      ["spec/other.lua"] = "error()" }
    local code, out, err = run()
    assert.matches("2 successes / 0 failures / 0 errors", out)
    assert.same({ 0, "" }, { code, err })
  end)

  it("ends with 1 when a spec fails, and says where", function()
    place { ["spec/a_spec.lua"] = PASSING:gsub('"hi"', '"ho"') }
    local code, out = run()
    assert.equal(1, code)
    assert.matches("0 successes / 1 failure / 0 errors", out)
    assert.matches("spec/a_spec%.lua:6: Expected objects to be equal", out)
  end)

  it("ends with 1 when a spec raises, or cannot be read", function()
    for text, what in pairs {
      ["error 'oh'"] = "spec/a_spec%.lua:1: oh", ["it("] = "spec/a_spec%.lua:1: unexpected symbol",
      ["it('x', function() local t = nil; t.x = 1 end)"] = "spec/a_spec%.lua:1: attempt to index",
    } do
      place { ["spec/a_spec.lua"] = text }
      local code, out = run()
      assert.equal(1, code)
      assert.matches("1 error", out)
      assert.matches(what, out)
    end
  end)

  it("runs the files and folders it is given, from anywhere", function()
    place { ["spec/a_spec.lua"] = PASSING, ["spec/b_spec.lua"] = "error()",
      ["checks/c_spec.lua"] = PASSING }
    for _, argv in ipairs { { folder .. "/spec/a_spec.lua" }, { folder .. "/checks" } } do
      local code, out = run(argv, "/")
      assert.matches("1 success / 0 failures / 0 errors", out)
      assert.equal(0, code)
    end
    local code, out = run { "spec/a_spec.lua", "checks" }
    assert.matches("2 successes", out)
    assert.equal(0, code)
  end)

  it("ends with 1 when there is nothing to run", function()
    place {}
    local code, out = run()
    assert.equal(1, code)
    assert.matches("Cannot find file or directory: spec", out)
  end)

  it("hands busted what stands behind --", function()
    place { ["spec/a_spec.lua"] = PASSING }
    local code, out = run { "spec", "--", "--output=TAP" }
    assert.equal(0, code)
    assert.matches("ok 1 %- the app waits and answers", out)
    local _, _, err = run { "--output=TAP" }
    assert.equal('qlua: unknown option --output; busted\'s own go behind "--": '
      .. "qlua test -- --output\n", err)
    code, _, err = run { "--", "--nonsense" }
    assert.equal(1, code)
    assert.matches("^qlua test: error: .*nonsense", err)
  end)

  it("reads .env and --set as qlua run does", function()
    place { [".env"] = "FROM_DOTENV=!", ["spec/a_spec.lua"] = PASSING:gsub('"hi"', '"hi you!"') }
    local code, out = run { "--set", "NAME= you" }
    assert.matches("1 success", out)
    assert.equal(0, code)
  end)

  it("takes the app of $QLUA_APP when none lies above the specs", function()
    place { ["spec/a_spec.lua"] = PASSING }
    os.rename(folder .. "/app.lua", folder .. "/web.lua")
    local code, out = run({}, nil, { QLUA_APP = "web.lua" })
    assert.matches("1 success", out)
    assert.equal(0, code)
    code, out = run({}, nil, { QLUA_APP = false })
    assert.equal(1, code)
    assert.matches("spec/a_spec%.lua:3: testing%.load: no app%.lua lies in or above the folder of "
      .. 'the specs; give a path: qlua%.testing%.load%("app%.lua"%)', out)
  end)

  it("gives each file a fresh app and fresh modules, and the same qlua", function()
    local spec = [[
      local qlua = require "qlua"
      local fresh = require "greeting_count"
      it("is first", function()
        fresh.count = fresh.count + 1
        assert.equal(1, fresh.count)
        QLUA_SEEN = QLUA_SEEN or qlua
        assert.equal(qlua, package.loaded.math.qlua or qlua)
        package.loaded.math.qlua = qlua
        assert.equal(200, qlua.testing.load():test_client():get("/").status_code)
        assert.is_true(pcall(error) == false and qlua.errors == require "qlua.errors")
      end)
    ]]
    place { ["greeting_count.lua"] = "return { count = 0 }", ["spec/a_spec.lua"] = spec,
      ["spec/b_spec.lua"] = spec }
    local code, out = run()
    assert.matches("2 successes / 0 failures / 0 errors", out)
    assert.equal(0, code)
  end)

  it("leaves no request under way behind", function()
    place { ["spec/a_spec.lua"] = [[
      local qlua = require "qlua"
      it("starts and ends", function()
        local app = qlua.App "own"
        app:route("/", function() qlua.sleep(600) return "late" end)
        qlua.spawn(function() app:test_client():get "/" end)
        qlua.sleep(0.01)
      end)
    ]] }
    local code, out, err = run()
    assert.matches("1 success", out)
    assert.same({ 0, "" }, { code, err })
  end)
end)
