--- The shape of src/: who may include whom, third parties behind their doors, and the rules of
--- form that a machine can read. The tables here are the project's own statement of its layers.

-- room -> the rooms below it that it may include (and itself)
local MAY_INCLUDE = {
  base = "",
  crypto = "base",
  net = "base",
  route = "base",
  value = "base",
  script = "value net base",
  template = "value base",
  http = "net crypto base",
  store = "net crypto base",
  ws = "http crypto net base",
  session = "http store value crypto base",
  bind = "session ws route template script http store value net crypto base",
  server = "bind session ws route template script http store value net crypto base",
  main = "server base",
}

-- third-party header (pattern) -> the files (patterns) that may include it
local LUA_DOORS = { "^value/", "^script/", "^bind/", "^template/vm", "^template/filter",
  "^session/codec" }
local DOORS = {
  ["^uv%.h$"] = { "^net/", "^server/worker%.c$" },
  ["^llhttp%.h$"] = { "^http/parser%.c$" },
  ["^openssl/"] = { "^crypto/", "^net/tls%.c$", "^net/tls_context%.c$",
    "^net/tls_internal%.h$" },
  ["^zlib%.h$"] = { "^http/compress%.c$", "^ws/deflate%.c$", "^session/codec%.c$" },
  ["^hiredis"] = { "^store/" },
  ["^lmdb%.h$"] = { "^store/" },
  ["^lua%.h$"] = LUA_DOORS,
  ["^lauxlib%.h$"] = LUA_DOORS,
  ["^lualib%.h$"] = LUA_DOORS,
  ["^luajit%.h$"] = LUA_DOORS,
}
-- `qlua --version` names the versions of all of them
local EVERY_DOOR = "server/version.c"

-- names of files that hide what is in them, and C functions that write without a bound
local NO_NAMES = { "qlua.h", "common.h", "util.h", "util.c", "helpers.h", "helpers.c" }
local NO_CALLS = { "strcpy", "strcat", "sprintf", "vsprintf", "gets" }

