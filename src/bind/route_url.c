/* bind/route_url.c - url_for as Lua sees it: routes:choose and routes:build. */
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "bind/check.h"
#include "bind/route_internal.h"
#include "http/request.h"
#include "route/build.h"
#include "route/quote.h"
#include "value/number.h"

enum { ARG_ROUTES = 1, ARG_ENDPOINT, ARG_VALUES, ARG_METHOD, ARG_DEFAULT, ARG_HOST, ARG_CUSTOM };

static int opt_method(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? -1 : method_of(check_slice(L, index));
}

/* Fill build from the arguments of l_routes_build and l_routes_choose; the values' order is by
 * name. */
static void read_build(lua_State *L, struct arena *arena, struct route_build *build)
{
    *build = (struct route_build){
        .endpoint = check_slice(L, ARG_ENDPOINT),
        .method = opt_method(L, ARG_METHOD),
        .default_method = opt_method(L, ARG_DEFAULT),
        .host = opt_slice(L, ARG_HOST, SLICE("")),
    };
    luaL_checktype(L, ARG_VALUES, LUA_TTABLE);
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, ARG_VALUES); lua_pop(L, 1))
        n++;
    build->arguments = arena_array(arena, n + 1, sizeof(*build->arguments));
    for (lua_pushnil(L); lua_next(L, ARG_VALUES); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            continue; /* routing.lua has refused it */
        struct route_argument *argument = &build->arguments[build->narguments++];
        argument->name.data = lua_tolstring(L, -2, &argument->name.len);
        argument->value = route_value_at(L, -1);
    }
}

static int compare_arguments(const void *a, const void *b)
{
    const struct route_argument *x = a, *y = b;
    return slice_cmp(x->name, y->name);
}

/* Let the texts that custom converters made (a table at ARG_CUSTOM) stand for their values. */
static void use_converted(lua_State *L, struct route_build *build)
{
    if (!lua_istable(L, ARG_CUSTOM))
        return;
    for (size_t i = 0; i < build->narguments; i++) {
        struct route_argument *argument = &build->arguments[i];
        push_slice(L, argument->name);
        lua_rawget(L, ARG_CUSTOM);
        if (lua_type(L, -1) == LUA_TSTRING) {
            argument->value.type = ROUTE_CUSTOM;
            argument->value.text.data = lua_tolstring(L, -1, &argument->value.text.len);
        }
        lua_pop(L, 1); /* the table keeps it */
    }
}

/* routes:choose(endpoint, values, method, default_method, host) -> index | nil, message */
int l_routes_choose(lua_State *L)
{
    struct routes *routes = check_routes(L, ARG_ROUTES);
    lua_settop(L, ARG_CUSTOM);
    struct arena *arena = push_scratch(L);
    struct route_build build;
    struct err err = {0};
    read_build(L, arena, &build);
    int index = route_build_rule(routes->table, &build, &err);
    if (index < 0)
        return push_route_err(L, &err);
    lua_pushinteger(L, index);
    return 1;
}

static void clear_buf(void *data)
{
    buf_clear(data);
}

static struct buf *scratch_buf(struct arena *arena)
{
    struct buf *buf = arena_zalloc(arena, sizeof(*buf));
    arena_defer(arena, clear_buf, buf);
    return buf;
}

/* Append a value of the query: numbers and booleans as Python's str() writes them. */
static void append_query_value(lua_State *L, int index, struct buf *out)
{
    if (lua_isboolean(L, index)) {
        buf_cstr(out, lua_toboolean(L, index) ? "True" : "False");
        return;
    }
    if (lua_type(L, index) == LUA_TNUMBER && isfinite(lua_tonumber(L, index))) {
        char text[NUMBER_TEXT_MAX];
        size_t n = number_write(text, lua_tonumber(L, index));
        route_quote_query(out, slice_of(text, n));
        return;
    }
    lua_getglobal(L, "tostring");
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    route_quote_query(out, slice_of(text, len));
    lua_pop(L, 1);
}

static void append_pair(lua_State *L, int index, struct slice name, struct buf *out, char *divider)
{
    if (lua_isnil(L, index) || lua_type(L, index) == LUA_TLIGHTUSERDATA)
        return;
    buf_char(out, *divider);
    *divider = '&';
    route_quote_query(out, name);
    buf_char(out, '=');
    append_query_value(L, index, out);
}

/* Append what the path did not take: "?a=1&b=2", a list once an item. */
static void append_query(lua_State *L, const struct route_build *build, struct buf *out)
{
    char divider = '?';
    for (size_t i = 0; i < build->narguments; i++) {
        const struct route_argument *argument = &build->arguments[i];
        if (argument->used)
            continue;
        push_slice(L, argument->name);
        lua_rawget(L, ARG_VALUES);
        int value = lua_gettop(L);
        if (lua_istable(L, value)) {
            for (int item = 1; item <= (int)lua_objlen(L, value); item++) {
                lua_rawgeti(L, value, item);
                append_pair(L, lua_gettop(L), argument->name, out, &divider);
                lua_pop(L, 1);
            }
        } else {
            append_pair(L, value, argument->name, out, &divider);
        }
        lua_pop(L, 1);
    }
}

/* routes:build(endpoint, values, method, default_method, host, converted) -> path and query, host
 * or subdomain, index | nil, message */
int l_routes_build(lua_State *L)
{
    struct routes *routes = check_routes(L, ARG_ROUTES);
    lua_settop(L, ARG_CUSTOM);
    struct arena *arena = push_scratch(L);
    struct buf *path = scratch_buf(arena);
    struct buf *host = scratch_buf(arena);
    struct route_build build;
    struct err err = {0};
    read_build(L, arena, &build);
    use_converted(L, &build);
    qsort(build.arguments, build.narguments, sizeof(*build.arguments), compare_arguments);
    int index = route_build(routes->table, &build, path, host, &err);
    if (index < 0)
        return push_route_err(L, &err);
    append_query(L, &build, path);
    push_slice(L, buf_view(path));
    push_slice(L, buf_view(host));
    lua_pushinteger(L, index);
    return 3;
}
