/* server/testing.c - the servers behind the test client. See testing.h. */
#include "server/testing.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/testing.h"
#include "http/handler.h"
#include "http/request.h"
#include "script/state.h"
#include "server/config.h"
#include "server/dispatch.h"
#include "server/generation.h"

struct testing {
    struct dispatcher dispatcher; /* what http_server.data points to */
    struct test_bench bench;
    struct http_server answering;
    struct http_server lending;
};

static struct test_bench *bench_of(void *data)
{
    struct dispatcher *dispatcher = data;
    return &LIST_ENTRY(dispatcher, struct testing, dispatcher)->bench;
}

/* A client has no TLS over memory: it asks for an https URL by the whole of it. */
static void begin(void *data, struct request *req)
{
    struct test_bench *bench = bench_of(data);
    test_bench_begun(bench, req);
    if (bench->generation->limits.cpu_limit_ns != 0)
        watchdog_start(bench->generation->script); /* a script that makes no request needs none */
    if (slice_eq_nocase(req->target.scheme, SLICE("https")))
        req->scheme = SLICE("https");
}

static void on_head(void *data, struct request *req)
{
    begin(data, req);
    dispatch_handler.on_head(data, req);
}

static void on_request(void *data, struct request *req)
{
    begin(data, req);
    dispatch_handler.on_request(data, req);
}

/* Routed as any other, but nothing is run: the exchange waits until the connection ends. */
static void on_request_to_lend(void *data, struct request *req)
{
    on_head(data, req);
    struct exchange *x = req->exchange;
    test_bench_lend(bench_of(data), &x->context);
}

static void on_done(void *data, struct request *req)
{
    test_bench_done(bench_of(data), req);
    dispatch_handler.on_done(data, req);
}

/* A connection holds its generation: the last thing it does is to let go. */
static void on_closed(void *data)
{
    struct generation *generation = bench_of(data)->generation;
    generation_unref(&generation);
}

static const struct http_handler answering = {
    .on_head = on_head,
    .on_request = on_request,
    .on_body = dispatch_body,
    .on_drain = dispatch_drain,
    .on_gone = dispatch_gone,
    .on_done = on_done,
    .on_closed = on_closed,
};

static const struct http_handler lending = {
    .on_head = on_head,
    .on_request = on_request_to_lend,
    .on_body = dispatch_body,
    .on_drain = dispatch_drain,
    .on_gone = dispatch_gone,
    .on_done = on_done,
    .on_closed = on_closed,
};

static void set_up(struct http_server *server, struct testing *testing,
                   const struct http_handler *handler, const struct config *config)
{
    struct generation *g = testing->bench.generation;
    http_server_init(server, g->script->loop, g->log);
    server->settings = (struct http_settings){
        .max_header_size = (size_t)config->max_header_size,
        .max_target_size = (size_t)config->max_target_size,
        .header_timeout_ms = (uint32_t)config->header_timeout,
        .keep_alive_timeout_ms = (uint32_t)config->keep_alive_timeout,
        .server_header =
            config->server_header == NULL ? SLICE("") : slice_cstr(config->server_header),
    };
    server->handler = handler;
    server->data = &testing->dispatcher;
}

void testing_init(struct generation *g, const struct config *config)
{
    struct testing *testing = mem_zalloc(sizeof(*testing));
    testing->dispatcher.current = g;
    test_bench_init(&testing->bench, g);
    set_up(&testing->answering, testing, &answering, config);
    set_up(&testing->lending, testing, &lending, config);
    testing->bench.answering = &testing->answering;
    testing->bench.lending = &testing->lending;
    g->tests = &testing->bench;
}

void testing_abort(struct generation *g)
{
    if (!g->tests->over)
        test_bench_abort(g->tests);
}

bool testing_is_over(const struct generation *g)
{
    const struct test_bench *bench = g->tests;
    return !bench->turn.queued && bench->answering->connections + bench->lending->connections == 0;
}

void testing_end(struct generation *g)
{
    if (g == NULL)
        return;
    testing_abort(g);
    while (!testing_is_over(g))
        loop_turn(g->script->loop, true);
}

void testing_clear(struct generation *g)
{
    struct testing *testing = LIST_ENTRY(g->tests, struct testing, bench);
    http_server_clear(&testing->answering);
    http_server_clear(&testing->lending);
    free(testing);
    g->tests = NULL;
}
