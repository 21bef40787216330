/* http/request.h - one request and the state of its answer.
 *
 * Place in the flow: the parser fills it, the connection checks it and hands it to the handler
 * (server/dispatch), bindings read it, the answer functions below send what comes back. It is
 * counted and owns its arena: copied contexts, tasks and streamed bodies may hold it after the
 * connection has gone on (conn is NULL then) or the peer is gone. Knows no Lua.
 */
#ifndef QLUA_HTTP_REQUEST_H
#define QLUA_HTTP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "http/headers.h"
#include "http/target.h"

struct conn;
struct http_server;

/* llhttp's numbers, fixed by its ABI; parser.c asserts that they agree. */
enum http_method {
    METHOD_DELETE = 0,
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 3,
    METHOD_PUT = 4,
    METHOD_CONNECT = 5,
    METHOD_OPTIONS = 6,
    METHOD_TRACE = 7,
    METHOD_PATCH = 28,
    METHOD_COUNT = 34
};

/* "GET" for METHOD_GET. */
struct slice method_name(unsigned method);
/* The number of an upper-case method name, or -1: the closed list of RFC methods llhttp knows. */
int method_of(struct slice name);

/* How far the body has come. */
enum body_state {
    BODY_NONE,      /* the request has none */
    BODY_READING,   /* more is to come from the peer */
    BODY_COMPLETE,  /* all of it has arrived */
    BODY_TOO_LARGE, /* more than max_body: 413 */
    BODY_TIMED_OUT, /* too slow: 408 */
    BODY_BROKEN     /* framing error or connection lost: 400 */
};

/* How far the answer has come. */
enum answer_state {
    ANSWER_NONE,      /* nothing has been said */
    ANSWER_STREAMING, /* the head is out, pieces follow */
    ANSWER_DONE       /* all of it was handed to the stream, or the peer is gone */
};

#define REQUEST_INLINE 1536

struct request {
    uint32_t refs;
    uint8_t method;
    uint8_t http_minor;   /* 0 or 1 */
    bool keep_alive;      /* the connection may be used again after the answer */
    bool head_checked;    /* the head passed conn's checks, target and host are set */
    bool expect_continue; /* the peer waits for "100 Continue" before it sends the body */
    bool gone;            /* the peer is gone: answers go nowhere */
    uint8_t body_state;   /* enum body_state */
    uint8_t answer_state; /* enum answer_state */
    uint16_t status;      /* of the answer, once begun */

    struct http_server *server;
    struct conn *conn; /* NULL when the connection has gone on or is closed */
    void *exchange;    /* the handler's own */

    struct slice raw_target;
    struct target target;  /* path, query, form */
    struct slice host;     /* Host, or the authority of an absolute target; "" when none */
    struct fields headers; /* as received, unless middleware changed them */

    /* What middleware says instead of what the wire said; the framing goes by the wire. */
    uint8_t told_method;    /* method + 1; 0: as received */
    struct slice scheme;    /* empty: the connection's own */
    struct slice root_path; /* where the app is mounted: "" or "/prefix" */

    struct slice peer; /* the address, once asked for; data NULL before */
    int peer_port;
    struct slice id;   /* once asked for (http/request_id.h); data NULL before */
    bool trusted_peer; /* a trusted proxy sent it: its X-Request-Id counts */

    int64_t content_length;   /* -1: none given */
    uint64_t max_body;        /* 413 above it; set by the handler's on_head */
    uint64_t body_received;   /* bytes of content so far */
    uint32_t body_timeout_ms; /* for the whole body, 0: none */
    uint32_t body_stall_ms;   /* without a byte, 0: none */
    uint64_t body_started_ms;
    struct buf body; /* received and not yet taken */
    bool body_whole; /* a reader wants all of it: do not stop reading at the high-water mark */

