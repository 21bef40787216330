/* script/jit.c - what LuaJIT's compiler has done. See jit.h. */
#include "script/jit.h"

#include <lauxlib.h>
#include <lua.h>

#include "base/err.h"
#include "script/call.h"
#include "script/state.h"

/* More than maxtrace will ever be set to. */
#define MOST_TRACES 65536

/* Is there a trace with this number? traceinfo is at 1. */
static bool has_trace(lua_State *L, unsigned number)
{
    lua_pushvalue(L, 1);
    lua_pushinteger(L, (lua_Integer)number);
    lua_call(L, 1, 1);
    bool there = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return there;
}

/* () -> on, traces. Runs protected; the app may have changed what it can reach. */
static int l_jit(lua_State *L)
{
    unsigned low = 0, high = 1;
    lua_settop(L, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_getfield(L, 1, "jit.util");
    if (lua_isnil(L, -1)) {
        lua_getglobal(L, "require");
        lua_pushliteral(L, "jit.util");
        lua_call(L, 1, 1);
    }
    lua_getfield(L, -1, "traceinfo");
    lua_getfield(L, 1, "jit");
    lua_getfield(L, -1, "status");
    lua_call(L, 0, 1);
    bool on = lua_toboolean(L, -1);
    lua_pop(L, 2);
    lua_replace(L, 1);
    lua_settop(L, 1);
    while (high < MOST_TRACES && has_trace(L, high))
        high *= 2;
    for (low = high / 2; high - low > 1;) { /* low is there (or 0), high is not */
        unsigned middle = (low + high) / 2;
        if (has_trace(L, middle))
            low = middle;
        else
            high = middle;
    }
    lua_pushboolean(L, on);
    lua_pushinteger(L, (lua_Integer)low);
    return 2;
}

void script_jit(struct script *script, bool *on, unsigned *traces)
{
    lua_State *L = script->L;
    struct err err = {0};
    *on = false;
    *traces = 0;
    lua_pushcfunction(L, l_jit);
    if (script_call(script, 0, 2, &err) != 0)
        return;
    *on = lua_toboolean(L, -2);
    *traces = (unsigned)lua_tointeger(L, -1);
    lua_pop(L, 2);
}
