--- Values in templates that only Lua may touch: request, session, g, config, classes, iterators.

local http = require "support.http"
local script = require "support.script"
local server = require "support.server"

local HEAD = [[
local qlua = require "qlua"
local app, request, session, g = qlua.App(...), qlua.request, qlua.session, qlua.g
app.secret_key = "s"
]]

describe("objects in templates", function()
  describe("of a request", function()
    local s

    --- The text of a template in a request of this query.
    local function render(source, query)
      local answer = http.post(s, "/?" .. (query or ""), { body = source })
      assert.equal(200, answer.status, s:stderr())
      return answer.body
    end

    setup(function()
      s = server.start { app = HEAD .. [[
        app.config.LIST, app.config.get_it = { 1, 2 }, function(x) return "got " .. x end
        app:post("/", function()
          session.b, session.a = 2, 1
          session:set("items", "mine")
          g.name, g.fn = "gina", function(x) return "fn " .. x end
          return qlua.render_template_string(request:get_data())
        end)
        return app
      ]] }
    end)
    teardown(server.stop_all)

    -- query, template, output
    local CASES = {
      { "q=1&r=2&q=3", "{{ request.args.q }}{{ request.args['r'] }}[{{ request.args.none }}]",
        "12[]" },
      { "q=1&r=2&q=3", "{{ request.args.get('q') }}{{ request.args.get('x', 5) }}"
        .. "{{ request.args.get('x', default=6) }}{{ request.args.getlist('q') }}",
        "156[&#39;1&#39;, &#39;3&#39;]" },
      { "q=1&r=2&q=3", "{% for k in request.args %}{{ k }}{{ request.args[k] }} {% endfor %}",
        "q1 r2 " },
      { "q=1&r=2", "{% for k, v in request.args.items() %}{{ k }}={{ v }} {% endfor %}"
        .. "{% for k, v in request.args|items %}{{ k }}={{ v }} {% endfor %}", "q=1 r=2 q=1 r=2 " },
      { "q=1&r=2&q=3", "{{ request.args|length }} {{ 'q' in request.args }} "
        .. "{{ 'x' in request.args }} {{ 'x' not in request.args }} "
        .. "{{ request.args.keys()|join('+') }} "
        .. "{{ request.args.values()|join('+') }} {{ request.args.lists()|first|last|join('+') }}",
        "2 True False True q+r 1+2 1+3" },
      { "", "{% for x in [request.args, session, g, config, request.method] %}{{ x is mapping }} "
        .. "{{ x is sequence }} {{ x is iterable }} {{ x is callable }},{% endfor %}",
        ("True True True False,"):rep(2) .. "False False True False,True True True False,"
        .. "False True True False," },
      { "", "{{ 'yes' if request.args else 'no' }} {{ 'yes' if not request.form else 'no' }}",
        "no yes" },
      { "items=1", "{{ request.args['items'] }} {{ request.args.items()|length }}", "1 1" },
      { "", "{{ request.method }} {{ request.path }} {{ request.headers.Host }} "
        .. "{{ request.headers['content-length'] is defined }} {{ request.nothing is defined }}",
        "POST / localhost True False" },
      { "", "{{ request.is_json }} {{ request.view_args }} {{ request.access_route[0] }} "
        .. "{{ request.get_data()|length > 5 }}", "False {} 127.0.0.1 True" },
      { "", "{{ session.a }}{{ session['b'] }}[{{ session.none }}] {{ session.get('a') }} "
        .. "{{ session.get('x', 'd') }} {{ session|length }} {{ 'a' in session }}",
        "12[] 1 d 3 True" },
      { "", "{{ session['items'] }} {% for k, v in session.items() %}{{ k }}{{ v }} {% endfor %}"
        .. "{{ session|dictsort|first }} {{ session.permanent }}",
        "mine a1 b2 itemsmine (&#39;a&#39;, 1) False" },
      { "", "{{ g.name }} {{ g.none }} {{ g.get('none', 'd') }} {{ g.fn(1) }} {{ 'name' in g }} "
        .. "{% for n in g %}{{ n }} {% endfor %}{{ 'yes' if g else 'no' }}",
        "gina  d fn 1 True fn name yes" },
      { "", "{{ config.LIST[1] }} {{ config['DEBUG'] }} {{ config.get('X', 1) }} "
        .. "{{ config.get_it(2) }} {{ 'LIST' in config }} {{ config.items()|list|length > 5 }}",
        "2 False 1 got 2 True True" },
      { "", "{% for k, v in config.items() if k == 'LIST' %}{{ k }}{{ v }}{% endfor %}",
        "LIST[1, 2]" },
      { "", "{{ ['b', 'a']|map('upper')|join }}{{ [request.path, session.a]|sort(attribute='x')"
        .. "|join }}", "BA/1" },
    }
    for _, case in ipairs(CASES) do
      it(case[2], function()
        assert.equal(case[3], render(case[2], case[1]))
      end)
    end
  end)

  describe("of the user's own", function()
    after_each(server.stop_all)

    local CLASSES = [[
      local qlua = require "qlua"
      local Person = qlua.class "Person"
      function Person:init(name, age) self.name, self.age = name, age end
      function Person:greet(word, keywords)
        qlua.sleep(0.001)
        return word .. " " .. self.name .. (keywords and keywords.mark or "")
      end
      function Person.__lt(a, b) qlua.sleep(0.001) return a.age < b.age end
      function Person.__eq(a, b) return a.name == b.name end
      function Person:__tostring() qlua.sleep(0.001) return "<" .. self.name .. ">" end
      local Html = qlua.class "Html"
      function Html:__html() return "<i>" .. self.message .. "</i>" end
      local Bag = qlua.class "Bag"
      function Bag:init(...) for i = 1, select("#", ...) do self[i] = (select(i, ...)) end end
      local lazy = setmetatable({}, { __index = function(_, key)
        qlua.sleep(0.001)
        if key ~= "none" then return key .. "!" end
      end, __len = function() return 2 end, __call = function(_, x) return "called " .. x end })
      local ann, bob = Person("ann", 30), Person("bob", 20)
      local values = { ann = ann, bob = bob, people = { ann, bob }, bag = Bag(7, 8), lazy = lazy,
        html = Html "x", upto = function(n)
          local i = 0
          return function() i = i + 1 if i <= n then return i end end
        end,
        pairs_of = function()
          local i = 0
          return function() i = i + 1 if i < 3 then return i, "v" .. i end end
        end,
        fn = function() return "plain" end,
        total = function(list)
          local sum = 0
          for _, n in ipairs(list) do sum = sum + n end
          return sum
        end,
        defaults = setmetatable({ y = 2, x = 1 }, { __index = { z = 9 } }) }
      local env = qlua.Environment { autoescape = AUTO }
    ]]

    -- template, output, autoescape
    local CASES = {
      { "{{ ann.name }} {{ ann['age'] }} {{ ann.none is defined }}", "ann 30 False" },
      { "{{ ann.greet('hi') }} {{ ann.greet('hi', mark='!') }}", "hi ann hi ann!" },
      { "{{ people|map(attribute='name')|join(',') }} {{ people|sum('age') }}", "ann,bob 50" },
      { "{{ people|sort(attribute='age')|map(attribute='name')|join(',') }}", "bob,ann" },
      { "{{ (people|sort|first).name }} {{ (people|max).name }}", "bob ann" },
      { "{{ people|groupby('age')|map('first')|join(',') }}", "20,30" },
      { "{{ ann }} {{ ann|string|upper }} {{ ann ~ '!' }}", "<ann> <ANN> <ann>!" },
      { "{{ ann }}", "&lt;ann&gt;", true },
      { "{{ html }}{{ html|escape }}", "<i>x</i><i>x</i>", true },
      { "{{ ann < bob }} {{ bob < ann }} {{ ann > bob }} {{ ann == ann }} {{ ann != bob }}",
        "False True True True True" },
      { "{{ ann in people }} {{ bob in [ann] }}", "True False" },
      { "{% for x in bag %}{{ x }} {% endfor %}{{ bag|length }} {{ bag[0] }} {{ bag[-1] }} "
        .. "{{ 8 in bag }} {{ bag|list }}", "7 8 2 7 8 True [7, 8]" },
      { "{{ lazy.a }} {{ lazy['b'] }} {{ lazy.none is defined }} {{ lazy|length }} "
        .. "{{ lazy('x') }} {{ 1 if lazy else 2 }}", "a! b! False 2 called x 1" },
      { "{% for i in upto(3) %}{{ i }}{{ ',' if not loop.last }}{% endfor %}", "1,2,3" },
      { "{% for a, b in pairs_of() %}{{ a }}{{ b }} {% endfor %}", "1v1 2v2 " },
      { "{{ upto(2)|list }} {{ fn() }}", "[1, 2] plain" },
      { "{% for k, v in defaults|items %}{{ k }}{{ v }} {% endfor %}{{ defaults|length }} "
        .. "{{ defaults|list }} {{ defaults.z }} {{ defaults|dictsort|last }}",
        "x1 y2 2 ['x', 'y'] 9 ('y', 2)" },
      { "{% for p in people if p.age > 25 %}{{ p.name }}{% else %}none{% endfor %}", "ann" },
      { "{{ total(range(4)) }} {{ total([1, 2]) }} {{ total((1, 2)) }} {{ total([1]|map('int')) }}",
        "6 3 3 1" },
      { "{% macro show(p) %}{{ p.greet('hi') }}{% endmacro %}{{ show(ann) }}", "hi ann" },
      { "{% if ann %}{{ ann.name or 'x' }}{% endif %}", "ann" },
    }
    for _, case in ipairs(CASES) do
      it(case[1] .. (case[3] and " (autoescape)" or ""), function()
        assert.equal(case[2], script.output(CLASSES:gsub("AUTO", tostring(case[3] or false))
          .. ("io.write(env:from_string(%q):render(values))"):format(case[1])))
      end)
    end

    -- template, message
    local FAILURES = {
      { "{% for x in ann %}{% endfor %}", "'Person' object is not iterable" },
      { "{{ ann|length }}", "object of type 'Person' has no len()" },
      { "{{ total(range(100000000000)) }}",
        "a list of 100000000000 items; the limit is 10000000" },
      { "{{ ann|items|list }}", "'Person' object has no items: it is not a mapping" },
    }
    for _, case in ipairs(FAILURES) do
      it("fails at " .. case[1], function()
        local text = script.output(CLASSES:gsub("AUTO", "false") .. ([[
          local ok, err = pcall(function() return env:from_string(%q):render(values) end)
          print(err)
        ]]):format(case[1]))
        assert.matches(case[2], text, 1, true)
        assert.matches("template <string>, line 1: " .. case[1], text, 1, true)
      end)
    end
  end)
end)
