---@meta
--- What C gives to lua/qlua: the types of `require "qlua.core"` (src/bind, one file a group).
--- Never loaded; the language server reads it.
---
--- Functions marked "waits" return (true, results...) or (nil, error): pass their results
--- through `task.await`, which raises the error at the caller's wait point.

-- luacheck: ignore 212 (stubs use no argument)

---@class qlua.Handle userdata: the running request's C side; dead after the request has ended

---@class qlua.core
---@field current table [1] is the running task's context table, or nil; set by the scheduler
---@field null lightuserdata JSON null, the same as lua-cjson's
---@field ANSWERED lightuserdata returned by a dispatched function that sent its answer itself
---@field debug? boolean the server's debug switch
---@field version? string qlua's version
---@field worker { pid: integer, id: integer, generation: integer }
local core = {}

--- The running task's context table, made on first touch: `{ handle = qlua.Handle }` in a task
--- that serves a request (or was spawned by one), nil elsewhere. Also puts it in current[1].
---@return { handle: qlua.Handle }?
function core.context() end

--- Does the running task serve a request? Touches nothing, where context() makes the table.
---@return boolean
function core.in_request() end

--- The value as JSON text (src/value/json.h has the rules), or nil, what is wrong, and its path.
---@param value any
---@param options? qlua.json.Options
---@return string? text
---@return string? message
---@return string? path as `a.b[3]`, "" for the value itself
function core.json_encode(value, options) end

--- The value of a JSON text: arrays are marked, null is core.null; or nil and what is wrong.
---@param text string
---@return any value
---@return string? message with line and column
function core.json_decode(text) end

--- Mark the table itself as an array, so that an empty one is [] and holes are null.
---@generic T: table
---@param list T
---@return T
function core.array(list) end

--- Is it a table with the array mark?
---@param value any
---@return boolean
function core.is_array(value) end

--- Paths, within the folder, of all files in it and below: hidden ones are left out.
---@param folder string
---@return string[] {} when there is no such folder
function core.files_below(folder) end

--- Text that is HTML already.
---@param text string
---@return qlua.Markup
function core.markup(text) end

-- ---- the request (bind/request.c, form.c); request_fields.lua says what each is for -----------

---@param handle qlua.Handle
---@return string
function core.request_method(handle) end

---@param handle qlua.Handle
---@return string decoded
function core.request_path(handle) end

---@param handle qlua.Handle
---@return string
function core.request_raw_path(handle) end

---@param handle qlua.Handle
---@return string where the app is mounted: "" or "/prefix"
function core.request_root_path(handle) end

--- MD5 in hex.
---@param text string
---@return string? hex
---@return string? message
function core.md5(text) end

---@param handle qlua.Handle
---@return string as received, without "?"
function core.request_query(handle) end

---@param handle qlua.Handle
---@return string "1.0" or "1.1"
function core.request_http_version(handle) end

---@param handle qlua.Handle
---@return string the request's name in logs
function core.request_id(handle) end

---@param handle qlua.Handle
---@return string
function core.request_scheme(handle) end

---@param handle qlua.Handle
---@return string without the scheme's own port; "" when there is none
function core.request_host(handle) end

--- Path and query as they stand in request.url: decoded where that changes no meaning.
---@param handle qlua.Handle
---@return string path
---@return string query
function core.request_iri(handle) end

---@param handle qlua.Handle
---@return qlua.MultiDict
function core.request_args(handle) end

---@param handle qlua.Handle
---@return qlua.MultiDict
function core.request_headers(handle) end

---@param handle qlua.Handle
---@return qlua.MultiDict
function core.request_cookies(handle) end

--- The first value of a header.
---@param handle qlua.Handle
---@param name string
---@return string?
function core.request_header(handle, name) end

--- All values of a header, joined by ", ".
---@param handle qlua.Handle
---@param name string
---@return string?
function core.request_header_all(handle, name) end

--- A header that is a date, as seconds since 1970; nil when it is absent or no date.
---@param handle qlua.Handle
---@param name string
---@return number?
function core.request_date(handle, name) end

---@param handle qlua.Handle
---@return string in lower case, without parameters; "" when there is none
function core.request_mimetype(handle) end

---@param handle qlua.Handle
---@return number? nil when absent or chunked
function core.request_content_length(handle) end

---@param handle qlua.Handle
---@return string? scheme in lower case; nil when absent, or no valid Basic credentials
---@return string? username of Basic
---@return string? password of Basic
---@return string? rest what follows any other scheme
function core.request_authorization(handle) end

---@param handle qlua.Handle
---@return string address "<local>" for a Unix socket
---@return integer port
function core.request_peer(handle) end

---@param handle qlua.Handle
---@return string? endpoint of the matched rule
function core.request_endpoint(handle) end

---@param handle qlua.Handle
---@return string? rule text of the matched rule
---@return integer? index
function core.request_rule(handle) end

---@param handle qlua.Handle
---@return table<string, any>? view_args
function core.request_view_args(handle) end

--- The limit for what is still to come of the body; nil: none.
---@param handle qlua.Handle
---@param bytes? number
function core.request_set_max_body(handle, bytes) end

