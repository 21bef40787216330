--- The short ways of the VM beside Jinja: truths that a jump takes, comparisons, attributes of
--- plain tables, the usual calls of the usual filters, call blocks. On values that fit and others.

package.path = "spec/?.lua;" .. package.path

local cjson = require "cjson"
local core = require("support.template").core
local corpus = require "support.corpus"
local environments = require "qlua.environment"

local NULL = cjson.null
local MARKUP = { ["$markup"] = "<i>m</i>" }

local VALUES = { "", "a", "Ab  c", "<b>x</b>", "é<p>ß", 0, 1, -0.5, 2.25, 1e20, true, false, NULL,
  MARKUP, { 1, 2, 3 }, { "b", "A" }, { k = 1 }, { k = NULL } }

-- o.k is the value, o.gone is not there
local ON_VALUES = {
  "{% if o.k %}T{% else %}F{% endif %}{% if not o.k %}N{% endif %}{{ not o.k }}",
  "{{ o.k and 'and' }}{{ o.k or 'or' }}{{ 'then' if o.k else 'else' }}",
  "{{ o.k == 1 }}{{ o.k != 'a' }}{{ o.k == o.k }}{{ not o.k == 0 }}",
  "{% if o.k == 0 %}=0{% endif %}{% if o.k != 1 %}!=1{% endif %}",
  "{% if not o.k == true %}n{% endif %}",
  "{% if o.k < 2 %}<2{% endif %}", "{% if not o.k >= 1 %}<1{% endif %}", "{{ o.k > 0.5 }}",
  "{% if o.k < 'b' %}<b{% endif %}", "{{ 1 < o.k <= 3 }}",
  "{{ o.gone }}|{{ 'y' if o.gone else 'n' }}|{% if not o.gone %}no{% endif %}",
  "{{ o.gone == o.k }}{{ o.k.gone is defined }}", "{% if o.k.gone %}{% endif %}",
  "{{ o.gone.more }}",
  "{{ o.items is defined }}{{ o.keys is defined }}{{ o.k.append is defined }}",
  "{{ '%.2f'|format(o.k) }}", "{{ 'a%.0f b'|format(o.k) }}", "{{ '%.1f%%'|format(o.k) }}",
  "{{ '<%.3f>'|format(o.k) }}", "{{ '%.2fx%s'|format(o.k) }}", "{{ '%s'|format(o.k) }}",
  "{{ o.k|first }}", "{{ [o.k, [o.k], 'xy']|map('first')|list }}", "{{ o.k|striptags }}",
  "{{ (' ' ~ o.k ~ '  two\n\t three<br>four <!-- no --> ' ~ o.k)|striptags }}",
  "{{ [o, {'k': 2}, o]|map(attribute='k')|list }}",
  "{{ [o, {}]|map(attribute='k', default=7)|list }}",
  "{{ [o, {'k': 1}, {'k': true}]|selectattr('k', 'eq', 1)|list|length }}",
  "{{ [o, {'k': 'a'}, {}]|rejectattr('k', 'equalto', 'a')|list|length }}",
  "{{ [o, {'k': false}]|selectattr('k', '==', false)|map(attribute='k')|list }}",
  "{{ [o, {'k': 0}]|selectattr('k', 'ne', o.k)|list|length }}",
  "{% set g = [o, o]|map(attribute='k') %}{{ g|list|length }}{{ g|list|length }}",
  "{{ o.k|lower }}{{ o.k|upper }}{{ o.k|default('d') }}{{ o.gone|default('d') }}",
  -- filters of texts in a chain
  "{{ o.k|lower|upper|title }}|{{ o.k|trim|capitalize }}", "{{ o.k|title }}{{ o.k|trim }}",
  "{{ o.k|lower|replace(' ', '-')|urlencode }}", "{{ o.k|string|replace('b', '<b>', 1)|lower }}",
  "{{ o.k|striptags|truncate(3) }}{{ o.k|string|truncate(2) }}",
  "{{ ('one two ' ~ o.k ~ ' three')|lower|truncate(9, true)|upper }}",
  "{{ ('one twö ' ~ o.k ~ ' three')|lower|truncate(9, false, '…')|upper }}",
  "{{ ('one two ' ~ o.k)|trim|truncate(5, true, '')|replace('o', '') }}",
  "{{ ('one two ' ~ o.k)|trim|truncate(5, true, '<>', 0)|replace('o', o.k) }}",
  "{{ o.k|string|e|lower }}{{ o.k|string|safe|upper }}{{ o.k|safe }}{{ o.k|string|forceescape }}",
  "{{ '<'|e|e }}{{ '<' ~ o.k|string|safe }}{{ ('<' ~ o.k)|safe ~ '<' }}",
  "{% set s = o.k|string|lower|trim %}{{ s }}{{ s|upper == s }}{{ s|trim == s }}"
    .. "{{ [s|upper, 'x', 'Y'|replace('Y', 'z')] }}",
  "{{ o.k|default('x', true)|upper }}{{ o.k|string|default('é', true)|upper }}",
  "{{ o.gone|default('Q')|lower|replace('q', 1) }}{{ o.gone|default('Q', true)|lower }}",
  "{{ o.k|default }}{{ o.k|string|default(1, true)|string|lower }}{{ ''|default(0, 1) }}",
  "{{ ('<A>' if o.k else ' <b> ')|trim|lower|e }}{{ (o.k|lower if o.k else 'C')|upper|lower }}",
  "{{ (o.k and 'Q'|lower)|replace('q', '<') }}{{ (o.k or 'Q'|lower)|replace('q', '<') }}",
  "{{ o.k|string|lower|nosuch if false else 'n' }}",
  "{% filter lower|replace('a', 'b')|trim %} A{{ o.k }} {% endfilter %}",
  "{% autoescape false %}{{ o.k|string|lower|e }}{{ o.k|string|upper }}{% endautoescape %}",
  "{% set a = true %}{% autoescape a %}{{ o.k|string|lower }}{{ o.k|safe }}{% endautoescape %}",
  "{{ ['A <', o.k]|map('lower')|map('trim')|map('replace', ' ', '_')|join('|') }}",
  "{{ ['A <', o.k]|map('string')|map('e')|map('upper')|join('|') }}",
  "{{ '%.2f'|format(o.k)|replace('.', ',') }}{{ '%5.1f'|format(2) }}{{ '%.1f'|format(true) }}",
  -- sequences that go from filter to filter
  "{{ [[o.k], ['b', o.k]]|map('first')|unique|list }}{{ [o.k, o.k, 3]|unique|slice(2)|list }}",
  "{{ ([o.k]|map('string') if o.k else 'xy')|list }}{{ (o.k or [1]|select)|list }}",
  "{% for i in [1, 2] %}{{ (['z', o.k]|map('string') if i == 1 else 'yx')|sort }}{% endfor %}",
  "{{ []|map(attribute='k')|list }}{{ []|select|map('upper')|list }}{{ []|select|list }}",
  "{{ []|select|map|list }}", "{{ []|map|list }}", "{{ []|select|selectattr|list }}",
  "{{ [o.k]|select|list(1) }}", "{{ [o.k]|map('string')|list(x=1) }}",
  "{{ []|select|list(value=1) }}", "{{ [o, {}]|unique(attribute='k')|list|length }}",
  "{{ [o]|unique(attribute='gone')|list|length }}",
  "{{ [{'k': 'a'}, {'k': 'A'}]|groupby('k', case_sensitive=o.k)|length }}",
  "{{ ['a', 'B', 'A']|unique(o.k)|join }}{{ ['b', 'B', 'a']|sort(false, o.k)|join }}",
  "{{ ['b', 'B']|min(o.k) }}{{ ['a', 'A']|max(o.k) }}{{ {'b': 1, 'A': 2}|dictsort(o.k) }}",
  "{{ [o.k]|reject('defined')|first|default('none') }}{{ []|select|sum }}{{ []|select|join }}",
  "{{ [o]|map(attribute='gone')|map('default', o.k)|list }}",
  "{{ [o]|map('default', default_value=3, boolean=true)|list }}{{ [o.k, '']|map('d', 1, 1)|list }}",
  "{{ [o]|map(attribute='k', default=9, nosuch=1)|list }}", "{{ [o]|map(default=3)|list }}",
  "{{ [o, {}]|map(default=o.k, attribute='k')|list }}{{ [o]|map(attribute='k.gone')|list }}",
  "{{ [o]|map('first', attribute='k')|list }}", "{{ [o]|map('attr', value=1)|list }}",
  "{{ [o, o]|map(**{'attribute': 'k'})|list }}{{ [o.k]|map(*['default', 2, true])|list }}",
  "{{ [o.k]|map(attribute=none)|list }}{{ [[o.k]]|map(attribute=0, default=none)|list }}",
  "{{ [o.k, 'A']|map('replace', 'A', 'b', count=1)|list }}", "{{ [o.k]|map('nosuch')|list }}",
  "{{ [o.k]|map(o.k)|list }}", "{{ [o]|selectattr(o.k)|list|length }}", "{{ [o]|selectattr|list }}",
  "{{ [o]|selectattr('k', o.k)|list|length }}", "{{ [o]|selectattr('k', 'eq')|list|length }}",
  "{{ [o]|selectattr('k', 'sameas', o.k)|list|length }}{{ [o, {}]|rejectattr('k')|list|length }}",
  "{{ [o.k, 1, 'a']|reject('string')|list }}{{ [o.k, 2]|select('in', [1, 2, 'a'])|first }}",
  "{{ [o, {'k': 2}]|sort(attribute='k', reverse=true)|map(attribute='k')|join(',') }}",
  "{{ [o, o]|sum('k') < 3 }}", "{{ [o, o]|sum(start=1, attribute='k') > 2 }}",
  "{{ [o]|sum(2, iterable=1) }}",
  "{{ [o, {'k': 1}]|sort(attribute='k')|list|length }}{{ [o]|min(attribute='k') == o }}",
  "{{ ['b', o.k]|sort(true, attribute=none) }}", "{{ ['b', o.k, 'C', 'a']|sort }}{{ [o.k]|sort }}",
  "{{ ['B', o.k, 'b', 'A ', 'a ', 'B']|unique|list }}{{ [1, o.k, 1.0, 2]|unique|list|length }}",
  "{{ ['B', 'b', o.k]|unique(true)|join }}{{ ['é', 'É', o.k]|unique|map('string')|sort }}",
  "{{ [o, {'k': 1}]|selectattr('k')|sort(attribute='k')|map(attribute='k', default=1)|list }}",
  "{{ [o, {'k': 'B'}]|reject('none')|join(',', attribute='k') }}",
  "{{ [o]|select|sum('k', start=1) > 0 }}{{ []|select|min(attribute='k') is defined }}",
  "{{ [[o.k], [1]]|select|map(attribute='0')|list }}{{ [o]|map(attribute='')|list }}",
  "{{ ('abc' ~ o.k)|truncate(killwords=true, length=3, leeway=0) }}",
  "{{ 'ab c'|replace('a', new='b') }}",
  "{{ o.k|default(boolean=true, default_value='z') }}{{ o.gone|default(default_value=o.k) }}",
  "{{ 'a b'|replace(new=o.k, old='a') }}", "{{ [o.k, 1, 2]|batch(fill_with=0, linecount=2)|list }}",
  "{{ [o.k]|batch(fill_with=1)|list }}", "{{ 'abc'|truncate(2, length=3) }}",
  "{{ 'abc'|truncate(length=3, nosuch=1) }}", "{{ 'abc'|truncate(1, true, '', 0, 5, leeway=1) }}",
  "{{ 1 is divisibleby(num=1) }}{{ o.k is sameas(other=o.k) }}", "{{ o.k is divisibleby(by=1) }}",
  "{{ o.k|length }}{{ [o.k]|length }}{{ [o.k]|select|list|count }}",
  "{{ [o.k]|map('length')|list }}",
  "{% set g = [o.k, 2]|select %}{{ g|list }}{{ g|list }}{{ g|first is undefined }}",
  "{% set l = [o.k, 1]|select('defined')|list %}{{ l.append(3) }}{{ l }}{{ l|length }}",
  "{{ [[o.k, 1], [2, 3]]|map('last')|map('string')|batch(1)|first|join('-') }}",
  "{% for x in [o.k, 1]|reject('none')|batch(2) %}{{ x|join }}{{ loop.last }}{% endfor %}",
  "{% macro m(a, b='B') %}[{{ a }}{{ b }}{{ caller(a) }}]{% endmacro %}"
    .. "{% for i in [1, 2] %}{% call(x) m(o.k, i) %}{{ x }}{{ i }}{% endcall %}{% endfor %}",
  "{% macro m(a, b='B') %}[{{ a }}{{ b }}{{ caller() if caller }}]{% endmacro %}"
    .. "{{ m(o.k) }}{% call m(1) %}{{ o.k }}{% endcall %}{% call m(b=o.k) %}{% endcall %}",
  "{% macro m() %}{{ varargs }}{{ kwargs }}{{ caller() }}{% endmacro %}"
    .. "{% call m(o.k, z=1) %}c{% endcall %}",
}

