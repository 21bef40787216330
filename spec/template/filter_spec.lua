--- The builtin filters, tests and globals: beside Jinja's on made-up input, on objects that wait,
--- at their limits, and what they say when they fail. The corpus has their plain cases.

package.path = "spec/?.lua;" .. package.path

local core = require("support.template").core
local classes = require "qlua.class"
local environments = require "qlua.environment"
local errors = require "qlua.template_errors"

local SEED, CASES = 20, 3000

local function environment(options)
  return environments.Environment(options or {})
end

local function render(source, context, options)
  return environment(options):from_string(source):render(context or {})
end

--- The error that rendering raises.
local function failure(source, context, options)
  local ok, err = pcall(render, source, context, options)
  assert(not ok, "no error but " .. tostring(err))
  return err
end

describe("filters and tests", function()
  it(("do what Jinja's do on %d made-up templates"):format(CASES), function()
    local by_escape = { [true] = environment { autoescape = true }, [false] = environment() }
    local pipe = assert(io.popen(("/usr/bin/python3 spec/support/python_filters.py %d %d")
      :format(SEED, CASES)))
    local count, failed = 0, {}
    for line in pipe:lines() do
      local case = core.json_decode(line)
      local ok, got = pcall(function()
        return by_escape[case.autoescape]:from_string(case.source):render {}
      end)
      local is_same = ok and got == case.output
      if case.class then
        is_same = not ok and classes.is_a(got, errors[case.class])
      end
      if not is_same then
        failed[#failed + 1] = ("%s\n  Jinja: %s\n  here:  %s"):format(case.source,
          case.output or case.class .. ": " .. case.error, tostring(got))
      end
      count = count + 1
    end
    pipe:close()
    assert.equal("", table.concat(failed, "\n"))
    assert.truthy(count > CASES * 0.9)
  end)
end)