    struct slice answer_head; /* as sent, where http_server->keep_heads asks for it */
    uint64_t bytes_sent;      /* of the answer's body */
    uint64_t started_ns;      /* monotonic: when its first byte was read */
    uint32_t stall_ms;        /* RESPONSE_TIMEOUT of the answer; 0: none */
    bool answer_chunked;
    bool answer_to_head; /* a body would be wrong: HEAD, 204, 304 */
    int64_t answer_left; /* bytes still owed of a stated length; -1: not stated */

    struct arena arena;
    struct request *next_free;
    _Alignas(16) char memory[REQUEST_INLINE];
};

struct request *request_ref(struct request *req);
/* Drop a reference and set *req NULL; the last one gives request and arena back. */
void request_unref(struct request **req);

/* The method and scheme as the app sees them. */
static inline unsigned request_method(const struct request *req)
{
    return req->told_method != 0 ? req->told_method - 1u : req->method;
}

static inline struct slice request_scheme(const struct request *req)
{
    return req->scheme.len > 0 ? req->scheme : SLICE("http");
}

static inline bool request_is_secure(const struct request *req)
{
    struct slice scheme = request_scheme(req);
    return slice_eq(scheme, SLICE("https")) || slice_eq(scheme, SLICE("wss"));
}

/* The peer's address, "" for Unix and memory streams (Quart's "<local>"); *port 0 there. In the
 * request's arena; works while the connection is there, and after the first call for good. */
struct slice request_peer(struct request *req, int *port);

/* ---- the body ---- */

/* Take what has arrived so far: moved into *out (empty when nothing has). The connection reads
 * on, and may call on_body before this returns. body_state says whether more is to come. */
void request_take_body(struct request *req, struct buf *out);
/* A reader waits for the body: sends "100 Continue" when the peer waits for it, reads on. */
void request_want_body(struct request *req, bool whole);

/* ---- the answer ---- */

/* Who can keep the bytes of a body, where they are, for longer than a call: for long ones, which
 * are not copied then. */
struct keeper {
    void *(*keep)(void *data);   /* from now on, ... */
    void (*release)(void *kept); /* ... until this is called, once, with what keep gave: before
                                  * on_done */
    void *data;
};

/* What precedes the body. All slices are borrowed for the call only. */
struct answer {
    int status;
    struct slice content_type;    /* empty: no Content-Type from here */
    const struct fields *headers; /* further fields, checked here; NULL: none */
    int64_t length;               /* of the body; -1: not known (chunked, or closed at its end) */
    struct slice unsent_type;     /* of the 200 that a 304 stands for; empty: not known */
    int64_t unsent_length;
    const struct keeper *keeper; /* of the body; NULL: it is copied if need be */
};

/* Names and values that may stand on the wire? Returns 0, or QLUA_ESYNTAX with a message that
 * names the field (RFC 9110 5.5: no CR, LF, NUL). */
struct err;
int answer_check(const struct answer *answer, struct err *err);

/* Send a whole answer. Content-Length, Date, Connection (and Server) are added; a
 * Content-Length, Transfer-Encoding or Connection among headers is left out. */
void request_answer(struct request *req, const struct answer *answer, struct slice body);
/* Send the head now; pieces follow. */
void request_answer_start(struct request *req, const struct answer *answer);
/* Send a piece. True: wait for the handler's on_drain before the next, because the peer is slow
 * or the piece takes several turns of the loop. keeper may be NULL. */
bool request_answer_write(struct request *req, struct slice bytes, const struct keeper *keeper);
/* The answer is whole. A stated length that was not reached cuts the connection. */
void request_answer_end(struct request *req);
/* Send `length` bytes of the open file from `offset` as the body, then end; fd is closed when
 * done. answer->length is set from length. */
void request_answer_file(struct request *req, const struct answer *answer, int fd, int64_t offset,
                         uint64_t length);
/* The answer cannot be finished: cut the connection so that the peer notices. */
void request_abort(struct request *req);

#endif
