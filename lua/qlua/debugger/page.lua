--- The pages of the debugger, as Responses: HTML of its templates, or JSON for who prefers that.
--- Flow: init.lua has a kept error, a load error or a refusal shown here. Nothing is loaded from
--- elsewhere: style and script stand in the page, behind a nonce of its own (CSP).

local core = require "qlua.core"
local current = require "qlua.current"
local environments = require "qlua.environment"
local json = require "qlua.json"
local loaders = require "qlua.template_loaders"
local request = require "qlua.request"
local responses = require "qlua.response"
local secrets = require "qlua.debugger.secrets"
local source = require "qlua.debugger.source"
local templates = require "qlua.debugger.templates"
local values = require "qlua.debugger.values"

local M = {}

local POLICY = "default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; "
  .. "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

local environment -- made when the first page is

local function render(name, context)
  environment = environment or environments.Environment {
    autoescape = true, trim_blocks = true, loader = loaders.DictLoader(templates),
  }
  return environment:get_template(name):render(context)
end

--- Headers that keep a page, and the secret in its URLs, where they are.
local function protect(response, nonce)
  local headers = response.headers
  headers:set("Cache-Control", "no-store")
  headers:set("Referrer-Policy", "same-origin") -- none at all would be Origin: null
  headers:set("X-Content-Type-Options", "nosniff")
  headers:set("X-Frame-Options", "DENY")
  headers:set("Cross-Origin-Resource-Policy", "same-origin")
  headers:set("Content-Security-Policy", nonce and POLICY:format(nonce, nonce)
    or "default-src 'none'; frame-ancestors 'none'")
  return response
end

--- A page of one of the templates.
---@param name string
---@param status integer
---@param context { title: string, page: table, traceback?: string, scripted?: boolean }
---@return qlua.Response
function M.html(name, status, context)
  local nonce = core.random_token(16)
  context.nonce = nonce
  context.style, context.script = require "qlua.debugger.style", require "qlua.debugger.script"
  context.base = core.debug_prefix()
  context.generation = tostring(core.worker.generation)
  local response = responses.new(render(name, context), status)
  response.content_type = "text/html; charset=utf-8"
  return protect(response, nonce)
end

---@param value table
---@param status? integer
---@return qlua.Response
function M.json(value, status)
  local response = responses.new(json.dumps(value) .. "\n", status or 200)
  response.content_type = "application/json"
  return protect(response)
end

--- Does the client want JSON rather than HTML?
---@return boolean
function M.wants_json()
  return request.accept_mimetypes:best_match { "text/html", "application/json" }
    == "application/json"
end

-- ---- an error ---------------------------------------------------------------------------------

