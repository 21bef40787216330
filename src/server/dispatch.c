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

#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/handover.h"
#include "bind/lookup.h"
#include "bind/respond.h"
#include "http/forwarded.h"
#include "http/handler.h"
#include "script/state.h"
#include "server/access_log.h"
#include "server/figures.h"
#include "server/generation.h"

static void over(struct task *task);

/* ---- the exchange ---- */

static void release_exchange(struct task_context *context)
{
    struct exchange *x = context->data;
    struct generation *generation = x->generation;
    struct request *req = x->req;
    exchange_forget(x);
    list_remove(&x->node);
    req->exchange = NULL;
    request_unref(&req); /* x lies in its arena */
    generation_unref(&generation);
}

struct exchange *dispatch_exchange(struct dispatcher *dispatcher, struct request *req)
{
    struct exchange *x = arena_alloc(&req->arena, sizeof(*x));
    memset(x, 0, offsetof(struct exchange, match));
    x->outcome = ROUTE_NOT_FOUND;
    x->req = request_ref(req);
    x->generation = generation_ref(dispatcher->current);
    list_append(&x->generation->exchanges, &x->node);
    exchange_init(x, release_exchange);
    x->over = over;
    req->exchange = x;
    return x;
}

/* ---- running Lua ---- */

/* Not even the error could be answered by Lua. */
static void lose(struct exchange *x, struct task *task)
{
    x->stage = STAGE_LOST;
    handover_log_loss(x, task);
    respond_plain(x, task->stopped ? 503 : 500);
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

static void count_stopped(const struct exchange *x)
{
    const struct dispatcher *dispatcher = x->req->server->data;
    if (dispatcher->figures != NULL)
        counter_add(&dispatcher->figures->stopped, 1);
}

/* A task of this exchange has ended. */
static void over(struct task *task)
{
    struct exchange *x = task->owner;
    x->task = NULL;
    if (task->failed) {
        if (task->stopped)
            count_stopped(x);
        fail(x, task); /* also when the client is gone: teardown runs */
        return;
    }
    if (x->req->gone || x->req->answer_state == ANSWER_DONE)
        return;
    switch (respond(x, task->L, &task->nresults)) {
    case RESPOND_SENT: break;
    case RESPOND_RAISED: fail(x, task); break; /* the error is on top of the stack */
    case RESPOND_FOR_LUA: handover_value(x, task); break;
    }
}

/* ---- what the connection says ---- */

struct exchange *dispatch_look_up(struct dispatcher *dispatcher, struct request *req)
{
    if (dispatcher->trusted != NULL)
        trust_apply(dispatcher->trusted, req);
    struct exchange *x = dispatch_exchange(dispatcher, req);
    lookup_route(x, x->generation->script->L);
    return x;
}

static struct exchange *exchange_for(void *data, struct request *req)
{
    return req->exchange == NULL ? dispatch_look_up(data, req) : req->exchange;
}

static void on_head(void *data, struct request *req)
{
    const struct dispatcher *dispatcher = data;
    if (!metrics_is_asked(&dispatcher->metrics, req))
        exchange_for(data, req);
}

static void begin(struct exchange *x)
{
    struct lookup found = lookup_decide(x);
    switch (found.kind) {
    case LOOKUP_VIEW: handover_view(x); break;
    case LOOKUP_OPTIONS: handover_options(x); break;
    case LOOKUP_REDIRECT: handover_redirect(x, lookup_redirect_url(x)); break;
    case LOOKUP_REFUSED: handover_refused(x, found.status); break;
    case LOOKUP_RAISED: handover_converter_error(x); break;
    }
}

static void on_request(void *data, struct request *req)
{
    const struct dispatcher *dispatcher = data;
    if (metrics_is_asked(&dispatcher->metrics, req)) {
        metrics_answer(&dispatcher->metrics, req);
        return;
    }
    struct exchange *x = exchange_for(data, req);
    task_context_ref(&x->context); /* held while begin() runs: the answer may be out at once */
    struct task_context *held = &x->context;
    struct script *script = x->generation->script;
    begin(x);
    task_context_unref(script, &held);
}

void dispatch_body(void *data, struct request *req)
{
    (void)data;
    if (req->exchange != NULL)
        exchange_on_body(req->exchange);
}

void dispatch_drain(void *data, struct request *req)
{
    (void)data;
    if (req->exchange != NULL)
        exchange_on_drain(req->exchange);
}

/* The peer is gone: the task's present or next wait raises errors.Cancelled. */
void dispatch_gone(void *data, struct request *req)
{
    (void)data;
    struct exchange *x = req->exchange;
    if (x != NULL)
        exchange_on_end(x);
    if (x != NULL && x->task != NULL)
        task_cancel(x->task);
    if (x != NULL)
        exchange_on_body(x); /* a task beside it may read the body */
}

static void on_done(void *data, struct request *req)
{
    struct dispatcher *dispatcher = data;
    struct exchange *x = req->exchange;
    if (dispatcher->access_log != NULL)
        access_log_write(dispatcher->access_log, req);
    if (x != NULL) {
        exchange_on_end(x);
        x->budget.kind = CPU_SLICE; /* of tasks that outlive the answer */
        struct task_context *own = &x->context;
        exchange_on_body(x); /* a task that outlives the answer may wait for the body */
        task_context_unref(x->generation->script, &own);
    }
    if (dispatcher->on_done != NULL)
        dispatcher->on_done(dispatcher->data);
}

void dispatch_closed(void *data)
{
    struct dispatcher *dispatcher = data;
    if (dispatcher->on_closed != NULL)
        dispatcher->on_closed(dispatcher->data);
}

const struct http_handler dispatch_handler = {
    .on_head = on_head,
    .on_request = on_request,
    .on_body = dispatch_body,
    .on_drain = dispatch_drain,
    .on_gone = dispatch_gone,
    .on_done = on_done,
    .on_closed = dispatch_closed,
};
