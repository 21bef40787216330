--- The scope and messages of one request: receive and send as the outermost middleware gets them,
--- and a Response told as messages.
--- Flow: asgi.lua makes them per request; the state they share says how far the answer is.

local check = require "qlua.check"
local core = require "qlua.core"
local errors = require "qlua.errors"
local fields = require "qlua.response_fields"
local responses = require "qlua.response"
local task = require "qlua.task"

local M = {}

---@class qlua.AsgiState
---@field handle qlua.Handle
---@field receive async fun(): table
---@field send async fun(message: table)
---@field calls integer how often the innermost callable was called
---@field start? table the message http.response.start
---@field begun boolean its head is out: the body came in pieces
---@field whole? qlua.Response the answer, when it is not sent in pieces
---@field complete boolean the last message has come
---@field timeout? number|false of the app's Response
---@field refused? any the error raised because the body cannot be read

local PIECE = 65536

-- ---- scope --------------------------------------------------------------------------------------

--- What is asked.
---@param handle qlua.Handle
---@return qlua.Scope
function M.scope(handle)
  local host, port = core.request_peer(handle)
  local headers = core.request_headers_copy(handle)
  local authority = headers:get "Host" or ""
  local server, server_port = authority:match "^(.*):(%d+)$"
  return {
    type = "http",
    asgi = { version = "3.0" },
    http_version = core.request_http_version(handle),
    method = core.request_method(handle),
    scheme = core.request_scheme(handle),
    path = core.request_path(handle),
    raw_path = core.request_raw_path(handle),
    query_string = core.request_query(handle),
    root_path = core.request_root_path(handle),
    headers = headers,
    client = { host, port },
    server = { server or authority, tonumber(server_port) },
  }
end

-- ---- receive ----------------------------------------------------------------------------------

local function disconnected(state)
  if not state.complete and not core.answer_gone() then
    local ok, err = core.answer_wait_end(state.handle)
    if ok == nil and not core.answer_gone() then
      error(err, 0)
    end
  end
  return { type = "http.disconnect" }
end

local function receive(state)
  if state.received then
    return disconnected(state)
  end
  local ok, chunk = true, nil
  if not core.body_is_over(state.handle) then
    ok, chunk = core.body_next(state.handle)
  end
  if not ok and core.answer_gone() then
    return { type = "http.disconnect" }
  elseif not ok then
    local class = errors.default_exceptions[chunk]
    state.refused = class and class()
    error(state.refused or chunk, 0)
  end
  state.received = chunk == nil or core.body_is_over(state.handle)
  return { type = "http.request", body = chunk or "", more_body = not state.received }
end

-- ---- send -------------------------------------------------------------------------------------

local function start(state, message)
  if state.start then
    check.fail("send: a second http.response.start; the answer has begun already")
  end
  fields.checked_status("send: http.response.start", message.status)
  local ok, headers = pcall(core.headers, message.headers)
  if not ok then
    check.fail("send: http.response.start: headers: %s", headers)
  end
  state.start = { status = message.status, headers = headers }
end

--- A Response of the first message, for the core.
local function response_of(state, body)
  local response = responses.new(body, state.start.status)
  rawset(response, 3, state.start.headers)
  rawset(response, 4, nil)
  rawset(response, 6, state.timeout)
  return response
end

--- Stands for the pieces to come.
local function pieces() end

--- May the answer be handed over in one? One to HEAD says the length of a body it does not have.
local function is_whole(state, piece, more)
  return not more and not state.begun and not (piece == ""
    and state.start.headers:get "Content-Length" and core.request_method(state.handle) == "HEAD")
end

local function body(state, message)
  local piece, more = message.body or "", message.more_body
  if type(piece) ~= "string" then
    check.fail("send: http.response.body: body must be a string, got %s", check.describe(piece))
  elseif not state.start then
    check.fail("send: http.response.body before http.response.start")
  elseif state.complete then
    check.fail("send: the answer is complete: the http.response.body before had no "
      .. "more_body = true")
  end
  state.complete = not more
  if is_whole(state, piece, more) then
    state.whole = response_of(state, piece)
    return
  elseif not state.begun then
    state.begun = true
    core.answer_start(response_of(state, pieces))
  end
  if piece ~= "" then
    task.await(core.answer_write(piece))
  end
  if not more then
    core.answer_end()
  end
end

local SENDERS = { ["http.response.start"] = start, ["http.response.body"] = body }

local function send(state, message)
  check.type("send", "the message", message, "table")
  local sender = SENDERS[message.type]
  if not sender then
    check.fail("send: unknown message type %s; an answer is http.response.start, then "
      .. "http.response.body", check.describe(message.type))
  end
  sender(state, message)
end

--- The two ends of a request that came in.
---@param handle qlua.Handle
---@return qlua.AsgiState
function M.new(handle)
  local state = { handle = handle, calls = 0, begun = false, complete = false }
  function state.receive()
    return receive(state)
  end
  function state.send(message)
    return send(state, message)
  end
  return state
end

-- ---- a Response as messages -------------------------------------------------------------------

local function send_chunks(send_message, who, next_chunk)
  for chunk in next_chunk do
    if type(chunk) ~= "string" then
      error(("%s returned an iterator that gave %s: a chunk is a string, nil ends the body")
        :format(who, check.describe(chunk)), 0)
    elseif chunk ~= "" then
      send_message { type = "http.response.body", body = chunk, more_body = true }
    end
  end
  send_message { type = "http.response.body", body = "", more_body = false }
end

local function send_file(send_message, file)
  local left = file.length
  while left > PIECE do
    send_message {
      type = "http.response.body", body = assert(file:read(PIECE)), more_body = true,
    }
    left = left - PIECE
  end
  local last = left > 0 and assert(file:read(left)) or ""
  file:close()
  send_message { type = "http.response.body", body = last, more_body = false }
end

--- Tell what the app answers through `send_message`. A file for which nobody wrapped send goes to
--- the core as it is.
---@async
---@param state qlua.AsgiState
---@param response qlua.Response
---@param send_message async fun(message: table)
---@param who string names the view in messages
function M.send_response(state, response, send_message, who)
  local content = rawget(response, 2)
  state.timeout = rawget(response, 6)
  if core.is_file(content) and rawequal(send_message, state.send) and not state.start then
    state.start, state.complete, state.whole = {}, true, response
    return
  end
  send_message {
    type = "http.response.start", status = response.status_code, headers = response.headers,
  }
  if type(content) == "function" then
    send_chunks(send_message, who, content)
  elseif core.is_file(content) then
    send_file(send_message, content)
  else
    send_message { type = "http.response.body", body = content or "", more_body = false }
  end
end

return M
