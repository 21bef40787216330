/* net/tls.c - TLS on another stream. See tls.h. */
#include "net/tls.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/stream.h"
#include "net/tls_internal.h"

/* Records are handed to the inner stream in pieces of about this size. */
#define FLUSH_SIZE (4 * TLS_RECORD)
/* Records the inner stream may hold back, above which plain bytes wait to be encrypted. */
#define HIGH_WATER (256 * 1024)
/* A peer that has us answer (key updates, refused renegotiations) and reads nothing is cut off. */
#define ANSWERS_MOST (2 * HIGH_WATER)

struct tls_stream {
    struct stream base;
    struct stream *inner;
    struct tls_context *context;
    SSL *ssl;
    struct slice input; /* of the read at hand: what OpenSSL has not taken yet */
    struct buf rest;    /* written, to be encrypted when the inner stream has room, ... */
    size_t rest_at;     /* ... from here on */
    int error;          /* the connection is broken: nothing is read or written any more */
    bool begun;         /* the peer has sent something */
    bool ended;         /* the handler knows the end of input, ... */
    bool told;          /* ... or that the peer is gone */
    bool shut;          /* stream_shutdown was called, ... */
    bool finished;      /* ... and nothing may be sent any more */
};

static struct tls_stream *of(const struct stream *stream)
{
    return LIST_ENTRY(stream, struct tls_stream, base);
}

/* ---- OpenSSL's side: reads come from `input`, writes go to `out` ---- */

static int on_bio_read(BIO *bio, char *dst, int len)
{
    struct tls_stream *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t n = (size_t)len < t->input.len ? (size_t)len : t->input.len;
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(dst, t->input.data, n);
    t->input = slice_from(t->input, n);
    return (int)n;
}

static int on_bio_write(BIO *bio, const char *src, int len)
{
    struct tls_stream *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buf_append(&t->context->out, src, (size_t)len);
    return len;
}

static long on_bio_control(BIO *bio, int command, long number, void *data)
{
    (void)bio;
    (void)number;
    (void)data;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *tls_bio_method(void)
{
    /* No number of its own: there are 127, and a context is made for every new ticket key. */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "qlua stream");
    if (method == NULL)
        return NULL;
    BIO_meth_set_read(method, on_bio_read);
    BIO_meth_set_write(method, on_bio_write);
    BIO_meth_set_ctrl(method, on_bio_control);
    return method;
}

/* What is in OpenSSL's queue of errors makes the next failure look otherwise. Looking costs a fifth
 * of clearing. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* ---- telling the handler ---- */

/* What OpenSSL made, handed to the inner stream. */
static void flush(struct tls_stream *t)
{
    struct buf *out = &t->context->out;
    struct slice records = buf_view(out);
    if (records.len == 0)
        return;
    out->len = 0;
    if (!t->finished)
        stream_write(t->inner, &records, 1);
}

static void stop_reading(struct tls_stream *t)
{
    t->base.reading = false;
    stream_read_stop(t->inner);
}

static void end_input(struct tls_stream *t)
{
    if (t->ended || t->base.closing)
        return;
    t->ended = true;
    stop_reading(t);
    t->base.handler->on_eof(t->base.data);
}

/* The peer is gone, or does not keep to the protocol. Not from inside a call of the handler's. */
static void fail(struct tls_stream *t, int code)
{
    if (t->told || t->base.closing)
        return;
    t->told = true;
    t->error = code;
    stop_reading(t);
    t->base.handler->on_error(t->base.data, code);
}

/* ---- writing ---- */

static bool encrypt(struct tls_stream *t, struct slice bytes)
{
    assert(bytes.len > 0 && bytes.len <= FLUSH_SIZE && "a piece at a time");
    if (SSL_write(t->ssl, bytes.data, (int)bytes.len) == (int)bytes.len)
        return true;
    /* Only a broken connection gets here. This may be inside a call of the handler's, which is
     * told when the peer has seen the end. */
    ERR_clear_error();
    t->error = QLUA_ECLOSED;
    flush(t);
    t->finished = true;
    stream_shutdown(t->inner);
    return false;
}

