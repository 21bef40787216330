/* bind/exchange.c - the running request as Lua sees it: its context, its rule, its body.
 * See exchange.h. */
#include "bind/exchange.h"

#include <lauxlib.h>
#include <lua.h>

#include "base/slice.h"
#include "bind/app_session.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/generation.h"
#include "bind/handle.h"
#include "bind/route.h"
#include "route/table.h"
#include "script/state.h"

#define HANDLE "qlua.Handle"

void exchange_init(struct exchange *x, void (*release)(struct task_context *context))
{
    x->custom_ref = LUA_NOREF;
    bool brings = exchange_brings_session(x);
    if (x->generation->session != NULL)
        x->session = brings ? SESSION_BROUGHT : SESSION_NONE;
    else
        x->in_lua = brings;
    task_context_init(&x->context, x, release);
    x->context.budget = &x->budget;
}

bool exchange_brings_session(const struct exchange *x)
{
    const struct generation *g = x->generation;
    if (g->session_cookie == NULL)
        return g->sessions_always;
    size_t len = strlen(g->session_cookie);
    for (uint32_t i = 0; i < x->req->headers.count; i++) {
        const struct field *field = &x->req->headers.items[i];
        if (field->id == HEADER_COOKIE && field->value.len > len &&
            memmem(field->value.data, field->value.len, g->session_cookie, len) != NULL)
            return true;
    }
    return false;
}

void exchange_forget(struct exchange *x)
{
    if (x->handle != NULL)
        x->handle->exchange = NULL;
    if (x->custom_ref != LUA_NOREF)
        luaL_unref(x->generation->script->L, LUA_REGISTRYINDEX, x->custom_ref);
}

struct exchange *check_exchange(lua_State *L, int index)
{
    struct handle *handle = luaL_checkudata(L, index, HANDLE);
    if (handle->exchange == NULL)
        luaL_error(L, "the request has ended: what is needed of it must be read before its task "
                      "and those it spawned are over");
    return handle->exchange;
}

struct request *check_handle(lua_State *L, int index)
{
    return check_exchange(L, index)->req;
}

struct exchange *exchange_current(lua_State *L)
{
    struct task *task = task_current(L);
    return task == NULL || task->context == NULL ? NULL : task->context->data;
}

/* core.context() -> the running task's context table, made on first touch; nil when it serves
 * no request */
static int l_context(lua_State *L)
{
    struct task *task = task_current(L);
    struct exchange *x = exchange_current(L);
    if (x == NULL)
        return 0;
    struct task_context *context = task->context;
    if (context->ref == LUA_NOREF) {
        lua_createtable(L, 0, 6);
        struct handle *handle = lua_newuserdata(L, sizeof(*handle));
        handle->exchange = x;
        lua_pushvalue(L, lua_upvalueindex(1)); /* the metatable of handles */
        lua_setmetatable(L, -2);
        lua_pushvalue(L, lua_upvalueindex(2)); /* "handle" */
        lua_insert(L, -2);
        lua_rawset(L, -3);
        lua_pushvalue(L, -1);
        context->ref = luaL_ref(L, LUA_REGISTRYINDEX);
        x->handle = handle;
        task_show_context(script_of(L), context);
        return 1;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, context->ref);
    return 1;
}

/* core.in_request() -> does the running task serve a request? Touches nothing. */
static int l_in_request(lua_State *L)
{
    lua_pushboolean(L, exchange_current(L) != NULL);
    return 1;
}

/* ---- the matched rule ---- */

static const struct route_rule_info *rule_of(const struct exchange *x)
{
    const struct route_table *routes = x->generation->routes;
    /* a test may have put another app in the place of the one that matched */
    if (x->outcome != ROUTE_FOUND || routes == NULL || x->match.rule >= route_table_count(routes))
        return NULL;
    return route_rule_at(routes, x->match.rule);
}

void exchange_push_variable(lua_State *L, struct exchange *x, size_t i)
{
    const struct route_value *value = &x->match.values[i];
    if (value->type == ROUTE_CUSTOM && x->custom_ref != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, x->custom_ref);
        lua_rawgeti(L, -1, (int)i + 1);
        lua_remove(L, -2);
        if (!lua_isnil(L, -1))
            return;
        lua_pop(L, 1);
    }
    if (value->type == ROUTE_UUID) {
        char text[36];
        for (size_t k = 0; k < sizeof(text); k++)
            text[k] = k < value->text.len ? ascii_lower(value->text.data[k]) : '0';
        lua_pushlstring(L, text, sizeof(text));
        return;
    }
    routes_push_value(L, value);
}

/* core.request_endpoint(handle) -> name, or nil when no rule matched */
static int l_endpoint(lua_State *L)
{
    const struct route_rule_info *rule = rule_of(check_exchange(L, 1));
    return rule == NULL ? 0 : push_slice(L, rule->endpoint);
}

