/* server/dispatch.c - the way of a request, told in C. See dispatch.h.
 *
 *   on_head     a body follows: route already, for the rule's limits
 *   on_request  route; the rule's target runs as a task, or dispatch.refused does
 *   over        a task has ended: respond with its results, or let dispatch.failed answer
 *   on_done     the answer is out: the exchange ends when its last task does
 */
#include "server/dispatch.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/handover.h"
#include "bind/respond.h"
#include "bind/route.h"
#include "http/handler.h"
#include "route/quote.h"
#include "route/table.h"
#include "script/state.h"
#include "server/access_log.h"
#include "server/generation.h"

static void over(struct task *task);

/* ---- the exchange ---- */

static void release_exchange(struct task_context *context)
{
    struct exchange *x = context->data;
    struct generation *generation = x->generation;
    struct request *req = x->req;
    exchange_forget(x);
    req->exchange = NULL;
    request_unref(&req); /* x lies in its arena */
    generation_unref(&generation);
}

static struct exchange *new_exchange(struct dispatcher *dispatcher, struct request *req)
{
    struct exchange *x = arena_alloc(&req->arena, sizeof(*x));
    memset(x, 0, offsetof(struct exchange, match));
    x->req = request_ref(req);
    x->generation = generation_ref(dispatcher->current);
    exchange_init(x, release_exchange);
    x->over = over;
    req->exchange = x;
    return x;
}

/* ---- routing ---- */

/* The host as rules know it: lower case, without the scheme's own port. */
static struct slice routed_host(const struct route_table *routes, struct request *req)
{
    if (!route_table_uses_host(routes))
        return SLICE("");
    struct slice host = host_without_default_port(req->host, false);
    for (size_t i = 0; i < host.len; i++) {
        if (host.data[i] < 'A' || host.data[i] > 'Z')
            continue;
        char *lower = arena_alloc(&req->arena, host.len);
        for (size_t k = 0; k < host.len; k++)
            lower[k] = ascii_lower(host.data[k]);
        return slice_of(lower, host.len);
    }
    return host;
}

static struct route_query query_of(struct exchange *x, const struct route_custom *custom)
{
    return (struct route_query){
        .method = x->req->method,
        .path = x->req->target.path,
        .host = routed_host(x->generation->routes, x->req),
        .custom = custom,
        .arena = &x->req->arena,
    };
}

static void route(struct exchange *x)
{
    struct request *req = x->req;
    struct route_custom custom = {.accept = handover_convert, .data = x};
    struct route_query query = query_of(x, &custom);
    if (req->target.form == TARGET_ASTERISK)
        x->outcome = ROUTE_NOT_FOUND;
    else
        x->outcome = (uint8_t)route_match(x->generation->routes, &query, &x->match);
    const struct generation_limits *limits =
        generation_limits_of(x->generation, x->outcome == ROUTE_FOUND ? x->match.rule : -1);
    req->max_body = limits->max_content_length;
    req->body_timeout_ms = limits->body_timeout_ms;
    req->body_stall_ms = limits->body_stall_ms;
    req->stall_ms = limits->response_timeout_ms;
}

/* ---- running Lua ---- */

/* To the path the router says, on the same host unless it says another, with the query. */
static void redirect(struct exchange *x)
{
    struct request *req = x->req;
    struct slice host = x->match.redirect_host.len > 0
                            ? x->match.redirect_host
                            : host_without_default_port(req->host, false);
    struct buf url = {0};
    if (host.len > 0) {
        buf_cstr(&url, "http://");
        buf_slice(&url, host);
    }
    route_quote_path(&url, x->match.redirect_path);
    if (req->target.has_query) {
        buf_char(&url, '?');
        buf_slice(&url, req->target.query);
    }
    struct slice whole = arena_dup(&req->arena, buf_view(&url));
    buf_clear(&url);
    handover_redirect(x, whole);
}

/* Not even the error could be answered by Lua. */
static void lose(struct exchange *x, struct task *task)
{
    x->stage = STAGE_LOST;
    handover_log_loss(x, task);
    respond_plain(x, 500);
}

/* A view's error, one of its handler's, and one of the 500's handler: no more is to be expected. */
#define FAILURES_MAX 3

