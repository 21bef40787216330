/* http/server.c - what all connections of a worker share. See handler.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "http/conn_internal.h"
#include "net/loop.h"

void http_server_init(struct http_server *server, struct loop *loop, const struct log *log)
{
    *server = (struct http_server){.loop = loop, .log = log};
    list_init(&server->conns);
    server->figures = &server->own_figures;
    http_server_tick(server, clock_seconds());
}

void http_server_tick(struct http_server *server, int64_t seconds)
{
    static const char name[] = "Date: ";
    char *at = server->date;
    memcpy(at, name, sizeof(name) - 1);
    at += sizeof(name) - 1;
    clock_http_date(seconds, at);
    at += CLOCK_DATE_LEN;
    *at++ = '\r';
    *at++ = '\n';
    server->date_len = (size_t)(at - server->date);
}

void http_server_drain(struct http_server *server, uint32_t linger_ms)
{
    server->stopping = true;
    server->drain_ms = linger_ms;
    for (struct list *node = server->conns.next; node != &server->conns; node = node->next) {
        struct conn *conn = LIST_ENTRY(node, struct conn, node);
        conn->draining = true;
        conn->drain_ms = linger_ms;
        if (conn->state == CONN_IDLE) {
            conn->since = loop_now(server->loop);
            conn_settle(conn);
        }
    }
}

void http_server_abort(struct http_server *server)
{
    for (struct list *node = server->conns.next; node != &server->conns; node = node->next)
        conn_close(LIST_ENTRY(node, struct conn, node), true);
}

void http_server_clear(struct http_server *server)
{
    while (server->free_requests != NULL) {
        struct request *req = server->free_requests;
        server->free_requests = req->next_free;
        free(req);
    }
    while (server->free_conns != NULL) {
        struct conn *conn = server->free_conns;
        server->free_conns = conn->next_free;
        free(conn);
    }
    buf_clear(&server->spare);
    while (server->coded_bodies > 0)
        loop_turn(server->loop, false);
    compressors_clear(&server->compressors);
    buf_clear(&server->packed);
}
