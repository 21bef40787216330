--- Templates that try to take more time or memory than they were given: each ends in an error.

local cjson = require "cjson"
local files = require "support.files"

local BUILD = os.getenv "BUILD" or "build"

-- a statement within a loop of many turns
local function often(before, statement)
  return ("%s{%% for i in range(100000) %%}%s{%% endfor %%}"):format(before, statement)
end

-- ns.v becomes what the expression makes of it, a hundred times
local function growing(first, expression)
  return ("{%% set ns = namespace(v=%s, w=%s) %%}{%% for i in range(100) %%}{%% set ns.v = %s %%}"
    .. "{%% set ns.w = %s %%}{%% endfor %%}"):format(first, first, expression,
    (expression:gsub("ns%.v", "ns.w")))
end

local LIST = "{% set l = range(100000)|list %}"
local TEXT = "{% set s = 'é' * 4000000 %}"

local WORDS = { instructions = "more than 3000000 instructions", text = "a text of %d+ bytes",
  list = "a list of %d+ items", depth = "deeper than 150 levels",
  items = "more than 20000000 items" }

local CASES = {
  { often("", "{% set x = 'x' * 1000000 %}"), "instructions" },
  { often(TEXT, "{% if s[-1] == 'x' %}{% endif %}"), "instructions" },
  { often(TEXT, "{{ s|length }}"), "instructions" },
  { often(TEXT, "{% if 'z' in s %}{% endif %}"), "instructions" },
  { often(TEXT, "{% set x = s.find('z') %}"), "instructions" },
  { often(LIST, "{% if -1 in l %}{% endif %}"), "instructions" },
  { often(LIST, "{% set x = l.insert(0, 1) %}"), "instructions" },
  { often(LIST, "{% set x = l.pop(0) %}"), "instructions" },
  { often(LIST, "{% set x = l.sort() %}"), "instructions" },
  { often(LIST, "{% set x = l + l %}"), "instructions" },
  { often(LIST, "{% if l == range(100000)|list %}{% endif %}"), "instructions" },
  { often(LIST, "{% set x = l|string %}"), "instructions" },
  { often("{% set s = 'a ' * 1000000 %}", "{% set x = s.split() %}"), "instructions" },
  { often("{% set d = {} %}{% for i in range(100000) %}{% set x = d.update({i: i}) %}{% endfor %}",
    "{% for k in d %}{% if k %}{% endif %}{% endfor %}"), "instructions" },
  { growing("'ab'", "ns.v.replace('a', ns.v)"), "text" },
  { growing("'ab'", "ns.v.join(ns.v)"), "text" },
  { growing("'ab'", "ns.v ~ ns.v"), "text" },
  { growing("'ab'", "'%s%s' % (ns.v, ns.v)"), "text" },
  { growing("'ab'", "'{0}{0}'.format(ns.v)"), "text" },
  { growing("[1]", "ns.v + ns.v"), "list" },
  { growing("[1]", "[ns.v, ns.v]") .. "{{ ns.v }}", "text" },
  { growing("[1]", "[ns.v, ns.v]") .. "{{ ns.v == ns.w }}", "items" },
  { growing("[1]", "[[ns.v]]") .. "{{ ns.v }}", "depth" },
  { growing("[1]", "[[ns.v]]") .. "{{ ns.v == ns.w }}", "depth" },
  { growing("[1]", "[[ns.v]]") .. "{{ ns.v < ns.w }}", "depth" },
  { growing("(1,)", "((ns.v,),)") .. "{{ {ns.v: 1} }}", "depth" },
  { "{{ '%1000000000d' % 1 }}", "text" },
  { "{{ '%*d' % (1000000000, 1) }}", "text" },
  { "{{ '%.1000000000f' % 1 }}", "text" },
  { "{{ '{:1000000000}'.format(1) }}", "text" },
  { "{{ '{:.1000000000f}'.format(1) }}", "text" },
  { "{{ '{:{}}'.format('x', 1000000000) }}", "text" },
  { "{{ 'a'.center(1000000000) }}", "text" },
  { "{{ '\\t'.expandtabs(1000000000) }}", "text" },
  { "{{ 'a'.zfill(1000000000) }}", "text" },
  { "{{ 'x' * 1000000000 }}", "text" },
  { "{{ 'x' * 10 ** 300 }}", "text" },
  { "{{ [1] * 1000000000 }}", "list" },
  { "{% set l = [1] %}{% for i in range(100) %}{% set x = l.extend(l) %}{% endfor %}", "list" },
}

describe("a template that asks for too much", function()
  it("ends in an error, soon", function()
    local folder = files.folder()
    local input, output = folder .. "/cases", folder .. "/answers"
    local lines = {}
    for i, case in ipairs(CASES) do
      lines[i] = cjson.encode { templates = { main = case[1] }, context = {}, env = {
        max_instructions = 3e6, max_output = 10e6, max_range = 1e6 } } .. "\n"
    end
    files.write(input, table.concat(lines))
    -- 60 seconds of processor time for all
    local limit = "ulimit -t 60; " .. (os.getenv "SANITIZER" and "" or "ulimit -v 2000000; ")
    local command = limit .. "%s/qlua spec/fuzz/jinja_qlua.lua <%s >%s"
    assert.equal(0, os.execute(command:format(BUILD, input, output)))
    local i = 0
    for line in io.lines(output) do
      i = i + 1
      local message = cjson.decode(line).message
      assert.truthy(message and message:find(WORDS[CASES[i][2]]),
        ("%s\n%s"):format(CASES[i][1], line))
    end
    assert.equal(#CASES, i)
    files.remove(folder)
  end)

  it("is compiled soon, however many names it has", function()
    local source = {}
    for i = 1, 3000 do
      source[#source + 1] = ("{{ a%d }}{%% if x %%}{%% endif %%}"):format(i)
    end
    source[#source + 1] = ("{% if x %}{% set a1 = 1 %}{% endif %}"):rep(20000)
    local folder = files.folder()
    files.write(folder .. "/case", cjson.encode { templates = { main = table.concat(source) },
      context = {}, env = {} } .. "\n")
    local limit = "ulimit -t 30; " .. (os.getenv "SANITIZER" and "" or "ulimit -v 1000000; ")
    local pipe = io.popen((limit .. "%s/qlua spec/fuzz/jinja_qlua.lua <%s/case"):format(BUILD,
      folder))
    assert.equal("", cjson.decode(pipe:read "*a").output)
    pipe:close()
    files.remove(folder)
  end)

  it("may hold a list that holds itself", function()
    local pipe = io.popen(("echo '%s' | %s/qlua spec/fuzz/jinja_qlua.lua"):format(cjson.encode {
      templates = { main = "{% set l = [1] %}{% set x = l.append(l) %}{{ l }}"
        .. "{% set d = {} %}{% set x = d.update(a=d) %}{{ d }}{{ l == l }}" }, context = {},
      env = {} }, BUILD))
    assert.equal("[1, [...]]{'a': {...}}True", cjson.decode(pipe:read "*a").output)
    pipe:close()
  end)
end)
