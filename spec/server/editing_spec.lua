--- An app that is worked on while it serves with --debug: what editors leave beside its files, what
--- version control does to many at once, folders that are exchanged, answers under way.

local posix_stat = require "posix.sys.stat"
local unistd = require "posix.unistd"

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local mod = require "part.mod"
local app = qlua.App(...)
app:get("/", function() return qlua.render_template("page.html", { mod = mod }) end)
app:get("/generation", function() return tostring(qlua.worker.generation) end)
app:template_filter("slow", function(x) qlua.sleep(0.02) return x end)
app:get("/long", function() return qlua.stream_template "long.html" end)
return app
]]

local FILES = {
  ["part/mod.lua"] = 'return "mod-1"\n',
  ["templates/page.html"] = "{% include 'part.html' %} {{ mod }}",
  ["templates/part.html"] = "part-1",
  ["templates/long.html"] = "{% for i in range(50) %}{{ i|slow }} {% endfor %}"
    .. "{% include 'part.html' %}",
}

describe("an app that is worked on", function()
  local s
  before_each(function()
    s = server.start { app = APP, files = FILES, args = { "--debug", "--access-log", "off" } }
    s:wait_for_stderr "CTRL + C"
  end)
  after_each(server.stop_all)

  local function wait_for(text)
    s:wait_for(function() return http.get(s, "/").body == text end, 10, "/ to be " .. text)
  end

  local function write(name, text)
    files.write(s.folder .. "/" .. name, text)
  end

  local function shell(command)
    assert.equal(0, os.execute(("cd %s && %s"):format(s.folder, command)), command)
  end

  it("is not loaded for what editors leave beside its files", function()
    for _, folder in ipairs { "", "part/", "templates/" } do
      local at = s.folder .. "/" .. folder
      unistd.link("me@host.4711:1700000000", at .. ".#mod.lua", true) -- Emacs' lock
      files.write(at .. "#mod.lua#", "autosaved")
      files.write(at .. ".mod.lua.swp", "Vim's swap file")
      files.write(at .. "4913", "Vim tries whether it may write")
      unistd.unlink(at .. "4913")
      files.write(at .. "mod.lua~", "a backup")
      unistd.unlink(at .. ".#mod.lua")
    end
    assert(posix_stat.chmod(s.folder .. "/part/mod.lua", 384)) -- 0600
    write("part/mod.lua", 'return "mod-2"\n')
    wait_for "part-1 mod-2"
    assert.equal("2", http.get(s, "/generation").body)
    assert.matches("generation 2 serves after %d+ ms: part/mod%.lua changed\n", s:stderr())
  end)

  it("has its files changed by sed -i", function()
    shell "sed -i s/mod-1/mod-2/ part/mod.lua"
    wait_for "part-1 mod-2"
    shell "sed -i s/part-1/part-2/ templates/*.html"
    wait_for "part-2 mod-2"
    shell "sed -i.bak s/mod-2/mod-3/ part/mod.lua"
    wait_for "part-2 mod-3"
  end)

  it("waits for what is written into files that were emptied", function()
    for i = 2, 4 do
      shell(": >part/mod.lua; sleep 0.05; echo 'return \"mod-" .. i .. "\"' >part/mod.lua")
      wait_for("part-1 mod-" .. i)
      assert.equal(tostring(i), http.get(s, "/generation").body)
    end
    shell ": >part/mod.lua" -- for good
    wait_for "part-1 True"
  end)

  it("goes from branch to branch", function()
    local git = "git -c user.name=x -c user.email=x@x.test -c init.defaultBranch=main "
    shell(git .. "init -q && " .. git .. "add . && " .. git .. "commit -qm one")
    shell(git .. "checkout -qb other")
    write("part/mod.lua", 'return require "part.more"\n')
    write("part/more.lua", 'return "more-2"\n')
    write("templates/part.html", "{% include 'deep/er.html' %}")
    write("templates/deep/er.html", "deeper-2")
    wait_for "deeper-2 more-2"
    shell(git .. "add . && " .. git .. "commit -qm two")
    for _ = 1, 3 do
      shell(git .. "checkout -q main")
      wait_for "part-1 mod-1"
      shell(git .. "checkout -q other")
      wait_for "deeper-2 more-2"
    end
    shell(git .. "stash -q 2>&1 && " .. git .. "reset -q --hard main")
    wait_for "part-1 mod-1"
    s:stop()
  end)

  it("has folders that are exchanged for others", function()
    for _, name in ipairs { "templates", "part" } do
      shell(("cp -r %s %s.new"):format(name, name))
    end
    write("templates.new/part.html", "part-2")
    write("part.new/mod.lua", 'return "mod-2"\n')
    shell "mv templates templates.old && mv templates.new templates"
    wait_for "part-2 mod-1"
    shell "mv part part.old && mv part.new part"
    wait_for "part-2 mod-2"
    write("templates/part.html", "part-3") -- the new ones are watched
    wait_for "part-3 mod-2"
    write("part/mod.lua", 'return "mod-3"\n')
    wait_for "part-3 mod-3"
    local before = http.get(s, "/generation").body
    write("templates.old/part.html", "part-4") -- the old ones are not
    write("part.old/mod.lua", 'return "mod-4"\n')
    write("part/mod.lua", 'return "mod-5"\n')
    wait_for "part-3 mod-5"
    assert.equal(tonumber(before) + 1, tonumber((http.get(s, "/generation").body)))
  end)

  it("comes back with a folder that was away", function()
    shell "mv part away"
    s:wait_for(function() return http.get(s, "/").status == 500 end, 10, "the error")
    shell "mv away part"
    wait_for "part-1 mod-1"
    shell "mv templates away"
    s:wait_for(function() return http.get(s, "/").status == 500 end, 10, "the error")
    shell "mv away templates"
    wait_for "part-1 mod-1"
    write("templates/part.html", "part-2")
    wait_for "part-2 mod-1"
  end)

  it("ends the answers that are under way as it began them", function()
    local c = raw.connect(s)
    c:send "GET /long HTTP/1.0\r\n\r\n"
    c:read_until "\r\n\r\n"
    write("templates/part.html", "part-2")
    write("templates/long.html", "short")
    wait_for "part-2 mod-1"
    assert.matches("^0 1 2 .* 48 49 part%-[12]$", c:read_all()) -- included when it came to it
    assert.equal("short", http.get(s, "/long").body)
  end)
end)
