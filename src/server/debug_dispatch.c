/* server/debug_dispatch.c - the way of a request in debug mode. See debug_dispatch.h. */
#include "server/debug_dispatch.h"

#include "base/arena.h"
#include "bind/debug_desk.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/handover.h"
#include "http/handler.h"
#include "http/request.h"
#include "script/state.h"
#include "server/dispatch.h"
#include "server/metrics.h"

/* Bytes that a request to the debugger may bring. */
#define MOST_BYTES ((uint64_t)256 * 1024)
/* What the console may use of the processor where handler_cpu_limit is off. */
#define CONSOLE_CPU_NS INT64_C(5000000000)

static bool is_ours(const struct dispatcher *dispatcher, const struct request *req)
{
    return debug_desk_owns(dispatcher->desk, req->target.path);
}

/* Is it for the debugger to answer? */
static bool is_taken(const struct dispatcher *dispatcher, const struct request *req)
{
    return req->exchange == NULL && (dispatcher->load_error != NULL || is_ours(dispatcher, req));
}

/* The figures of the service know no debug mode. */
static bool is_for_metrics(const struct dispatcher *dispatcher, const struct request *req)
{
    return req->exchange == NULL && metrics_is_asked(&dispatcher->metrics, req);
}

static void clear_body(void *data)
{
    struct debug_body *body = data;
    buf_clear(&body->bytes);
}

/* The exchange with what debug mode keeps of a request; looked up like any other unless taken. */
static struct exchange *open_exchange(struct dispatcher *dispatcher, struct request *req,
                                      bool taken)
{
    bool admitted = debug_desk_admits(dispatcher->desk, req);
    struct exchange *x =
        taken ? dispatch_exchange(dispatcher, req) : dispatch_look_up(dispatcher, req);
    x->debug_admitted = admitted;
    x->debug_body = arena_zalloc(&req->arena, sizeof(*x->debug_body));
    arena_defer(&req->arena, clear_body, x->debug_body);
    return x;
}

static void on_head(void *data, struct request *req)
{
    struct dispatcher *dispatcher = data;
    if (is_for_metrics(dispatcher, req))
        dispatch_handler.on_head(data, req);
    else if (is_taken(dispatcher, req))
        req->max_body = MOST_BYTES;
    else
        open_exchange(dispatcher, req, false);
}

/* Lua's debugger answers, whatever the app's routes say. */
static void ask_debugger(struct dispatcher *dispatcher, struct request *req)
{
    bool ours = is_ours(dispatcher, req);
    struct exchange *x = open_exchange(dispatcher, req, true);
    struct generation *g = x->generation;
    struct script *script = g->script;
    struct task_context *held = task_context_ref(&x->context);
    x->budget.limit = g->limits.cpu_limit_ns > 0 ? g->limits.cpu_limit_ns : CONSOLE_CPU_NS;
    req->body_timeout_ms = g->limits.body_timeout_ms;
    req->body_stall_ms = g->limits.body_stall_ms;
    req->stall_ms = g->limits.response_timeout_ms;
    watchdog_start(script);
    struct slice rest = slice_from(req->target.path, slice_cstr(dispatcher->desk->prefix).len);
    handover_debug(x, ours ? rest : (struct slice){0}, dispatcher->load_error);
    task_context_unref(script, &held);
}

static void on_request(void *data, struct request *req)
{
    struct dispatcher *dispatcher = data;
    if (is_for_metrics(dispatcher, req)) {
        dispatch_handler.on_request(data, req);
        return;
    }
    if (is_taken(dispatcher, req)) {
        ask_debugger(dispatcher, req);
        return;
    }
    if (req->exchange == NULL)
        open_exchange(dispatcher, req, false);
    debug_body_note(((struct exchange *)req->exchange)->debug_body, req);
    dispatch_handler.on_request(data, req);
}

static void on_body(void *data, struct request *req)
{
    struct exchange *x = req->exchange;
    if (x != NULL)
        debug_body_note(x->debug_body, req);
    dispatch_handler.on_body(data, req);
}

/* The debugger's own requests are left out of the access log: a page asks each second whether the
 * app loads again, and the URL has the secret. */
static void on_done(void *data, struct request *req)
{
    struct dispatcher *dispatcher = data;
    struct access_log *log = dispatcher->access_log;
    if (debug_desk_owns(dispatcher->desk, req->target.raw_path))
        dispatcher->access_log = NULL;
    dispatch_handler.on_done(data, req);
    dispatcher->access_log = log;
}

const struct http_handler debug_dispatch_handler = {
    .on_head = on_head,
    .on_request = on_request,
    .on_body = on_body,
    .on_drain = dispatch_drain,
    .on_gone = dispatch_gone,
    .on_done = on_done,
    .on_closed = dispatch_closed,
};
