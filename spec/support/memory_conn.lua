--- A connection without a socket, for unit specs: bytes in, bytes out, requests to a Lua handler.
---
---   local memory_conn = require "support.memory_conn"
---   local c = memory_conn.new { on_request = function(req, c) c:answer(req, 200, "text") end }
---   c:feed "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
---   c:output(), c:is_closed(), c:free()
---
--- The handler's functions get a struct request. FFI callbacks are for specs only; what calls
--- them must not be compiled, hence jit.off.

local ffi = require "ffi"
local native = require "support.native"
require "support.fields"

ffi.cdef [[
struct loop; struct stream; struct conn; struct log; struct http_server;
struct request {
  uint32_t refs;
  uint8_t method, http_minor;
  bool keep_alive, head_checked, expect_continue, gone;
  uint8_t body_state, answer_state;
  uint16_t status;
  struct http_server *server;
  struct conn *conn;
  void *exchange;
  struct slice raw_target;
  struct {
    int form;
    struct slice path, raw_path, query;
    bool has_query;
    struct slice authority, scheme;
  } target;
  struct slice host;
  struct fields headers;
  uint8_t told_method;
  struct slice scheme, root_path, peer;
  int peer_port; /* and more that specs do not touch */
};
struct answer {
  int status; struct slice content_type; const struct fields *headers; int64_t length;
  struct slice unsent_type; int64_t unsent_length; const void *keeper;
};
struct http_handler {
  void (*on_head)(void *data, struct request *req);
  void (*on_request)(void *data, struct request *req);
  void (*on_body)(void *data, struct request *req);
  void (*on_drain)(void *data, struct request *req);
  void (*on_gone)(void *data, struct request *req);
  void (*on_done)(void *data, struct request *req);
  void (*on_closed)(void *data);
};
struct http_settings {
  size_t max_header_size, max_target_size;
  uint32_t header_timeout_ms, keep_alive_timeout_ms;
  struct slice server_header;
  const void *coding;
};
struct http_server_head {
  struct loop *loop; const struct log *log; const struct http_handler *handler; void *data;
  struct http_settings settings;
  char rest[16384];
};
struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_turn(struct loop *loop, bool wait);
void http_server_init(struct http_server_head *server, struct loop *loop, const struct log *log);
void http_server_tick(struct http_server_head *server, int64_t seconds);
void http_server_clear(struct http_server_head *server);
void conn_open(struct http_server_head *server, struct stream *stream);
struct stream *memory_stream_new(struct loop *loop, struct buf *output, size_t window);
bool memory_stream_feed(struct stream *stream, struct slice bytes);
void memory_stream_eof(struct stream *stream);
void memory_stream_reset(struct stream *stream);
void memory_stream_drain(struct stream *stream);
bool memory_stream_is_closed(const struct stream *stream);
void request_want_body(struct request *req, bool whole);
void request_take_body(struct request *req, struct buf *out);
void request_answer(struct request *req, const struct answer *answer, struct slice body);
void request_answer_start(struct request *req, const struct answer *answer);
bool request_answer_write(struct request *req, struct slice bytes);
void request_answer_end(struct request *req);
void request_abort(struct request *req);
]]

local lib = native.lib
local CALLS = { "on_head", "on_request", "on_body", "on_drain", "on_gone", "on_done" }

--- enum body_state
local BODY = { NONE = 0, READING = 1, COMPLETE = 2, TOO_LARGE = 3, TIMED_OUT = 4, BROKEN = 5 }

---@class spec.MemoryConn
local Conn = {}
Conn.__index = Conn

local M = { BODY = BODY }

---@class spec.MemoryConnOptions
---@field window? integer
---@field max_header_size? integer
---@field max_target_size? integer
---@field wrap? fun(stream: ffi.cdata*): ffi.cdata* a stream on top of the memory's