--- Seconds for the whole body; nil: none.
---@param handle qlua.Handle
---@param seconds? number
function core.request_set_body_timeout(handle, seconds) end

--- The whole body. Waits.
---@async
---@param handle qlua.Handle
---@return boolean? ok
---@return string|integer|any data or 413, 408, 400, or an error
function core.body_read(handle) end

--- What arrived next; nil at the end. Waits.
---@async
---@param handle qlua.Handle
---@return boolean? ok
---@return string|integer|any chunk or 413, 408, 400, or an error
function core.body_next(handle) end

--- The elements of a comma-separated header value.
---@param text string
---@return string[]
function core.header_list(text) end

---@class qlua.FormParser userdata: reads a multipart body as it arrives
local FormParser = {} -- luacheck: ignore 241

---@param bytes string
---@return boolean? ok
---@return integer|string? err 413 (a limit), 400 (no form) or a message
function FormParser:feed(bytes) end

---@param handle qlua.Handle
---@return qlua.MultiDict? form
---@return table[]|integer|string files or an error as of feed; 400: cut off
function FormParser:finish(handle) end

--- A parser for the request's boundary; nil when its Content-Type has none. nil limits: none.
---@param handle qlua.Handle
---@param max_memory? number bytes of one field
---@param max_parts? number
---@param spool_size? number larger files go to disk
---@param spool_dir string
---@return qlua.FormParser?
function core.form_parser(handle, max_memory, max_parts, spool_size, spool_dir) end

---@param text string a urlencoded body
---@return qlua.MultiDict? form
---@return integer? status 413: too many pairs
function core.form_parse(text) end

-- ---- what is served (bind/generation.c) --------------------------------------------------------

--- The function called for the rule of this index, with its variables.
---@param index integer
---@param fn function
function core.route_target(index, fn) end

--- Limits of one rule; those it does not name are the app's.
---@param index integer
---@param limits table<string, number|false>
function core.route_limits(index, limits) end

--- The app's limits: max_content_length, body_timeout, body_stall_timeout, response_timeout.
---@param limits table<string, number|false> false: none
function core.set_limits(limits) end

---@param on boolean whether JSON is indented
function core.set_debug(on) end

--- App keys of the config file's `app` object, in the order given; without a value: absent. The
--- origin is file and line.
---@return { name: string, value: any, origin: string }[]
function core.config_file() end

--- App keys of `--set KEY=VALUE`, in the order given. The origin is `--set KEY`.
---@return { name: string, value: any, origin: string }[]
function core.config_set() end

--- The variables of the environment whose names begin with the prefix, sorted by name.
---@param prefix string
---@return { [1]: string, [2]: string }[] names and values
function core.environment(prefix) end

---@param hooks { refused: function, failed: function, value: function }
function core.set_hooks(hooks) end

---@param err any what cancelled waits raise
function core.set_cancelled(err) end

---@param class qlua.Class of the errors that end tasks which used up their processor time; its
---  method _noted is called where they were stopped
function core.set_stopped(class) end

---@param fn fun(err: any, co?: thread): string what is logged of an error
function core.set_traceback(fn) end

---@param metatable table that of Responses
function core.response_class(metatable) end

---@param app qlua.App
---@param json qlua.json.Provider
---@param routes qlua.Routes
function core.serve(app, json, routes) end

---@return qlua.App? app the one being served
function core.app() end

---@return string? path the started file's folder, absolute, without a last slash
function core.app_root() end

---@return string? path the started file, absolute
function core.app_path() end

---@param options table of app:run
function core.run_called(options) end

-- ---- tasks (bind/task.c) -----------------------------------------------------------------------
-- What waits returns true and results, or nil and an error to raise (task.await).

---@type lightuserdata what a coroutine yields whose inner code waits
core.WAIT = nil

---@type table of a qlua.Task
core.task_metatable = nil

---@async
---@param seconds number
---@return true? ok
---@return any err
function core.sleep(seconds) end

---@param fn function
---@return qlua.Task task it begins at the end of this turn
function core.spawn(fn, ...) end

--- Waits until all have returned or one has failed, or the time is over.
---@async
---@param seconds number|false
---@param ... qlua.Task
---@return true? ok
---@return any over false when the time is over; an error when ok is nil
function core.task_join(seconds, ...) end

---@param task qlua.Task
---@return "running"|"returned"|"failed"|"cancelled"
function core.task_state(task) end

---@param task qlua.Task one that is over
---@return { n: integer, thread?: thread } results or the one error, with its coroutine
function core.task_results(task) end

---@param task qlua.Task
---@return boolean was it running
function core.task_cancel(task) end

--- The task goes on with the loading that the running one has begun, which waits for it: the
--- processor time that loading may take counts for both.
---@param task qlua.Task
function core.hand_on_loading(task) end

---@return number? id of the running task, never used again
function core.task_id() end

---@param id number
---@return boolean
function core.task_lives(id) end

--- Undoes the wait that cannot be passed outward from here.
---@return string? message why it cannot
function core.wait_barrier() end

