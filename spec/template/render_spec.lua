--- The driver and the VM: waiting, streams, modules, limits and where errors say they come from.

package.path = "spec/?.lua;" .. package.path

local core = require("support.template").core
local classes = require "qlua.class"
local environments = require "qlua.environment"
local errors = require "qlua.template_errors"
local loaders = require "qlua.template_loaders"

local function environment(templates, options)
  options = options or {}
  options.loader = loaders.DictLoader(templates or {})
  return environments.Environment(options)
end

local function render(source, context, templates, options)
  return environment(templates, options):from_string(source):render(context)
end

--- The error that rendering raises.
local function failure(source, context, templates, options)
  local ok, err = pcall(render, source, context, templates, options)
  assert.is_false(ok)
  return err
end

--- Run fn in a coroutine that is resumed until it is through; gives its result and how often it
--- waited.
local function patiently(fn)
  local co = coroutine.create(fn)
  local waits = -1
  local ok, result
  repeat
    ok, result = coroutine.resume(co)
    waits = waits + 1
  until not ok or coroutine.status(co) == "dead"
  assert(ok, result)
  return result, waits
end

local function wait(...)
  coroutine.yield()
  return ...
end

--- An object whose fields are there after a wait.
local function slow(fields)
  return setmetatable({}, { __index = function(_, key)
    return wait(fields[key])
  end })
end

describe("a render", function()
  describe("that waits", function()
    local function check(expected, source, context, templates)
      it(source, function()
        local env = environment(templates)
        env.filters.slow = function(value)
          return wait(value)
        end
        env.tests.slow = function(value)
          return wait(value ~= 0)
        end
        env.globals.slow = wait
        local text, waits = patiently(function()
          return env:from_string(source):render(context)
        end)
        assert.equal(expected, text)
        assert.is_true(waits > 0)
      end)
    end
    local object = slow { a = 1, b = "x", inner = slow { c = 2 } }
    check("1", "{{ slow(1) }}", {})
    check("1 x 2", "{{ o.a }} {{ o['b'] }} {{ o.inner.c }}", { o = object })
    check("123", "{% for i in [1, 2, 3] %}{{ i|slow }}{% endfor %}", {})
    check("13", "{% for i in slow([1, 2, 3]) if i != slow(2) %}{{ slow(i) }}{% endfor %}", {})
    check("1.3:2", "{% for i in [1, 0, 3] if i is slow %}{{ i }}{{ '.' if not loop.last }}"
      .. "{% if loop.last %}:{{ loop.length }}{% endif %}{% endfor %}", {})
    check("<1><2>", "{% macro m(a, b=slow(2)) %}<{{ slow(a) }}><{{ b }}>{% endmacro %}{{ m(1) }}",
      {})
    check("[1]", "{% macro m() %}[{{ caller(slow(1)) }}]{% endmacro %}"
      .. "{% call(x) m() %}{{ slow(x) }}{% endcall %}", {})
    check("a-b", "{% include 'i' %}{% import 'm' as m %}{{ m.f('b') }}", {},
      { i = "{{ slow('a') }}", m = "{% macro f(x) %}{{ slow('-') }}{{ slow(x) }}{% endmacro %}" })
    check("(child parent)", "{% extends 'p' %}{% block b %}{{ slow('child') }} {{ super() }}"
      .. "{% endblock %}", {}, { p = "({% block b %}{{ slow('parent') }}{% endblock %})" })
    check("1, 2", "{{ [2, 1]|map('slow')|sort|join(', ') }}", {})
    check("ab", "{{ [o2, o1]|sort(attribute='k')|map(attribute='k')|join }}",
      { o1 = slow { k = "a" }, o2 = slow { k = "b" } })
    check("ok", "{{ 'ok' if slow(false) or (slow(1) and slow(2) > slow(1)) }}", {})
    check("1<2<", "{% for x in [1, [2]] recursive %}{% if x is iterable %}{{ loop(slow(x)) }}"
      .. "{% else %}{{ slow(x) }}<{% endif %}{% endfor %}", {})
    check("A", "{% filter upper %}{{ slow('a') }}{% endfilter %}", {})
    check("b", "{% set x %}{{ slow('b') }}{% endset %}{{ x }}", {})
    check("{'b': 7}", "{{ slow(b=7) }}", {})
  end)

  it("hands several functions their own answers while renders wait beside each other", function()
    local env = environment()
    env.globals.slow = wait
    local template = env:from_string "{% for i in range(5) %}{{ slow(name) }}{{ i }} {% endfor %}"
    local threads, texts = {}, {}
    for n = 1, 3 do
      threads[n] = coroutine.create(function()
        texts[n] = template:render { name = ("abc"):sub(n, n) }
      end)
    end
    for _ = 1, 6 do
      for n = 1, 3 do
        coroutine.resume(threads[n])
      end
    end
    assert.same({ "a0 a1 a2 a3 a4 ", "b0 b1 b2 b3 b4 ", "c0 c1 c2 c3 c4 " }, texts)
  end)

  it("hands no table over where `*` gives values and nobody keywords", function()
    local function count(...)
      return select("#", ...)
    end
    local env = environment()
    env.filters.count = count
    assert.equal("1 3 0 1 1", env:from_string("{{ f(*[1]) }} {{ 'x'|count(*[1, 2]) }} {{ f(**{}) }}"
      .. " {{ f(**{'a': 1}) }} {{ f(*[], a=1) }}"):render { f = count })
  end)

  it("hands keyword arguments over as a table in the last declared parameter's place", function()
    local got = {}
    local function two(...)
      got = { n = select("#", ...), ... }
    end
    render("{{ f(1, x=2) }}", { f = function(a, b, options)
      got = { a, b, options }
    end })
    assert.same({ 1, nil, { x = 2 } }, got)
    render("{{ f(1, 2, 3, x=2) }}", { f = two })
    assert.same({ n = 4, 1, 2, 3, { x = 2 } }, got)
    render("{{ f(1, nothing, *[2], **{'y': 3}) }}", { f = two })
    assert.same({ 1, [3] = 2, [4] = { y = 3 }, n = 4 },
      { got[1], got[2], got[3], { y = got[4].y }, n = got.n })
  end)

  it("takes nil from a function as undefined, and none as none", function()
    assert.equal("| None", render("{{ f() }}| {{ g() }}", {
      f = function() end,
      g = function()
        return core.null
      end,
    }))
  end)

  it("lets an error of a user's function pass as it is", function()
    local raised = { "mine" }
    local err = failure("{{ f() }}", { f = function()
      error(raised)
    end })
    assert.equal(raised, err)
    assert.equal("ok", render("ok")) -- and the next one renders
  end)

  it("sees filters, tests and globals that come later", function()
    local env = environment()
    env.filters.f = string.upper
    local template = env:from_string "{{ 'a'|f }}{{ g }}"
    env.globals.g = 1
    assert.equal("A1", template:render())
    env.filters.f = string.lower
    env.globals.g = 2
    assert.equal("a2", template:render())
  end)
end)

