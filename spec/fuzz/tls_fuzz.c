/* spec/fuzz/tls_fuzz.c - whatever a peer may send to a TLS stream, before, in and after the
 * handshake.
 *
 * The input is a story: byte 0 chooses the peer (its version; how much it reads at once), the rest
 * is what it sends over TLS by OpenSSL's own client, but for 0xff and a byte behind it, which is
 * something else that happens (enum event): records held back or cut in two, bytes flipped or
 * slipped in, key updates, ends of every kind. On the stream is a connection that answers.
 * Checked: a peer that keeps to the protocol never sees an error, all it reads is HTTP, and
 * nothing is left at the end.
 */
#include <assert.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "http/conn.h"
#include "http/conn_internal.h"
#include "net/loop.h"
#include "net/memory.h"
#include "net/stream.h"
#include "net/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum event {
    EVENT_MOVE,     /* what both sides have written arrives */
    EVENT_MOVE_ONE, /* a byte of what the peer has written arrives */
    EVENT_FLIP,     /* a byte of what the peer has written is another one */
    EVENT_RAW,      /* the bytes up to the next event are slipped in as they are */
    EVENT_DRAIN,    /* the peer has read */
    EVENT_NOTIFY,   /* the peer says that it sends no more */
    EVENT_EOF,
    EVENT_RESET,
    EVENT_KEYS, /* new keys, or a handshake in the middle */
    EVENT_TURN,
    EVENT_LATE, /* the connection's deadline has come */
    EVENT_BYTE, /* 0xff itself */
    EVENT_COUNT
};

#define BIG 300000

struct story {
    struct http_server server;
    struct loop *loop;
    struct stream *wire; /* under the TLS */
    struct buf output;   /* what the server has sent */
    SSL *client;
    BIO *to_client;
    BIO *from_client;
    size_t read; /* plain bytes that the peer has read */
    bool raw;
    bool broken; /* the peer did not keep to the protocol, or was cut off */
    bool closed;
};

static char filler[BIG];

/* ---- the server ---- */

static void on_request(void *data, struct request *req)
{
    (void)data;
    struct answer with = {.status = 200, .content_type = SLICE("text/plain")};
    bool big = req->target.path.len > 1 && req->target.path.data[1] == 'b';
    req->stall_ms = 5000;
    request_answer(req, &with, slice_of(filler, big ? BIG : 3));
}

static void ignore_request(void *data, struct request *req)
{
    (void)data;
    (void)req;
}

static void on_closed(void *data)
{
    ((struct story *)data)->closed = true;
}

static const struct http_handler handler = {
    .on_head = ignore_request,
    .on_request = on_request,
    .on_body = ignore_request,
    .on_drain = ignore_request,
    .on_gone = ignore_request,
    .on_done = ignore_request,
    .on_closed = on_closed,
};

/* A certificate for the time of this process. */
static struct tls_context *make_context(void)
{
    static const struct log log = {.fd = -1, .level = LOG_CRITICAL};
    static const struct tls_ticket_key ticket;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *own = X509_new();
    assert(key != NULL && own != NULL);
    X509_gmtime_adj(X509_getm_notBefore(own), 0);
    X509_gmtime_adj(X509_getm_notAfter(own), 86400);
    X509_set_pubkey(own, key);
    X509_sign(own, key, EVP_sha256());
    BIO *certificates = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(certificates, own);
    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
    char *certificates_text, *secret_text;
    size_t certificates_len = (size_t)BIO_get_mem_data(certificates, &certificates_text);
    size_t secret_len = (size_t)BIO_get_mem_data(secret, &secret_text);
    struct tls_identity identity = {
        .certificates = slice_of(certificates_text, certificates_len),
        .key = slice_of(secret_text, secret_len),
        .tickets = &ticket,
        .ntickets = 1,
        .log = &log,
    };
    struct tls_context *context = tls_context_new(&identity, NULL);
    assert(context != NULL);
    BIO_free(certificates);
    BIO_free(secret);
    X509_free(own);
    EVP_PKEY_free(key);
    return context;
}

/* ---- the peer ---- */

static void check(struct story *story, int rc)
{
    int status = SSL_get_error(story->client, rc);
    bool well = status == SSL_ERROR_NONE || status == SSL_ERROR_WANT_READ ||
                status == SSL_ERROR_ZERO_RETURN;
    assert((well || story->broken) && "an error for a peer that did nothing wrong");
}

static void client_reads(struct story *story)
{
    char plain[4096];
    int n;
    if (!SSL_is_init_finished(story->client)) {
        check(story, SSL_do_handshake(story->client));
        if (!SSL_is_init_finished(story->client))
            return;
    }
    while ((n = SSL_read(story->client, plain, sizeof(plain))) > 0) {
        if (story->read == 0 && n >= 5)
            assert(memcmp(plain, "HTTP/", 5) == 0 && "something else than HTTP");
        story->read += (size_t)n;
    }
    check(story, n);
}

/* What the client has written goes to the server, `most` bytes of it. */
static void to_server(struct story *story, size_t most)
{
    char records[4096];
    int n;
    while (most > 0 && !story->closed && story->wire->reading &&
           (n = BIO_read(story->from_client, records,
                         most < sizeof(records) ? (int)most : (int)sizeof(records))) > 0) {
        memory_stream_feed(story->wire, slice_of(records, (size_t)n));
        most -= (size_t)n;
    }
}

