/* bind/route_url.c - url_for as Lua sees it: routes:choose and routes:build. */
#include <errno.h>
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

/* Is the value a text of its own: a plain one, or an object that knows its text? */
static bool has_text(lua_State *L, int index)
{
    int type = lua_type(L, index);
    if (type != LUA_TTABLE && type != LUA_TUSERDATA)
        return type != LUA_TFUNCTION && type != LUA_TTHREAD;
    return luaL_getmetafield(L, index, "__tostring") != 0 && (lua_pop(L, 1), true);
}

static int append_pair(lua_State *L, int index, struct slice name, struct buf *out, char *divider,
                       struct err *err)
{
    if (lua_isnil(L, index) || lua_type(L, index) == LUA_TLIGHTUSERDATA)
        return 0;
    if (!has_text(L, index))
        return err_set(err, -EINVAL, "value '%.*s': a %s has no place in a query", (int)name.len,
                       name.data, luaL_typename(L, index));
    buf_char(out, *divider);
    *divider = '&';
    route_quote_query(out, name);
    buf_char(out, '=');
    append_query_value(L, index, out);
    return 0;
}

/* Append the value at the top of the stack, of the name: a list once an item. */
static int append_value(lua_State *L, struct slice name, struct buf *out, char *divider,
                        struct err *err)
{
    int value = lua_gettop(L), rc = 0;
    size_t n = lua_istable(L, value) ? lua_objlen(L, value) : 0;
    if (n == 0 && lua_istable(L, value) && !has_text(L, value)) {
        lua_pushnil(L);
        if (lua_next(L, value) == 0)
            return 0; /* an empty list */
        lua_pop(L, 2);
    }
    if (n == 0)
        return append_pair(L, value, name, out, divider, err);
    for (int item = 1; rc == 0 && item <= (int)n; item++) {
        lua_rawgeti(L, value, item);
        rc = append_pair(L, lua_gettop(L), name, out, divider, err);
        lua_pop(L, 1);
    }
    return rc;
}

/* Append what the path did not take: "?a=1&b=2". */
static int append_query(lua_State *L, const struct route_build *build, struct buf *out,
                        struct err *err)
{
    char divider = '?';
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < build->narguments; i++) {
        const struct route_argument *argument = &build->arguments[i];
        if (argument->used)
            continue;
        push_slice(L, argument->name);
        lua_rawget(L, ARG_VALUES);
        rc = append_value(L, argument->name, out, &divider, err);
        lua_pop(L, 1);
    }
    return rc;
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
    if (append_query(L, &build, path, &err) != 0) {
        struct err why = err;
        err_set(&err, why.code, "Could not build url for endpoint '%.*s': %s",
                (int)build.endpoint.len, build.endpoint.data, why.message);
        return push_route_err(L, &err);
    }
    push_slice(L, buf_view(path));
    push_slice(L, buf_view(host));
    lua_pushinteger(L, index);
    return 3;
}
