--- What a request says: how each field of `request` is filled.
--- Flow: lua/qlua/request.lua calls fields[name](handle, state) once for a field that is read;
--- state is the request's table, in which the result is kept. nil is asked for again.

local accept = require "qlua.accept"
local core = require "qlua.core"
local header_values = require "qlua.header_values"

---@type table<string, fun(handle: qlua.Handle, state: table): any>
local fields = {}

-- ---- what the core answers --------------------------------------------------------------------

fields.method = core.request_method
fields.path = core.request_path
fields.query_string = core.request_query
fields.http_version = core.request_http_version
fields.id = core.request_id
fields.scheme = core.request_scheme
fields.args = core.request_args
fields.headers = core.request_headers
fields.cookies = core.request_cookies
fields.content_length = core.request_content_length
fields.endpoint = core.request_endpoint
fields.view_args = core.request_view_args

--- Without a Host header (HTTP/1.0) the app's own name.
function fields.host(handle)
  local host = core.request_host(handle)
  if host ~= "" then
    return host
  end
  local app = core.app()
  return app and app.config.SERVER_NAME or ""
end

function fields.remote_addr(handle)
  return (core.request_peer(handle))
end

-- fields that are a header's first value, text or a date
for name, header in pairs {
  content_type = "Content-Type", referrer = "Referer", origin = "Origin", pragma = "Pragma",
  content_encoding = "Content-Encoding", content_md5 = "Content-MD5",
  access_control_request_headers = "Access-Control-Request-Headers",
  access_control_request_method = "Access-Control-Request-Method",
} do
  fields[name] = function(handle)
    return core.request_header(handle, header)
  end
end

for name, header in pairs {
  date = "Date", if_modified_since = "If-Modified-Since",
  if_unmodified_since = "If-Unmodified-Since",
} do
  fields[name] = function(handle)
    return core.request_date(handle, header)
  end
end

-- fields made of all of a header's lines
for name, of in pairs {
  accept_mimetypes = { "Accept", accept.mimetypes },
  accept_languages = { "Accept-Language", accept.languages },
  accept_encodings = { "Accept-Encoding", accept.plain },
  accept_charsets = { "Accept-Charset", accept.plain },
  cache_control = { "Cache-Control", header_values.cache_control },
  if_match = { "If-Match", header_values.etags },
  if_none_match = { "If-None-Match", header_values.etags },
} do
  local header, make = of[1], of[2]
  fields[name] = function(handle)
    return make(core.request_header_all(handle, header))
  end
end

function fields.range(handle)
  return header_values.range(core.request_header(handle, "Range"))
end

function fields.if_range(handle)
  return header_values.if_range(core.request_header(handle, "If-Range"),
    core.request_date(handle, "If-Range"))
end

-- ---- what is made of other fields -------------------------------------------------------------

--- A field of the request whose table this is; the core is asked once.
local function read(state, name)
  local value = state[name]
  if value == nil then
    value = fields[name](state._handle, state)
    state[name] = value
  end
  return value
end

fields.root_path = core.request_root_path
fields.script_root = core.request_root_path

function fields.is_secure(_, state)
  local scheme = read(state, "scheme")
  return scheme == "https" or scheme == "wss"
end

function fields.full_path(_, state)
  return read(state, "path") .. "?" .. read(state, "query_string")
end

function fields.host_url(_, state)
  return ("%s://%s/"):format(read(state, "scheme"), read(state, "host"):lower())
end

function fields.root_url(_, state)
  return read(state, "host_url") .. (read(state, "root_path") .. "/"):sub(2)
end
fields.url_root = fields.root_url

function fields.base_url(handle, state)
  return read(state, "root_url") .. core.request_iri(handle):sub(2)
end

function fields.url(handle, state)
  local _, query = core.request_iri(handle)
  return read(state, "base_url") .. (query ~= "" and "?" .. query or "")
end

function fields.mimetype(handle)
  local mimetype = core.request_mimetype(handle)
  return mimetype ~= "" and mimetype or nil
end

function fields.mimetype_params(_, state)
  local _, params = header_values.params(read(state, "content_type") or "")
  return params
end

function fields.is_json(_, state)
  local mimetype = read(state, "mimetype") or ""
  return mimetype == "application/json" or mimetype:find "^application/.*%+json$" ~= nil
end

function fields.max_forwards(handle)
  local text = core.request_header(handle, "Max-Forwards")
  return text and text:find "^%d+$" and tonumber(text) or nil
end

function fields.access_route(handle, state)
  local list = core.header_list(core.request_header_all(handle, "X-Forwarded-For") or "")
  if #list == 0 then
    list[1] = read(state, "remote_addr")
  end
  return list
end

local UserAgent = { __name = "qlua.UserAgent" }

function UserAgent.__tostring(agent)
  return agent.string
end

function fields.user_agent(handle)
  return setmetatable({ string = core.request_header(handle, "User-Agent") or "" }, UserAgent)
end

function fields.authorization(handle)
  return header_values.authorization(core.request_authorization(handle))
end

function fields.url_rule(handle, state)
  local rule = core.request_rule(handle)
  if type(rule) == "string" then
    return { rule = rule, endpoint = read(state, "endpoint") }
  end
  return rule
end

function fields.blueprint(_, state)
  local endpoint = read(state, "endpoint")
  return endpoint and endpoint:match "^(.*)%."
end

function fields.blueprints(_, state)
  local names, name = {}, read(state, "blueprint")
  while name do
    names[#names + 1] = name
    name = name:match "^(.*)%."
  end
  return core.array(names)
end

return fields
