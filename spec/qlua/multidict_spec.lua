--- MultiDict and Headers: reading what a client sent, writing header lines.

local server = require "support.server"
local views = require "support.views"

local VIEWS = {
  index = [[ local a = request.args
    return { q = a.q, none = a.none == nil, number = a[1], odd = a[true] == nil } ]],
  method_wins = [[ local a = request.args
    return { kind = type(a.get), get = a:get "get", items = a:get "items", set = a.set } ]],
  get = [[ local a = request.args
    return { a:get "q", a:get("none", "d"), a:get("n", 1, tonumber), a:get("q", 7, tonumber),
      a:get("q", "d", error), a:get("q", "d", string.upper), a:get "none" == nil } ]],
  getlist = [[ local a = request.args
    return { a:getlist "n", a:getlist("n", tonumber), a:getlist "none" } ]],
  items = [[ local out = {}
    for k, v in request.args:items() do out[#out + 1] = k .. "=" .. v end
    return out ]],
  keys = "return request.args:keys()",
  lists = [[ local out = {}
    for k, v in request.args:lists() do out[#out + 1] = { k, v } end
    return out ]],
  to_dict = "return { request.args:to_dict(), request.args:to_dict { flat = false } }",
  contains = 'return { request.args:contains "q", request.args:contains "none" }',
  length = "return #request.args",
  text = "return tostring(request.args)",
  assign = "request.args.q = 1",
  headers_assign = 'request.headers["X-A"] = "b"',
  iterate = "for _ in pairs(request.args) do end",
  no_self = 'return request.args.get "q"',
  bad_key = "local v = request.args:get {} return v",
  bad_convert = 'local v = request.args:get("q", 1, 5) return v',
  bad_flat = "local v = request.args:to_dict(false) return v",
  unknown_flat = "local v = request.args:to_dict { flt = false } return v",
  unknown_multi = "local v = request.args:items { mutli = true } return v",
  all_items = [[ local list = qlua.array {}
    for name, value in request.args:items { multi = true } do list[#list + 1] = name .. value end
    return list ]],
  many = [[ local n = 0
    for _ in request.args:items() do n = n + 1 end
    for _, list in request.args:lists() do n = n + #list end
    return { n, #request.args, #request.args:keys(), request.args.k77 } ]],
  header_items = [[ local out = {}
    for k, v in request.headers:items() do out[#out + 1] = k .. ": " .. v end
    return out ]],
  header_case = [[ local h = request.headers
    return { h["x-token"], h["X-TOKEN"], h:get "x-Token", h:getlist "X-token",
      h:contains "X-toKen", h:to_dict()["X-Token"], #h:keys() } ]],
  write = [[ local h = qlua.Headers { ["Content-Type"] = "text/plain" }
    h["X-N"] = 5
    h.X_A = "one"
    h:add("X-A", "1")
    h:add("x-a", "2")
    h:set("X-B", "b")
    h:set("X-B", "c")
    h:setlist("X-L", { "l1", 2 })
    h.X_A = nil
    local before = h:setdefault("X-B", "other")
    local after = h:setdefault("X-D", "new")
    local popped = h:pop "x-n"
    return { h["content-type"], h:getlist "X-A", h["X-B"], h:getlist "x-l", h.X_A == nil, before,
      after, popped, h:pop("X-N", "gone"), #h } ]],
  order = [[ local h = qlua.Headers { { "A", "1" }, { "B", "2" }, { "A", "3" } }
    h:set("a", "4")
    h:add("C", "5")
    local out = {}
    for k, v in h:items() do out[#out + 1] = k .. "=" .. v end
    return out ]],
  update = [[ local h = qlua.Headers { { "A", "1" }, { "A", "2" }, { "B", "3" } }
    h:update { A = { "x", "y" }, C = "z" }
    local other = qlua.Headers { { "B", "4" }, { "B", "5" } }
    h:update(other)
    h:update(h)
    h:remove "C"
    local lists = { h:getlist "A", h:getlist "B", h:getlist "C" }
    h:clear()
    return { lists, #h } ]],
  params = [[ local h = qlua.Headers()
    h:add("A", "attachment", { filename = "a b.txt", size = 3 })
    h:add("B", "x", { plain = "token", quoted = 'say "hi"\\', under_score = "", ext = "ü" })
    return { h.A, h.B } ]],
  grow = [[ local h = qlua.Headers()
    for round = 1, 3 do
      for i = 1, 200 do h["K" .. i] = (round .. "v"):rep(i) end
      collectgarbage()
    end
    for i = 1, 200, 2 do h["k" .. i] = nil end
    for i = 1, 200 do
      assert(h["k" .. i] == (i % 2 == 0 and ("3v"):rep(i) or nil), i)
    end
    return #h ]],
  big_number = "local h = qlua.Headers { A = 1e15, B = 0.5 } return { h.A, h.B }",
  bad_value = 'local h = qlua.Headers() h["X-Bad"] = "a\\r\\nSet-Cookie: b" return #h',
  nul_value = 'local h = qlua.Headers() h["X-Bad"] = "a\\0b"',
  bad_name = 'local h = qlua.Headers() h["X Bad"] = "a"',
  empty_name = 'local h = qlua.Headers() h[""] = "a"',
  bad_param = 'qlua.Headers():add("X-P", "a", { filename = "a\\nb" })',
  table_value = 'local h = qlua.Headers() h["X-T"] = { "a" }',
  boolean_value = 'local h = qlua.Headers() h["X-T"] = true',
  method_name = 'local h = qlua.Headers() h.get = "x"',
  bad_init = "qlua.Headers(5)",
  params_type = 'qlua.Headers():add("A", "b", "c")',
}

describe("multidict", function()
  local live

  setup(function()
    live = views.start(VIEWS)
  end)

  teardown(server.stop_all)

  local function value(target, options)
    return views.value(live, target, options)
  end

  local function error_of(name)
    local answer = views.call(live, "/" .. name .. "?q=1&n=2")
    return type(answer) == "table" and answer.error or tostring(answer)
  end

  describe("reading", function()
    it("gives the first value by plain index", function()
      assert.same({ q = "a b", none = true, number = "one", odd = true },
        value "/index?q=a+b&q=c&1=one")
    end)

    it("lets a method's name win over a key", function()
      assert.same({ kind = "function", get = "x", items = "y", set = "z" },
        value "/method_wins?get=x&items=y&set=z")
    end)

    it("converts, and falls back to the default", function()
      assert.same({ "ab", "d", 3, 7, "d", "AB", true }, value "/get?q=ab&n=3&n=x")
    end)

    it("lists all values, leaving out what does not convert", function()
      assert.same({ { "3", "x", "5" }, { 3, 5 }, {} }, value "/getlist?n=3&n=x&n=5")
    end)

    it("iterates over the first value of each name, in order", function()
      assert.same({ "b=1", "a=2", "c=" }, value "/items?b=1&a=2&b=3&c")
      assert.same({ "b1", "a2", "b3" }, value "/all_items?b=1&a=2&b=3")
      assert.same({ "b", "a" }, value "/keys?b=1&a=2&b=3")
      assert.same({ { "b", { "1", "3" } }, { "a", { "2" } } }, value "/lists?b=1&a=2&b=3")
    end)

    it("becomes a plain table", function()
      assert.same({ { a = "1", b = "2" }, { a = { "1", "3" }, b = { "2" } } },
        value "/to_dict?a=1&b=2&a=3")
    end)

    it("tells whether there is a name, and how many", function()
      assert.same({ true, false }, value "/contains?q=")
      assert.equal(2, value "/length?a=1&b=2&a=3")
      assert.equal("<request.args of 3>", value "/text?a=1&b=2&a=3")
    end)

    it("stays right with many names", function()
      local pairs_ = {}
      for i = 1, 300 do
        pairs_[i] = ("k%d=%d"):format(i % 100, i)
      end
      assert.same({ 100 + 300, 100, 100, "77" }, value("/many?" .. table.concat(pairs_, "&")))
    end)
  end)

  describe("request headers", function()
    it("have names without regard to case", function()
      local options = { headers = { { "X-TOKEN", "abc" }, { "x-token", "def" } } }
      local got = value("/header_case", options)
      assert.same({ "abc", "abc", "abc", { "abc", "def" }, true, "abc" },
        { got[1], got[2], got[3], got[4], got[5], got[6] })
    end)

    it("iterate over every line, names in title case, the peer first", function()
      local options = { headers = { { "X-one", "1" }, { "x-ONE", "2" } } }
      local lines = value("/header_items", options)
      assert.equal("Remote-Addr: 127.0.0.1", lines[1])
      local own = {}
      for _, line in ipairs(lines) do
        own[#own + 1] = line:match "^X%-.*"
      end
      assert.same({ "X-One: 1", "X-One: 2" }, own)
    end)
  end)

  describe("writing headers", function()
    it("sets, adds, lists, removes", function()
      assert.same({ "text/plain", { "1", "2" }, "c", { "l1", "2" }, true, "c", "new", "5", "gone",
        7 }, value "/write")
    end)

    it("keeps the place of a line that is set again", function()
      assert.same({ "a=4", "B=2", "C=5" }, value "/order")
    end)

    it("replaces by update the names it brings", function()
      assert.same({ { { "x", "y" }, { "4", "5" }, {} }, 0 }, value "/update")
    end)

    it("writes parameters, quoted when needed, sorted by name", function()
      assert.same({
        'attachment; filename="a b.txt"; size=3',
        [[x; ext*=UTF-8''%C3%BC; plain=token; quoted="say \"hi\"\\"; under-score=""]],
      }, value "/params")
    end)

    it("grows without losing a line", function()
      assert.equal(100, value "/grow")
    end)

    it("writes whole numbers as such", function()
      assert.same({ "1000000000000000", "0.5" }, value "/big_number")
    end)
  end)

  describe("mistakes", function()
    it("name what was given and what is expected", function()
      for name, text in pairs {
        assign = "request.args is what the client sent and cannot be changed (assignment to q)",
        headers_assign = "request.headers is what the client sent and cannot be changed",
        iterate = "table expected, got userdata",
        no_self = "call its methods with a colon: args:get(name)",
        bad_key = "request.args: a name (string) expected, got table",
        bad_convert = "request.args: convert must be a function such as tonumber, got number",
        bad_flat = "request.args:to_dict: a table of options expected, { flat = false }, got",
        unknown_flat = "request.args:to_dict: unknown option (known: flat)",
        unknown_multi = "request.args:items: unknown option (known: multi)",
        bad_value = "header X-Bad: the value holds a line break or another control character",
        nul_value = "header X-Bad: the value holds a line break or another control character",
        bad_name = "header name 'X Bad' is not valid",
        empty_name = "header name '' is not valid",
        bad_param = "header X-P: the value holds a line break",
        table_value = "header X-T: a string or number expected, got table (for several lines use",
        boolean_value = "header X-T: a string or number expected, got boolean",
        method_name = 'headers.get is a method; use headers:set("get", value)',
        bad_init = "headers: a table { name = value } or Headers expected, got number",
        params_type = "header A: parameters must be a table, { name = value }, got string",
      } do
        local got = error_of(name)
        assert.is_truthy(got:find(text, 1, true), name .. ": " .. got)
        assert.is_truthy(got:find("app.lua:%d+: ") or name == "no_self", "no place: " .. got)
      end
    end)
  end)
end)
