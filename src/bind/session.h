/* bind/session.h - the room session/ as Lua sees it: the codec that Lua holds.
 *
 * Place in the flow: core.session_codec makes it for lua/qlua/session_interface.lua; app_session
 * uses the same one.
 */
#ifndef QLUA_BIND_SESSION_H
#define QLUA_BIND_SESSION_H

struct cookie_session;
struct lua_State;

/* The codec at index, which the userdata there owns; raises for anything else. */
struct cookie_session *check_session_codec(struct lua_State *L, int index);

#endif
