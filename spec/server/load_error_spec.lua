--- An app that does not load: what `qlua run` says, once, and nothing else.

local files = require "support.files"
local server = require "support.server"

local MAKE = 'local qlua = require "qlua"\nlocal app = qlua.App(...)\n'

describe("an app that does not load", function()
  local folder
  before_each(function()
    folder = server.folder()
  end)
  after_each(server.stop_all)

  local env

  --- Standard error of `qlua run` with these files, with the folder's name as DIR.
  local function refused(texts, ...)
    for name, text in pairs(texts) do
      files.write(folder .. "/" .. name, text)
    end
    local s = server.run({ argv = { "run", folder .. "/app.lua", "--port", "0", ... },
      folder = folder, env = env }, 10)
    assert.equal(1, s:exit_code())
    assert.equal("", s:stdout())
    local text = s:stderr():gsub(folder:gsub("%p", "%%%0"), "DIR")
    return text
  end

  -- what is wrong, app.lua, standard error behind "qlua: the app did not load: "
  local cases = {
    { "a syntax error", MAKE .. ")( no code\n", "DIR/app.lua:3: unexpected symbol near ')'\n" },
    { "an error at the top", MAKE .. 'error "load-1"\n', "DIR/app.lua:3: load-1\n" },
    { "an error in a function, with the user's frames", MAKE .. [[
local function inner() app:route("/x", { methds = { "GET" } }, print) end
local function outer() inner() return 1 end
local one = outer()
return app
]], [[
DIR/app.lua:3: route "/x": unknown option "methds" (did you mean "methods"?)
stack traceback:
	DIR/app.lua:3: in function 'inner'
	DIR/app.lua:4: in function 'outer'
	DIR/app.lua:5: in main chunk
]] },
    { "an object as error", 'error(setmetatable({}, { __tostring = function() return "odd" end }))',
      "odd\nstack traceback:\n\tDIR/app.lua:1: in main chunk\n" },
    { "no app", "local x = 1\n", "DIR/app.lua makes no app: make one with `local app = "
      .. "qlua.App(...)`, and `return app` at the end\n" },
    { "an empty file", "", "DIR/app.lua makes no app: make one with `local app = "
      .. "qlua.App(...)`, and `return app` at the end\n" },
    { "two apps", MAKE .. "local other = qlua.App()\n", "DIR/app.lua makes 2 apps: return the one "
      .. "to serve at its end, or call run() on it\n" },
  }
  for _, case in ipairs(cases) do
    it("is told of: " .. case[1], function()
      assert.equal("qlua: the app did not load: " .. case[3], refused { ["app.lua"] = case[2] })
    end)
  end

  it("is told of when it ends the process, whatever the exit code", function()
    env = server.EXITS
    finally(function() env = nil end)
    for _, code in ipairs { 0, 3, 64 } do
      assert.matches(("worker 1 %%(pid %%d+%%) ended with exit code %d before it was ready; the "
        .. "start ends\n$"):format(code), refused { ["app.lua"] = ("os.exit(%d)"):format(code) })
    end
  end)

  it("names a missing module and the folders beside the app", function()
    assert.equal([[
qlua: the app did not load: DIR/app.lua:1: module 'absent' not found:
	no field package.preload['absent']
	no file 'DIR/absent.lua'
	no file 'DIR/absent/init.lua'
]], (refused { ["app.lua"] = 'require "absent"\n' }:match "^.-init%.lua'\n"))
  end)

  it("names file and line of a broken module", function()
    assert.equal([[
qlua: the app did not load: error loading module 'part' from file 'DIR/part.lua':
	DIR/part.lua:2: unexpected symbol near '<eof>'
stack traceback:
	DIR/app.lua:1: in main chunk
]], refused { ["app.lua"] = 'require "part"\n', ["part.lua"] = "local x = 1\nfoo(" })
  end)

  it("takes 12 lines at most, however deep the error is", function()
    local text = refused { ["app.lua"] = [[
local function down(n)
  if n == 0 then error "a\nb\nc\nd\ne\nf\ng\nh" end
  local x = down(n - 1)
  return x
end
down(40)
]] }
    assert.truthy(select(2, text:gsub("\n", "")) <= 12, text)
    assert.truthy(text:find("\t...\n$"))
  end)

  it("is told of once with several workers", function()
    local text = refused({ ["app.lua"] = 'error "load-2"\n' }, "--workers", "3")
    assert.equal("qlua: the app did not load: DIR/app.lua:1: load-2\n", text)
  end)

  it("is told of without a supervisor, too", function()
    local text = refused({ ["app.lua"] = 'error "load-3"\n' }, "--workers", "0")
    assert.equal("qlua: the app did not load: DIR/app.lua:1: load-3\n", text)
  end)
end)