describe("filters on objects", function()
  -- every look at an object waits once
  local waiting = {
    __index = function(object, key)
      coroutine.yield "index"
      return rawget(object, "fields")[key]
    end,
    __tostring = function(object)
      coroutine.yield "text"
      return "<" .. rawget(object, "fields").n .. ">"
    end,
    __lt = function(a, b)
      coroutine.yield "less"
      return rawget(a, "fields").n < rawget(b, "fields").n
    end,
    __add = function(a, b)
      coroutine.yield "add"
      return (type(a) == "number" and a or rawget(a, "fields").n)
        + (type(b) == "number" and b or rawget(b, "fields").n)
    end,
  }

  local function object(n, name)
    return setmetatable({ fields = { n = n, name = name, parts = { { n } } } }, waiting)
  end

  local function list()
    return { object(2, "b"), object(1, "a"), object(3, "B"), object(1, "c") }
  end

  --- Render in a coroutine as a task would; gives the output and how often it waited.
  local function render_waiting(source, options)
    local env = environment(options)
    env.filters.slow = function(value)
      coroutine.yield "filter"
      return value * 10
    end
    env.tests.slow = function(value, than)
      coroutine.yield "test"
      return value > than
    end
    local task = coroutine.create(function()
      return env:from_string(source):render { list = list(), numbers = { 3, 1, 2 } }
    end)
    local waits = -1
    repeat
      local ok, result = coroutine.resume(task)
      assert(ok, tostring(result))
      waits = waits + 1
      if coroutine.status(task) == "dead" then
        return result, waits
      end
    until false
  end

  -- template, output, how often Lua waits (nil: at least once)
  local TEMPLATES = {
    { "{{ list|map(attribute='n')|join(',') }}", "2,1,3,1", 4 },
    { "{{ list|map(attribute='parts.0.0')|join(',') }}", "2,1,3,1", 4 },
    { "{{ list|map(attribute='x', default=0)|join(',') }}", "0,0,0,0", 4 },
    { "{{ list|sort(attribute='n')|map(attribute='name')|join }}", "acbB", 8 },
    { "{{ list|sort(attribute='n', reverse=true)|map(attribute='name')|join }}", "Bbac", 8 },
    { "{{ list|sort(attribute='name,n')|map(attribute='n')|join }}", "1231", 12 },
    { "{{ list|sort|map(attribute='name')|join }}", "acbB" },
    { "{% for k, l in list|groupby('name') %}{{ k }}{{ l|length }} {% endfor %}", "a1 b2 c1 ", 4 },
    { "{{ (list|min(attribute='n')).name }}{{ (list|max(attribute='n')).name }}", "aB", 10 },
    { "{{ (list|min).n }}{{ (list|max).n }}", "13" },
    { "{{ list|sum(attribute='n') }}", "7", 4 },
    { "{{ list|sum }} {{ list|sum(start=10) }}", "7 17", 8 },
    { "{{ list|join(', ') }}", "<2>, <1>, <3>, <1>", 4 },
    { "{{ list|join(', ', attribute='name') }}", "b, a, B, c", 4 },
    { "{{ list|unique(attribute='name')|map(attribute='n')|join }}", "211", 7 },
    { "{{ list|selectattr('n', 'gt', 1)|map(attribute='n')|join }}", "23", 6 },
    { "{{ list|rejectattr('n', 'odd')|map(attribute='n')|join }}", "2", 5 },
    { "{{ list|selectattr('n', 'slow', 2)|map(attribute='n')|join }}", "3", 9 },
    { "{{ numbers|map('slow')|join(',') }}", "30,10,20", 3 },
    { "{{ numbers|select('slow', 1)|join(',') }}", "3,2", 3 },
    { "{{ numbers|reject('slow', 1)|map('slow')|join(',') }}", "10", 4 },
    { "{{ list|map('string')|map('upper')|join }}", "<2><1><3><1>", 4 },
    { "{{ '%s-%s'|format(list[0], 5) }}", "<2>-5", 1 },
    { "{{ {'a': list[0]}|urlencode }}", "a=%3C2%3E", 1 },
    { "{{ {'a': list[0]}|xmlattr }}", ' a="&lt;2&gt;"' },
    { "{{ list[0]|escape }} {{ list[0]|upper }} {{ list[0]|trim }}", "&lt;2&gt; <2> <2>" },
    { "{{ list[0]|attr('name') }}", "b", 1 },
    { "{% for x in [list, list[0]] %}{{ x is mapping }} {{ x is sequence }} {{ x is iterable }} "
      .. "{{ x is callable }} {{ x is escaped }},{% endfor %}",
      "False True True False False,True True True False False," },
  }
  for _, case in ipairs(TEMPLATES) do
    it("wait in " .. case[1], function()
      local output, waits = render_waiting(case[1])
      assert.equal(case[2], output)
      if case[3] then
        assert.equal(case[3], waits)
      else
        assert.truthy(waits > 0)
      end
    end)
  end

  it("let an error of theirs through", function()
    local broken = setmetatable({}, { __index = function() error { code = 404 } end })
    assert.equal(404, failure("{{ [x]|map(attribute='a')|join }}", { x = broken }).code)
  end)

  it("ask for HTML where text is escaped", function()
    local html = setmetatable({}, { __html = function() return "<i>" end,
      __tostring = function() return "<t>" end })
    local context = { x = html }
    assert.equal("<i>,&lt;", render("{{ [x, '<']|join(',') }}", context, { autoescape = true }))
    assert.equal("<t>,<", render("{{ [x, '<']|join(',') }}", context))
    assert.equal("&lt;i&gt; <i> i True", render(
      "{{ x|forceescape }} {{ x|safe }} {{ 'i'|string }} {{ x is escaped }}", context))
  end)
end)

