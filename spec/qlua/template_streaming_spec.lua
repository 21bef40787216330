--- Templates at work: streamed pages, functions that wait, errors in the middle of a page.

local files = require "support.files"
local http = require "support.http"
local raw = require "support.raw"
local server = require "support.server"

local sanitized = os.getenv "SANITIZER" ~= nil

local HEAD = [[
local qlua = require "qlua"
local app, request = qlua.App(...), qlua.request
]]

local function start(text, templates)
  return server.start { app = HEAD .. text .. "\nreturn app", files = templates }
end

local function ask(s, path)
  local connection = raw.connect(s, { timeout = 60 })
  connection:send(("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):format(path))
  return connection
end

local function memory_of(pid, field)
  local kib = files.read(("/proc/%d/status"):format(pid)):match(field .. ":%s*(%d+)")
  return tonumber(kib) / 1024
end

describe("a streamed template", function()
  after_each(server.stop_all)

  it("keeps the request, and the values of the context processors", function()
    local s = start([[
      app:context_processor(function() return { colour = "red" } end)
      app:template_filter("wait", function(x) qlua.sleep(0.001) return x end)
      app:route("/", function()
        return qlua.stream_template("page.html", { x = "<5>" }), 200, { ["X-A"] = "b" }
      end)
      app:route("/string", function()
        return qlua.stream_template_string("{{ request.path|wait }} {{ x }}", { x = 1 })
      end)
    ]], { ["templates/page.html"] = "{{ request.path|wait }}{{ colour }}{{ x|wait }}" })
    local answer = http.get(s, "/")
    assert.same({ 200, "/red&lt;5&gt;", "b", "chunked" }, { answer.status, answer.body,
      answer.header["x-a"], answer.header["transfer-encoding"] })
    assert.equal("/string 1", http.get(s, "/string").body)
  end)

  it("is sent before it is finished", function()
    local s = start [[
      local gate
      app:template_global("gate", function()
        while not gate do qlua.sleep(0.005) end
        return "end"
      end)
      app:route("/open", function() gate = true return "" end)
      app:route("/", function()
        return qlua.stream_template_string("{{ 'x' * 40000 }}{{ gate() }}")
      end)
    ]]
    local connection = ask(s, "/")
    assert.truthy(connection:read_until(("x"):rep(10)))
    http.get(s, "/open")
    assert.matches("x\r\n3\r\nend\r\n", connection:read_all(), 1, true)
  end)

  it("of 100 MB takes little memory, also when nobody reads it", function()
    local s = start [[
      app:route("/", function() return "" end)
      app:route("/big", function()
        return qlua.stream_template_string(
          "{% for i in range(100000) %}{{ line }}{% endfor %}", { line = ("x"):rep(1000) })
      end)
    ]]
    http.get(s, "/")
    local pid = s:children()[1]
    local before = memory_of(pid, "VmRSS")
    local connection = ask(s, "/big")
    local size, stalled = #connection:read_some(), false
    while true do
      local piece = connection:read_some()
      if piece == nil or piece == "" then
        break
      end
      size = size + #piece
      if not stalled then
        stalled = connection:is_silent(0) or true
        local at = memory_of(pid, "VmRSS")
        s:wait_for(function() -- it makes no more while nobody takes it
          local now = memory_of(pid, "VmRSS")
          local rests = now == at
          at = now
          return rests
        end)
      end
    end
    assert.is_true(size > 100e6, size)
    if not sanitized then
      local most = memory_of(pid, "VmHWM")
      assert.is_true(most < before + 16, ("%.1f MiB above %.1f"):format(most - before, before))
    end
  end)

  it("ends with the client, whose leaving is no error", function()
    local s = start [[
      local ended
      app:teardown_request(function() end)
      app:template_global("note", function(i)
        local ok, err = pcall(qlua.sleep, 0.001)
        ended = not ok
        if not ok then error(err, 0) end
        return ("y"):rep(20000)
      end)
      app:route("/ended", function() return tostring(ended) end)
      app:route("/", function()
        return qlua.stream_template_string("{% for i in range(100000) %}{{ note(i) }}{% endfor %}")
      end)
    ]]
    local connection = ask(s, "/")
    connection:read_until "yyy"
    connection:reset()
    s:wait_for(function()
      return http.get(s, "/ended").body == "true"
    end, 10, "the stream to end")
    assert.falsy(s:stderr():find "Exception")
  end)

  it("is cut off by an error, which the log places in the template", function()
    local s = start([[
      app:template_filter("bad", function() error("no such thing") end)
      app:route("/", function() return qlua.stream_template("page.html") end)
    ]], { ["templates/page.html"] = "{{ 'x' * 40000 }}\n{% include 'part.html' %}",
      ["templates/part.html"] = "a\n\n{{ 1|bad }}{{ none.x.y }}" })
    local connection = ask(s, "/")
    local text = connection:read_all()
    assert.matches("xxx", text)
    assert.falsy(text:find("\r\n0\r\n\r\n", 1, true))
    s:wait_for_stderr("no such thing\n  in template part.html, line 3: {{ 1|bad }}{{ none.x.y }}\n"
      .. "  from template page.html, line 2: {% include 'part.html' %}\nstack traceback:\n")
  end)
end)

describe("a template that waits", function()
  after_each(server.stop_all)

  it("lets others be served meanwhile", function()
    local s = start [[
      local waiting, order = 0, {}
      app:template_filter("slow", function(x)
        waiting = waiting + 1
        qlua.sleep(0.02)
        return x
      end)
      app:route("/slow", function()
        local text = qlua.render_template_string(
          "{% for i in range(10) %}{{ i|slow }}{% endfor %}")
        order[#order + 1] = "slow"
        return text
      end)
      app:route("/fast", function()
        order[#order + 1] = "fast"
        return tostring(waiting)
      end)
      app:route("/order", function() return table.concat(order, " ") end)
    ]]
    local slow = {}
    for i = 1, 50 do
      slow[i] = ask(s, "/slow")
    end
    s:wait_for(function()
      return tonumber(http.get(s, "/fast").body) >= 50
    end, 10, "all to wait")
    for _, connection in ipairs(slow) do
      assert.equal("0123456789", connection:response().body)
    end
    assert.matches("^fast", http.get(s, "/order").body)
  end)

  it("has its own values, whoever else renders it at the time", function()
    local s = start([[
      app:template_filter("slow", function(x) qlua.sleep(0.001) return x end)
      app:route("/", function()
        return qlua.render_template("page.html", { x = request.args.x })
      end)
    ]], { ["templates/page.html"] = "{% macro m(y) %}{{ y|slow }}{{ x }}{% endmacro %}"
      .. "{% for i in range(5) %}{{ m(request.args.x) }}{% endfor %}" })
    local connections = {}
    for i = 1, 30 do
      connections[i] = ask(s, "/?x=" .. i)
    end
    for i, connection in ipairs(connections) do
      assert.equal(tostring(i):rep(10), connection:response().body)
    end
  end)
end)

describe("an error in a template", function()
  after_each(server.stop_all)

  --- What the log says of a GET that ends with 500.
  local function log_of(templates, text)
    local s = start((text or "") .. [[
      app:route("/", function() return qlua.render_template("page.html", { x = 1 }) end)
    ]], templates)
    assert.equal(500, http.get(s, "/").status)
    return s:wait_for_stderr "stack traceback:", s.folder
  end

  it("is logged with template, line and source line", function()
    local text, folder = log_of { ["templates/page.html"] = "a\n\n  {{ x.y.z }}" }
    assert.matches("Exception on request GET /\n'int object' has no attribute 'y'\n  template "
      .. folder .. "/templates/page.html, line 3: {{ x.y.z }}\nstack traceback:", text, 1, true)
  end)

  it("in an included macro tells how it was reached", function()
    local text, folder = log_of {
      ["templates/page.html"] = "{% extends 'base.html' %}\n{% block b %}\n"
        .. "{% include 'part.html' %}\n{% endblock %}",
      ["templates/base.html"] = "<body>\n{% block b %}{% endblock %}",
      ["templates/part.html"] = "{% from 'macros.html' import show %}\n\n{{ show(none) }}",
      ["templates/macros.html"] = "{% macro show(user) %}\n<b>{{ user.name.first }}</b>\n"
        .. "{% endmacro %}",
    }
    assert.matches("'None' has no attribute 'name'\n  template " .. folder
      .. "/templates/macros.html, line 2: <b>{{ user.name.first }}</b>\n"
      .. "  from template part.html, line 3: {{ show(none) }}\n"
      .. "  from template page.html, line 3: {% include 'part.html' %}\n", text, 1, true)
  end)

  it("of syntax is logged with its file", function()
    local text, folder = log_of { ["templates/page.html"] = "a\n{% if x %}\n{% endfor %}" }
    assert.matches("Encountered unknown tag 'endfor'.", text, 1, true)
    assert.matches("\n  template " .. folder .. "/templates/page.html, line 3: {% endfor %}\n",
      text, 1, true)
  end)

  it("of a function keeps the function's own place in the traceback", function()
    local text = log_of({ ["templates/page.html"] = "\n{{ x|bad }}" }, [[
      app:template_filter("bad", function() error("no such thing") end)
    ]])
    assert.matches("app.lua:3: no such thing\n  in template page.html, line 2: {{ x|bad }}\n"
      .. "stack traceback:\n", text, 1, true)
  end)
end)

describe("a table of 1,000 rows", function()
  after_each(server.stop_all)

  it("takes as much memory the 10,000th time as the 100th", function()
    local s = start([[
      local rows = {}
      for i = 1, 1000 do
        rows[i] = { i, "<" .. i .. ">", i / 8, "name " .. i }
      end
      app:route("/<int:count>", function(count)
        for _ = 1, count do
          qlua.render_template("table.html", { rows = rows })
        end
        return ""
      end)
    ]], { ["templates/table.html"] = "<table>{% for row in rows %}<tr>{% for cell in row %}"
      .. "<td>{{ cell }}</td>{% endfor %}</tr>\n{% endfor %}</table>" })
    local times = sanitized and 10 or 100
    http.get(s, "/100")
    local pid = s:children()[1]
    local before = memory_of(pid, "VmRSS")
    for _ = 1, times do
      assert.equal(200, http.get(s, "/100").status)
    end
    local more = memory_of(pid, "VmRSS") - before
    assert.is_true(sanitized or more < 2, ("%.1f MiB more than %.1f"):format(more, before))
  end)
end)