--- Frames in groups: those of qlua and C that follow each other are folded.
local function groups_of(kept)
  local groups, first = {}, nil
  for index, frame in ipairs(kept.frames) do
    local own = frame.own or false
    local group = groups[#groups]
    if not group or group.own ~= own then
      group = { own = own, frames = {} }
      groups[#groups + 1] = group
    end
    frame.index = index
    frame.console = frame.kind ~= "c" and not frame.gone or nil
    group.frames[#group.frames + 1] = frame
    first = first or not own and index or nil
  end
  return groups, first
end

-- lists without entries are not shown
local function shown(list)
  return list and #list > 0 and list or nil
end

--- A frame as its template sees it: no thread, no values of the app.
local function view_of(frame)
  return {
    kind = frame.kind, title = frame.title, place = frame.place, lines = frame.lines,
    index = frame.index, console = frame.console, arguments = shown(frame.arguments),
    locals = shown(frame.locals), upvalues = shown(frame.upvalues),
  }
end

--- A text that may stand in a comment.
local function commented(text)
  return (text:gsub("%-%-", "- -"):gsub("%-$", "- "):gsub("^>", " >"))
end

local function html_of_error(kept)
  local groups, first = groups_of(kept)
  for _, group in ipairs(groups) do
    for i, frame in ipairs(group.frames) do
      group.frames[i] = view_of(frame)
    end
  end
  local base = core.debug_prefix() .. "errors/" .. kept.id
  return M.html("error.html", kept.status, {
    title = kept.kind .. ": " .. kept.message:match "^[^\n]*", scripted = true,
    traceback = commented(kept.traceback),
    page = {
      kind = kept.kind, message = kept.message, method = kept.method, path = kept.path,
      where = kept.where, groups = groups, first = first, request = kept.request,
      named = kept.named, value = kept.value and kept.value.entries and kept.value,
      config = kept.config, rules = kept.rules, traceback = kept.traceback,
      versions = require("qlua.debugger.facts").versions(), console = base .. "/console",
      again = kept.is_noted and base .. "/again" or nil,
      no_frames = kept.no_frames or "There are none: no code was running.",
    },
  })
end

-- ---- the same as JSON -------------------------------------------------------------------------

local function json_variables(list)
  local map = {}
  for _, variable in ipairs(list or {}) do
    map[variable.name] = variable.node.text
  end
  return map
end

local function json_frame(frame)
  local lines = json.array {}
  for i, line in ipairs(frame.lines or {}) do
    lines[i] = { number = line.number, text = line.text }
  end
  return {
    kind = frame.kind, title = frame.title, file = frame.path, line = frame.line,
    framework = frame.own or false, source = lines, arguments = json_variables(frame.arguments),
    locals = json_variables(frame.locals), upvalues = json_variables(frame.upvalues),
  }
end

local function json_sections(sections)
  local map = {}
  for _, section in ipairs(sections or {}) do
    local rows = {}
    for _, row in ipairs(section.rows) do
      rows[row.name] = row.node.text
    end
    map[section.title:lower():gsub(" ", "_")] = rows
  end
  return map
end

local function json_of_error(kept)
  local list = json.array {}
  for i, frame in ipairs(kept.frames) do
    list[i] = json_frame(frame)
  end
  local rules = json.array {}
  for i, rule in ipairs(kept.rules) do
    rules[i] = { rule = rule.rule, methods = rule.methods, endpoint = rule.endpoint }
  end
  local versions = {}
  for _, item in ipairs(require("qlua.debugger.facts").versions()) do
    versions[item.name:lower()] = item.text
  end
  return M.json({
    error = { class = kept.kind, message = kept.message, where = kept.where },
    traceback = kept.traceback, frames = list, request = json_sections(kept.request),
    config = json_sections({ kept.config }).config, routes = rules, versions = versions,
    debugger = core.debug_prefix() .. "errors/" .. kept.id,
  }, kept.status)
end

--- The page of an error.
---@param kept qlua.debugger.Kept
---@return qlua.Response
function M.error(kept)
  return M.wants_json() and json_of_error(kept) or html_of_error(kept)
end

--- What the console answers, as the page's script wants it.
---@param answer qlua.debugger.Answer
---@return qlua.Response
function M.console(answer)
  local texts = json.array {}
  for i, node in ipairs(answer.results or {}) do
    texts[i] = values.text_of(node)
  end
  local shown_answer = {
    output = answer.output ~= "" and values.as_utf8(answer.output) or nil,
    error = answer.error and values.as_utf8(answer.error), results = answer.results or {},
  }
  return M.json {
    ok = answer.ok, output = shown_answer.output or "", error = shown_answer.error,
    results = texts, html = render("console.html", { answer = shown_answer }),
  }
end

-- ---- the others -------------------------------------------------------------------------------

--- The place that an error text begins with: "app.lua:3: ...".
local function place_of(text)
  local path, line, rest = text:match "^([^\n:]+):(%d+): ?(.*)$"
  return path, tonumber(line), rest
end

--- The page of an app that does not load.
---@param text string message and traceback
---@return qlua.Response
function M.load_error(text)
  text = values.as_utf8(text)
  local message = text:match "^(.-)\nstack traceback:" or text:gsub("\n$", "")
  local root, app = core.app_root(), current.served
  local known = secrets.known(app and app.config)
  local path, line, rest = place_of(message)
  local place = path and ("%s:%d"):format(source.short(path, root), line)
  local method = request.method
  if M.wants_json() then
    return M.json({ error = { class = "load error", message = message }, traceback = text }, 500)
  end
  return M.html("load_error.html", 500, {
    title = "The app does not load", scripted = true, traceback = commented(text),
    page = {
      message = place and place .. ": " .. rest or message,
      text = text ~= message .. "\n" and text or nil,
      reloads = method == "GET" or method == "HEAD" or nil,
      changes = core.md5(text) or "",
      lines = path and source.around(source.lines_of(path, {}), line, known),
      place = place,
    },
  })
end

--- A 404 or 405 with the rules that were near: into the response that the client would get.
---@param response qlua.Response
---@param page { code: integer, name: string, why: string, near: table, rules: table }
function M.routing(response, page)
  page.method, page.path = request.method, values.as_utf8(request.path)
  if M.wants_json() then
    local near = json.array {}
    for i, rule in ipairs(page.near) do
      near[i] = { rule = rule.rule, methods = rule.methods, endpoint = rule.endpoint }
    end
    response:set_data(json.dumps {
      code = page.code, name = page.name, description = page.why, near = near,
    } .. "\n")
    response.content_type = "application/json"
    return response
  end
  page.near = shown(page.near)
  local made = M.html("routing.html", page.code, {
    title = ("%d %s"):format(page.code, page.name), page = page,
  })
  response:set_data(made:get_data())
  for _, name in ipairs { "Content-Security-Policy", "Referrer-Policy", "X-Frame-Options" } do
    response.headers:set(name, made.headers:get(name))
  end
  return response
end

--- A page that says one thing.
---@param status integer
---@param page { name: string, text: string, action?: string, button?: string, pin?: boolean,
---  errors?: table[] }
---@return qlua.Response
function M.message(status, page)
  if M.wants_json() then
    return M.json({ ok = false, error = page.text, locked = page.pin }, status)
  end
  return M.html("message.html", status, { title = page.name, page = page })
end

return M