describe("filters at their limits", function()
  -- each would take more memory than there is
  local HOSTILE = {
    "{{ 'a'|center(1e9) }}", "{{ 'a\nb'|indent(1e9) }}", "{{ [1]|batch(1e9, 0)|list }}",
    "{{ [1]|slice(1e9)|list }}", "{{ ('a'|center(1e6))|replace('', 'x'|center(1e6)) }}",
    "{{ [[1]]|tojson(1e9) }}", "{{ lipsum(1e9) }}",
    "{{ (['x'|center(1e7)] * 20)|join }}",
    "{{ (['x'|center(1e5)] * 100)|join('x'|center(1e6)) }}",
    "{{ 'a b c d e f'|wordwrap(1, true, 'x'|center(3e7)) }}",
  }
  for _, source in ipairs(HOSTILE) do
    it("end " .. source, function()
      assert.truthy(classes.is_a(failure(source), errors.TemplateLimitError))
    end)
  end

  it("count as instructions what they do to long texts and lists", function()
    local uses = { "t|upper", "t|urlize", "t|wordwrap(3)", "t|trim", "t|title", "t|wordcount",
      "t|striptags", "t|replace(' ', 'x')", "t|urlencode", "t|int", "t|tojson", "[t]|pprint",
      "[t, t]|join", "l|sort", "l|sum", "l|max", "l|map('string')|unique", "l|batch(2)",
      "l|tojson", "l|pprint", "l|groupby('x')", "lipsum(100)" }
    for _, use in ipairs(uses) do
      local err = failure("{% set l = range(30000)|list %}{% for i in range(100000) %}{% set x = "
        .. use .. " %}{% endfor %}", { t = ("ab "):rep(30000) }, { max_instructions = 100000 })
      assert.truthy(classes.is_a(err, errors.TemplateLimitError), use)
      assert.truthy(err.message:find "instructions", use)
    end
  end)

  it("count a range only where it is limited", function()
    assert.equal("999999999999", render "{{ range(1e12)[-1] }}")
    local err = failure("{{ range(101) }}", {}, { max_range = 100 })
    assert.truthy(classes.is_a(err, errors.TemplateLimitError))
    assert.equal("Range too big. The limit of a range is 100 items.", err.message)
  end)

  it("end what nests too deep", function()
    local deep = {}
    for _ = 1, 1000 do
      deep = { deep }
    end
    for _, filter in ipairs { "tojson", "pprint" } do
      assert.truthy(classes.is_a(failure("{{ x|" .. filter .. " }}", { x = deep }),
        errors.TemplateLimitError))
    end
  end)
end)