/* The place where the parts behind one another begin anew, as if they were one text. */
struct cursor {
    const struct slice *parts;
    size_t nparts;
    size_t at; /* within the first of them */
};

static void skip(struct cursor *from, size_t n)
{
    from->at += n;
    if (from->at < from->parts->len)
        return;
    from->parts++;
    from->nparts--;
    from->at = 0;
}

/* The next bytes to encrypt, FLUSH_SIZE at most: from where they lie, when these are the last or
 * fill records, else gathered in the stage. Empty at the end. */
static struct slice next_piece(struct cursor *from, char *stage)
{
    size_t staged = 0;
    while (from->nparts > 0 && staged < TLS_RECORD) {
        struct slice part = slice_from(from->parts[0], from->at);
        bool last = from->nparts == 1;
        if (staged == 0 && part.len > 0 && (last || part.len >= TLS_RECORD)) {
            if (part.len > FLUSH_SIZE)
                part.len = FLUSH_SIZE;
            else if (!last)
                part.len -= part.len % TLS_RECORD; /* its tail shares a record with what follows */
            skip(from, part.len);
            return part;
        }
        if (part.len > TLS_RECORD - staged)
            part.len = TLS_RECORD - staged;
        if (part.len > 0)
            memcpy(stage + staged, part.data, part.len);
        staged += part.len;
        skip(from, part.len);
    }
    return slice_of(stage, staged);
}

static void keep_rest(struct tls_stream *t, struct cursor *from)
{
    for (; from->nparts > 0; from->parts++, from->nparts--, from->at = 0)
        buf_slice(&t->rest, slice_from(from->parts[0], from->at));
}

/* Head and body of a small answer become one record; records leave in few writes. */
static void write_parts(struct stream *stream, const struct slice *parts, size_t nparts)
{
    struct tls_stream *t = of(stream);
    struct cursor from = {.parts = parts, .nparts = nparts};
    if (t->error != 0 || t->shut)
        return;
    if (stream->security == STREAM_MISTAKEN) {
        stream_write(t->inner, parts, nparts);
        return;
    }
    while (stream->security == STREAM_SECURE && t->rest.len == 0 &&
           stream_pending(t->inner) < HIGH_WATER) {
        struct slice piece = next_piece(&from, t->context->stage);
        if (piece.len == 0 || !encrypt(t, piece))
            return;
        flush(t);
    }
    keep_rest(t, &from);
}

/* Encrypt what waits, as far as the inner stream has room; `all`: whatever it has. */
static void write_rest(struct tls_stream *t, bool all)
{
    if (t->base.security != STREAM_SECURE)
        return;
    while (t->rest.len > 0 && t->error == 0 && (all || stream_pending(t->inner) < HIGH_WATER)) {
        struct slice piece = slice_from(buf_view(&t->rest), t->rest_at);
        if (piece.len > FLUSH_SIZE)
            piece.len = FLUSH_SIZE;
        if (!encrypt(t, piece))
            return;
        flush(t);
        t->rest_at += piece.len;
        if (t->rest_at == t->rest.len) {
            buf_clear(&t->rest);
            t->rest_at = 0;
        }
    }
}

/* RFC 8446 6.1: the peer must know that nothing was cut off. */
static void send_close_notify(struct tls_stream *t)
{
    if (t->base.security != STREAM_SECURE || t->error != 0 ||
        (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN) != 0)
        return;
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    flush(t);
}

static void finish_output(struct tls_stream *t)
{
    send_close_notify(t);
    t->finished = true;
    stream_shutdown(t->inner);
}

static void shutdown_stream(struct stream *stream)
{
    struct tls_stream *t = of(stream);
    if (t->shut)
        return;
    t->shut = true;
    if (t->rest.len == 0)
        finish_output(t);
}