/* Something raised: dispatch.failed answers, which knows how far the request was. */
static void fail(struct exchange *x, struct task *task)
{
    if (x->failures++ < FAILURES_MAX)
        handover_failed(x, task);
    else
        lose(x, task);
}

/* A task of this exchange has ended. */
static void over(struct task *task)
{
    struct exchange *x = task->owner;
    x->task = NULL;
    if (task->failed) {
        fail(x, task); /* also when the client is gone: teardown runs */
        return;
    }
    if (x->req->gone || x->req->answer_state == ANSWER_DONE)
        return;
    switch (respond(x, task->L, task->nresults)) {
    case RESPOND_SENT: break;
    case RESPOND_RAISED: fail(x, task); break; /* the error is on top of the stack */
    case RESPOND_FOR_LUA: handover_value(x, task); break;
    }
}

/* ---- what the connection says ---- */

static struct exchange *exchange_for(void *data, struct request *req)
{
    struct dispatcher *dispatcher = data;
    if (req->exchange == NULL)
        route(new_exchange(dispatcher, req));
    return req->exchange;
}

static void on_head(void *data, struct request *req)
{
    exchange_for(data, req);
}

static void begin(struct exchange *x)
{
    struct request *req = x->req;
    if (req->body_state == BODY_TOO_LARGE) {
        handover_refused(x, 413);
    } else if (x->converter_error != NULL) {
        handover_converter_error(x);
    } else if (req->target.form == TARGET_ASTERISK) {
        x->match.allowed = (uint64_t)1 << METHOD_GET | (uint64_t)1 << METHOD_HEAD |
                           (uint64_t)1 << METHOD_OPTIONS | (uint64_t)1 << METHOD_POST |
                           (uint64_t)1 << METHOD_PUT | (uint64_t)1 << METHOD_PATCH |
                           (uint64_t)1 << METHOD_DELETE;
        handover_options(x); /* RFC 9110 9.3.7: the server as a whole */
    } else {
        switch (x->outcome) {
        case ROUTE_FOUND:
            if (req->method == METHOD_OPTIONS && (x->match.id & ROUTE_FLAG_OPTIONS) != 0) {
                struct route_query query = query_of(x, NULL);
                x->match.allowed = route_allowed(x->generation->routes, &query);
                handover_options(x);
            } else {
                handover_view(x);
            }
            break;
        case ROUTE_REDIRECT: redirect(x); break;
        case ROUTE_METHOD_NOT_ALLOWED: handover_refused(x, 405); break;
        case ROUTE_WEBSOCKET_MISMATCH: handover_refused(x, 400); break;
        default: handover_refused(x, 404);
        }
    }
}

static void on_request(void *data, struct request *req)
{
    struct exchange *x = exchange_for(data, req);
    task_context_ref(&x->context); /* held while begin() runs: the answer may be out at once */
    struct task_context *held = &x->context;
    struct script *script = x->generation->script;
    begin(x);
    task_context_unref(script, &held);
}

static void on_body(void *data, struct request *req)
{
    (void)data;
    if (req->exchange != NULL)
        exchange_on_body(req->exchange);
}

static void on_drain(void *data, struct request *req)
{
    (void)data;
    if (req->exchange != NULL)
        exchange_on_drain(req->exchange);
}

/* The peer is gone: the task's present or next wait raises errors.Cancelled. */
static void on_gone(void *data, struct request *req)
{
    (void)data;
    struct exchange *x = req->exchange;
    if (x != NULL && x->task != NULL)
        task_cancel(x->task);
}

static void on_done(void *data, struct request *req)
{
    struct dispatcher *dispatcher = data;
    struct exchange *x = req->exchange;
    if (dispatcher->access_log != NULL)
        access_log_write(dispatcher->access_log, req);
    if (x != NULL) {
        struct task_context *own = &x->context;
        task_context_unref(x->generation->script, &own);
    }
    if (dispatcher->on_done != NULL)
        dispatcher->on_done(dispatcher->data);
}

static void on_closed(void *data)
{
    struct dispatcher *dispatcher = data;
    if (dispatcher->on_closed != NULL)
        dispatcher->on_closed(dispatcher->data);
}

const struct http_handler dispatch_handler = {
    .on_head = on_head,
    .on_request = on_request,
    .on_body = on_body,
    .on_drain = on_drain,
    .on_gone = on_gone,
    .on_done = on_done,
    .on_closed = on_closed,
};
