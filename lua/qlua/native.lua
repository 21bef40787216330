---@meta
--- What C gives to lua/qlua: the types of `require "qlua.core"` (src/bind, one file a group).
--- Never loaded; the language server reads it.
---
--- Functions marked "waits" return (true, results...) or (nil, error): pass their results
--- through `task.await`, which raises the error at the caller's wait point.

-- luacheck: ignore 212 (stubs use no argument)

---@class qlua.Handle userdata: the running request's C side; dead after the request has ended
---@class qlua.File userdata: an open file, to be sent or read

---@class qlua.core
---@field current table [1] is the running task's context table, or nil; set by the scheduler
---@field null lightuserdata JSON null, the same as lua-cjson's
---@field ANSWERED lightuserdata returned by a dispatched function that sent its answer itself
local core = {}

--- The running task's context table, made on first touch: `{ handle = qlua.Handle }` in a task
--- that serves a request (or was spawned by one), nil elsewhere. Also puts it in current[1].
---@return { handle: qlua.Handle }?
function core.context() end

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

-- ---- the request (bind/request.c, form.c); request_fields.lua says what each is for ------------

---@param handle qlua.Handle
---@return string
function core.request_method(handle) end

---@param handle qlua.Handle
---@return string decoded
function core.request_path(handle) end

---@param handle qlua.Handle
---@return string as received, without "?"
function core.request_query(handle) end

---@param handle qlua.Handle
---@return string "1.0" or "1.1"
function core.request_http_version(handle) end

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

-- ---- names with values (bind/multidict.c, headers_write.c) -------------------------------------

---@class qlua.MultiDict names with one or more values, as the client sent them; cannot be changed
---@field [string] string the first value of a name; a method's name wins
---@field get fun(self, name: string, default?: any, convert?: fun(text: string): any): any
---@field getlist fun(self, name: string, convert?: fun(text: string): any): any[]
---@field items fun(self): fun(): string?, any first values; of headers every line
---@field keys fun(self): string[]
---@field lists fun(self): fun(): string?, any[]
---@field to_dict fun(self, options?: { flat?: boolean }): table<string, any>
---@field contains fun(self, name: string): boolean

---@class qlua.Headers: qlua.MultiDict header lines that can be changed
---@field [string] string|number|nil assigning sets the one line of that name, nil removes it
---@field set fun(self, name: string, value?: string|number, params?: table<string, string|number>)
---@field add fun(self, name: string, value: string|number, params?: table<string, string|number>)
---@field setlist fun(self, name: string, values: (string|number)[])
---@field setdefault fun(self, name: string, value: string|number): string
---@field remove fun(self, name: string)
---@field pop fun(self, name: string, default?: any): any
---@field clear fun(self)
---@field update fun(self, other: table|qlua.MultiDict) replaces the names it brings

--- New Headers from a table by name (a list as value: several lines), a list of { name, value },
--- or other Headers.
---@param init? table|qlua.MultiDict
---@return qlua.Headers
function core.headers(init) end

---@param first qlua.MultiDict
---@param second qlua.MultiDict
---@return qlua.MultiDict
function core.multidict_join(first, second) end

---@param kind "form"|"files"
---@return qlua.MultiDict
function core.multidict_empty(kind) end

--- The MultiDict of files by their field `name`; takes the list.
---@param list table[]
---@return qlua.MultiDict
function core.multidict_files(list) end

return core
