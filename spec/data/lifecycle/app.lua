--- An app that notes all that runs for a request; GET /trace tells the last one's. The query says
--- what goes wrong:
---   fail=NAME,...   these raise: known (with a handler), missing (a 404) or else an unknown error,
---   raise=KIND      as this says
---   stop=NAME       a hook that answers
---   answer=WHAT     what the view gives
---   wait=NAME       waits there for long
--- HANDLERS in the environment adds handlers of 405 and 500. CONFIG names a key to set.

local qlua = require "qlua"
local app, request, errors = qlua.App(...), qlua.request, qlua.errors

local Known = qlua.class("Known", errors.Exception)
local trace = {}

local function is_asked(what, name)
  return ("," .. request.args:get(what, "") .. ","):find("," .. name .. ",", 1, true) ~= nil
end

local function note(name)
  if request.path == "/trace" then
    return
  end
  trace[#trace + 1] = name
  if is_asked("fail", name) then
    local kind = request.args.raise
    error(kind == "known" and Known(name) or kind == "missing" and errors.NotFound()
      or "fails in " .. name, 0)
  elseif is_asked("wait", name) then
    qlua.sleep(60)
  end
  return is_asked("stop", name) and "stopped" or nil
end

local function noting(name)
  return function() return note(name) end
end

--- Of a function at the end: a mark says that an error is handed over.
local function noting_error(name)
  return function(err) return note(name .. (err ~= nil and "!" or "")) end
end

-- ---- hooks ------------------------------------------------------------------------------------

local function add_hooks(owner, name)
  owner:context_processor(function()
    return { ["from_" .. name] = note("processor_" .. name) or name }
  end)
  owner:url_value_preprocessor(noting("values_" .. name))
  for i = 1, 2 do
    owner:before_request(noting("before_" .. name .. i))
    owner:after_request(noting("after_" .. name .. i))
    owner:teardown_request(noting_error("teardown_" .. name .. i))
  end
end

local function add_app_wide(blueprint, name)
  blueprint:before_app_request(noting("before_via_" .. name))
  blueprint:after_app_request(noting("after_via_" .. name))
  blueprint:teardown_app_request(noting_error("teardown_via_" .. name))
end

local par = qlua.Blueprint("par", { url_prefix = "/par" })
local ch = qlua.Blueprint("ch", { url_prefix = "/ch" })
add_hooks(app, "app")
add_hooks(par, "par")
add_hooks(ch, "ch")
add_app_wide(par, "par")
add_app_wide(ch, "ch")
for i = 1, 2 do
  app:teardown_appcontext(noting_error("teardown_appcontext" .. i))
end

for _, name in ipairs { "appcontext_pushed", "request_started", "got_request_exception",
  "request_finished", "request_tearing_down", "appcontext_tearing_down", "appcontext_popped",
  "before_render_template", "template_rendered" } do
  qlua.signals[name]:connect(function(_, extra)
    note(name .. (extra.exc ~= nil and "!" or ""))
  end)
end

-- ---- views and handlers -----------------------------------------------------------------------

local TEMPLATE = "{{ from_app }} {{ from_par }} {{ from_ch }} {{ given }}"

local ANSWERS = {
  number = function() return 5 end,
  nothing = function() end,
  response = function() qlua.abort(qlua.Response("aborted", 202)) end,
  missing = function() qlua.abort(404) end,
  template = function() return qlua.render_template_string(TEMPLATE, { given = "g" }) end,
  template_stream = function() return qlua.stream_template_string(TEMPLATE, { given = "g" }) end,
  stream = function()
    local count, fails = 0, is_asked("fail", "chunk2")
    return function()
      count = count + 1
      trace[#trace + 1] = "chunk" .. count
      if count == 2 and fails then
        error("fails in chunk2", 0)
      end
      return count < 3 and "chunk" .. count .. " " or nil
    end
  end,
}

ch:get("/view/<int:n>", function()
  qlua.after_this_request(noting "after_this_1")
  qlua.after_this_request(noting "after_this_2")
  note "view"
  local answer = ANSWERS[request.args.answer]
  if answer then
    return answer()
  end
  return "viewed"
end)
ch:get("/slash/", function() return "with a slash" end)
app:get("/trace", function()
  local text = table.concat(trace, " ")
  if not request.args.keep then
    trace = {}
  end
  return text
end)

app:errorhandler(Known, function(err)
  note "handler_known"
  return "known: " .. tostring(err), 418
end)
if os.getenv "HANDLERS" then
  app:errorhandler(500, function(err)
    note "handler_500"
    return "500: " .. tostring(err.original_exception), 503
  end)
  app:errorhandler(405, function()
    note "handler_405"
    return "405", 405
  end)
end
if os.getenv "CONFIG" then
  app.config[os.getenv "CONFIG"] = true
end

par:register_blueprint(ch)
app:register_blueprint(par)
return app
