/* value/value.h - the room as Lua sees it: json_encode, json_decode, array, is_array, tuple,
 * markup, null.
 *
 * Place in the flow: bind/json adds these to qlua.core. They live here and not in bind/ so that
 * unit specs and benches can load them without a server, from build/libqlua-test.so.
 */
#ifndef QLUA_VALUE_VALUE_H
#define QLUA_VALUE_VALUE_H

struct lua_State;

/* Add the room's functions to the table on top of the stack (and open its markers). */
void value_register(struct lua_State *L);

/* The same as a module of its own: package.loadlib(library, "luaopen_qlua_value"). */
int luaopen_qlua_value(struct lua_State *L);

#endif