/* core.request_rule(handle) -> text of the rule, its index; or nil */
static int l_rule(lua_State *L)
{
    struct exchange *x = check_exchange(L, 1);
    const struct route_rule_info *rule = rule_of(x);
    if (rule == NULL)
        return 0;
    push_slice(L, rule->rule);
    lua_pushinteger(L, x->match.rule);
    return 2;
}

/* core.request_view_args(handle) -> table of variables and defaults by name, or nil */
static int l_view_args(lua_State *L)
{
    struct exchange *x = check_exchange(L, 1);
    const struct route_rule_info *rule = rule_of(x);
    if (rule == NULL)
        return 0;
    lua_createtable(L, 0, (int)(rule->nvariables + rule->ndefaults));
    for (size_t i = 0; i < rule->ndefaults; i++) {
        push_slice(L, rule->defaults[i].name);
        routes_push_value(L, &rule->defaults[i].value);
        lua_rawset(L, -3);
    }
    for (size_t i = 0; i < rule->nvariables; i++) {
        push_slice(L, rule->variables[i].name);
        exchange_push_variable(L, x, i);
        lua_rawset(L, -3);
    }
    return 1;
}

/* ---- the body ---- */

/* Has the request been answered, or its client gone? Tasks may outlive that. */
static bool is_over(const struct request *req)
{
    return req->gone || req->answer_state == ANSWER_DONE;
}

/* What a reader that cannot go on is told: 413, 408 or 400; 0 when nothing is wrong. */
static int body_status(const struct request *req)
{
    switch (req->body_state) {
    case BODY_TOO_LARGE: return 413;
    case BODY_TIMED_OUT: return 408;
    case BODY_BROKEN: return 400;
    case BODY_READING: return is_over(req) ? 400 : 0; /* no more of it will be heard */
    default: return 0;
    }
}

/* Push what the reader gets: (true, string), (true) at the end, or (nil, status). */
static int push_body(lua_State *L, struct exchange *x, bool whole)
{
    struct request *req = x->req;
    int status = body_status(req);
    if (status != 0) {
        lua_pushnil(L);
        lua_pushinteger(L, status);
        return 2;
    }
    lua_pushboolean(L, 1);
    if (!whole && req->body.len == 0)
        return 1;
    lua_pushlstring(L, req->body.data == NULL ? "" : req->body.data, req->body.len);
    struct buf taken;
    request_take_body(req, &taken);
    buf_clear(&taken);
    return 2;
}

static bool body_is_ready(const struct request *req, bool whole)
{
    return req->body_state != BODY_READING || is_over(req) || (!whole && req->body.len > 0);
}

void exchange_on_body(struct exchange *x)
{
    if (x->body_waiter == 0 || !body_is_ready(x->req, x->body_whole))
        return;
    struct task *task = task_find(x->generation->script, x->body_waiter);
    x->body_waiter = 0;
    if (task == NULL)
        return;
    int n = push_body(task->L, x, x->body_whole);
    /* task_wake puts the leading true there itself */
    if (lua_isnil(task->L, -n)) {
        lua_remove(task->L, -n);
        task_wake_error(task);
    } else {
        lua_remove(task->L, -n);
        task_wake(task, n - 1);
    }
}

static void forget_body(struct wait *wait)
{
    struct exchange *x = wait->data;
    x->body_waiter = 0;
}

static int read_body(lua_State *L, bool whole)
{
    struct exchange *x = check_exchange(L, 1);
    if (!body_is_ready(x->req, whole)) {
        task_check_park(L);
        if (x->body_waiter != 0)
            return luaL_error(L, "another task of this request is reading its body");
        request_want_body(x->req, whole);
    }
    if (body_is_ready(x->req, whole))
        return push_body(L, x, whole);
    x->body_waiter = task_current(L)->id;
    x->body_whole = whole;
    return task_park(L, forget_body, x);
}

/* core.body_read(handle) -> true, string | nil, status or error; waits */
static int l_body_read(lua_State *L)
{
    return read_body(L, true);
}

/* core.body_next(handle) -> true, chunk | true (at the end) | nil, status or error; waits */
static int l_body_next(lua_State *L)
{
    return read_body(L, false);
}

static const luaL_Reg functions[] = {
    {"request_endpoint", l_endpoint},   {"request_rule", l_rule},
    {"request_view_args", l_view_args}, {"body_read", l_body_read},
    {"body_next", l_body_next},         {NULL, NULL},
};

void bind_exchange(lua_State *L)
{
    luaL_register(L, NULL, functions);
    luaL_newmetatable(L, HANDLE);
    lua_pushliteral(L, "handle");
    lua_pushcclosure(L, l_context, 2);
    lua_setfield(L, -2, "context");
    lua_pushcfunction(L, l_in_request);
    lua_setfield(L, -2, "in_request");
}