---@param handler table<string, fun(req: ffi.cdata*, c: spec.MemoryConn)> by the names in CALLS
---@param options? spec.MemoryConnOptions
---@return spec.MemoryConn
function M.new(handler, options)
  options = options or {}
  local self = setmetatable({ closed = false, error = nil }, Conn)
  self._callbacks = {}
  local calls = ffi.new "struct http_handler"
  for _, name in ipairs(CALLS) do
    local fn = handler[name] or function() end
    self._callbacks[name] = ffi.cast("void (*)(void *, struct request *)", function(_, req)
      local ok, message = pcall(fn, req, self)
      self.error = self.error or not ok and message or nil
    end)
    calls[name] = self._callbacks[name]
  end
  self._callbacks.on_closed = ffi.cast("void (*)(void *)", function() self.closed = true end)
  calls.on_closed = self._callbacks.on_closed
  self._calls, self._loop = calls, lib.loop_new()
  self._server = ffi.new "struct http_server_head"
  lib.http_server_init(self._server, self._loop, nil)
  lib.http_server_tick(self._server, 0)
  self._server.handler = calls
  self._server.settings.max_header_size = options.max_header_size or 16384
  self._server.settings.max_target_size = options.max_target_size or 8192
  self._server.settings.header_timeout_ms = 20000
  self._server.settings.keep_alive_timeout_ms = 20000
  self._output = ffi.new "struct buf"
  self.stream = lib.memory_stream_new(self._loop, self._output, options.window or 0)
  lib.conn_open(self._server, options.wrap and options.wrap(self.stream) or self.stream)
  return self
end

--- Give the connection these bytes; false when it does not read at the moment.
function Conn:feed(bytes)
  return not self.closed and lib.memory_stream_feed(self.stream, native.slice(bytes))
end

function Conn:eof()
  lib.memory_stream_eof(self.stream)
end

function Conn:reset()
  lib.memory_stream_reset(self.stream)
end

function Conn:drain()
  lib.memory_stream_drain(self.stream)
end

--- Everything that was written so far.
function Conn:output()
  assert(not self.error, self.error)
  return native.text(self._output)
end

function Conn:is_closed()
  return self.closed or lib.memory_stream_is_closed(self.stream)
end

local function answer_of(status, length, fields)
  local answer = ffi.new "struct answer"
  answer.status, answer.length, answer.headers = status, length, fields
  return answer
end

function Conn:answer(req, status, body)
  self._last = body -- keeps the string while C uses it
  lib.request_answer(req, answer_of(status, 0), native.slice(body))
end

--- Begin a streamed answer; no length makes it chunked (or closed at its end).
function Conn:start(req, status, length)
  lib.request_answer_start(req, answer_of(status, length or -1))
end

function Conn:write(req, bytes)
  return lib.request_answer_write(req, native.slice(bytes))
end

function Conn:finish(req)
  lib.request_answer_end(req)
end

function Conn:abort(req)
  lib.request_abort(req)
end

function Conn:want_body(req, whole)
  lib.request_want_body(req, whole)
end

--- What has come of the body and was not taken yet.
function Conn:take_body(req)
  local taken = native.buf()
  lib.request_take_body(req, taken)
  return native.text(taken)
end

--- One turn of the loop, without waiting.
function Conn:turn()
  lib.loop_turn(self._loop, false)
end

--- Close what is still open and give everything back.
function Conn:free()
  if not self.closed then
    lib.memory_stream_reset(self.stream)
  end
  for _ = 1, 10 do
    lib.loop_turn(self._loop, false)
  end
  assert(self.closed, "the connection did not close")
  lib.http_server_clear(self._server)
  lib.loop_free(self._loop)
  lib.buf_clear(self._output)
  for _, callback in pairs(self._callbacks) do
    callback:free()
  end
  assert(not self.error, self.error)
end

for _, fn in pairs(Conn) do
  if type(fn) == "function" then
    jit.off(fn)
  end
end

return M
