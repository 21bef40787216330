--- TLS streams in process: OpenSSL's client and a connection of ours, bytes carried by hand.
--- What needs a socket or another implementation is in spec/server/tls*_spec.lua.

local ffi = require "ffi"

local files = require "support.files"
local memory_conn = require "support.memory_conn"
local native = require "support.native"
local tls = require "support.tls"

ffi.cdef [[
struct tls_context;
struct tls_ticket_key { unsigned char name[16], cipher[32], mac[32]; };
struct tls_identity {
  struct slice certificates, key;
  const struct tls_ticket_key *tickets;
  size_t ntickets;
  const void *log;
};
struct tls_context *tls_context_new(const struct tls_identity *identity, struct err *err);
void tls_context_unref(struct tls_context **context);
struct stream *tls_stream_new(struct tls_context *context, struct stream *inner);
struct slice tls_stream_protocol(const struct stream *stream);

typedef struct SSL SSL; typedef struct SSL_CTX SSL_CTX; typedef struct BIO BIO;
typedef struct SSL_SESSION SSL_SESSION;
const void *TLS_client_method(void);
SSL_CTX *SSL_CTX_new(const void *method);
void SSL_CTX_free(SSL_CTX *context);
long SSL_CTX_ctrl(SSL_CTX *context, int command, long number, void *data);
SSL *SSL_new(SSL_CTX *context);
void SSL_free(SSL *ssl);
int SSL_set_alpn_protos(SSL *ssl, const char *protocols, unsigned len);
void SSL_set_connect_state(SSL *ssl);
void SSL_set_shutdown(SSL *ssl, int mode);
void SSL_set_bio(SSL *ssl, BIO *from, BIO *to);
int SSL_do_handshake(SSL *ssl);
int SSL_read(SSL *ssl, void *dst, int len);
int SSL_write(SSL *ssl, const void *src, int len);
int SSL_key_update(SSL *ssl, int kind);
int SSL_session_reused(const SSL *ssl);
SSL_SESSION *SSL_get1_session(SSL *ssl);
int SSL_set_session(SSL *ssl, SSL_SESSION *session);
int SSL_SESSION_has_ticket(const SSL_SESSION *session);
void SSL_SESSION_free(SSL_SESSION *session);
BIO *BIO_new(const void *method);
const void *BIO_s_mem(void);
int BIO_read(BIO *bio, void *dst, int len);
int BIO_write(BIO *bio, const void *src, int len);
]]

local lib = native.lib
local SET_MAX_PROTO_VERSION = 124
local UPDATE_REQUESTED = 1
local BOTH_SHUT = 3
local VERSIONS = { ["1.2"] = 0x0303, ["1.3"] = 0x0304 }
local REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

-- a struct log that writes nothing
local silence = ffi.new("int[64]", { -1, 9 })