local LOOPS = {
  "{% for x in l %}{{ loop.first }}{{ loop.last }}{% if not loop.last %},{% endif %}{% endfor %}",
  "{% for x in l %}{{ '(' if loop.first }}{{ x }}{% if loop.last %}!{% endif %}{% endfor %}",
  "{% for x in l if x != 2 %}{{ loop.previtem }}{{ loop.length }}{{ loop.last }}{% endfor %}",
  "{% for x in l if true %}{{ loop.revindex0 }}{{ loop.previtem }}{{ loop.nextitem }}{% endfor %}",
  "{% for x in l|map('string') %}{{ loop.last }}{{ loop.last or x }}{% endfor %}",
  "{% for x in l %}{{ 'odd' if loop.index is odd and not loop.last else x }}{% endfor %}",
}

local LISTS = { "", { 1 }, { 1, 2, 3 }, { 2, 2 }, { "a", 2, "b" }, "xyz", { a = 1 } }

local function cases()
  local all = {}
  for _, undefined in ipairs { "default", "strict", "chainable", "debug" } do
    for _, autoescape in ipairs { true, false } do
      local env = { undefined = undefined, autoescape = autoescape }
      for _, source in ipairs(ON_VALUES) do
        for _, value in ipairs(VALUES) do
          all[#all + 1] = { env = env, templates = { main = source }, template = "main",
            context = { o = { k = value } } }
        end
      end
      for _, source in ipairs(LOOPS) do
        for _, list in ipairs(LISTS) do
          all[#all + 1] = { env = env, templates = { main = source }, template = "main",
            context = { l = list } }
        end
      end
    end
  end
  return all
