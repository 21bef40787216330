--- `qlua new NAME`: the app it makes works at once, and nothing that is there is overwritten.

local files = require "support.files"
local http = require "support.http"
local server = require "support.server"

describe("qlua new", function()
  local folder
  before_each(function()
    folder = server.folder()
  end)
  after_each(server.stop_all)

  --- Run qlua in a folder; gives exit code, standard error, standard output.
  local function run(cwd, ...)
    local ended = server.run({ argv = { ... }, folder = folder, cwd = cwd }, 60)
    return ended:exit_code(), ended:stderr(), ended:stdout()
  end

  local function exists(path)
    local file = io.open(folder .. "/" .. path)
    return file and file:close()
  end

  it("makes an app and says what to type next", function()
    local code, stderr, stdout = run(folder, "new", "my-shop")
    assert.same({ 0, "" }, { code, stderr })
    assert.matches("^Made my%-shop:\n", stdout)
    for _, path in ipairs { "app.lua", "notes.lua", "templates/base.html", "static/style.css",
      "config.json", ".env", "spec/app_spec.lua", ".luarc.json" } do
      assert.truthy(exists("my-shop/" .. path), path)
      assert.truthy(stdout:find("\n  " .. path .. " ", 1, true), path)
    end
    for _, path in ipairs { ".gitignore", ".editorconfig", ".luacheckrc" } do
      assert.truthy(exists("my-shop/" .. path), path)
    end
    assert.truthy(stdout:find("\n  cd my-shop\n  qlua test ", 1, true), stdout)
  end)

  it("makes one whose specs pass, which qlua check and luacheck find nothing in", function()
    run(folder, "new", "shop")
    local place = folder .. "/shop"
    local code, stderr, stdout = run(place, "test")
    assert.equal(0, code, stdout .. stderr)
    assert.matches("4 successes / 0 failures / 0 errors", stdout, 1, true)
    assert.same({ 0, "", "3 templates, 0 errors\n" }, { run(place, "check") })
    assert.equal(0, os.execute(("cd %s && luacheck -q . >/dev/null"):format(place)))
  end)

  it("gives each app a secret key of its own, which git leaves alone", function()
    run(folder, "new", "one")
    run(folder, "new", "two")
    local one, two = files.read(folder .. "/one/.env"), files.read(folder .. "/two/.env")
    assert.matches("^QLUA_SECRET_KEY=%x+\n$", one)
    assert.equal(#"QLUA_SECRET_KEY=\n" + 48, #one)
    assert.not_equal(one, two)
    local pipe = io.popen("stat -c %a " .. folder .. "/one/.env")
    assert.equal("600\n", pipe:read "*a")
    pipe:close()
    assert.truthy(("\n" .. files.read(folder .. "/one/.gitignore")):find("\n.env\n", 1, true))
  end)

  it("points editors to the types of the API", function()
    run(folder, "new", "shop")
    local settings = files.read(folder .. "/shop/.luarc.json")
    local library = settings:match '"workspace.library": %["([^"]+)"%]'
    assert.equal(server.program():gsub("[^/]+$", "library"), library)
    assert.truthy(files.read(library .. "/qlua.lua"):find("---@class qlua.App", 1, true))
  end)

  it("serves what was made, with sessions", function()
    run(folder, "new", "shop")
    local s = server.start { path = folder .. "/shop/app.lua", folder = folder }
    assert.truthy(http.get(s.port, "/").body:find("Hello from shop!", 1, true))
    local answer = http.request(s.port, "POST", "/notes/", {
      body = "text=milk", headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    })
    assert.equal(303, answer.status)
    assert.matches("^session=", answer.header["set-cookie"])
    s:stop()
  end)

  it("takes an empty folder and a path", function()
    assert(os.execute("mkdir -p " .. folder .. "/sub/empty") == 0)
    assert.equal(0, (run(folder, "new", "sub/empty/")))
    assert.equal(0, (run("/", "new", folder .. "/other")))
    assert.truthy(exists "sub/empty/app.lua" and exists "other/app.lua")
  end)

  describe("refuses", function()
    local NAME = "is no name for an app: letters, digits, - and _ make one, and a letter begins "
      .. "it; qlua new shop, or qlua new path/to/shop\n"

    for _, name in ipairs { "9lives", ".", "..", "-x y", "a b", "a.b", "sub/.hid", "/" } do
      it("the name " .. name, function()
        local code, stderr = run(folder, "new", "--", name)
        assert.same({ 2, ('qlua: "%s" %s'):format(name, NAME) }, { code, stderr })
      end)
    end

    it("no name, and two", function()
      assert.same({ 2, "qlua: name the app: qlua new NAME\n", "" }, { run(folder, "new") })
      assert.same({ 2, 'qlua: unexpected word "b" after qlua new\n', "" },
        { run(folder, "new", "a", "b") })
    end)

    it("a folder that is not empty, and leaves it as it is", function()
      files.write(folder .. "/taken/app.lua", "mine")
      assert.same({ 1, "qlua: taken is there already and not empty; choose another name, or an "
        .. "empty folder\n", "" }, { run(folder, "new", "taken") })
      assert.equal("mine", files.read(folder .. "/taken/app.lua"))
      files.write(folder .. "/hidden/.git", "")
      assert.equal(1, (run(folder, "new", "hidden")))
    end)

    it("a file of that name", function()
      files.write(folder .. "/file", "")
      assert.same({ 1, "qlua: file is a file; choose another name\n", "" },
        { run(folder, "new", "file") })
    end)

    it("a place that is not there", function()
      assert.same({ 1, "qlua: no/where cannot be made: there is no folder no; make that first\n",
        "" }, { run(folder, "new", "no/where") })
    end)
  end)
end)
