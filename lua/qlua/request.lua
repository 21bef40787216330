--- `qlua.request`: the request being answered.
--- Flow: a view touches request.x; the proxy below looks into the context's table of fields and
--- asks the core (request_fields.lua) only for one that is missing. request_body.lua has what
--- waits for the body.

local body = require "qlua.request_body"
local check = require "qlua.check"
local context = require "qlua.context"
local core = require "qlua.core"
local new_table = require "table.new"
local fields = require "qlua.request_fields"

---@class qlua.Request the request that is being answered
---@field method string "GET", in upper case
---@field path string decoded, with one leading "/"
---@field full_path string path, "?" and query, the "?" always there
---@field query_string string as received, "" when empty
---@field url string with the query
---@field base_url string without it
---@field root_url string where the app is mounted: scheme, host, root_path
---@field url_root string the same as root_url
---@field host_url string scheme and host: "http://localhost/"
---@field host string without the scheme's own port
---@field root_path string ""
---@field script_root string ""
---@field scheme string "http" or "https"
---@field is_secure boolean was it https?
---@field http_version string "1.1"
---@field args qlua.MultiDict the query
---@field form qlua.MultiDict waits for the body
---@field files qlua.MultiDict uploaded files; waits for the body
---@field values qlua.MultiDict args, then form; waits for the body
---@field json any get_json(); waits for the body
---@field data string the body, "" after a multipart form; waits for it
---@field body fun(): string? iterator over the body's chunks; waits
---@field headers qlua.MultiDict names without regard to case
---@field cookies qlua.MultiDict what the client sent of them
---@field authorization? qlua.Authorization who the client says it is
---@field id string the request's name in logs: X-Request-Id of a trusted proxy, else made at random
---@field remote_addr string "<local>" for a Unix socket
---@field access_route string[] X-Forwarded-For as received, else remote_addr
---@field content_type? string the header Content-Type
---@field mimetype? string in lower case, without parameters
---@field mimetype_params table<string, string> of content_type: charset and the like
---@field content_length? number nil when absent or chunked
---@field content_md5? string the header Content-MD5
---@field access_control_request_headers? string the header of this name
---@field access_control_request_method? string the header of this name
---@field content_encoding? string the header Content-Encoding
---@field is_json boolean is the body's type JSON?
---@field referrer? string the header Referer
---@field origin? string the header Origin
---@field date? number seconds since 1970
---@field pragma? string the header Pragma
---@field max_forwards? number the header Max-Forwards
---@field user_agent { string: string } `request.user_agent.string`: the header User-Agent
---@field accept_mimetypes qlua.Accept the header Accept, read
---@field accept_languages qlua.Accept the header Accept-Language, read
---@field accept_encodings qlua.Accept the header Accept-Encoding, read
---@field accept_charsets qlua.Accept the header Accept-Charset, read
---@field cache_control qlua.RequestCacheControl the header Cache-Control by directive
---@field if_match qlua.ETags the tags of If-Match
---@field if_none_match qlua.ETags the tags of If-None-Match
---@field if_range { etag?: string, date?: number } the header If-Range: one of the two
---@field range? qlua.Range nil when absent or malformed
---@field if_modified_since? number seconds since 1970
---@field if_unmodified_since? number seconds since 1970
---@field endpoint? string of the rule that matched
---@field view_args? table<string, any> the values of the rule's variables, by name
---@field url_rule? { rule: string, endpoint: string } the rule that matched
---@field blueprint? string dotted name
---@field blueprints string[] innermost first
---@field max_content_length? number may be set: 413 above it
---@field max_form_memory_size? number may be set: 413 above it in one field of a multipart form
---@field max_form_parts? number may be set: 413 above it
---@field body_timeout? number may be set: seconds for the whole body, 408 after them

-- ---- the proxy --------------------------------------------------------------------------------

local methods, waiting, settings = body.methods, body.fields, body.settings

--- The running request's table of fields.
local function state_of(name)
  local ctx = context.get()
  if not ctx or not ctx.handle then
    check.fail("Not within a request context: request.%s was used outside of a request. Use it in "
      .. "a view, a hook or a function they call", tostring(name))
  end
  local state = ctx.request
  if not state then
    state = new_table(0, 8) -- room for a handful of fields: no rehash while they come
    state._handle = ctx.handle
    ctx.request = state
  end
  return state
end
body.set_state_of(state_of)

---@type qlua.Request
local request = newproxy(true)
local meta = getmetatable(request)
meta.__name = "qlua.Request"

local current = core.current

function meta.__index(_, name)
  local ctx = current[1]
  local state = ctx and ctx.request or state_of(name)
  local value = state[name]
  if value ~= nil then
    return value
  end
  local fill = fields[name]
  if fill then
    value = fill(state._handle, state)
    state[name] = value
    return value
  end
  local wait = waiting[name]
  if wait then
    return wait(state)
  end
  return methods[name]
end

function meta.__newindex(_, name, value)
  local state = state_of(name)
  if methods[name] then
    check.fail("request.%s is a method and cannot be assigned", name)
  elseif settings[name] then
    settings[name](state, value)
  elseif fields[name] or waiting[name] then
    check.fail("request.%s is what the client sent and cannot be assigned; keep values of your "
      .. "own in g", name)
  elseif type(name) == "string" and name:sub(1, 1) == "_" then
    check.fail("request.%s: names that begin with _ are qlua's own", name)
  else
    state[name] = value
  end
end

function meta.__tostring()
  if not context.has_request_context() then
    return "<Request outside of a request>"
  end
  return ("<Request '%s' [%s]>"):format(request.url, request.method)
end

return request
