/* bind/bind.h - what Lua may call: the table of contents of `qlua.core`.
 *
 * Place in the flow: server/generation calls bind_all once per Lua state; lua/qlua requires
 * "qlua.core" and nothing else from C. Each bind_x adds its functions to the table on top of
 * the stack. A binding checks arguments, makes one call, pushes results (style 30).
 */
#ifndef QLUA_BIND_BIND_H
#define QLUA_BIND_BIND_H

struct lua_State;

/* Make `qlua.core` loadable in this state. */
void bind_all(struct lua_State *L);

void bind_app_session(struct lua_State *L);
void bind_config(struct lua_State *L);
void bind_debug(struct lua_State *L);
void bind_profile(struct lua_State *L);
void bind_generation(struct lua_State *L);
void bind_context(struct lua_State *L);
void bind_exchange(struct lua_State *L);
void bind_json(struct lua_State *L);
void bind_template(struct lua_State *L);
void bind_multidict(struct lua_State *L);
void bind_request(struct lua_State *L);
void bind_reroute(struct lua_State *L);
void bind_response(struct lua_State *L);
void bind_signer(struct lua_State *L);
void bind_form(struct lua_State *L);
void bind_file(struct lua_State *L);
void bind_folder(struct lua_State *L);
void bind_route(struct lua_State *L);
void bind_token(struct lua_State *L);
void bind_testing(struct lua_State *L);
void bind_session(struct lua_State *L);
void bind_store(struct lua_State *L);
void bind_terminal(struct lua_State *L);
void bind_text(struct lua_State *L);
void bind_task(struct lua_State *L);
void bind_watch(struct lua_State *L);
void bind_worker(struct lua_State *L);

#endif