static int64_t send_file(struct stream *stream, int fd, int64_t *offset, uint64_t length)
{
    (void)stream;
    (void)fd;
    (void)offset;
    (void)length;
    return QLUA_ELIMIT; /* it has to pass through here */
}

static size_t waiting(const struct tls_stream *t)
{
    return t->rest.len - t->rest_at;
}

static size_t pending(const struct stream *stream)
{
    return waiting(of(stream)) + stream_pending(of(stream)->inner);
}

static uint64_t backlog(const struct stream *stream)
{
    return waiting(of(stream)) + stream_backlog(of(stream)->inner);
}

static bool has_input(const struct stream *stream)
{
    return stream_has_input(of(stream)->inner);
}

static void peer_of(const struct stream *stream, char *dst, size_t size, int *port)
{
    stream_peer(of(stream)->inner, dst, size, port);
}

/* ---- reading ---- */

static void read_start(struct stream *stream)
{
    if (of(stream)->error == 0)
        stream_read_start(of(stream)->inner);
}

static void read_stop(struct stream *stream)
{
    stream_read_stop(of(stream)->inner);
}

/* A TLS connection begins with a record of type 22; a request with a letter or a line end. */
static bool is_plain_text(char first)
{
    char lower = ascii_lower(first);
    return (lower >= 'a' && lower <= 'z') || first == '\r' || first == '\n';
}

static void log_failure(struct tls_stream *t)
{
    char peer[64];
    int port;
    const char *why = ERR_reason_error_string(ERR_peek_error());
    if (!log_wants(t->context->log, LOG_DEBUG))
        return;
    stream_peer(t->inner, peer, sizeof(peer), &port);
    log_write(t->context->log, LOG_DEBUG, "no TLS with %s: %s", peer, why == NULL ? "?" : why);
}

/* The peer and we do not agree. It gets the alert and the end, not a reset that could overtake
 * them. */
static void give_up_handshake(struct tls_stream *t)
{
    log_failure(t);
    ERR_clear_error();
    if (stream_pending(t->inner) > 0) { /* it does not even read */
        fail(t, QLUA_ESYNTAX);
        return;
    }
    t->error = QLUA_ESYNTAX;
    end_input(t);
}

static void shake_hands(struct tls_stream *t)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(t->ssl);
    flush(t);
    if (rc != 1) {
        if (SSL_get_error(t->ssl, rc) != SSL_ERROR_WANT_READ)
            give_up_handshake(t);
        return;
    }
    t->base.security = STREAM_SECURE;
    write_rest(t, false);
    if (pending(&t->base) == 0)
        t->base.handler->on_drain(t->base.data);
}

/* Decrypt what is there into context->plain; how much it is. *status: SSL_ERROR_NONE, or what
 * came behind it. */
static size_t decrypt(struct tls_stream *t, int *status)
{
    char *plain = t->context->plain;
    size_t got = 0;
    *status = SSL_ERROR_NONE;
    forget_errors();
    while (got < TLS_PLAIN) {
        int n = SSL_read(t->ssl, plain + got, (int)(TLS_PLAIN - got));
        if (n <= 0) {
            *status = SSL_get_error(t->ssl, n);
            break;
        }
        got += (size_t)n;
        if (t->input.len == 0 && SSL_pending(t->ssl) == 0)
            break; /* asking once more would only say so */
    }
    return got;
}

/* All that one read has brought is handed up at once, as from a socket. */
static void read_records(struct tls_stream *t)
{
    int status;
    do {
        size_t got = decrypt(t, &status);
        flush(t); /* answers of the protocol itself */
        if (got > 0)
            t->base.handler->on_read(t->base.data, slice_of(t->context->plain, got));
        if (t->base.closing || t->error != 0)
            return;
    } while (status == SSL_ERROR_NONE && (t->input.len > 0 || SSL_pending(t->ssl) > 0));
    if (status == SSL_ERROR_ZERO_RETURN) {
        end_input(t);
    } else if (status != SSL_ERROR_NONE && status != SSL_ERROR_WANT_READ) {
        log_failure(t);
        ERR_clear_error();
        fail(t, QLUA_ESYNTAX);
    } else if (stream_pending(t->inner) > ANSWERS_MOST) {
        fail(t, QLUA_ELIMIT);
    }
}

