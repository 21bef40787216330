/* bind/debug.c - debug mode as Lua sees it: core.debug_... (lua/qlua/debugger).
 *
 * Place in the flow: the desk is the worker's (bind/debug_desk.h); without one, core.debug_prefix
 * gives nil and lua/qlua/debugger is never loaded.
 */
#include <lauxlib.h>
#include <lua.h>

#include "bind/bind.h"
#include "bind/check.h"
#include "bind/debug_desk.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "crypto/digest.h"

static struct debug_desk *desk_of(lua_State *L)
{
    const struct generation *g = generation_of(L);
    return g == NULL ? NULL : g->desk;
}

static struct debug_desk *need_desk(lua_State *L)
{
    struct debug_desk *desk = desk_of(L);
    if (desk == NULL)
        luaL_error(L, "this server does not run in debug mode");
    return desk;
}

/* core.debug_prefix() -> "/__qlua__/SECRET/", or nil outside of debug mode */
static int l_prefix(lua_State *L)
{
    const struct debug_desk *desk = desk_of(L);
    if (desk == NULL)
        return 0;
    lua_pushstring(L, desk->prefix);
    return 1;
}

/* core.debug_admits(handle) -> may the request's client see debug pages? */
static int l_admits(lua_State *L)
{
    const struct exchange *x = check_exchange(L, 1);
    lua_pushboolean(L, desk_of(L) != NULL && x->debug_admitted);
    return 1;
}

/* core.debug_pin(text) -> the console's cookie | nil, how many more PINs may be tried */
static int l_pin(lua_State *L)
{
    struct debug_desk *desk = need_desk(L);
    unsigned left;
    if (debug_desk_try_pin(desk, check_slice(L, 1), &left)) {
        lua_pushstring(L, desk->guard->token);
        return 1;
    }
    lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)left);
    return 2;
}

/* core.debug_knows(cookie) -> is it the console's? */
static int l_knows(lua_State *L)
{
    const struct debug_desk *desk = need_desk(L);
    lua_pushboolean(L, digest_eq(check_slice(L, 1), slice_cstr(desk->guard->token)));
    return 1;
}

/* core.debug_keep(name, text): for longer than this generation */
static int l_keep(lua_State *L)
{
    debug_desk_keep(need_desk(L), check_slice(L, 1), check_slice(L, 2));
    return 0;
}

/* core.debug_kept(name) -> text, or nil when it is gone */
static int l_kept(lua_State *L)
{
    const struct debug_note *note = debug_desk_find(need_desk(L), check_slice(L, 1));
    if (note == NULL)
        return 0;
    lua_pushlstring(L, note->text, note->len);
    return 1;
}

/* core.debug_body(handle) -> the body as received | nil, "large" or "incomplete" */
static int l_body(lua_State *L)
{
    const struct exchange *x = check_exchange(L, 1);
    const struct debug_body *body = x->debug_body;
    bool is_whole = x->req->body_state == BODY_NONE || x->req->body_state == BODY_COMPLETE;
    if (body == NULL || body->is_lost || !is_whole) {
        lua_pushnil(L);
        lua_pushstring(L, is_whole ? "large" : "incomplete");
        return 2;
    }
    return push_slice(L, buf_view(&body->bytes));
}

/* core.debug_set_body(handle, text): the request, whose own body has been read, has this one */
static int l_set_body(lua_State *L)
{
    struct exchange *x = check_exchange(L, 1);
    struct slice text = check_slice(L, 2);
    struct request *req = x->req;
    if (req->body_state == BODY_READING)
        return luaL_error(L, "the request's own body must be read first");
    req->body.len = 0;
    buf_slice(&req->body, text);
    req->body_state = text.len == 0 ? BODY_NONE : BODY_COMPLETE;
    if (x->debug_body != NULL) {
        x->debug_body->is_lost = false;
        x->debug_body->bytes.len = 0;
        buf_slice(&x->debug_body->bytes, text);
    }
    return 0;
}

static const luaL_Reg functions[] = {
    {"debug_prefix", l_prefix}, {"debug_admits", l_admits},     {"debug_pin", l_pin},
    {"debug_knows", l_knows},   {"debug_keep", l_keep},         {"debug_kept", l_kept},
    {"debug_body", l_body},     {"debug_set_body", l_set_body}, {NULL, NULL},
};

void bind_debug(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
