/* server/dispatch.h - the way of a request, told in C.
 *
 * Place in the flow: fills http/handler.h. A request comes from the connection, is looked up in
 * the generation's routes, runs as a task, and what the view returned goes to server/respond.
 * The Lua half of the story is lua/qlua/dispatch.lua.
 */
#ifndef QLUA_SERVER_DISPATCH_H
#define QLUA_SERVER_DISPATCH_H

#include "server/metrics.h"

struct access_log;
struct debug_desk;
struct exchange;
struct generation;
struct http_handler;
struct http_server;
struct request;
struct trust;
struct worker_figures;

/* What dispatch needs of the worker: http_server.data points to one. */
struct dispatcher {
    struct generation *current;     /* new requests go there */
    struct access_log *access_log;  /* NULL: off */
    struct trust *trusted;          /* proxies; NULL: none */
    struct worker_figures *figures; /* NULL: nobody reads them */
    struct metrics metrics;         /* answered before any route is looked up */
    struct debug_desk *desk;        /* debug mode, else NULL; server/debug_dispatch */
    const char *load_error;         /* the same: the app does not load, and why; NULL: it does */
    void (*on_closed)(void *data);  /* a connection has closed; may be NULL */
    void (*on_done)(void *data);    /* a request has been answered; may be NULL */
    void *data;
};

extern const struct http_handler dispatch_handler;

/* Its callbacks, for handlers that do something else only at other moments; http/handler.h. */
void dispatch_body(void *data, struct request *req);
void dispatch_drain(void *data, struct request *req);
void dispatch_gone(void *data, struct request *req);
void dispatch_closed(void *data);

/* A fresh exchange in the generation that serves, for a request that has none; and one that has
 * been looked up in the routes. */
struct exchange *dispatch_exchange(struct dispatcher *dispatcher, struct request *req);
struct exchange *dispatch_look_up(struct dispatcher *dispatcher, struct request *req);

#endif
