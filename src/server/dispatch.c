/* server/dispatch.c - the way of a request, told in C. See dispatch.h.
 *
 *   on_head     a body follows: route already, for the rule's limits
 *   on_request  route; the rule's target runs as a task, or dispatch.refused does
 *   over        a task has ended: respond with its results, or let dispatch.failed answer
 *   on_done     the answer is out: the exchange ends when its last task does
 */
#include "server/dispatch.h"

#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "base/err.h"
#include "base/escape.h"
#include "base/log.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/route.h"
#include "http/handler.h"
#include "http/status.h"
#include "route/table.h"
#include "script/call.h"
#include "script/state.h"
#include "server/access_log.h"
#include "server/generation.h"
#include "server/respond.h"

static void over(struct task *task);

/* ---- the exchange ---- */

static void release_exchange(struct task_context *context)
{
    struct exchange *x = context->data;
    struct generation *generation = x->generation;
    struct request *req = x->req;
    if (x->handle != NULL)
        x->handle->exchange = NULL;
    if (x->custom_ref != LUA_NOREF)
        luaL_unref(generation->script->L, LUA_REGISTRYINDEX, x->custom_ref);
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
    x->custom_ref = LUA_NOREF;
    task_context_init(&x->context, x, release_exchange);
    req->exchange = x;
    return x;
}

/* ---- routing ---- */

/* A custom converter is asked: to_lua(self, text) gives the value; nil rejects the text. */
static bool accept_custom(void *data, int converter, struct slice text, int slot)
{
    struct exchange *x = data;
    struct script *script = x->generation->script;
    lua_State *L = script->L;
    if (x->converter_error != NULL || !routes_push_converter(L, converter))
        return false;
    lua_getfield(L, -1, "to_lua");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 2);
        return true; /* the text itself is the value */
    }
    lua_insert(L, -2);
    lua_pushlstring(L, text.data, text.len);
    struct err err;
    if (script_call(script, 2, 1, &err) != 0) {
        struct buf place = {0};
        buf_printf(&place, "%s:%d: %s", err.name, err.line, err.message);
        x->converter_error = arena_cstr(&x->req->arena, buf_view(&place));
        buf_clear(&place);
        return false;
    }
    bool accepted = !lua_isnil(L, -1);
    if (x->custom_ref == LUA_NOREF) {
        lua_newtable(L);
        x->custom_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->custom_ref);
    lua_insert(L, -2);
    lua_rawseti(L, -2, slot + 1);
    lua_pop(L, 1);
    return accepted;
}

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
    struct route_custom custom = {.accept = accept_custom, .data = x};
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

static struct task *new_task(struct exchange *x, enum exchange_stage stage)
{
    struct task *task = task_new(x->generation->script, &x->context, over, x);
    x->task = task;
    x->stage = (uint8_t)stage;
    return task;
}

static void push_hook(struct task *task, int ref)
{
    lua_rawgeti(task->L, LUA_REGISTRYINDEX, ref);
}

/* The view, with its variables. */
static void run_target(struct exchange *x)
{
    struct task *task = new_task(x, STAGE_VIEW);
    size_t n = x->match.nvalues;
    lua_rawgeti(task->L, LUA_REGISTRYINDEX, x->generation->rules[x->match.rule].target_ref);
    if (n > 0)
        lua_checkstack(task->L, (int)n + 4);
    for (size_t i = 0; i < n; i++)
        exchange_push_variable(task->L, x, i);
    task_run(task, (int)n);
}

static void push_methods(lua_State *L, uint64_t methods)
{
    const char *names[METHOD_COUNT];
    int count = 0;
    for (unsigned method = 0; method < METHOD_COUNT; method++) {
        if ((methods >> method & 1) == 0)
            continue;
        const char *name = method_name(method).data;
        int at = count++;
        for (; at > 0 && strcmp(names[at - 1], name) > 0; at--)
            names[at] = names[at - 1];
        names[at] = name;
    }
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_redirect(lua_State *L, struct exchange *x)
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
    /* What url_for leaves as it is in a path. */
    escape_url(&url, x->match.redirect_path, SLICE("!$&'()*+,/:;=@"));
    if (req->target.has_query) {
        buf_char(&url, '?');
        buf_slice(&url, req->target.query);
    }
    lua_pushlstring(L, url.data, url.len);
    buf_clear(&url);
}

/* No view for this request: dispatch.refused(kind, detail). */
static void run_refused(struct exchange *x, int status, const char *kind)
{
    struct task *task = new_task(x, STAGE_FAILED);
    lua_State *L = task->L;
    push_hook(task, x->generation->refused_ref);
    if (kind != NULL)
        lua_pushstring(L, kind);
    else
        lua_pushinteger(L, status);
    int n = 1;
    if (status == 405 || (kind != NULL && strcmp(kind, "options") == 0)) {
        push_methods(L, x->match.allowed);
        n = 2;
    } else if (kind != NULL) {
        push_redirect(L, x);
        n = 2;
    }
    task_run(task, n);
}

