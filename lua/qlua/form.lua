--- Reading a request's body: whole, in chunks, and as a form.
--- Flow: request_body.lua calls these with the request's table of fields, in which what was read
--- is kept: `_data` (the whole body), `form` and `files`.

local core = require "qlua.core"
local errors = require "qlua.errors"
local files = require "qlua.files"
local task = require "qlua.task"

local M = {}

-- how long a task waits before it looks again whether another one of the request has read
local TURN = 0.001

--- Raise what a core function gave as its error: a status, an error value, or what the system
--- said of a file.
local function fail(err)
  if type(err) == "string" then
    err = ("an uploaded file could not be stored in %s (server setting spool_dir): %s"):format(
      core.spool_dir(), err)
  end
  local class = type(err) == "number" and errors.default_exceptions[err]
  error(class and class() or err, 0)
end

--- Run `read(state)` unless `is_done(state)`: one task of the request at a time.
local function once(state, is_done, read)
  while state._reading do
    task.await(core.sleep(TURN))
  end
  if is_done(state) then
    return
  end
  state._reading = true
  local ok, err = pcall(read, state)
  state._reading = nil
  if not ok then
    error(err, 0)
  end
end

--- A limit: the request's own, or the app's, or the default.
local function limit_of(state, name, default)
  if state[name] ~= nil then
    return state[name]
  elseif state._unlimited and state._unlimited[name] then
    return nil
  end
  local app = core.app()
  local value = app and app.config[name:upper()]
  if value == nil then
    return default
  end
  return value or nil -- false: none
end

-- ---- the body ---------------------------------------------------------------------------------

local function has_data(state)
  return state._data ~= nil
end

--- A body that middleware hands over: the next piece, or nil at the end.
local function next_received(state)
  while not state._received do
    local message = state._receive()
    if type(message) ~= "table" or message.type ~= "http.request" then
      fail(400) -- http.disconnect: cut off
    end
    state._received = not message.more_body
    local piece = message.body or ""
    state._length = (state._length or 0) + #piece
    local limit = limit_of(state, "max_content_length")
    if limit and state._length > limit then
      fail(413)
    elseif piece ~= "" then
      return piece
    end
  end
end

local function read_received(state)
  local pieces = {}
  for piece in next_received, state do
    pieces[#pieces + 1] = piece
  end
  state._data = table.concat(pieces)
end

local function read_data(state)
  if state._receive then
    return read_received(state)
  end
  local ok, data = core.body_read(state._handle)
  if not ok then
    fail(data)
  end
  local limit = state.max_content_length
  if limit and #data > limit then
    fail(413)
  end
  state._data = data
end

--- The whole body as received. Waits for it.
---@async
---@param state table
---@return string
function M.read(state)
  if not state._data then
    once(state, has_data, read_data)
  end
  return state._data
end

--- What arrived next, or nil at the end. Waits for it.
---@async
---@param state table
---@return string?
function M.next_chunk(state)
  if state._receive then
    return next_received(state)
  end
  local ok, chunk = core.body_next(state._handle)
  if not ok then
    fail(chunk)
  end
  return chunk
end

-- ---- forms ------------------------------------------------------------------------------------

local URLENCODED = {
  ["application/x-www-form-urlencoded"] = true,
  ["application/x-url-encoded"] = true,
}

local function no_form(state)
  state.form = core.multidict_empty "form"
  state.files = core.multidict_empty "files"
end

local function load_urlencoded(state)
  if not state._data then
    read_data(state)
  end
  local form, status = core.form_parse(state._data)
  if not form then
    fail(status)
  end
  state.form = form
  state.files = core.multidict_empty "files"
end

local function new_parser(state)
  return core.form_parser(
    state._handle,
    limit_of(state, "max_form_memory_size", 500000),
    limit_of(state, "max_form_parts", 1000),
    limit_of(state, "file_spool_size", 512000),
    core.spool_dir()
  )
end

--- Feed the parser all of the body. False when it is no multipart form.
local function feed_all(state, parser)
  local chunk = state._data or M.next_chunk(state)
  while chunk do
    local ok, err = parser:feed(chunk)
    if not ok and err == 400 then
      return false -- a part without a head or a name: as Quart, no form at all
    elseif not ok then
      fail(err)
    end
    chunk = not state._data and M.next_chunk(state)
  end
  return true
end

local function load_multipart(state)
  local parser = new_parser(state)
  if not parser or not feed_all(state, parser) then
    return no_form(state)
  end
  local form, list = parser:finish(state._handle)
  if not form then
    fail(list)
  end
  state._data = state._data or ""
  for _, file in ipairs(list) do
    files.adopt(file)
  end
  state.form = form
  state.files = core.multidict_files(list)
end

local function has_form(state)
  return state.form ~= nil
end

local function load_form(state)
  local mimetype = core.request_mimetype(state._handle)
  if URLENCODED[mimetype] then
    load_urlencoded(state)
  elseif mimetype == "multipart/form-data" then
    load_multipart(state)
  else
    no_form(state)
  end
end

--- Set state.form and state.files. Waits for the body of a form.
---@async
---@param state table
function M.load(state)
  if not state.form then
    once(state, has_form, load_form)
  end
end

return M