describe("what filters say", function()
  -- template, class of the error, its message
  local MESSAGES = {
    { "{{ [1]|join('', attribute='" .. ("."):rep(1500) .. "') }}", "FilterArgumentError",
      "an attribute path has more than 1000 parts" },
    { "{{ [1]|sort(attribute='" .. (","):rep(1500) .. "') }}", "FilterArgumentError",
      "sort has more than 1000 attributes" },
    { "{{ {'a': 1}|random }}", "TemplateRuntimeError",
      "a dict has no item by number; use its keys: |list|random" },
    { "{{ ([1] * 300)|truncate }}", "TemplateRuntimeError", "only text can be cut, not 'list'" },
    { "{{ x|truncate }}", "TemplateRuntimeError",
      "object of type 'object' has no len(); use |string first" },
    { "{{ f|tojson }}", "TemplateRuntimeError",
      "Object of type function is not JSON serializable" },
    { "{{ nope|tojson }}", "TemplateRuntimeError",
      "Object of type Undefined is not JSON serializable" },
    { "{{ 'x'|urlize(extra_schemes=[1]) }}", "TemplateRuntimeError",
      "a URI scheme prefix is text, not 'int'" },
    { "{{ 'x'|urlize(extra_schemes=['a b']) }}", "FilterArgumentError",
      "'a b' is not a valid URI scheme prefix." },
    { "{{ {}|dictsort(by='x') }}", "FilterArgumentError",
      'You can only sort by either "key" or "value"' },
    { "{{ [1]|map }}", "FilterArgumentError", "map requires a filter argument" },
    { "{{ [1]|map(attribute='a', x=1) }}", "FilterArgumentError",
      "Unexpected keyword argument 'x'" },
    { "{{ [1]|selectattr }}", "FilterArgumentError", "Missing parameter for attribute name" },
    { "{{ 1|round(method='up') }}", "FilterArgumentError",
      "method must be common, ceil or floor" },
    { "{{ '%s'|format(1, a=2) }}", "FilterArgumentError",
      "can't handle positional and keyword arguments at the same time" },
    { "{{ [1, 'a']|sort }}", "TemplateRuntimeError",
      "'<' not supported between instances of 'str' and 'int'" },
    { "{{ [1]|batch('x', 1)|list }}", "TemplateRuntimeError",
      "'str' object cannot be interpreted as an integer" },
    { "{{ 5|reverse }}", "FilterArgumentError", "argument must be iterable" },
    { "{{ lipsum(1, min=5, max=5) }}", "TemplateRuntimeError",
      "empty range for randrange() (5, 5, 0)" },
    { "{{ cycler() }}", "TemplateRuntimeError", "at least one item has to be provided" },
    { "{{ range(1, 2, 0) }}", "TemplateRuntimeError", "range() arg 3 must not be zero" },
    { "{{ dict([[1]]) }}", "TemplateRuntimeError",
      "dictionary update sequence element #0 has length 1; 2 is required" },
  }
  for _, case in ipairs(MESSAGES) do
    it(("%q"):format(case[3]), function()
      local err = failure(case[1], { f = function() end, x = setmetatable({}, {}) })
      assert.equal(case[3], err.message)
      assert.truthy(classes.is_a(err, errors[case[2]]))
    end)
  end
end)

describe("tojson", function()
  local function with_policy(name, value, source, context)
    local env = environment()
    env.policies[name] = value
    return env:from_string(source):render(context or {})
  end

  it("takes the keyword arguments of the policy json.dumps_kwargs", function()
    assert.equal('{\n "a": 1\n}', with_policy("json.dumps_kwargs", { indent = 1 },
      "{{ {'a': 1}|tojson }}"))
    assert.equal('{"b": 1, "a": 2}', with_policy("json.dumps_kwargs", { sort_keys = false },
      "{{ {'b': 1, 'a': 2}|tojson }}"))
    assert.equal('"é"', with_policy("json.dumps_kwargs", { ensure_ascii = false },
      "{{ 'é'|tojson }}"))
  end)

  it("calls the function of the policy json.dumps_function, and makes its text safe", function()
    local function dumps(value, options)
      return ("<%s %s>"):format(value, tostring(options.indent))
    end
    assert.equal("\\u003c1 2\\u003e", with_policy("json.dumps_function", dumps,
      "{{ 1|tojson(indent=2) }}"))
  end)

  it("writes the fields of an instance", function()
    assert.equal('{"a":1}', render("{{ x|tojson }}", { x = setmetatable({ a = 1 }, {}) }))
  end)
end)

describe("random and lipsum", function()
  it("take each item, and nothing else", function()
    local seen, env = {}, environment()
    local template = env:from_string "{{ ['a', 'b', 'c']|random }}"
    for _ = 1, 300 do
      seen[template:render {}] = true
    end
    assert.same({ a = true, b = true, c = true }, seen)
    assert.equal("[]", render "[{{ []|random }}]")
  end)

  it("make paragraphs of as many words as asked for", function()
    local text = render "{{ lipsum(3, html=false, min=5, max=6) }}"
    local paragraphs = 0
    for paragraph in (text .. "\n\n"):gmatch "(.-)\n\n" do
      local _, words = paragraph:gsub("%a+", "")
      assert.equal(5, words)
      assert.truthy(paragraph:find "^%u.*%.$")
      paragraphs = paragraphs + 1
    end
    assert.equal(3, paragraphs)
    assert.truthy(render("{{ lipsum() }}", {}, { autoescape = true }):find "^<p>.*</p>$")
  end)
end)
