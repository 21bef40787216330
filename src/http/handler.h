/* http/handler.h - how http/ calls upward, and what it is told.
 *
 * Place in the flow: declared here, filled by server/dispatch (and by specs and fuzz targets);
 * http/conn calls it. Nothing here is called from inside llhttp.
 */
#ifndef QLUA_HTTP_HANDLER_H
#define QLUA_HTTP_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"
#include "http/compress.h"
#include "http/figures.h"

struct coding_rules;
struct conn;
struct log;
struct loop;
struct request;

struct http_handler {
    /* The head is complete and a body follows: set max_body and the body's timeouts. */
    void (*on_head)(void *data, struct request *req);
    /* A request to answer, once: now or later, through the answer functions. Its head is
     * checked; the body is there as far as it arrived with the head. A body already refused
     * (body_state BODY_TOO_LARGE) is for the handler to answer. */
    void (*on_request)(void *data, struct request *req);
    /* More of the body has arrived, or body_state has changed. */
    void (*on_body)(void *data, struct request *req);
    /* The peer has taken what was queued: the next piece may be written. */
    void (*on_drain)(void *data, struct request *req);
    /* The peer is gone before the answer was whole; answers go nowhere from here on. */
    void (*on_gone)(void *data, struct request *req);
    /* The answer is out, or given up: the last call for this request. */
    void (*on_done)(void *data, struct request *req);
    /* A connection has closed: server->connections has gone down. */
    void (*on_closed)(void *data);
};

struct http_settings {
    size_t max_header_size;     /* bytes of a header block: 431 */
    size_t max_target_size;     /* bytes of a request target: 414 */
    uint32_t header_timeout_ms; /* for a whole header block: 408 */
    uint32_t keep_alive_timeout_ms;
    struct slice server_header;        /* "" for none */
    const struct coding_rules *coding; /* which answers may be compressed; NULL: none */
};

/* What all connections of a worker share. */
struct http_server {
    struct loop *loop;
    const struct log *log;
    const struct http_handler *handler;
    void *data; /* the handler's */
    struct http_settings settings;
    char date[64]; /* "Date: ...\r\n", refreshed once a second */
    size_t date_len;
    bool keep_heads;      /* of answers, for the access log: request->answer_head */
    bool stopping;        /* answers say "Connection: close" */
    uint32_t drain_ms;    /* once stopping: how long an idle connection is read on */
    uint32_t connections; /* open now */
    struct list conns;
    struct request *free_requests;
    uint32_t free_count;
    struct conn *free_conns;
    struct buf spare;                /* the output buffer of whichever connection writes next */
    struct http_figures *figures;    /* what is counted; http_server_init points it to ... */
    struct http_figures own_figures; /* ... these */
    struct compressors compressors;
    struct buf packed;     /* a body that was compressed whole */
    uint32_t coded_bodies; /* being sent compressed, or waiting for a last turn */
};

void http_server_init(struct http_server *server, struct loop *loop, const struct log *log);
/* Write the date header anew; call once a second and before serving. */
void http_server_tick(struct http_server *server, int64_t seconds);
/* Stop: answers say "Connection: close" from here on. An idle connection is read on for
 * linger_ms, so that a request already on its way is answered, and then closed. */
void http_server_drain(struct http_server *server, uint32_t linger_ms);
/* Close every connection now; the loop must turn until none is left. */
void http_server_abort(struct http_server *server);
/* Free what is kept for reuse; no connection and no request may be left. */
void http_server_clear(struct http_server *server);

#endif