-- writable data outside struct worker (design: the watchdog's signal handler finds its state so)
local MUTABLE = { ["script/watchdog.o"] = true }

local TOP_LEVEL = { Makefile = true, src = true, lua = true, apps = true, conf = true, spec = true,
  ["README.md"] = true, LICENSE = true }

local LONGEST_FILE = 600

local function lines_of(command)
  local lines = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function matches_any(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then
      return true
    end
  end
  return false
end

--- Files under a folder whose names end so, with their texts: path within the folder -> text.
local function texts_of(folder, endings)
  local texts = {}
  for _, path in ipairs(lines_of("find " .. folder .. " -type f 2>/dev/null")) do
    if matches_any(path, endings) then
      texts[path:sub(#folder + 2)] = read(path)
    end
  end
  return texts
end

local C_TEXTS = texts_of("src", { "%.c$", "%.h$" })
local LUA_TEXTS = texts_of("lua", { "%.lua$" })

--- Every finding is a line of text; the spec shows them all.
local function assert_none(findings)
  table.sort(findings)
  assert(#findings == 0, "\n  " .. table.concat(findings, "\n  "))
end

--- Call each(path, header, quoted) for every #include of src/.
local function each_include(each)
  for path, text in pairs(C_TEXTS) do
    for open, header in ("\n" .. text):gmatch "\n%s*#%s*include%s*([<\"])([^>\"]+)" do
      each(path, header, open == "\"")
    end
  end
end

local function room_of(path)
  return path:match "^([^/]+)/" or path:match "^(main)%.c$"
end

describe("layers", function()
  it("are rooms that the table knows", function()
    local findings = {}
    for path in pairs(C_TEXTS) do
      if not MAY_INCLUDE[room_of(path) or ""] then
        findings[#findings + 1] = path .. ": in no known room"
      end
    end
    assert_none(findings)
  end)

  it("include only what lies below them", function()
    local findings = {}
    each_include(function(path, header, quoted)
      local from, to = room_of(path), room_of(header)
      if quoted and from ~= to and not (" " .. MAY_INCLUDE[from] .. " "):find(" " .. (to or "?") ..
        " ", 1, true) then
        findings[#findings + 1] = ("%s includes %s"):format(path, header)
      end
    end)
    assert_none(findings)
  end)

  it("keep internal headers inside their folder", function()
    local findings = {}
    each_include(function(path, header, quoted)
      if quoted and header:find "_internal%.h$" and room_of(path) ~= room_of(header) then
        findings[#findings + 1] = ("%s includes %s"):format(path, header)
      end
    end)
    assert_none(findings)
  end)

  it("open third parties' headers only behind their doors", function()
    local findings = {}
    each_include(function(path, header)
      for pattern, doors in pairs(DOORS) do
        if header:find(pattern) and path ~= EVERY_DOOR and not matches_any(path, doors) then
          findings[#findings + 1] = ("%s includes %s"):format(path, header)
        end
      end
    end)
    assert_none(findings)
  end)
end)

describe("a header", function()
  it("compiles alone", function()
    local findings = {}
    for path in pairs(C_TEXTS) do
      if path:find "%.h$" then
        local command = "gcc -fsyntax-only -x c -std=gnu11 -Wall -Werror -D_GNU_SOURCE -Isrc"
          .. " -I/usr/include/luajit-2.1 -I/usr/share/include/llhttp src/" .. path .. " 2>&1"
        findings[#findings + 1] = lines_of(command)[1]
      end
    end
    assert_none(findings)
  end)
end)

describe("a source file", function()
  it("opens with a comment on its role", function()
    local findings = {}
    for path, text in pairs(C_TEXTS) do
      if text:sub(1, 3) ~= "/* " or not text:find(path, 1, true) then
        findings[#findings + 1] = path .. ": does not open with \"/* " .. path .. " - \""
      end
    end
    for path, text in pairs(LUA_TEXTS) do
      if not text:find "^%-%-" then
        findings[#findings + 1] = "lua/" .. path
      end
    end
    assert_none(findings)
  end)

  it("has a name that says what is in it", function()
    local findings = {}
    for path in pairs(C_TEXTS) do
      for _, name in ipairs(NO_NAMES) do
        if path:match "[^/]+$" == name then
          findings[#findings + 1] = path
        end
      end
    end
    assert_none(findings)
  end)

  it("is at most " .. LONGEST_FILE .. " lines long", function()
    local findings = {}
    for _, texts in ipairs { C_TEXTS, LUA_TEXTS, texts_of("spec", { "%.lua$", "%.c$" }) } do
      for path, text in pairs(texts) do
        local _, lines = text:gsub("\n", "")
        if lines > LONGEST_FILE then
          findings[#findings + 1] = ("%s: %d lines"):format(path, lines)
        end
      end
    end
    assert_none(findings)
  end)

  it("calls no function that writes without a bound", function()
    local findings = {}
    for path, text in pairs(C_TEXTS) do
      local code = text:gsub("/%*.-%*/", "")
      for _, name in ipairs(NO_CALLS) do
        if code:find("%f[%w_]" .. name .. "%s*%(") then
          findings[#findings + 1] = path .. " calls " .. name
        end
      end
    end
    assert_none(findings)
  end)
end)

describe("the program", function()
  it("has no mutable state outside the worker", function()
    if os.getenv "SANITIZER" then
      return -- instrumented objects hold the instruments' own data
    end
    local objects, findings = (os.getenv "BUILD" or "build") .. "/obj", {}
    for path in pairs(C_TEXTS) do
      local object = path:gsub("%.c$", ".o")
      if path:find "%.c$" and not MUTABLE[object] then
        local command = ("objdump -t %s/%s 2>/dev/null"):format(objects, object)
        for _, line in ipairs(lines_of(command)) do
          local section, name = line:match " O (%.[%w%._]+)%s+%x+%s+(%S+)$"
          if section and not section:find "^%.rodata" and not section:find "^%.data%.rel%.ro" then
            findings[#findings + 1] = ("%s: %s in %s"):format(path, name, section)
          end
        end
      end
    end
    assert_none(findings)
  end)
end)

describe("the top level", function()
  it("holds nothing but what was agreed", function()
    local findings = {}
    for _, path in ipairs(lines_of "git ls-files 2>/dev/null") do
      local entry = path:match "^[^/]+"
      if not TOP_LEVEL[entry] and entry:sub(1, 1) ~= "." then
        findings[#findings + 1] = path
      end
    end
    assert_none(findings)
  end)
end)
