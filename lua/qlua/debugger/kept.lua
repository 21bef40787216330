--- Kept errors: what became of a request, or of a task beside it, as the debug page shows it; with
--- the dead coroutines for the console.
--- Flow: failures.lua and lifespan.lua hand over what they log (M.keep); page.lua shows it, at once
--- and again by its id. All of it ends with the generation; the requests stay with the worker
--- (core.debug_keep), so that newer code can run them again.

local check = require "qlua.check"
local classes = require "qlua.class"
local context = require "qlua.context"
local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local current = require "qlua.current"
local errors = require "qlua.errors"
local facts = require "qlua.debugger.facts"
local frames = require "qlua.debugger.frames"
local request = require "qlua.request"
local secrets = require "qlua.debugger.secrets"
local source = require "qlua.debugger.source"
local values = require "qlua.debugger.values"

local buffer = require "string.buffer"

local M = {}

---@class qlua.debugger.Kept
---@field id string that nobody can guess
---@field error any
---@field died { co?: thread } weak: tells an error from others of the same text
---@field kind string the error's class
---@field message string
---@field traceback string
---@field value? qlua.debugger.Node the error itself, when it is a table
---@field where? string the view it was raised in: `view "index" (app.lua:12)`
---@field time number seconds since 1970
---@field status integer
---@field frames qlua.debugger.Frame[]
---@field named? { place: string, lines: qlua.debugger.Line[], note: string } where else to look
---@field threads? thread[] keeps them alive
---@field held? userdata the request's context
---@field method? string
---@field path? string
---@field url? string
---@field request? qlua.debugger.Section[]
---@field config qlua.debugger.Section
---@field rules qlua.debugger.Rule[]
---@field console table<string, any> what its console has set

-- so many, and for so long, in seconds
local MOST, AGE = 8, 1800
-- an error may bring any text: bytes that are told of its message and of its traceback
local MOST_MESSAGE, MOST_TRACEBACK = 4000, 32000

---@type qlua.debugger.Kept[] the latest last
local list = {}
-- newer code serves: the requests that still run here leave nothing behind
local is_over = false

-- ---- what is told -----------------------------------------------------------------------------

--- What an error says; of a request that was stopped: where.
---@param err any
---@return string
function M.text_of(err)
  if classes.is_a(err, errors.CpuLimitExceeded) then
    return tostring(rawget(err, "message"))
  end
  return coroutines.text_of(err)
end

--- Both ends of a text that is too long.
local function shortened(text, most)
  if #text > most then
    text = ("%s\n... %d bytes left out ...\n%s"):format(text:sub(1, most / 2), #text - most,
      text:sub(-most / 2))
  end
  return values.as_utf8(text)
end