--- Have coroutines that are resumed within each other used up what there is of C's stack?
---@return boolean
function core.is_stack_used_up() end

-- ---- answers in pieces (bind/response.c) -------------------------------------------------------

---@param response qlua.Response its body is not looked at
---@return boolean wanted pieces may follow; false: an answer to HEAD, or a status without a body
function core.answer_start(response) end

--- Waits while the client is slow.
---@param chunk string
function core.answer_write(chunk) end

function core.answer_end() end

function core.answer_abort() end

---@return boolean started
function core.answer_started() end

-- ---- rules (bind/route.c, route_url.c) ---------------------------------------------------------

---@class qlua.Routes userdata: the router of one app
local Routes = {} -- luacheck: ignore

---@param name string
---@param converter qlua.Converter rules added from now on may use it
function Routes:converter(name, converter) end

---@param rule qlua.Rule
---@return integer? index from 0, in order of registration
---@return string? message
---@return integer? column
function Routes:add(rule) end

---@param index integer
---@return string[] names
---@return string[] converters
function Routes:variables(index) end

---@return integer[] indices in the order in which requests try the rules
function Routes:order() end

--- The rule that build would take.
---@param endpoint string
---@param values table<string, any>
---@param method? string
---@param default_method? string
---@param host? string
---@return integer? index
---@return string? message
function Routes:choose(endpoint, values, method, default_method, host) end

---@param endpoint string
---@param values table<string, any>
---@param method? string
---@param default_method? string
---@param host? string
---@param converted? table<string, string> texts that custom converters made of values
---@return string? url path and query
---@return string host the host or subdomain; the message when there is no URL
---@return integer? index
function Routes:build(endpoint, values, method, default_method, host, converted) end

---@param options { host_matching?: boolean, strict_slashes?: boolean, merge_slashes?: boolean,
---  redirect_defaults?: boolean, server_name?: string }
---@return qlua.Routes
function core.routes(options) end

--- Look requests up in these from now on.
---@param routes qlua.Routes
function core.serve_routes(routes) end

---@param name string in upper case
---@return boolean known to the parser
function core.method_known(name) end

-- ---- files (bind/file.c, condition.c) ----------------------------------------------------------

---@class qlua.File userdata: an open regular file, to be sent or read; closed by the collector
---@field size number
---@field mtime number
---@field path string
---@field offset number
---@field length number bytes from offset on that are to be sent
local File = {} -- luacheck: ignore

function File:close() end

--- The next n bytes, or all; nil at the end.
---@param n? number
---@return string?
function File:read(n) end

--- Only these bytes, both included.
---@param first number
---@param last number
---@return qlua.File self
function File:range(first, last) end

---@return string etag without quotes
function File:etag() end

---@param path string
---@return qlua.File? file
---@return string? message
---@return integer? code
---@return boolean? is_missing it is not there, or no regular file
function core.file_open(path) end

--- Never a file outside of the folder: neither by dots nor through links.
---@param folder string
---@param name string
---@return qlua.File? file
---@return string? message
---@return integer? code
---@return boolean? is_missing
function core.file_open_in(folder, name) end

---@param path string
---@return number? size
---@return number|string mtime
function core.file_stat(path) end

---@param value any
---@return boolean
function core.is_file(value) end

---@param headers qlua.MultiDict
---@param is_get_or_head boolean
---@param etag? string as in the header
---@param last_modified? number
---@return "pass"|"not_modified"|"failed"
function core.condition(headers, is_get_or_head, etag, last_modified) end

---@param headers qlua.MultiDict
---@param size number
---@param etag? string
---@param last_modified? number
---@return number|false|nil first false: the whole; nil: none of it (416)
---@return number? last
function core.range(headers, size, etag, last_modified) end

-- ---- texts (bind/text.c) -----------------------------------------------------------------------

---@param code integer
---@return string phrase "" when it has none
function core.status_phrase(code) end

---@param code integer
---@return string
function core.status_description(code) end

---@param code integer
---@param description? string plain text
---@return string html
function core.status_page(code, description) end

--- A time as HTTP writes it: "Thu, 01 Jan 1970 00:00:00 GMT".
---@param seconds? number since 1970; now by default
---@return string
function core.http_date(seconds) end

---@param text string
---@return number? seconds
function core.parse_http_date(text) end

---@param text string
---@return string
function core.escape_html(text) end

---@param url string
---@return string url with what may not stand in one percent-encoded
function core.quote_iri(url) end

---@param text string
---@return string
function core.quote_anchor(text) end

--- For a parameter such as filename*=UTF-8''...
---@param text string
---@return string
function core.quote_parameter(text) end

---@param filename string
---@return string?
function core.mime_type(filename) end

---@param mimetype string
---@return boolean
function core.mime_wants_charset(mimetype) end

---@param value any
---@return boolean
function core.is_headers(value) end

--- The text of a Set-Cookie header.
---@param name string
---@param value string
---@param options table of response:set_cookie
---@return string? text
---@return string? message
function core.cookie_write(name, value, options) end

return core
