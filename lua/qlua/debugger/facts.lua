--- Facts: what the debug page tells beside the frames: the request, the app's config, its rules,
--- the versions.
--- Flow: kept.lua gathers them in the context of the request that failed.

local context = require "qlua.context"
local core = require "qlua.core"
local request = require "qlua.request"
local secrets = require "qlua.debugger.secrets"
local values = require "qlua.debugger.values"

local M = {}

---@class qlua.debugger.Section
---@field title string
---@field rows { name: string, node: qlua.debugger.Node }[]
---@field note? string in the place of rows

local function text_node(text, budget)
  return { kind = "text", text = values.as_utf8(secrets.scrub(tostring(text), budget.known)) }
end

local function section(title, rows, note)
  return { title = title, rows = rows, note = #rows == 0 and (note or "none") or nil }
end

local function sorted_keys(map)
  local keys = {}
  for key in next, map do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

--- Rows of a table, by name.
local function rows_of(map, budget)
  local rows = {}
  for i, key in ipairs(sorted_keys(map or {})) do
    rows[i] = { name = tostring(key), node = values.describe(map[key], tostring(key), budget) }
  end
  return rows
end

--- Rows of what a client sent, a line a value.
local function rows_of_dict(dict, budget, shown)
  local rows = {}
  local lists = dict:to_dict { flat = false }
  for _, key in ipairs(sorted_keys(lists)) do
    for _, value in ipairs(lists[key]) do
      local node
      if shown then
        node = text_node(shown(key, value), budget)
      else
        node = values.describe(value, key, budget)
      end
      rows[#rows + 1] = { name = values.as_utf8(key), node = node }
    end
  end
  return rows
end

-- ---- the request ------------------------------------------------------------------------------

local ATTRIBUTES = { "method", "url", "http_version", "remote_addr", "endpoint", "blueprint" }

local function about(budget)
  local rows = {}
  for _, name in ipairs(ATTRIBUTES) do
    local value = request[name]
    if value ~= nil then
      rows[#rows + 1] = { name = name, node = text_node(value, budget) }
    end
  end
  local rule = request.url_rule
  if rule then
    rows[#rows + 1] = { name = "rule", node = text_node(rule.rule, budget) }
  end
  return rows
end

--- The form, when the app read it or all of the body is there.
local function form_rows(ctx, budget)
  local state = ctx.request or {}
  local kind = request.mimetype or ""
  local is_form = kind == "application/x-www-form-urlencoded" or kind == "multipart/form-data"
  if not state.form and not (is_form and core.debug_body(ctx.handle)) then
    return {}
  end
  local ok, form = pcall(function()
    return request.form
  end)
  local rows = ok and rows_of_dict(form, budget) or {}
  local files = ok and request.files:to_dict { flat = false } or {}
  for _, name in ipairs(sorted_keys(files)) do
    for _, file in ipairs(files[name]) do
      rows[#rows + 1] = { name = name, node = text_node(("file %s, %s, %d bytes"):format(
        file.filename or "without a name", file.content_type or "of no type", file.size or 0),
        budget) }
    end
  end
  return rows
end

local function body_rows(ctx, budget)
  local body, why = core.debug_body(ctx.handle)
  if body == "" then
    return {}
  elseif not body then
    return { { name = "body", node = text_node(why == "large" and "more than 1 MiB: not kept"
      or "not all of it had arrived", budget) } }
  end
  return { { name = ("%d bytes"):format(#body), node = values.describe(body, nil, budget) } }
end

--- The sections of the request whose context is at work; nil when it is none.
---@param budget qlua.debugger.Budget
---@return qlua.debugger.Section[]?
function M.request(budget)
  local ctx = context.get()
  if not ctx or not ctx.handle then
    return nil
  end
  local session = ctx.session and rows_of(ctx.session.values, budget) or {}
  return {
    section("Request", about(budget)),
    section("View arguments", rows_of(request.view_args, budget)),
    section("Query", rows_of_dict(request.args, budget)),
    section("Form", form_rows(ctx, budget)),
    section("Body", body_rows(ctx, budget)),
    section("Headers", rows_of_dict(request.headers, budget, secrets.header)),
    section("Cookies", rows_of_dict(request.cookies, budget, function(name, value)
      return secrets.is_secret(name) and secrets.MASK or secrets.unsigned(value)
    end)),
    section("Session", session, ctx.session and "empty" or "not opened by this request"),
    section("g", rows_of(ctx.g, budget)),
  }
end

-- ---- the app ----------------------------------------------------------------------------------

---@param app qlua.App
---@param budget qlua.debugger.Budget
---@return qlua.debugger.Section
function M.config(app, budget)
  local rows = {}
  for key, value in app.config:items() do
    rows[#rows + 1] = { name = tostring(key), node = values.describe(value, key, budget) }
  end
  return section("Config", rows)
end

---@class qlua.debugger.Rule
---@field rule string
---@field methods string
---@field endpoint string
---@field link? string where a click leads

--- The methods of a rule; HEAD and OPTIONS go without saying, unless they are all.
local function methods_of(rule)
  local methods = {}
  for _, method in ipairs(rule.methods) do
    if method ~= "HEAD" and method ~= "OPTIONS" then
      methods[#methods + 1] = method
    end
  end
  table.sort(methods)
  return table.concat(#methods > 0 and methods or rule.methods, " ")
end

--- The rules in the order in which requests try them.
---@param app qlua.App
---@return qlua.debugger.Rule[]
function M.rules(app)
  local list = {}
  for i, rule in ipairs(app.url_map:ordered()) do
    local host = app.url_map.host_matching and rule.host
      or rule.subdomain and rule.subdomain ~= "" and rule.subdomain .. "." or ""
    local methods = methods_of(rule)
    list[i] = {
      rule = host .. rule.rule, methods = methods, endpoint = rule.endpoint,
      link = host == "" and not rule.rule:find("<", 1, true)
        and methods:find "%f[%w]GET%f[%W]" and rule.rule or nil,
    }
  end
  return list
end

--- Names and numbers of what is at work.
---@return { name: string, text: string }[]
function M.versions()
  return {
    { name = "qlua", text = tostring(core.version) },
    { name = "Lua", text = jit.version .. " (" .. jit.os .. ", " .. jit.arch .. ")" },
    { name = "Generation", text = tostring(core.worker.generation) },
    { name = "Process", text = tostring(core.worker.pid) },
  }
end

return M
