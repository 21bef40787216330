/* bind/route.h - URL rules as Lua sees them, and the table that is being served.
 *
 * Place in the flow: lua/qlua/routing.lua fills a qlua.Routes userdata while the app loads and
 * asks it for URLs; dispatch.lua hands one over with core.serve_routes, and server/dispatch looks
 * requests up in it. The userdata owns the struct route_table; one that was served stays alive as
 * long as the Lua state, so that requests in flight may keep what they matched.
 */
#ifndef QLUA_BIND_ROUTE_H
#define QLUA_BIND_ROUTE_H

#include <stdbool.h>

#include "route/value.h"

struct lua_State;
struct route_table;

/* Bits of route_rule_info.id. */
enum route_flag {
    ROUTE_FLAG_OPTIONS = 1 /* OPTIONS is answered automatically, the view is not asked */
};

/* The table last given to core.serve_routes, or NULL. */
struct route_table *routes_served(struct lua_State *L);

/* Push the custom converter of that number of the table served: a Lua table that may have
 * to_lua(self, text). False, and nothing pushed, when there is none. */
bool routes_push_converter(struct lua_State *L, int number);

/* Push the Lua value of a matched value or of a default of the table served
 * (route_rule_info.defaults): what has no form in a path (ROUTE_OPAQUE) is the very value that
 * was given. Returns 1. */
int routes_push_value(struct lua_State *L, const struct route_value *value);

#endif