static void to_client(struct story *story)
{
    if (story->output.len == 0)
        return;
    BIO_write(story->to_client, story->output.data, (int)story->output.len);
    story->output.len = 0;
    client_reads(story);
}

static void flip(struct story *story)
{
    char *records;
    long len = BIO_get_mem_data(story->from_client, &records);
    if (len <= 0)
        return;
    records[len / 2] ^= 0x41;
    story->broken = true;
}

static void new_keys(struct story *story)
{
    if (!SSL_is_init_finished(story->client) || SSL_get_shutdown(story->client) != 0)
        return;
    if (SSL_version(story->client) == TLS1_3_VERSION) {
        SSL_key_update(story->client, SSL_KEY_UPDATE_REQUESTED);
    } else {
        SSL_renegotiate(story->client);
        story->broken = true; /* it is refused */
    }
    client_reads(story);
}

static void be_late(struct story *story)
{
    struct conn *conn = LIST_ENTRY(story->server.conns.next, struct conn, node);
    if (conn->state == CONN_CLOSED || conn->deadline == 0)
        return;
    story->broken = true;
    conn->deadline = 1;
    conn->last_progress = 0;
    conn->backlog = conn->backlog == 0 ? 0 : 1;
    conn_on_timer(&conn->timer);
}

static void say(struct story *story, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    if (story->raw) {
        story->broken = true;
        memory_stream_feed(story->wire, bytes);
    } else if (SSL_is_init_finished(story->client) && SSL_get_shutdown(story->client) == 0) {
        int rc = SSL_write(story->client, bytes.data, (int)bytes.len);
        check(story, rc);
    }
}

static void happen(struct story *story, uint8_t what)
{
    story->raw = false;
    switch (what % EVENT_COUNT) {
    case EVENT_MOVE:
        to_server(story, SIZE_MAX);
        to_client(story);
        break;
    case EVENT_MOVE_ONE: to_server(story, 1); break;
    case EVENT_FLIP: flip(story); break;
    case EVENT_RAW: story->raw = true; break;
    case EVENT_DRAIN: memory_stream_drain(story->wire); break;
    case EVENT_NOTIFY:
        if (SSL_is_init_finished(story->client))
            SSL_shutdown(story->client);
        break;
    case EVENT_EOF:
        story->broken = true;
        memory_stream_eof(story->wire);
        break;
    case EVENT_RESET:
        story->broken = true;
        memory_stream_reset(story->wire);
        break;
    case EVENT_KEYS: new_keys(story); break;
    case EVENT_TURN: loop_turn(story->loop, false); break;
    case EVENT_LATE: be_late(story); break;
    case EVENT_BYTE: say(story, SLICE("\xff")); break;
    default: break;
    }
}

static void act(struct story *story, struct slice input)
{
    while (input.len > 0 && !story->closed) {
        const char *mark = memchr(input.data, 0xff, input.len);
        size_t n = mark == NULL ? input.len : (size_t)(mark - input.data);
        say(story, slice_of(input.data, n));
        input = slice_from(input, n);
        if (input.len >= 2)
            happen(story, (uint8_t)input.data[1]);
        input = slice_from(input, input.len < 2 ? input.len : 2);
    }
}

static void finish(struct story *story)
{
    for (int i = 0; i < 3 && !story->closed; i++)
        happen(story, EVENT_MOVE);
    if (!story->closed)
        memory_stream_reset(story->wire);
    for (int i = 0; i < 5 && !story->closed; i++)
        loop_turn(story->loop, false);
    assert(story->closed && "a connection does not close");
    http_server_clear(&story->server);
    buf_clear(&story->output);
    SSL_free(story->client);
}

static void start_client(struct story *story, SSL_CTX *ssl, int version)
{
    story->client = SSL_new(ssl);
    SSL_set_max_proto_version(story->client, version);
    story->to_client = BIO_new(BIO_s_mem());
    story->from_client = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(story->to_client, -1);
    SSL_set_bio(story->client, story->to_client, story->from_client);
    SSL_set_connect_state(story->client);
    client_reads(story);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t windows[] = {0, 100, 20000, 200000};
    static const struct log log = {.fd = -1, .level = LOG_CRITICAL};
    static struct loop *loop;
    static struct tls_context *context;
    static SSL_CTX *clients;
    if (size == 0 || size > 65536)
        return 0;
    if (loop == NULL) {
        loop = loop_new();
        context = make_context();
        clients = SSL_CTX_new(TLS_client_method());
        memset(filler, 'x', sizeof(filler));
    }
    struct story story = {.loop = loop};
    http_server_init(&story.server, loop, &log);
    story.server.handler = &handler;
    story.server.data = &story;
    story.server.settings = (struct http_settings){1000, 300, 20000, 30000, SLICE("")};
    story.wire = memory_stream_new(loop, &story.output, windows[data[0] % 4]);
    start_client(&story, clients, data[0] & 4 ? TLS1_2_VERSION : TLS1_3_VERSION);
    conn_open(&story.server, tls_stream_new(context, story.wire));
    act(&story, slice_of((const char *)data + 1, size - 1));
    finish(&story);
    return 0;
}
