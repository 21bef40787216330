/* bind/route_internal.h - what route.c (rules) and route_url.c (url_for) share. */
#ifndef QLUA_BIND_ROUTE_INTERNAL_H
#define QLUA_BIND_ROUTE_INTERNAL_H

#include <lua.h>

#include "route/value.h"

struct err;
struct route_table;

struct routes {
    struct route_table *table;
};

/* The qlua.Routes at index; raises for any other value. */
struct routes *check_routes(lua_State *L, int index);

/* The Lua value at index as the router holds one; borrows a string. A table is opaque: known by
 * its address. */
struct route_value route_value_at(lua_State *L, int index);

/* nil, message, column: what is wrong with a rule or a URL. Returns 3. */
int push_route_err(lua_State *L, const struct err *err);

/* routes:choose and routes:build, for the table of methods. */
int l_routes_choose(lua_State *L);
int l_routes_build(lua_State *L);

#endif
