/* bind/config.c - settings from outside as Lua sees them: core.config_file, core.config_set,
 * core.debug (the server setting) */
#include "bind/config.h"

#include <lauxlib.h>
#include <lua.h>

#include "bind/bind.h"
#include "bind/generation.h"
#include "value/json.h"

/* A list of { name, value }; a JSON null leaves the value out. */
static int push_keys(lua_State *L, const struct app_keys *keys)
{
    size_t count = keys == NULL ? 0 : keys->count;
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushstring(L, keys->items[i].name);
        lua_rawseti(L, -2, 1);
        if (json_decode(L, keys->items[i].json, NULL) == 0) {
            if (lua_islightuserdata(L, -1))
                lua_pop(L, 1);
            else
                lua_rawseti(L, -2, 2);
        }
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* core.config_file() -> { { key, value }, ... }: the `app` object of the config file */
static int l_config_file(lua_State *L)
{
    const struct generation *g = generation_of(L);
    return push_keys(L, g == NULL ? NULL : g->app_file);
}

/* core.config_set() -> { { key, value }, ... }: `--set KEY=VALUE` */
static int l_config_set(lua_State *L)
{
    const struct generation *g = generation_of(L);
    return push_keys(L, g == NULL ? NULL : g->app_set);
}

static const luaL_Reg functions[] = {
    {"config_file", l_config_file},
    {"config_set", l_config_set},
    {NULL, NULL},
};

void bind_config(lua_State *L)
{
    const struct generation *g = generation_of(L);
    luaL_register(L, NULL, functions);
    lua_pushboolean(L, g != NULL && g->debug_mode);
    lua_setfield(L, -2, "debug");
}