describe("a TLS stream", function()
  local folder, certificate, key, clients
  local contexts, conns = {}, {}

  setup(function()
    folder = files.folder()
    local cert_path, key_path = tls.certificate(folder)
    certificate, key = files.read(cert_path), files.read(key_path)
  end)

  teardown(function()
    files.remove(folder)
  end)

  before_each(function()
    clients = lib.SSL_CTX_new(lib.TLS_client_method())
  end)

  after_each(function()
    for i, conn in ipairs(conns) do
      conn:free()
      conns[i] = nil
    end
    for i, context in ipairs(contexts) do
      lib.tls_context_unref(context)
      contexts[i] = nil
    end
    lib.SSL_CTX_free(clients)
  end)

  --- A server's context that knows these ticket keys, newest first; each is named by a letter.
  local function context(letters)
    local tickets = ffi.new("struct tls_ticket_key[3]")
    for i = 1, #letters do
      ffi.fill(tickets[i - 1], ffi.sizeof "struct tls_ticket_key", letters:byte(i))
    end
    local identity = ffi.new("struct tls_identity", { certificates = native.slice(certificate),
      key = native.slice(key), tickets = tickets, ntickets = #letters, log = silence })
    local err = ffi.new "struct err"
    local made = lib.tls_context_new(identity, err)
    assert(made ~= nil, ffi.string(err.message))
    contexts[#contexts + 1] = ffi.new("struct tls_context *[1]", { made })
    return made
  end

  ---@class spec.TlsPair
  ---@field conn spec.MemoryConn
  ---@field stream ffi.cdata* the TLS stream on the server's side
  ---@field client ffi.cdata* SSL
  ---@field carry fun(one_way?: boolean) what was written arrives at the other side

  --- A client and a connection of ours, before their handshake.
  ---@return spec.TlsPair
  local function connect(server, window)
    local pair, buffer, seen = {}, ffi.new "char[65536]", 0
    pair.conn = memory_conn.new({ on_request = function(req, c) c:answer(req, 200, "well") end }, {
      window = window,
      wrap = function(stream)
        pair.stream = lib.tls_stream_new(server, stream)
        return pair.stream
      end,
    })
    conns[#conns + 1] = pair.conn
    pair.client = ffi.gc(lib.SSL_new(clients), lib.SSL_free)
    local incoming, outgoing = lib.BIO_new(lib.BIO_s_mem()), lib.BIO_new(lib.BIO_s_mem())
    lib.SSL_set_bio(pair.client, incoming, outgoing)
    lib.SSL_set_connect_state(pair.client)
    function pair.carry(one_way)
      local n = lib.BIO_read(outgoing, buffer, 65536)
      if n > 0 then
        pair.conn:feed(ffi.string(buffer, n))
      end
      if not one_way then
        local output = pair.conn:output():sub(seen + 1)
        seen = seen + #output
        lib.BIO_write(incoming, output, #output)
      end
    end
    function pair.shake_hands()
      for _ = 1, 4 do
        lib.SSL_do_handshake(pair.client)
        pair.carry()
      end
    end
    return pair
  end

  --- Ask once over a new connection: was its session resumed, and which one is it now?
  local function ask(server, session, prepare)
    local pair, buffer, text = connect(server), ffi.new "char[65536]", ""
    if session then
      lib.SSL_set_session(pair.client, session)
    end
    if prepare then
      prepare(pair.client)
    end
    pair.shake_hands()
    assert.equal(#REQUEST, lib.SSL_write(pair.client, REQUEST, #REQUEST))
    for _ = 1, 2 do
      pair.carry()
      local n = lib.SSL_read(pair.client, buffer, 65536)
      text = text .. (n > 0 and ffi.string(buffer, n) or "")
    end
    assert.truthy(text:find("\r\n\r\nwell", 1, true), text)
    lib.SSL_set_shutdown(pair.client, BOTH_SHUT) -- else freeing it spoils its session
    return lib.SSL_session_reused(pair.client) == 1,
      ffi.gc(lib.SSL_get1_session(pair.client), lib.SSL_SESSION_free),
      native.text(lib.tls_stream_protocol(pair.stream))
  end

  for name, version in pairs(VERSIONS) do
    describe("of TLS " .. name, function()
      before_each(function()
        lib.SSL_CTX_ctrl(clients, SET_MAX_PROTO_VERSION, version, nil)
      end)

      it("resumes sessions by its newest ticket key", function()
        local server = context "a"
        local resumed, session = ask(server)
        assert.is_false(resumed)
        assert.is_true((ask(server, session)))
        assert.is_true((ask(context "a", session)))
      end)

      it("resumes by former keys, and gives a ticket of the newest", function()
        local _, first = ask(context "a")
        local resumed, second = ask(context "ba", first)
        assert.is_true(resumed)
        assert.is_true((ask(context "cba", first)))
        assert.is_true((ask(context "dcb", second)))
      end)

      it("agrees anew when the key is gone", function()
        local _, session = ask(context "a")
        assert.is_false((ask(context "dcb", session)))
      end)

      it("gives no tickets without a key", function()
        local server = context ""
        local _, session = ask(server)
        assert.equal(0, lib.SSL_SESSION_has_ticket(session))
        assert.is_false((ask(server, session)))
      end)
    end)
  end

  it("is made of any number of contexts, one after the other", function()
    local _, session = ask(context "a")
    for _ = 1, 300 do
      lib.tls_context_unref(ffi.new("struct tls_context *[1]", { context "a" }))
      contexts[#contexts] = nil
    end
    assert.is_true((ask(context "a", session)))
  end)

  it("is cut when its peer has it answer and reads nothing", function()
    local pair = connect(context "a", 20000)
    pair.shake_hands()
    local asked = 0
    while asked < 100000 and not pair.conn:is_closed() do
      lib.SSL_key_update(pair.client, UPDATE_REQUESTED)
      lib.SSL_do_handshake(pair.client)
      pair.carry(true)
      asked = asked + 1
    end
    assert.is_true(pair.conn:is_closed())
    assert.truthy(asked > 5000, asked) -- but some may be asked for
  end)

  it("tells which protocol was agreed on", function()
    local server = context "a"
    local _, _, protocol = ask(server)
    assert.equal("", protocol)
    _, _, protocol = ask(server, nil, function(client)
      lib.SSL_set_alpn_protos(client, "\2h2\8http/1.1", 12)
    end)
    assert.equal("http/1.1", protocol)
  end)
end)