--- The class of an error, and what it says; and that as it was.
local function told(err, known, root)
  local class = classes.class_of(err)
  local kind = class and class.__name or type(err) == "string" and "Lua error"
    or "error value of type " .. type(err)
  local text = M.text_of(err)
  local full = text
  if text:find "^[%w_/.-]*lua/qlua/[%w_/]+%.lua:%d+: " then
    text = text:gsub("^[^:]+:%d+: ", "") -- where in qlua is no news
  elseif root and text:sub(1, #root + 1) == root .. "/" then
    text = text:sub(#root + 2)
  end
  return values.as_utf8(tostring(kind)), shortened(secrets.scrub(text, known), MOST_MESSAGE), full
end

--- The request for later, as received and as middleware has changed it.
local function note_request(kept)
  local handle = context.get().handle
  local body = core.debug_body(handle)
  if not body then
    return
  end
  local headers = {}
  local lists = request.headers:to_dict { flat = false }
  for name, all in pairs(lists) do
    for _, value in ipairs(all) do
      headers[#headers + 1] = { name, value }
    end
  end
  local peer, port = core.request_peer(handle)
  core.debug_keep(kept.id, buffer.encode {
    method = request.method, path = request.path, query = request.query_string,
    headers = headers, scheme = request.scheme, root_path = request.root_path,
    peer = peer, port = port, body = body,
  })
  kept.is_noted = true
end

--- A request that was kept, whichever generation it failed in.
---@param id string
---@return table?
function M.request_of(id)
  local text = core.debug_kept(id)
  return text and buffer.decode(text) or nil
end

-- ---- keeping ----------------------------------------------------------------------------------

local function drop_old(now)
  while list[1] and (#list > MOST or now - list[1].time > AGE) do
    table.remove(list, 1)
  end
end

--- The one of this error, when it is among those kept.
local function find_error(err, co)
  for i = #list, 1, -1 do
    local same = rawequal(list[i].error, err) and list[i].died.co == (co or nil)
    if same and (co or type(err) ~= "string") then
      return list[i]
    end
  end
end

local TAIL = "No frame of the app is left: a function that ends in `return f(...)` makes room for "
  .. "f. This is the view."
local SENT = "No code was running any more. This is the view."

--- Where to look when no frame tells: the place that the text names, or the view.
local function named_place(kept, root, known)
  local own = {}
  for _, frame in ipairs(kept.frames) do
    own[1] = own[1] or not frame.own
    own[frame.path and frame.line and frame.path .. ":" .. frame.line or ""] = true
  end
  local path, line
  local note = "The error names this place."
  for file, number in ("\n" .. kept.full_message):gmatch "[%s'\"](/[^%s:'\"]+):(%d+):" do
    if not path and not file:find("/lua/qlua/", 1, true) and not own[file .. ":" .. number] then
      path, line = file, number
    end
  end
  if not path then
    path, line = (not own[1] and kept.where or ""):match "%(([^()]+):(%d+)%)$"
    path = path and (path:sub(1, 1) == "/" and path or root .. "/" .. path)
    note = #kept.frames > 0 and TAIL or SENT
  end
  local lines = path and source.around(source.lines_of(path, {}), tonumber(line), known)
  return lines and { place = source.short(path, root) .. ":" .. line, lines = lines, note = note }
end

--- The memory of the worker is at its limit: what the coroutines hold must go, and at once,
--- because the core has them until the answer is there.
local function let_go(kept)
  for _, thread in ipairs(kept.threads) do
    frames.empty(thread)
  end
  kept.threads = nil
  for _, frame in ipairs(kept.frames) do
    frame.thread, frame.level, frame.context, frame.gone = nil, nil, nil, true
  end
  collectgarbage()
end

local FEW = 300 -- nodes, where memory is short

local function fill(kept, err, co, out_of_memory)
  local app = current.served
  local known = secrets.known(app.config)
  local budget = values.budget(known, out_of_memory and FEW or nil, out_of_memory)
  kept.kind, kept.message, kept.full_message = told(err, known, app.root_path)
  kept.traceback = shortened(secrets.scrub(coroutines.traceback(err, co or nil), known),
    MOST_TRACEBACK)
  kept.value = type(err) == "table" and values.describe(err, nil, values.budget(known, 300)) or nil
  kept.where = context.has_request_context() and check.view_at_work() or nil
  kept.frames, kept.threads = frames.of(err, co, budget, app.root_path, kept.where)
  if out_of_memory then
    let_go(kept)
  end
  kept.named = named_place(kept, app.root_path, known)
  kept.config = facts.config(app, values.budget(known))
  kept.rules = facts.rules(app)
  if context.has_request_context() then
    kept.held = not (is_over or out_of_memory) and core.hold_context() or nil
    kept.method, kept.path, kept.url = request.method, request.path, request.url
    kept.request = facts.request(values.budget(known))
    note_request(kept)
  end
end

--- Keep an error with all that the page tells of it.
---@param err any
---@param co? thread|false that died of it
---@param out_of_memory? boolean an allocation was refused to it
---@return qlua.debugger.Kept
function M.keep(err, co, out_of_memory)
  local now = os.time()
  drop_old(now)
  local kept = find_error(err, co)
  if kept then
    return kept
  end
  kept = {
    id = core.random_token(16), error = err, time = now, status = 500, console = {},
    died = setmetatable({ co = co or nil }, { __mode = "v" }),
  }
  fill(kept, err, co, out_of_memory)
  if is_over then
    return kept -- shown at once, but not kept: nothing may hold this generation
  end
  list[#list + 1] = kept
  drop_old(now)
  return kept
end

--- All of the request's body has arrived since.
---@param kept qlua.debugger.Kept
function M.complete(kept)
  if kept.method and not kept.is_noted then
    note_request(kept)
  end
end

---@param id string
---@return qlua.debugger.Kept?
function M.find(id)
  drop_old(os.time())
  for _, kept in ipairs(list) do
    if kept.id == id then
      return kept
    end
  end
end

---@return qlua.debugger.Kept[] the latest first
function M.all()
  local all = {}
  for i = #list, 1, -1 do
    all[#all + 1] = list[i]
  end
  return all
end

--- Newer code serves: let go of the requests and coroutines of this one.
function M.clear()
  list, is_over = {}, true
end

return M