describe("a stream", function()
  it("gives pieces of at least the size asked for, in order", function()
    local env = environment()
    local template = env:from_string "{% for i in range(100) %}{{ i }},{% endfor %}"
    local pieces = {}
    for piece in template:stream({}, 20) do
      pieces[#pieces + 1] = piece
    end
    assert.equal(template:render(), table.concat(pieces))
    assert.is_true(#pieces > 5)
    for i = 1, #pieces - 1 do
      assert.is_true(#pieces[i] >= 20 and #pieces[i] < 40)
    end
  end)

  it("hands out what filters write themselves, also after a wait", function()
    local slow_text = setmetatable({}, { __tostring = function() return wait "abcd" end })
    local next_piece = environment():from_string "{{ x|lower }}{{ slow|upper }}{{ x|upper|e }}!"
      :stream({ x = "Efgh", slow = slow_text }, 4)
    local pieces = patiently(function()
      local pieces = {}
      for piece in next_piece do
        pieces[#pieces + 1] = piece
      end
      return pieces
    end)
    assert.same({ "efgh", "ABCD", "EFGH", "!" }, pieces)
  end)

  it("keeps back what is captured", function()
    local template = environment():from_string("{% set x %}{% for i in range(9) %}{{ i }}"
      .. "{% endfor %}{% endset %}{{ x|length }}")
    local pieces = {}
    for piece in template:stream({}, 2) do
      pieces[#pieces + 1] = piece
    end
    assert.same({ "9" }, pieces)
  end)

  it("ends with an error, and then gives nothing more", function()
    local next_piece = environment():from_string "12345{{ 1 / 0 }}":stream({}, 4)
    assert.equal("12345", next_piece())
    assert.has_error(next_piece)
    assert.is_nil(next_piece())
  end)

  it("waits between pieces", function()
    local env = environment()
    env.globals.slow = wait
    local next_piece = env:from_string "{% for i in range(3) %}{{ slow('abcd') }}{% endfor %}"
      :stream({}, 4)
    local text = patiently(function()
      local pieces = {}
      for piece in next_piece do
        pieces[#pieces + 1] = piece
      end
      return table.concat(pieces, "|")
    end)
    assert.equal("abcd|abcd|abcd", text)
  end)
end)

describe("a module", function()
  it("has the macros and values of the top level, but no private ones", function()
    local env = environment()
    local template = env:from_string(
      "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{% set x = 1 %}{% set _y = 2 %}")
    local module = template:module()
    assert.equal("12", module.m(1))
    assert.equal("34", module.m(3, 4))
    assert.equal(1, module.x)
    assert.is_nil(module._y)
  end)

  it("gives macros that escape, and whose functions may wait", function()
    local env = environment({}, { autoescape = true })
    env.globals.slow = wait
    local module = env:from_string "{% macro m(a) %}<{{ slow(a) }}>{% endmacro %}":module()
    local text = patiently(function()
      return module.m "&"
    end)
    assert.equal("<&amp;>", tostring(text))
    assert.equal("table", type(text)) -- Markup
  end)

  it("is made once for all that import it without context", function()
    local made = 0
    local env = environment { m = "{{ count() }}{% macro f() %}{{ made }}{% endmacro %}" }
    env.globals.count = function()
      made = made + 1
      env.globals.made = made
    end
    local template = env:from_string(
      "{% import 'm' as m %}{% from 'm' import f %}{{ m.f() }}{{ f() }}")
    assert.equal("11", template:render())
    assert.equal("11", template:render())
  end)
end)

describe("an error", function()
  it("tells template, line, the line's text and how it was reached", function()
    local err = failure("x\n{% include 'a' %}", {}, {
      a = "\n\n{% from 'b' import m %}{{ m() }}",
      b = "{% macro m() %}\n{{ nothing.field }}{% endmacro %}",
    })
    assert.is_true(classes.is_a(err, errors.UndefinedError))
    assert.equal("'nothing' is undefined", err.message)
    assert.equal("b", err.name)
    assert.equal(2, err.lineno)
    assert.equal("{{ nothing.field }}{% endmacro %}", err.source)
    assert.same({
      { name = "a", lineno = 3, source = "{% from 'b' import m %}{{ m() }}" },
      { lineno = 2, source = "{% include 'a' %}" },
    }, err.chain)
  end)

  it("of loading tells who wanted what", function()
    local err = failure("{% include 'a' %}", {}, { a = "\n{% extends 'gone' %}" })
    assert.is_true(classes.is_a(err, errors.TemplateNotFound))
    assert.equal("gone", err.message)
    assert.same({ { name = "a", lineno = 2, source = "{% extends 'gone' %}" },
      { lineno = 1, source = "{% include 'a' %}" } }, err.chain)
  end)

  it("of syntax in an included template tells its own place", function()
    local err = failure("{% include 'a' %}", {}, { a = "\n{% if %}" })
    assert.is_true(classes.is_a(err, errors.TemplateSyntaxError))
    assert.equal("a", err.name)
    assert.equal(2, err.lineno)
  end)
end)

describe("a limit", function()
  local function limited(source, options, templates)
    local err = failure(source, {}, templates, options)
    assert.is_true(classes.is_a(err, errors.TemplateLimitError), tostring(err))
    return err.message
  end

  it("ends endless recursion of macros", function()
    assert.equal("recursion: macros, includes, blocks and loops lie deeper in each other than 200 "
      .. "(max_depth)", limited "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")
    limited("{% macro m(n) %}{{ m(n + 1)|upper }}{% endmacro %}{{ m(0) }}")
    limited("{% macro m() %}{% call m() %}{% endcall %}{{ caller }}{% endmacro %}{{ m() }}",
      { max_depth = 50 })
  end)

  it("ends endless recursion of includes, imports, blocks, loops and parents", function()
    limited("{% include 'a' %}", nil, { a = "{% include 'a' %}" })
    limited("{% include 'a' %}", nil, { a = "{% import 'a' as a %}" })
    limited("{% include 'a' %}", nil, { a = "{% extends 'a' %}" })
    limited "{% block b %}{{ self.b() }}{% endblock %}"
    limited "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"
  end)

  it("of values in use tells of them and of the template, whose long line is cut", function()
    local many = ("1,"):rep(9000)
    local text = "too many values in use at once: names, arguments and the items of lists that are "
      .. "written out, in all macros, includes, blocks and loops that run, may be 8000 together; "
      .. "hand a long list to the template as one value"
    assert.equal(text, limited("{{ [" .. many .. "]|length }}"))
    assert.equal(text, limited("{{ f(" .. many .. ") }}"))
    assert.equal(text, limited("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      { max_depth = 100000 }))
    local err = failure("\n{% include 'a' %}", {}, { a = "{% set \195\182 = [" .. many .. "] %}" })
    assert.equal(text .. "\n  template a, line 1: {% set \195\182 = [" .. ("1,"):rep(93)
      .. "1...\n  from template <string>, line 2: {% include 'a' %}", tostring(err))
    local names = {}
    for i = 1, 9000 do
      names[i] = ("{%% set a%d = 1 %%}"):format(i)
    end
    assert.equal(text, limited(table.concat(names)))
  end)

  it("of depth shows both ends of the way there", function()
    local lines = {}
    for line in tostring(failure("{% include 'a' %}", {}, { a = "\n{% include 'a' %}" }))
      :gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    local again = "  from template a, line 2: {% include 'a' %}"
    assert.same({ "recursion: macros, includes, blocks and loops lie deeper in each other than 200 "
      .. "(max_depth)", "  template a, line 2: {% include 'a' %}", again, again, again, again,
      again, "  ... 189 more ...", again, again, again, again,
      "  from template <string>, line 1: {% include 'a' %}" }, lines)
  end)

  it("ends long work", function()
    assert.equal("the template ran for more than 1000 instructions (max_instructions)",
      limited("{% for i in range(10000) %}{{ i }}{% endfor %}", { max_instructions = 1000 }))
    limited("{% for i in range(10000) if false %}{% endfor %}", { max_instructions = 1000 })
    limited("{% for i in range(9) %}{% for i in range(9) %}{% for i in range(99) %}{% endfor %}"
      .. "{% endfor %}{% endfor %}", { max_instructions = 1000 })
  end)

  it("ends long output", function()
    assert.equal("the output is longer than 1000 bytes (max_output)",
      limited("{% for i in range(10000) %}x{% endfor %}", { max_output = 1000 }))
    limited("{% set x %}{% for i in range(10000) %}x{% endfor %}{% endset %}",
      { max_output = 1000 })
    limited("{{ 'x' * 100000 }}", { max_output = 1000 })
  end)

  it("ends a page, and what a stream keeps, at 64 MiB where nothing else is said", function()
    local long = "the output is longer than 67108864 bytes (max_output)"
    local loop = "{% for i in range(100) %}{{ mib }}{% endfor %}"
    local mib = ("x"):rep(1024 * 1024)
    assert.equal(long, failure(loop, { mib = mib }).message)
    local template = environment({}, {})
      :from_string("{% filter upper %}" .. loop .. "{% endfilter %}")
    assert.has_error(function()
      for _ in template:stream({ mib = mib }, 10) do end -- luacheck: ignore 542
    end)
    local total = 0
    for piece in environment({}, {}):from_string(loop):stream({ mib = mib }, 10) do
      total = total + #piece
    end
    assert.equal(100 * #mib, total)
  end)

  it("ends output that filters write themselves", function()
    local long = ("x"):rep(60)
    local slow_text = setmetatable({}, { __tostring = function() return wait(long) end })
    local env = environment({}, { max_output = 100 })
    for _, source in ipairs { "{{ x|upper }}\n{{ x|upper }}", "{{ x|lower|trim }}\n{{ x|e|lower }}",
      "{{ slow|upper }}\n{{ slow|upper }}", "{{ '%s'|format(x) }}\n{{ x|center(70) }}",
      "{% macro m() %}{{ slow|e }}{% endmacro %}{{ m() }}\n{{ m() }}" } do
      local err = patiently(function()
        local template = env:from_string(source)
        local ok, err = pcall(template.render, template, { x = long, slow = slow_text })
        assert.is_false(ok, source)
        return err
      end)
      assert.equal("the output is longer than 100 bytes (max_output)", err.message)
      local outermost = err.chain[#err.chain] or err
      assert.equal(2, outermost.lineno, source)
    end
  end)

  it("counts what a stream has handed out", function()
    local template = environment({}, { max_output = 1000 })
      :from_string "{% for i in range(10000) %}x{% endfor %}"
    local total = 0
    assert.has_error(function()
      for piece in template:stream({}, 10) do
        total = total + #piece
      end
    end)
    assert.is_true(total <= 1000)
  end)

  it("leaves deep but finite templates alone", function()
    assert.equal(("x"):rep(150), render(
      "{% macro m(n) %}x{% if n > 1 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(150) }}"))
  end)
end)

describe("memory", function()
  it("is given back by renders that ended in every way", function()
    local env = environment({ i = "{{ x }}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}" })
    env.globals.slow = wait
    env.globals.fail = function()
      error "no"
    end
    local template = env:from_string "{% include 'i' %}{{ slow('x' * 1000) }}"
    local failing = env:from_string "{% include 'i' %}{{ fail() }}"
    local function round()
      for _ = 1, 50 do
        patiently(function()
          return template:render { x = ("y"):rep(1000) }
        end)
        pcall(failing.render, failing)
        local abandoned = coroutine.create(function()
          return template:render { x = 1 }
        end)
        coroutine.resume(abandoned)
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    round()
    local before = round()
    local after
    for _ = 1, 5 do
      after = round()
    end
    assert.is_true(after - before < 20, ("%.0f KB more"):format(after - before))
  end)
end)
