--- README.md is true of the tree: names, files, the app of ten lines, the settings.

local files = require "support.files"
local server = require "support.server"

local README = files.read "README.md"

local function lines_of(command)
  local lines = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

--- What a pattern finds in a text, in order.
local function lines_in(text, pattern)
  local found = {}
  for piece in text:gmatch(pattern) do
    found[#found + 1] = piece
  end
  return found
end

--- The part of README under a heading that begins so.
local function section(heading)
  local from = assert(README:find("\n### " .. heading, 1, true), heading)
  return README:sub(from, (README:find("\n##", from + 4, true) or 0) - 1)
end

local function curl(arguments)
  local pipe = io.popen("curl -s " .. arguments)
  local text = pipe:read "*a"
  pipe:close()
  return text
end

describe("README", function()
  after_each(server.stop_all)

  local ROOMS = { "server", "net", "http", "route", "script", "bind", "session", "template",
    "store", "value", "crypto", "base" }
  for _, room in ipairs(ROOMS) do
    local heading = room == "server" and "src/main.c and src/server" or "src/" .. room

    it("maps every file of src/" .. room, function()
      local text, stems = section(heading), {}
      for _, path in ipairs(lines_of(("ls src/%s/*.[ch]"):format(room))) do
        local name = path:match "([^/]+)$"
        local stem = name:match "^(.*)%.[ch]$"
        stems[stem], stems[name] = true, true
        assert.truthy(text:find(("| `%s` |"):format(stem), 1, true)
          or text:find(("| `%s` |"):format(name), 1, true), name .. " is missing")
      end
      for name in text:gmatch "\n| `([^`]+)` |" do
        assert.truthy(stems[name], name .. " is not in src/" .. room)
      end
    end)
  end

  it("maps every file of lua/qlua", function()
    local text, names = section "lua/qlua", {}
    for _, path in ipairs(lines_of "ls lua/qlua/*.lua lua/qlua/*/*.lua") do
      local name = path:match "^lua/qlua/(.*)%.lua$"
      names[name] = true
      assert.truthy(text:find(("| `%s` |"):format(name), 1, true), name .. " is missing")
    end
    for name in text:gmatch "\n| `([^`]+)` |" do
      assert.truthy(names[name], name .. " is not in lua/qlua")
    end
  end)

  it("names only files that there are", function()
    for path in README:gmatch "`([%w_/]+/[%w_%.]*)`" do
      if path:find "^[abcls]" and not path:find "^build/" then
        local at = { path, "src/" .. path, "lua/qlua/" .. path .. ".lua" }
        local found = false
        for _, candidate in ipairs(at) do
          found = found or #lines_of("ls -d " .. candidate .. " 2>/dev/null") == 1
        end
        assert.truthy(found, path)
      end
    end
  end)

  it("names only functions that there are", function()
    local source = table.concat(lines_of "cat src/*.c src/*/*.[ch]", "\n")
    local from = README:find("## The way of a request", 1, true)
    for name in README:sub(from):gmatch "`([a-z]+_[a-z_]+)`" do
      local known = source:find("%f[%w_]" .. name .. "%f[^%w_]")
        or README:find(("| `%s"):format(name), 1, true)
      assert.truthy(known, name)
    end
  end)

  it("names only make targets that there are", function()
    local makefile = files.read "Makefile"
    for target in README:gmatch "`make ([a-z-]+)" do
      assert.truthy(makefile:find("\n" .. target:gsub("%-", "%%-") .. ":"), target)
    end
  end)

  it("shows an app that answers as it says", function()
    local s = server.start { app = assert(README:match "\n## An app\n.-```lua\n(.-)```") }
    local command, answer = README:match "%$ curl '(localhost:5000/hello[^']*)'\n%s+([^\n]+)\n"
    local url = command:gsub("localhost:5000", "127.0.0.1:" .. s.port)
    assert.equal(answer .. "\n", curl(("'%s'"):format(url)))
    assert.equal("a=1", curl(("-d a=1 http://127.0.0.1:%d/echo"):format(s.port)))
    s:stop()
  end)

  it("tells of the first minute as it goes", function()
    local text = assert(README:match "\n## The first minute\n(.-)\n## ")
    local new, run, ask = unpack(lines_in(text, "\n    %$ ([^\n]*)"))
    local folder, began = files.folder(), os.time()
    assert(os.execute(("ln -s %s %s/qlua"):format(server.program(), folder)) == 0)
    assert.equal(0, os.execute(("cd %s && ./%s >out"):format(folder, new)))
    assert.matches("^" .. text:match "\n    (Made [^\n]*)", files.read(folder .. "/out"))
    local words = lines_in(run, "%S+")
    assert.same({ "qlua", "&" }, { table.remove(words, 1), table.remove(words) })
    local port = server.free_port()
    local s = server.start { argv = words, folder = folder, cwd = folder, port = port,
      env = { QLUA_SERVER__PORT = tostring(port) } }
    local path, line = folder .. "/shop/app.lua", text:match "```lua\n(.-)```"
    local source, count = files.read(path):gsub("  return qlua.render_template[^\n]*\n",
      (line:gsub("%%", "%%%%")))
    assert.equal(1, count)
    files.write(path, source)
    local command = ask:gsub("localhost:5000", "127.0.0.1:" .. s.port)
    s:wait_for(function()
      return text:find("\n    $ " .. ask .. "\n    " .. (lines_of(command)[1] or "?"), 1, true)
    end, 20, "the changed page")
    assert.truthy(os.time() - began < 60)
    s:stop()
    files.remove(folder)
  end)

  it("lists the keys of app.config as the code does, and no others", function()
    local from = README:find("| key | default | effect |\n", 1, true)
    local rows, listed = {}, README:sub(from):match "^[^\n]*\n[^\n]*\n(.-)\n\n"
    for _, key in ipairs(require("qlua.config_keys").list) do
      local kind, default = type(key.default), tostring(key.default)
      rows[#rows + 1] = ("| `%s` | %s | %s |"):format(key.name, kind == "nil" and "unset"
        or kind == "string" and '`"' .. default .. '"`'
        or kind == "number" and ("%.14g"):format(key.default) or default, key.effect)
    end
    assert.equal(table.concat(rows, "\n"), listed)
  end)

  it("lists the settings as qlua run --help does", function()
    local help = server.run({ argv = { "run", "--help" } }):stdout()
    local settings = help:match "Server settings[^\n]*\n(.*)$"
    assert.truthy(README:find("```\n" .. settings .. "```", 1, true))
  end)
end)