/* Something raised: dispatch.failed(error, traceback), in a coroutine of its own; `dead` keeps
 * its frames. The error is on top of its stack. */
static void run_failed(struct exchange *x, struct task *dead)
{
    struct task *task = new_task(x, STAGE_FAILED);
    push_hook(task, x->generation->failed_ref);
    push_error_text(dead->L, -1);
    push_traceback(task->L, dead->L, lua_tostring(dead->L, -1));
    lua_pop(dead->L, 1);
    lua_xmove(dead->L, task->L, 1);
    lua_insert(task->L, -2);
    task_run(task, 2);
}

/* A view's results that C does not answer by itself: dispatch.value(rule, results...). */
static void run_value(struct exchange *x, struct task *from)
{
    int n = from->nresults;
    bool refused = x->stage != STAGE_VIEW;
    struct task *task = new_task(x, STAGE_VALUE);
    push_hook(task, x->generation->value_ref);
    lua_pushinteger(task->L, refused || x->outcome != ROUTE_FOUND ? -1 : x->match.rule);
    lua_checkstack(task->L, n);
    lua_xmove(from->L, task->L, n);
    task_run(task, n + 1);
}

/* Not even the error could be answered by Lua. */
static void lose(struct exchange *x, struct task *task)
{
    x->stage = STAGE_LOST;
    push_error_text(task->L, -1);
    push_traceback(task->L, task->L, lua_tostring(task->L, -1));
    struct slice method = method_name(x->req->method);
    log_write(x->generation->log, LOG_ERROR, "Exception while answering an error of %.*s %.*s\n%s",
              (int)method.len, method.data, (int)x->req->target.path.len, x->req->target.path.data,
              lua_tostring(task->L, -1));
    respond_plain(x, 500);
}

/* A task of this exchange has ended. */
static void over(struct task *task)
{
    struct exchange *x = task->owner;
    x->task = NULL;
    if (x->req->gone || x->req->answer_state == ANSWER_DONE)
        return;
    if (task->failed) {
        if (x->stage == STAGE_FAILED || x->generation->failed_ref == LUA_NOREF)
            lose(x, task);
        else
            run_failed(x, task);
        return;
    }
    switch (respond(x, task->L, task->nresults)) {
    case RESPOND_SENT: break;
    case RESPOND_RAISED: /* the error is on top of the stack */
        if (x->stage == STAGE_FAILED)
            lose(x, task);
        else
            run_failed(x, task);
        break;
    case RESPOND_FOR_LUA: run_value(x, task); break;
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

static void run_converter_error(struct exchange *x)
{
    struct task *task = new_task(x, STAGE_FAILED);
    push_hook(task, x->generation->failed_ref);
    lua_pushstring(task->L, x->converter_error);
    lua_pushliteral(task->L, "in a custom converter's to_lua");
    task_run(task, 2);
}

static void begin(struct exchange *x)
{
    struct request *req = x->req;
    if (req->body_state == BODY_TOO_LARGE) {
        run_refused(x, 413, NULL);
    } else if (x->converter_error != NULL) {
        run_converter_error(x);
    } else if (req->target.form == TARGET_ASTERISK) {
        x->match.allowed = (uint64_t)1 << METHOD_GET | (uint64_t)1 << METHOD_HEAD |
                           (uint64_t)1 << METHOD_OPTIONS | (uint64_t)1 << METHOD_POST |
                           (uint64_t)1 << METHOD_PUT | (uint64_t)1 << METHOD_PATCH |
                           (uint64_t)1 << METHOD_DELETE;
        run_refused(x, 200, "options"); /* RFC 9110 9.3.7: the server as a whole */
    } else {
        switch (x->outcome) {
        case ROUTE_FOUND:
            if (req->method == METHOD_OPTIONS && (x->match.id & ROUTE_FLAG_OPTIONS) != 0) {
                struct route_query query = query_of(x, NULL);
                x->match.allowed = route_allowed(x->generation->routes, &query);
                run_refused(x, 200, "options");
            } else {
                run_target(x);
            }
            break;
        case ROUTE_REDIRECT: run_refused(x, 308, "redirect"); break;
        case ROUTE_METHOD_NOT_ALLOWED: run_refused(x, 405, NULL); break;
        case ROUTE_WEBSOCKET_MISMATCH: run_refused(x, 400, NULL); break;
        default: run_refused(x, 404, NULL);
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
