--- Where templates come from: files, tables, functions, and loaders of loaders.

local script = require "support.script"
local server = require "support.server"

-- name(env, ...): what get_template gives of each name, or its error
local HEAD = [[
local qlua = require "qlua"
local function show(env, ...)
  for _, name in ipairs { ... } do
    local ok, result = pcall(function() return env:get_template(name):render() end)
    print(ok and result or "! " .. tostring(result))
  end
end
]]

local function output(text, files)
  return script.output(HEAD .. text, { files = files })
end

describe("template loaders", function()
  after_each(server.stop_all)

  describe("FileSystemLoader", function()
    it("looks into its folders in order", function()
      assert.equal("one\nsecond\nbelow\n! template not found: none.html\n", output([[
        local env = qlua.Environment { loader = qlua.FileSystemLoader { "a", "b" } }
        show(env, "x.html", "y.html", "mail/z.txt", "none.html")
      ]], {
        ["a/x.html"] = "one", ["b/x.html"] = "two", ["b/y.html"] = "second",
        ["b/mail/z.txt"] = "below",
      }))
    end)

    it("never leaves its folder", function()
      assert.equal(("! template not found\n"):rep(8), (output([[
        local env = qlua.Environment { loader = qlua.FileSystemLoader "a" }
        show(env, "../secret", "x/../../secret", "/etc/passwd", "..", "x/..", "", ".", "a\0b")
      ]], { ["a/x/y"] = "", secret = "S" }):gsub("not found: [^\n]*", "not found")))
      assert.equal("S\n", output([[
        show(qlua.Environment { loader = qlua.FileSystemLoader "a" }, "/./x//y")
      ]], { ["a/x/y"] = "S" }))
    end)

    it("takes names as they are, not as patterns or paths of Windows", function()
      assert.equal("! template not found: a\\y\n! template not found: folder\n", output([[
        show(qlua.Environment { loader = qlua.FileSystemLoader "." }, "a\\y", "folder")
      ]], { ["a/y"] = "", ["folder/x"] = "" }))
    end)

    it("lists what it has, but no hidden file", function()
      assert.equal("mail/z.txt,x.html,y.html\n", output([[
        local loader = qlua.FileSystemLoader { "a", "b", "missing" }
        print(table.concat(loader:list_templates(), ","))
      ]], {
        ["a/x.html"] = "", ["b/x.html"] = "", ["b/y.html"] = "", ["b/mail/z.txt"] = "",
        ["b/.x.swp"] = "", ["b/.git/config"] = "",
      }))
    end)
  end)

  it("DictLoader reads a table, and sees it change", function()
    assert.equal("1\n2\n! template not found: b\n", output [[
      local sources = { a = "1" }
      local env = qlua.Environment { loader = qlua.DictLoader(sources) }
      show(env, "a")
      sources.a = "2"
      show(env, "a", "b")
    ]])
  end)

  it("FunctionLoader calls a function, which may wait", function()
    assert.equal("<a>\n<a>\n! template not found: none\n1\n", output [[
      local calls = 0
      local env = qlua.Environment { loader = qlua.FunctionLoader(function(name)
        qlua.sleep(0.001)
        if name ~= "none" then
          calls = calls + 1
          return "<" .. name .. ">"
        end
      end) }
      show(env, "a", "a", "none")
      print(calls)
    ]])
  end)

  it("FunctionLoader's second function says whether the source is still current", function()
    assert.equal("1\n1\n2\n", output [[
      local n, current = 0, true
      local env = qlua.Environment { loader = qlua.FunctionLoader(function(name)
        n = n + 1
        return tostring(n), name, function() return current end
      end) }
      show(env, "a", "a")
      current = false
      show(env, "a")
    ]])
  end)

  it("PrefixLoader and ChoiceLoader put loaders together", function()
    assert.equal("one\ntwo\n! template not found: a/none\n! template not found: x\n"
      .. "one\ntwo b\na/x b/x b/y\n", output [[
      local one, two = qlua.DictLoader { x = "one" }, qlua.DictLoader { x = "two", y = "two b" }
      local prefix = qlua.PrefixLoader { a = one, b = two }
      local env = qlua.Environment { loader = prefix }
      show(env, "a/x", "b/x", "a/none", "x")
      show(qlua.Environment { loader = qlua.ChoiceLoader { one, two } }, "x", "y")
      print(table.concat(prefix:list_templates(), " "))
    ]])
  end)

  local A_LOADER = "must be a loader (a table with a get_source method, as qlua.DictLoader makes), "
  -- code, message
  local MISTAKES = {
    { "qlua.Environment { loader = {} }",
      'Environment: option "loader" ' .. A_LOADER .. "got a table" },
    { "qlua.FileSystemLoader(5)",
      "FileSystemLoader: a path or a list of paths is expected, got the number 5" },
    { "qlua.FileSystemLoader { 5 }",
      "FileSystemLoader: path 1 must be a string, got the number 5" },
    { "qlua.DictLoader()", "DictLoader: the mapping must be a table, got nil" },
    { "qlua.FunctionLoader {}", "FunctionLoader: the function must be a function, got a table" },
    { "qlua.PrefixLoader { a = 1 }",
      'PrefixLoader: the value of "a" ' .. A_LOADER .. "got the number 1" },
    { 'qlua.ChoiceLoader { "x" }', "ChoiceLoader: loader 1 " .. A_LOADER .. 'got the string "x"' },
    { 'qlua.Environment({ loader = qlua.DictLoader { a = 5 } }):get_template "a"',
      'DictLoader: the template "a" must be a string, got the number 5' },
    { 'qlua.Environment():get_template(5)',
      "get_template: a template's name must be a string, got the number 5" },
    { 'qlua.Environment():get_template "a"', "no loader for this environment: it cannot find the "
      .. 'template "a"; give it one with { loader = qlua.FileSystemLoader(path) }' },
  }

  it("says what is no loader, and what no source", function()
    local lines, expected = { 'local qlua = require "qlua"' }, {}
    for i, mistake in ipairs(MISTAKES) do
      lines[#lines + 1] = ("print(select(2, pcall(function() local _ = %s end)))"):format(
        mistake[1])
      expected[#expected + 1] = ("job.lua:%d: %s\n"):format(i + 1, mistake[2])
    end
    assert.equal(table.concat(expected), script.output(table.concat(lines, "\n")))
  end)
end)
