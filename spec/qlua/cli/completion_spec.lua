--- `qlua completion SHELL`: it names every command and every option, and the shell can read it.

local files = require "support.files"
local server = require "support.server"

local function run(...)
  local ended = server.run({ argv = { ... } }, 20)
  return ended:stdout(), ended:stderr(), ended:exit_code()
end

--- Commands in the order of `qlua --help`, and by command the options of its own help.
local function known()
  local commands, options = {}, {}
  for command in (run "--help"):gmatch "\n  qlua (%l+) " do
    commands[#commands + 1] = command
    options[command] = {}
    for line in (run(command, "--help")):gmatch "\n  (%-[^\n]*)" do
      local short, long = line:match "^(%-%a), (%-%-[%l-]+)"
      long = long or line:match "^%-%-[%l-]+"
      options[command][long] = short or false
    end
  end
  return commands, options
end

describe("qlua completion", function()
  local folder
  before_each(function()
    folder = server.folder()
  end)
  after_each(server.stop_all)

  local commands, options = known()

  --- What a shell makes of a script, or nil when it is not installed.
  local function shell(name, script)
    if os.execute("command -v " .. name .. " >/dev/null") ~= 0 then
      return nil
    end
    files.write(folder .. "/script", script)
    local pipe = io.popen(("cd %s && %s script 2>&1"):format(folder, name))
    local text = pipe:read "*a"
    pipe:close()
    return text
  end

  it("knows the commands there are", function()
    assert.truthy(#commands >= 13)
    assert.equal("-i", options.request["--include"])
    assert.equal("-H", options.request["--header"])
  end)

  it("completes commands, options, files and choices in bash", function()
    local script = run("completion", "bash")
    local function complete(...)
      local words = { "qlua", ... }
      local text = shell("bash", ("%s\nCOMP_WORDS=(%s)\nCOMP_CWORD=%d\n_qlua\nprintf '%%s\\n' "
        .. '"${COMPREPLY[@]}"\n'):format(script, "'" .. table.concat(words, "' '") .. "'",
        #words - 1))
      local found = {}
      for word in text:gmatch "[^\n]+" do
        found[word] = true
      end
      return found
    end
    files.write(folder .. "/app.lua", "")
    files.write(folder .. "/data.json", "")
    local first = complete ""
    for _, command in ipairs(commands) do
      assert.is_true(first[command], command)
      local offered = complete(command, "-")
      for long, short in pairs(options[command]) do
        assert.is_true(offered[long], command .. " " .. long)
        assert.truthy(not short or offered[short], command .. " " .. tostring(short))
        offered[long], offered[short or 0] = nil, nil
      end
      assert.is_nil(next(offered))
    end
    assert.is_true(first["app.lua"])
    assert.is_nil(first["data.json"])
    assert.same({ bash = true, zsh = true, fish = true }, complete("completion", ""))
    assert.is_true(complete("run", "--config", "da")["data.json"])
    assert.same({}, complete("run", "--port", ""))
    assert.same({ match = true, methods = true }, complete("routes", "--sort", "m"))
    assert.is_true(complete("run", "a")["app.lua"])
  end)

  it("names every command and option for zsh", function()
    local script = run("completion", "zsh")
    for _, command in ipairs(commands) do
      assert.truthy(script:find(("\n    '%s:"):format(command), 1, true), command)
      local part = script:match("\n      " .. command .. "%)\n(.-);;")
      for long, short in pairs(options[command]) do
        assert.truthy(part:find(("'%s["):format(long), 1, true), command .. " " .. long)
        assert.truthy(not short or part:find(("'%s["):format(short), 1, true), command)
      end
    end
    assert.truthy(({ [""] = true })[shell("zsh", "compdef() { :; }\n" .. script) or ""])
  end)

  it("names every command and option for fish", function()
    local script = run("completion", "fish")
    for _, command in ipairs(commands) do
      assert.truthy(script:find("__fish_use_subcommand -a " .. command .. " ", 1, true), command)
      for long, short in pairs(options[command]) do
        local line = ("'__fish_seen_subcommand_from %s' -l %s%s"):format(command, long:sub(3),
          short and " -s " .. short:sub(2) or "")
        assert.truthy(script:find(line .. " ", 1, true), line)
      end
    end
    assert.equal("", shell("fish", script) or "")
  end)

  it("refuses a shell it does not know", function()
    assert.same({ "", "qlua: csh is no shell it knows; name the shell: qlua completion bash, zsh "
      .. "or fish\n", 2 }, { run("completion", "csh") })
    assert.same({ "", "qlua: name the shell: qlua completion bash, zsh or fish\n", 2 },
      { run "completion" })
  end)

  it("is installed where the shells look, with the types for editors", function()
    local code = os.execute(("make -s install BUILD=%s DESTDIR=%s PREFIX=/usr >/dev/null"):format(
      server.program():match "^(.*)/[^/]*$", folder))
    assert.equal(0, code)
    local share = folder .. "/usr/share/"
    for path, name in pairs { ["bash-completion/completions/qlua"] = "bash",
      ["zsh/site-functions/_qlua"] = "zsh", ["fish/vendor_completions.d/qlua.fish"] = "fish" } do
      assert.equal((run("completion", name)), files.read(share .. path))
    end
    assert.truthy(files.read(share .. "qlua/library/qlua.lua"):find("---@class qlua.App", 1, true))
    os.execute(("cd %s && usr/bin/qlua new shop >/dev/null"):format(folder))
    assert.truthy(files.read(folder .. "/shop/.luarc.json"):find(('["%sqlua/library"]'):format(
      share), 1, true))
  end)
end)
