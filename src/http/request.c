/* http/request.c - making, counting and ending requests; the reader's side of the body.
 * See request.h; the answer functions are in answer.c. */
#include "http/request.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/conn_internal.h"
#include "net/loop.h"
#include "net/stream.h"

#ifndef __has_feature
#define __has_feature(x) 0 /* clang's way to ask */
#endif

/* Requests kept for reuse; more go back to the heap. None under the address sanitizer, which then
 * sees a use after the end. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define FREE_MAX 0
#else
#define FREE_MAX 256
#endif
#define PEER_MAX 64

struct request *request_new(struct http_server *server, struct conn *conn)
{
    struct request *req = server->free_requests;
    if (req != NULL) {
        server->free_requests = req->next_free;
        server->free_count--;
    } else {
        req = mem_alloc(sizeof(*req));
    }
    memset(req, 0, offsetof(struct request, arena));
    arena_init_in(&req->arena, req->memory, sizeof(req->memory));
    fields_init(&req->headers, &req->arena, true);
    req->refs = 1;
    req->server = server;
    req->conn = conn;
    req->content_length = -1;
    req->max_body = UINT64_MAX;
    return req;
}

struct request *request_ref(struct request *req)
{
    req->refs++;
    return req;
}

void request_unref(struct request **slot)
{
    struct request *req = *slot;
    *slot = NULL;
    if (req == NULL || --req->refs > 0)
        return;
    assert(req->conn == NULL && "a request dies while its connection needs it");
    struct http_server *server = req->server;
    if (req->body.cap > 0)
        buf_clear(&req->body);
    arena_clear(&req->arena);
    if (server->free_count >= FREE_MAX) {
        free(req);
        return;
    }
    req->next_free = server->free_requests;
    server->free_requests = req;
    server->free_count++;
}

void request_count(struct request *req)
{
    struct http_figures *figures = req->server->figures;
    counter_add(&figures->answers[req->status < 600 ? req->status / 100 : 0], 1);
    histogram_record(&figures->latency, clock_ns() - req->started_ns);
}

void request_is_done(struct request *req)
{
    request_count(req);
    req->server->handler->on_done(req->server->data, req);
}

struct slice request_peer(struct request *req, int *port)
{
    if (req->peer.data == NULL && req->conn != NULL) {
        char *text = arena_alloc(&req->arena, PEER_MAX);
        stream_peer(req->conn->stream, text, PEER_MAX, &req->peer_port);
        req->peer = slice_cstr(text);
    }
    *port = req->peer_port;
    return req->peer;
}

void request_take_body(struct request *req, struct buf *out)
{
    *out = req->body;
    req->body = (struct buf){0};
    if (req->conn != NULL)
        conn_resume(req->conn);
}

void request_want_body(struct request *req, bool whole)
{
    struct conn *conn = req->conn;
    if (conn == NULL || req->body_state != BODY_READING)
        return;
    req->body_started_ms = conn->last_input = loop_now(req->server->loop);
    req->body_whole |= whole;
    if (req->expect_continue && req->answer_state == ANSWER_NONE) {
        req->expect_continue = false;
        /* Not needed when the body is coming already (RFC 9110 10.1.1). */
        if (req->body_received == 0) {
            struct slice line = SLICE("HTTP/1.1 100 Continue\r\n\r\n");
            conn_flush(conn);
            stream_write(conn->stream, &line, 1);
            counter_add(&conn->server->figures->answers[1], 1);
            counter_add(&conn->server->figures->bytes_out, line.len);
        }
    }
    conn_resume(conn);
}
