/* bind/handle.h - the request behind Lua's handle.
 *
 * Place in the flow: bind/request and bind/form take `handle` (core.context().handle) as their
 * first argument; it is dead once the request has ended.
 */
#ifndef QLUA_BIND_HANDLE_H
#define QLUA_BIND_HANDLE_H

struct lua_State;
struct request;

/* The request behind the handle at index; raises when it has ended. */
struct request *check_handle(struct lua_State *L, int index);

#endif
