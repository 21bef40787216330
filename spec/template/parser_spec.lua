--- template/parser: the trees and messages of templates, beside those of Jinja's own parser.

local cjson = require "cjson"
local mutations = require "support.template_mutations"
local parser = require "support.template_parser"

local DO_ALL = { extensions = { "do", "loopcontrols", "i18n", "debug" } }

-- Where Jinja ends in an error of Python's, any error of ours is as good.
local function is_same(got, want)
  if not want.error then
    return got.tree == want.tree
  elseif want.error.kind == "python" or want.error.kind == "recursion" then
    return got.error ~= nil
  end
  return got.error ~= nil and got.error.kind == want.error.kind
    and got.error.line == want.error.line and got.error.message == want.error.message
end

-- Jinja's parser takes a slice beside other indexes; the Python made of it is none.
local function is_bad_slice(got)
  return got.error ~= nil and got.error.message:find "^a slice can not stand" ~= nil
end

local function compare(cases)
  local findings = {}
  for i, want in ipairs(parser.jinja(cases)) do
    local got = parser.parse(cases[i].source, cases[i].env)
    if not is_same(got, want) and not is_bad_slice(got) then
      findings[#findings + 1] = ("%s\n    Jinja %s\n    qlua  %s"):format(cjson.encode(cases[i]),
        cjson.encode(want), cjson.encode(got))
    end
  end
  assert(#findings == 0, #findings .. " templates differ\n  "
    .. table.concat(findings, "\n  ", 1, math.min(#findings, 5)))
end

local function sources(list, env)
  local cases = {}
  for i, source in ipairs(list) do
    cases[i] = { source = source, env = env or DO_ALL }
  end
  return cases
end

local function failure(source, env)
  return assert(parser.parse(source, env or DO_ALL).error, "no error").message
end

describe("template parser", function()
  describe("beside Jinja's", function()
    it("makes the same of every template of the corpus", function()
      compare(parser.corpus_templates())
    end)

    it("makes the same of templates that are nearly right", function()
      compare(mutations.make(parser.corpus_templates(), 20240601, 8000))
    end)

    it("has the same lines in expressions over several lines", function()
      compare(sources {
        "{{ a\n+\nb\n+\nc }}", "{{ a\n.b\n.c\n[1\n]\n(x\n)\n|f\n(1) }}", "{{ a\nif b\nelse c }}",
        "{{ a\nand\nb\nor\nc\nin\nd\n==\ne }}", "{{ a,\nb,\nc }}", "{{ [\n1,\n2] }}",
        "{{ {\n1:\n2} }}",
        "{{ not\na\nis\nnot\nb }}", "{{ -\na ** \nb }}", "{{ a\n~\nb\n~\nc }}", "{{ 'a'\n'b' }}",
        "{% set\nx\n=\n1 %}", "{% set x\n|upper %}\n{% endset %}",
        "{% if\na\n%}\n{% elif\nb %}{% endif %}",
        "{% for\nx\nin\ny\nif\nz\nrecursive %}\n{% else %}\n{% endfor %}",
        "{% macro\nm\n(a,\nb=1) %}{% endmacro %}", "{% call\n(x)\nm\n() %}{% endcall %}",
        "{% from\n'a'\nimport\nb as\nc %}", "{% print\na,\nb %}", "{% do\nx %}",
        "a\n{{ b }}\nc\n{{ d }}",
        "{% trans\na=f(),\nb=1 %}\nx {{ a }}\n{% pluralize %}\ny{{ c }}{% endtrans %}",
      })
    end)

    it("tells the same where several things are wrong", function()
      compare(sources {
        "{{ a b ! }}", "{{ ! a b }}", "{% if %}{{ ! }}", "{% set %}{{ ! }}", "{% set a.b c %}`",
        "{{ f(a=1, 2 ! }}",
        "{% for loop in %}", "{{ 'a }}{% if %}", "{# a {% if %}", "{% raw %}{{", "{{ a.! }}",
        "{% block a-b %}", "{% block 1 %}", "{% from 'a' import _b %}",
        "{% from 'a' import b 'with' context %}",
        "{% trans a, a %}", "{% trans %}{{ a.b }}{% endtrans %}",
        "{% trans %}{% if %}{% endtrans %}",
        "{% trans %}a{% pluralize %}b{% pluralize %}c{% endtrans %}", "{% trans %}",
        "{% trans a %}{% pluralize b %}",
        "{% block a required %}x{% endblock %}", "{% macro m(a, a=1, b) %}",
        "{% call 1 %}{% endcall %}",
      })
    end)
  end)

  it("finds the corpus's errors, at their lines and with their words", function()
    -- what Jinja's compiler finds, not its parser
    local LATER = { "^No filter named", "^No test named", "defined twice",
      "^Can't assign to special",
      "^When defining macros or call blocks" }
    local findings, count = {}, 0
    for case in parser.corpus() do
      local want = case.error
      if case.source and want and (want.kind == "syntax" or want.kind == "assertion")
        and not want.template then
        local got, later = parser.parse(case.source, case.env).error, false
        for _, pattern in ipairs(LATER) do
          later = later or want.message:find(pattern) ~= nil
        end
        count = count + 1
        if later and got or not later and not (got and got.kind == want.kind
          and got.line == want.lineno and got.message == want.message) then
          findings[#findings + 1] = case.id .. " " .. want.message
        end
      elseif case.source and case.output and parser.parse(case.source, case.env).error then
        findings[#findings + 1] = case.id
      end
    end
    assert.same({}, findings)
    assert(count > 100)
  end)

  describe("has a limit", function()
    it("of brackets within each other", function()
      local deep = ("("):rep(150) .. "1" .. (")"):rep(150)
      assert.truthy(parser.parse("{{ " .. deep .. " }}").tree)
      assert.equal("nested too deeply: more than 200 levels of brackets and statements",
        failure("{{ " .. ("("):rep(201)))
      assert.truthy(failure("{{ " .. ("[ "):rep(100000)):find "^nested too deeply")
      assert.truthy(failure("{{ f" .. ("(f"):rep(100000)):find "^nested too deeply")
      assert.truthy(failure("{{ " .. ("{1:"):rep(100000)):find "^nested too deeply")
      assert.truthy(failure("{{ " .. ("-"):rep(100000)):find "^nested too deeply")
      assert.truthy(failure("{{ " .. ("not "):rep(100000)):find "^nested too deeply")
      assert.truthy(failure("{{ a" .. (" if b else a"):rep(100000)):find "^nested too deeply")
      assert.truthy(failure("{% set " .. ("("):rep(100000)):find "^nested too deeply")
    end)

    it("of statements within each other", function()
      assert.truthy(parser.parse(("{% if a %}"):rep(100) .. ("{% endif %}"):rep(100)).tree)
      assert.equal("nested too deeply: more than 200 levels of brackets and statements",
        failure(("{% if a %}"):rep(100000)))
    end)

    it("of operations in a row", function()
      local MESSAGE = "too many operations in one expression or branches in one if: more than 1000"
      for _, piece in ipairs { "+a", " and a", "|f", ".a", "[0]", "()", "**a", " is a(b)", "*a",
        " if a" } do
        assert.truthy(parser.parse("{{ a" .. piece:rep(990) .. " }}").tree, piece)
        assert.equal(MESSAGE, failure("{{ a" .. piece:rep(1100) .. " }}"), piece)
      end
      assert.equal(MESSAGE, failure("{% if a %}" .. ("{% elif a %}"):rep(1100) .. "{% endif %}"))
      assert.truthy(parser.parse("{{ a" .. ("~a"):rep(5000) .. " }}").tree)
      assert.truthy(parser.parse("{{ [" .. ("1,"):rep(5000) .. "] }}").tree)
    end)
  end)

  it("has a limit of variables in one trans", function()
    local names = {}
    for i = 1, 1001 do
      names[i] = ("{{ a%d }}"):format(i)
    end
    assert.truthy(parser.parse("{% trans %}" .. table.concat(names, "", 1, 1000)
      .. "{% endtrans %}", DO_ALL).tree)
    assert.equal("more than 1000 variables in one trans",
      failure("{% trans %}" .. table.concat(names) .. "{% endtrans %}"))
  end)

  it("reads a long dotted name in linear time", function()
    assert.truthy(parser.parse("{{ a|" .. ("b."):rep(100000) .. "c }}").tree)
  end)

  it("refuses a slice beside other indexes", function()
    assert.equal("a slice can not stand beside other indexes", failure "{{ a[1:2, 3] }}")
  end)

  it("takes bytes that are not UTF-8 for text, but not for names", function()
    assert.equal('[ (data:1 "a\255b")]', parser.parse("a\255b").tree)
    assert.equal('[ (output:1 (string:1 "\255"))]', parser.parse("{{ '\255' }}").tree)
    assert.equal("unexpected char '\\xff' at 4", failure "{{ a\255 }}")
  end)

  it("cuts a message that is too long", function()
    local message = failure("{% " .. ("x"):rep(5000) .. " %}")
    assert.equal(511, #message)
    assert.truthy(message:find "^Encountered unknown tag 'xxx")
  end)
end)
