/* bind/route.c - route/ as Lua sees it: qlua.Routes, core.method_known, core.serve_routes.
 *
 * The environment table of a qlua.Routes holds its custom converters ([number + 1]) and the
 * defaults that have no form in a path (under their address).
 */
#include "bind/route.h"

#include <lauxlib.h>
#include <lua.h>
#include <math.h>

#include "base/err.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/route_internal.h"
#include "http/request.h"
#include "route/table.h"

#define ROUTES "qlua.Routes"

/* keys of the registry: the userdata served, and all that ever were */
static const char served_key = 0;

struct routes *check_routes(lua_State *L, int index)
{
    return luaL_checkudata(L, index, ROUTES);
}

/* nil, message, column: what is wrong with a rule or a URL. */
int push_route_err(lua_State *L, const struct err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err->message);
    lua_pushinteger(L, err->column);
    return 3;
}

/* Field `name` of the table at index as a slice, empty when it is nil. The table keeps it alive. */
static struct slice field_slice(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    struct slice s = lua_isnil(L, -1) ? SLICE("") : check_slice(L, -1);
    lua_pop(L, 1);
    return s;
}

static enum route_switch field_switch(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    enum route_switch value = lua_isnil(L, -1)       ? ROUTE_AS_TABLE
                              : lua_toboolean(L, -1) ? ROUTE_ON
                                                     : ROUTE_OFF;
    lua_pop(L, 1);
    return value;
}

static bool field_bool(lua_State *L, int index, const char *name, bool otherwise)
{
    enum route_switch value = field_switch(L, index, name);
    return value == ROUTE_AS_TABLE ? otherwise : value == ROUTE_ON;
}

/* The Lua value at index as the router holds one. A table is opaque: known by its address. */
struct route_value route_value_at(lua_State *L, int index)
{
    struct route_value value = {.type = ROUTE_NIL};
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        value.type = ROUTE_STRING;
        value.text.data = lua_tolstring(L, index, &value.text.len);
        break;
    case LUA_TNUMBER: {
        double number = lua_tonumber(L, index);
        bool whole = number == floor(number) && fabs(number) < 9007199254740993.0;
        value.type = whole ? ROUTE_INT : ROUTE_FLOAT;
        if (whole)
            value.integer = (int64_t)number;
        else
            value.number = number;
        break;
    }
    case LUA_TBOOLEAN:
        value.type = ROUTE_BOOL;
        value.boolean = lua_toboolean(L, index);
        break;
    case LUA_TNIL:
    case LUA_TLIGHTUSERDATA: /* null */ break;
    default: value.type = ROUTE_OPAQUE; value.integer = (int64_t)(intptr_t)lua_topointer(L, index);
    }
    return value;
}

static int l_routes_gc(lua_State *L)
{
    struct routes *routes = check_routes(L, 1);
    route_table_free(routes->table);
    routes->table = NULL;
    return 0;
}

static const char *name_of_method(int method)
{
    /* method_name's slices are of static, NUL-terminated text */
    return method_name((unsigned)method).data;
}

/* core.routes(options) -> qlua.Routes; options: host_matching, strict_slashes, merge_slashes,
 * redirect_defaults, server_name */
static int l_routes(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct routes *routes = lua_newuserdata(L, sizeof(*routes));
    routes->table = NULL;
    set_metatable(L, ROUTES);
    lua_newtable(L);
    lua_setfenv(L, -2);
    struct route_options options = {
        .host_matching = field_bool(L, 1, "host_matching", false),
        .strict_slashes = field_bool(L, 1, "strict_slashes", true),
        .merge_slashes = field_bool(L, 1, "merge_slashes", true),
        .redirect_defaults = field_bool(L, 1, "redirect_defaults", true),
        .server_name = field_slice(L, 1, "server_name"),
        .method_name = name_of_method,
    };
    routes->table = route_table_new(&options);
    return 1;
}

/* routes:converter(name, converter): a table that may have to_lua and to_url */
static int l_converter(lua_State *L)
{
    struct routes *routes = check_routes(L, 1);
    luaL_checktype(L, 3, LUA_TTABLE);
    int number = route_table_converter(routes->table, check_slice(L, 2));
    lua_getfenv(L, 1);
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, number + 1);
    return 0;
}

