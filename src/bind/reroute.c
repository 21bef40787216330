/* bind/reroute.c - a request changed by middleware and looked up again: core.reroute; and what
 * else the innermost callable of app.asgi_app needs: core.body_is_over, core.answer_wait_end.
 *
 * Place in the flow: lua/qlua/asgi.lua calls these from within the request's task. What is
 * changed lies in the request's arena; the framing on the wire stays what was received.
 */
#include <lauxlib.h>
#include <lua.h>

#include "base/utf8.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/handover.h"
#include "bind/lookup.h"
#include "bind/multidict.h"
#include "script/state.h"

/* ---- what middleware may say of a request: true when it says something new ---- */

static bool tell_method(lua_State *L, struct request *req, int index)
{
    struct slice name = check_slice(L, index);
    int method = method_of(name);
    if (method < 0)
        task_misuse(
            L, lua_pushfstring(L, "scope.method is '%s', which is no known method", name.data));
    if ((unsigned)method == request_method(req))
        return false;
    req->told_method = (uint8_t)(method + 1);
    return true;
}

static bool tell_path(lua_State *L, struct request *req, int index)
{
    struct slice path = check_slice(L, index);
    if (slice_eq(path, req->target.path))
        return false;
    if (path.len == 0 || path.data[0] != '/' || !utf8_is_valid(path))
        task_misuse(
            L, lua_pushfstring(
                   L, "scope.path must be a decoded path in UTF-8 that begins with '/', got '%s'",
                   path.data));
    req->target.path = arena_dup(&req->arena, path);
    req->target.form = TARGET_ORIGIN; /* a path of its own, whatever "*" was asked for */
    return true;
}

static void tell_query(lua_State *L, struct request *req, int index)
{
    struct slice query = check_slice(L, index);
    if (slice_eq(query, req->target.query))
        return;
    req->target.query = arena_dup(&req->arena, query);
    req->target.has_query = query.len > 0;
}

/* A text that is kept when it differs from what there is. */
static bool tell_text(lua_State *L, struct request *req, int index, struct slice *text)
{
    struct slice told = check_slice(L, index);
    if (slice_eq(told, *text))
        return false;
    *text = arena_dup(&req->arena, told);
    return true;
}

static struct slice value_of(const struct fields *headers, enum header_id id)
{
    const struct field *field = fields_get_id(headers, id);
    return field == NULL ? SLICE("") : field->value;
}

/* The lines of Headers at index in place of those received. True: Host changed. */
static bool tell_headers(lua_State *L, struct request *req, int index)
{
    const struct fields *told = check_headers(L, index);
    struct slice host = value_of(told, HEADER_HOST);
    bool is_new = !slice_eq(host, value_of(&req->headers, HEADER_HOST));
    struct fields headers;
    fields_init(&headers, &req->arena, true);
    for (uint32_t i = 0; i < told->count; i++)
        fields_add_copy(&headers, told->items[i].name, told->items[i].value);
    req->headers = headers;
    if (is_new) /* what is no host is none, as Werkzeug has it */
        req->host = host_is_valid(host) ? arena_dup(&req->arena, host) : SLICE("");
    return is_new;
}

/* ---- core.reroute ---- */

/* Push what answers: rule, its variables... | nil, what refuses it, detail. Returns how many. */
static int push_lookup(lua_State *L, struct exchange *x)
{
    struct lookup found = lookup_decide(x);
    if (found.kind == LOOKUP_VIEW) {
        lua_pushinteger(L, x->match.rule);
        luaL_checkstack(L, (int)x->match.nvalues + 4, "too many variables");
        for (size_t i = 0; i < x->match.nvalues; i++)
            exchange_push_variable(L, x, i);
        return (int)x->match.nvalues + 1;
    }
    lua_pushnil(L);
    switch (found.kind) {
    case LOOKUP_RAISED:
        lua_pushliteral(L, "raised");
        lua_pushstring(L, x->converter_error);
        return 3;
    case LOOKUP_OPTIONS:
        lua_pushliteral(L, "options");
        handover_push_methods(L, x->match.allowed);
        return 3;
    case LOOKUP_REDIRECT:
        lua_pushliteral(L, "redirect");
        push_slice(L, lookup_redirect_url(x));
        return 3;
    default: break;
    }
    lua_pushinteger(L, found.status);
    if (found.status != 405)
        return 2;
    handover_push_methods(L, x->match.allowed);
    return 3;
}

/* What the custom converters made for the former rule. */
static void forget_converted(lua_State *L, struct exchange *x)
{
    x->converter_error = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, x->custom_ref);
    x->custom_ref = LUA_NOREF;
}

/* core.reroute(handle, method, path, query, headers, scheme, root_path, client, port) -> rule's
 * index, its variables... | nil, status | nil, 405 or "options", methods | nil, "redirect", url |
 * nil, "raised", message: takes over what is new, and routes again when that calls for it */
static int l_reroute(lua_State *L)
{
    struct exchange *x = check_exchange(L, 1);
    struct request *req = x->req;
    bool has_moved = tell_method(L, req, 2);
    has_moved |= tell_path(L, req, 3);
    tell_query(L, req, 4);
    has_moved |= tell_headers(L, req, 5);
    struct slice scheme = request_scheme(req);
    has_moved |= tell_text(L, req, 6, &scheme); /* a port is left out of hosts by scheme */
    req->scheme = scheme;
    tell_text(L, req, 7, &req->root_path);
    int port;
    struct slice peer = request_peer(req, &port);
    if (tell_text(L, req, 8, &peer))
        req->peer = peer;
    req->peer_port = (int)luaL_checkinteger(L, 9);
    if (has_moved) {
        forget_converted(L, x);
        lookup_route(x, L);
    }
    return push_lookup(L, x);
}

/* ---- receive ---- */

/* core.body_is_over(handle) -> has all of the body been taken? */
static int l_body_is_over(lua_State *L)
{
    const struct request *req = check_exchange(L, 1)->req;
    bool is_coming = req->body_state == BODY_READING || req->body_state > BODY_COMPLETE;
    lua_pushboolean(L, !is_coming && req->body.len == 0);
    return 1;
}

static void forget_end(struct wait *wait)
{
    struct exchange *x = wait->data;
    x->end_waiter = 0;
}

void exchange_on_end(struct exchange *x)
{
    if (x->end_waiter == 0)
        return;
    struct task *task = task_find(x->generation->script, x->end_waiter);
    x->end_waiter = 0;
    if (task != NULL)
        task_wake(task, 0);
}

/* core.answer_wait_end(handle) -> true: the client is gone or the answer is out; waits */
static int l_answer_wait_end(lua_State *L)
{
    struct exchange *x = check_exchange(L, 1);
    if (x->req->gone || x->req->answer_state == ANSWER_DONE) {
        lua_pushboolean(L, 1);
        return 1;
    }
    task_check_park(L);
    if (x->end_waiter != 0)
        return luaL_error(L, "another task of this request waits for http.disconnect already");
    x->end_waiter = task_current(L)->id;
    return task_park(L, forget_end, x);
}

static const luaL_Reg functions[] = {
    {"reroute", l_reroute},
    {"body_is_over", l_body_is_over},
    {"answer_wait_end", l_answer_wait_end},
    {NULL, NULL},
};

void bind_reroute(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