static void on_read(void *data, struct slice bytes)
{
    struct tls_stream *t = data;
    if (t->base.closing || t->error != 0 || t->ended)
        return;
    if (!t->begun) {
        t->begun = true;
        if (is_plain_text(bytes.data[0]))
            t->base.security = STREAM_MISTAKEN;
    }
    if (t->base.security == STREAM_MISTAKEN) {
        t->base.handler->on_read(t->base.data, bytes);
        return;
    }
    t->input = bytes;
    if (t->base.security == STREAM_HANDSHAKE)
        shake_hands(t);
    if (t->base.security == STREAM_SECURE && !t->base.closing && t->error == 0 && t->input.len > 0)
        read_records(t);
    t->input = SLICE("");
}

/* The end without a close_notify: what HTTP was cut off in, HTTP sees itself (RFC 9112 9.8). */
static void on_eof(void *data)
{
    struct tls_stream *t = data;
    if (t->error != 0)
        fail(t, t->error);
    end_input(t);
}

static void on_error(void *data, int code)
{
    fail(data, code);
}

static void on_drain(void *data)
{
    struct tls_stream *t = data;
    if (t->base.closing || t->base.security == STREAM_HANDSHAKE)
        return;
    if (t->rest.len > 0) {
        write_rest(t, false);
        if (t->shut && t->rest.len == 0)
            finish_output(t);
    }
    if (pending(&t->base) == 0 && t->error == 0)
        t->base.handler->on_drain(t->base.data);
}

/* ---- the ends ---- */

static void free_stream(struct tls_stream *t)
{
    SSL_free(t->ssl);
    buf_clear(&t->rest);
    tls_context_unref(&t->context);
    free(t);
}

static void on_close(void *data)
{
    struct tls_stream *t = data;
    t->base.handler->on_close(t->base.data);
    free_stream(t);
}

static void close_stream(struct stream *stream, bool reset)
{
    struct tls_stream *t = of(stream);
    if (!reset) {
        write_rest(t, true);
        send_close_notify(t);
    }
    stream_close(t->inner, reset);
}

static const struct stream_handler inner_handler = {
    .on_read = on_read,
    .on_eof = on_eof,
    .on_error = on_error,
    .on_drain = on_drain,
    .on_close = on_close,
};

static const struct stream_ops tls_ops = {
    .read_start = read_start,
    .read_stop = read_stop,
    .write = write_parts,
    .send_file = send_file,
    .shutdown = shutdown_stream,
    .close = close_stream,
    .pending = pending,
    .backlog = backlog,
    .has_input = has_input,
    .peer = peer_of,
};

struct stream *tls_stream_new(struct tls_context *context, struct stream *inner)
{
    SSL *ssl = SSL_new(context->ssl);
    BIO *bio = BIO_new(context->method);
    if (ssl == NULL || bio == NULL) {
        log_write(context->log, LOG_CRITICAL, "no memory for a TLS connection");
        abort();
    }
    struct tls_stream *t = mem_zalloc(sizeof(*t));
    t->base.ops = &tls_ops;
    t->base.security = STREAM_HANDSHAKE;
    t->inner = inner;
    t->context = context;
    t->ssl = ssl;
    context->refs++;
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    inner->handler = &inner_handler;
    inner->data = t;
    return &t->base;
}

struct slice tls_stream_protocol(const struct stream *stream)
{
    const unsigned char *name = NULL;
    unsigned len = 0;
    if (stream->ops == &tls_ops)
        SSL_get0_alpn_selected(of(stream)->ssl, &name, &len);
    return len == 0 ? SLICE("") : slice_of((const char *)name, len);
}