/* The bits of the list of method names in field `methods` of the spec at index. */
static uint64_t check_methods(lua_State *L, int index)
{
    uint64_t methods = 0;
    lua_getfield(L, index, "methods");
    luaL_checktype(L, -1, LUA_TTABLE);
    for (int i = 1;; i++) {
        lua_rawgeti(L, -1, i);
        if (lua_isnil(L, -1))
            break;
        int method = method_of(check_slice(L, -1));
        if (method < 0)
            return (uint64_t)luaL_error(L, "unknown method %s", lua_tostring(L, -1));
        methods |= (uint64_t)1 << method;
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return methods;
}

/* The defaults of the spec at index 2, in arena; opaque ones are kept in the environment of the
 * userdata at index 1. */
static struct route_default *read_defaults(lua_State *L, struct arena *arena, size_t *count)
{
    *count = 0;
    lua_getfield(L, 2, "defaults");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return NULL;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        n++;
    struct route_default *defaults = arena_array(arena, n, sizeof(*defaults));
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        struct route_default *one = &defaults[(*count)++];
        luaL_checktype(L, -2, LUA_TSTRING);
        one->name.data = lua_tolstring(L, -2, &one->name.len);
        one->value = route_value_at(L, -1);
        if (one->value.type == ROUTE_OPAQUE) {
            lua_getfenv(L, 1);
            lua_pushlightuserdata(L, (void *)(intptr_t)one->value.integer);
            lua_pushvalue(L, -3);
            lua_rawset(L, -3);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return defaults;
}

/* routes:add(spec) -> index from 0 | nil, message, column; spec: rule, endpoint, methods (list),
 * host, subdomain, strict_slashes, merge_slashes, defaults, automatic_options */
static int l_add(lua_State *L)
{
    struct routes *routes = check_routes(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    struct arena *arena = push_scratch(L);
    struct route_spec spec = {
        .rule = field_slice(L, 2, "rule"),
        .endpoint = field_slice(L, 2, "endpoint"),
        .host = field_slice(L, 2, "host"),
        .subdomain = field_slice(L, 2, "subdomain"),
        .methods = check_methods(L, 2),
        .strict_slashes = field_switch(L, 2, "strict_slashes"),
        .merge_slashes = field_switch(L, 2, "merge_slashes"),
    };
    spec.id = field_bool(L, 2, "automatic_options", false) ? ROUTE_FLAG_OPTIONS : 0;
    spec.defaults = read_defaults(L, arena, &spec.ndefaults);
    struct err err = {0};
    int index = route_table_add(routes->table, &spec, &err);
    if (index < 0)
        return push_route_err(L, &err);
    lua_pushinteger(L, index);
    return 1;
}

/* routes:variables(index) -> list of names, list of converters' names */
static int l_variables(lua_State *L)
{
    struct routes *routes = check_routes(L, 1);
    lua_Integer index = luaL_checkinteger(L, 2);
    luaL_argcheck(L, index >= 0 && index < route_table_count(routes->table), 2, "no such rule");
    const struct route_rule_info *info = route_rule_at(routes->table, (int)index);
    lua_createtable(L, (int)info->nvariables, 0);
    lua_createtable(L, (int)info->nvariables, 0);
    for (size_t i = 0; i < info->nvariables; i++) {
        push_slice(L, info->variables[i].name);
        lua_rawseti(L, -3, (int)i + 1);
        push_slice(L, info->variables[i].converter);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 2;
}

/* routes:order() -> list of indices, as lookups try them */
static int l_order(lua_State *L)
{
    struct routes *routes = check_routes(L, 1);
    int count = route_table_count(routes->table);
    lua_settop(L, 1);
    struct arena *arena = push_scratch(L);
    int *indices = arena_array(arena, (size_t)count + 1, sizeof(*indices));
    route_table_order(routes->table, indices);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushinteger(L, indices[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- serving ---- */

/* core.serve_routes(routes): requests are looked up in it from now on */
static int l_serve_routes(lua_State *L)
{
    struct routes *routes = check_routes(L, 1);
    route_table_build(routes->table);
    lua_pushlightuserdata(L, (void *)&served_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_isnil(L, -1)) {
        lua_newtable(L);
        lua_pushlightuserdata(L, (void *)&served_key);
        lua_pushvalue(L, -2);
        lua_rawset(L, LUA_REGISTRYINDEX);
        lua_remove(L, -2);
    }
    /* [1] is the one served, the rest keep alive what was: [userdata] = true */
    lua_pushvalue(L, 1);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    return 0;
}

/* Push the userdata being served; false and nothing when there is none. */
static bool push_served(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)&served_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
        return true;
    }
    lua_pop(L, 1);
    return false;
}

struct route_table *routes_served(lua_State *L)
{
    if (!push_served(L))
        return NULL;
    struct routes *routes = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return routes->table;
}

bool routes_push_converter(lua_State *L, int number)
{
    if (!push_served(L))
        return false;
    lua_getfenv(L, -1);
    lua_rawgeti(L, -1, number + 1);
    lua_replace(L, -3);
    lua_pop(L, 1);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static void push_opaque(lua_State *L, int64_t name)
{
    if (!push_served(L)) {
        lua_pushnil(L);
        return;
    }
    lua_getfenv(L, -1);
    lua_pushlightuserdata(L, (void *)(intptr_t)name);
    lua_rawget(L, -2);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

int routes_push_value(lua_State *L, const struct route_value *value)
{
    switch (value->type) {
    case ROUTE_STRING:
    case ROUTE_UUID:
    case ROUTE_CUSTOM: return push_slice(L, value->text);
    case ROUTE_INT: lua_pushnumber(L, (double)value->integer); return 1;
    case ROUTE_FLOAT: lua_pushnumber(L, value->number); return 1;
    case ROUTE_BOOL: lua_pushboolean(L, value->boolean); return 1;
    case ROUTE_OPAQUE: push_opaque(L, value->integer); return 1;
    default: lua_pushnil(L); return 1;
    }
}

/* core.method_known(name) -> boolean: does the parser know this (upper-case) method? */
static int l_method_known(lua_State *L)
{
    lua_pushboolean(L, method_of(check_slice(L, 1)) >= 0);
    return 1;
}

static const luaL_Reg methods[] = {
    {"converter", l_converter},
    {"add", l_add},
    {"variables", l_variables},
    {"order", l_order},
    {"choose", l_routes_choose},
    {"build", l_routes_build},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"routes", l_routes},
    {"serve_routes", l_serve_routes},
    {"method_known", l_method_known},
    {NULL, NULL},
};

void bind_route(lua_State *L)
{
    make_class(L, ROUTES, methods, l_routes_gc);
    luaL_register(L, NULL, functions);
}
