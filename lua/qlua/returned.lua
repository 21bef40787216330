--- What a view or handler returns becomes a Response: make_response, redirect, and the
--- stream of an iterator.
--- Flow: the core sends strings, plain tables and Responses itself; whatever else a view returned
--- comes to M.answer, by way of dispatch.lua.

local check = require "qlua.check"
local classes = require "qlua.class"
local core = require "qlua.core"
local current = require "qlua.current"
local errors = require "qlua.errors"
local json = require "qlua.json"
local responses = require "qlua.response"

local M = {}

local KINDS = "return a string, a table, a Response, an iterator function or an HTTP error"

--- A hook or handler as messages name it: `the function at app.lua:12`.
local function name_of(fn)
  local app, info = current.app(), debug.getinfo(fn, "S")
  local source, root = info.source:gsub("^@", ""), (app and app.root_path or "") .. "/"
  if source:sub(1, #root) == root then
    source = source:sub(#root + 1)
  end
  return ("the function at %s:%d"):format(source, info.linedefined)
end

local function fail(who, format, ...)
  local name = type(who) == "function" and name_of(who) or who
  error(name .. " returned " .. format:format(...), 0)
end

--- Why a value is no body.
local function refuse_body(who, count, body)
  if body == nil then
    fail(who, '%s: %s; for an empty answer, ""', count == 0 and "nothing" or "nil", KINDS)
  end
  local class = classes.class_of(body)
  local hint = ""
  if body == json.null then
    hint = "; qlua.jsonify(qlua.null) answers with JSON's null"
  elseif type(body) == "userdata" then
    hint = "; x:to_dict() makes a table of a MultiDict"
  elseif type(body) == "number" then
    hint = "; tostring makes a string of it"
  end
  fail(who, "%s, which is no answer: %s%s", class and "an instance of " .. class.__name or
    check.describe(body), KINDS, hint)
end

--- Response of a view's first value alone.
local function response_of(who, count, body)
  local kind = type(body)
  if kind == "string" or kind == "function" then
    return responses.new(body)
  elseif kind == "table" then
    if responses.is_response(body) then
      return body
    elseif classes.is_a(body, errors.HTTPException) then
      return body:get_response()
    elseif not classes.class_of(body) then
      local ok, response = pcall(json.jsonify, body)
      if not ok and type(response) == "string" then
        fail(who, "what cannot be sent: %s", (response:gsub("^.-json: ", "")))
      end
      return ok and response or error(response, 0)
    end
  end
  return refuse_body(who, count, body)
end

local function is_headers(value)
  return type(value) == "table" or core.is_headers(value)
end

local function is_status(value)
  return type(value) == "number" and value % 1 == 0 and value >= 200 and value <= 599
end

--- The status and headers that follow the body: `body, status, headers` or `body, headers`.
local function status_and_headers(who, count, second, third, ...)
  for i = 1, count - 3 do
    local extra = (select(i, ...))
    if extra ~= nil then
      fail(who, "a fourth value, %s: a body, a status and headers are all there is",
        check.describe(extra))
    end
  end
  if is_headers(second) and third == nil then
    return nil, second
  end
  if second ~= nil and not is_status(second) then
    local hint = type(second) == "number" and "; if it is the second result of a call, as of "
      .. "text:gsub(...), put the call in parentheses" or ""
    fail(who, "%s as its second value, where a status (an integer from 200 to 599) or a table "
      .. "of headers belongs%s", check.describe(second), hint)
  end
  if third ~= nil and not is_headers(third) then
    fail(who, "%s as its third value, where a table of headers belongs", check.describe(third))
  end
  return second, third
end

local function checked(who, response, message)
  if message then
    fail(who, "headers that cannot be sent: %s", message)
  end
  return response
end

--- The Response of what a handler returned. Raises, naming the handler and the value, when that
--- is no answer.
---@param who string|function names the handler in messages, or is it
---@param ... any what it returned
---@return qlua.Response
function M.to_response(who, ...)
  local body, second, third, fourth = ...
  if type(body) == "string" and fourth == nil and is_status(second) and type(third) == "table" then
    return checked(who, responses.with_headers(body, second, third)) -- what most views return
  end
  local count = select("#", ...)
  if count <= 1 then
    return response_of(who, count, body)
  end
  local status, headers = status_and_headers(who, count, select(2, ...))
  if type(body) == "string" and type(headers) == "table" then
    return checked(who, responses.with_headers(body, status, headers))
  end
  local response = response_of(who, count, body)
  response.status_code = status or response.status_code
  return checked(who, response, headers and responses.update_headers(response, headers))
end

--- A Response of anything that a view may return.
---@param ... any body, status, headers
---@return qlua.Response
function M.make_response(...)
  if select("#", ...) == 0 then
    return responses.new ""
  end
  local ok, result = pcall(M.to_response, "make_response:", ...)
  if not ok then
    check.fail("%s", (tostring(result):gsub("^make_response: returned ", "make_response got ")))
  end
  return result
end

--- What a hook behind the view leaves of a response: another one, or with nil the same.
---@param where string the hook's kind
---@param hook function
---@param value any what it returned
---@param response qlua.Response
---@return qlua.Response
function M.replaced(where, hook, value, response)
  if value == nil then
    return response
  elseif responses.is_response(value) then
    return value
  end
  return fail(hook, "%s to %s: return the response, or nothing to keep it",
    check.describe(value), where)
end

local REDIRECT_PAGE = [[
<!doctype html>
<html lang=en>
<title>Redirecting...</title>
<h1>Redirecting...</h1>
<p>You should be redirected automatically to the target URL: <a href="%s">%s</a>. ]]
  .. "If not, click the link.\n"

--- An answer that sends the client elsewhere.
---@param location string a URL; what may not stand in one is percent-encoded
---@param code? integer 302 unless given
---@return qlua.Response
function M.redirect(location, code)
  check.type("redirect", "location", location, "string")
  if code ~= nil and not (type(code) == "number" and code >= 300 and code <= 399) then
    check.fail("redirect: the code must be one of 301, 302, 303, 305, 307, 308, got %s",
      check.describe(code))
  end
  local url = core.quote_iri(location)
  local page = REDIRECT_PAGE:format(core.escape_html(url), core.escape_html(location))
  local response = responses.new(page, code or 302)
  response.headers:set("Location", url)
  return response
end

--- Send a response whose body is an iterator: the head first, then each chunk as it comes. An
--- error in the iterator reaches dispatch.failed, which cuts the connection.
---@async
local function stream(who, response)
  local task = require "qlua.task" -- the scheduler, which unit specs do without
  local next_chunk = rawget(response, 2)
  local wanted = core.answer_start(response) -- an answer to HEAD has no body
  while wanted do
    local chunk = next_chunk()
    if chunk == nil then
      break
    elseif type(chunk) ~= "string" then
      fail(who, "an iterator that gave %s: a chunk is a string, nil ends the body",
        check.describe(chunk))
    elseif chunk ~= "" then
      task.await(core.answer_write(chunk))
    end
  end
  core.answer_end()
  return core.ANSWERED
end

--- An iterator that may use `request` and the rest while the body is sent. The request's context
--- lasts until its body is out, so this is the iterator itself; the name is Quart's.
---@param iterator fun(): string?
---@return fun(): string?
function M.stream_with_context(iterator)
  check.type("stream_with_context", "iterator", iterator, "function")
  return iterator
end

--- Make an answer of a view's results: a Response for the core to send, or ANSWERED when it was
--- streamed from here.
---@async
---@param who string
---@param ... any
function M.answer(who, ...)
  local response = M.to_response(who, ...)
  if type(rawget(response, 2)) == "function" then
    return stream(who, response)
  end
  return response
end

return M