end

--- What Jinja makes of the cases: lines of JSON, in a file.
local function ask_jinja(all)
  local questions, answers = os.tmpname(), os.tmpname()
  local file = assert(io.open(questions, "w"))
  for _, case in ipairs(all) do
    file:write(cjson.encode(case), "\n")
  end
  file:close()
  os.execute(("/usr/bin/python3 spec/support/jinja_render.py <%s >%s"):format(questions, answers))
  local results = corpus.cases(answers)
  os.remove(questions)
  os.remove(answers)
  return results
end

describe("the short ways of the VM", function()
  local all = cases()
  it(("do what Jinja does in %d cases"):format(#all), function()
    local answers, failed = ask_jinja(all), {}
    assert.equal(#all, #answers)
    for i, case in ipairs(all) do
      local expected = answers[i]
      case.context = core.json_decode(cjson.encode(case.context))
      local output = corpus.run(case)
      if output ~= expected.output then
        local wanted = expected.output or expected.message
        failed[#failed + 1] = ("%s %s\n    %s\n    Jinja %s\n    qlua  %s"):format(
          case.env.undefined, cjson.encode(case.context), case.templates.main, tostring(wanted),
          tostring(output))
      end
    end
    assert.equal("", table.concat(failed, "\n", 1, math.min(#failed, 20)))
  end)
end)

describe("a chain of filters of texts", function()
  local env
  before_each(function()
    env = environments.Environment {}
  end)

  local function render(source, context)
    return env:from_string(source):render(context or {})
  end

  it("has the environment's own filters in the builtin ones' places", function()
    env.filters.upper = function(text)
      return "<" .. text .. ">"
    end
    assert.equal("a<a>a", render("{{ x|lower }}{{ x|lower|upper }}{{ x|lower|trim }}", { x = "A" }))
  end)

  it("hands sequences to own filters as before, and runs them in map", function()
    env.filters.first = function(list)
      return list[#list]
    end
    env.filters.list = function(items)
      return items
    end
    local source = "{{ x|map('first')|join(',') }} {{ x|map('first')|list|join('|') }}"
      .. "{% for y in x|select|list %} {{ y|join }}{% endfor %}"
    assert.equal("b,d b|d ab cd", render(source, { x = { { "a", "b" }, { "c", "d" } } }))
  end)

  it("sees filters that come while it renders", function()
    local source = "{{ x|lower|upper }}{{ install() }}{{ x|lower|upper }}"
    assert.equal("ABba", render(source, { x = "AB", install = function()
      env.filters.upper = string.reverse
      return ""
    end }))
  end)

  it("goes on beside own filters of other names, until one of its names comes", function()
    env.filters.twice = function(text)
      return text .. text
    end
    env.tests.odd = function(text)
      return #text % 2 == 1
    end
    local source = "{% for i in [1, 2] %}{{ x|lower|trim|twice|upper|replace('A', '-') }}"
      .. "{{ x is odd }}{{ x is defined }}{{ install() if i == 1 }}{% endfor %}"
    assert.equal("-B-BFalseTrueAbAbFalseTrue", render(source, { x = "Ab", install = function()
      env.filters.trim = function()
        return "Ab"
      end
      env.filters.upper = function(text)
        return text
      end
      env.filters.replace = env.filters.upper
      return ""
    end }))
  end)

  it("goes by the policy of truncate, also when that changes meanwhile", function()
    local source = "{{ x|lower|truncate(4) }},{{ set(0) }}{{ x|lower|truncate(4) }}"
    local output = render(source, { x = "A BCDE", set = function(leeway)
      env.policies["truncate.leeway"] = leeway
      return ""
    end })
    assert.equal("a bcde,a...", output)
    env.policies["truncate.leeway"] = -1
    local ok, err = pcall(render, "{{ 'a'|lower|truncate(4) }}")
    assert.is_false(ok)
    assert.equal("expected leeway >= 0, got -1", err.message)
  end)

  it("takes long texts and short ones by turns", function()
    local long = ("Ab <b>c</b> "):rep(200000)
    local context = { long = long, x = "<I>J" }
    local plain = ("Ab c "):rep(200000):sub(1, -2)
    assert.equal(plain:upper():gsub(" ", "-") .. "|j|" .. plain:lower(),
      render("{{ long|striptags|upper|replace(' ', '-') }}|{{ x|striptags|lower }}|"
        .. "{{ long|lower|striptags|trim }}", context))
  end)

  it("says in which line it failed", function()
    local ok, err = pcall(render, "{{ x\n|lower\n|upper\n|truncate(1) }}", { x = "A" })
    assert.is_false(ok)
    assert.equal("expected length >= 3, got 1", err.message)
    assert.equal(4, err.lineno)
  end)
end)
