/* bind/bind.c - the table of contents of `qlua.core`. See bind.h. */
#include "bind/bind.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/state.h"

/* luaopen of "qlua.core": the table with everything in it */
static int l_open(lua_State *L)
{
    lua_newtable(L);
    bind_task(L);
    bind_generation(L);
    bind_config(L);
    bind_context(L);
    bind_exchange(L);
    bind_request(L);
    bind_multidict(L);
    bind_form(L);
    bind_reroute(L);
    bind_response(L);
    bind_file(L);
    bind_folder(L);
    bind_route(L);
    bind_json(L);
    bind_signer(L);
    bind_token(L);
    bind_testing(L);
    bind_session(L);
    bind_store(L);
    bind_app_session(L);
    bind_text(L);
    bind_template(L);
    bind_terminal(L);
    bind_watch(L);
    bind_worker(L);
    bind_debug(L);
    bind_profile(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, script_of(L)->current_ref);
    lua_setfield(L, -2, "current");
    return 1;
}

void bind_all(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, l_open);
    lua_setfield(L, -2, "qlua.core");
    lua_pop(L, 2);
}
