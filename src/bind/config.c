/* bind/config.c - settings from outside as Lua sees them: core.config_file, core.config_set,
 * core.environment, core.debug (the server setting) */
#include "bind/config.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/bind.h"
#include "bind/generation.h"
#include "value/json.h"

/* A list of { name =, value =, origin = }; a JSON null leaves the value out. */
static int push_keys(lua_State *L, const struct app_keys *keys)
{
    size_t count = keys == NULL ? 0 : keys->count;
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, keys->items[i].name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, keys->items[i].origin);
        lua_setfield(L, -2, "origin");
        if (json_decode(L, keys->items[i].json, NULL) == 0) {
            if (lua_islightuserdata(L, -1))
                lua_pop(L, 1);
            else
                lua_setfield(L, -2, "value");
        }
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* core.config_file() -> { { name =, value =, origin = }, ... }: the `app` object of the config file
 */
static int l_config_file(lua_State *L)
{
    const struct generation *g = generation_of(L);
    return push_keys(L, g == NULL ? NULL : g->app_file);
}

/* core.config_set() -> { { name =, value =, origin = }, ... }: `--set KEY=VALUE` */
static int l_config_set(lua_State *L)
{
    const struct generation *g = generation_of(L);
    return push_keys(L, g == NULL ? NULL : g->app_set);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* core.environment(prefix) -> { { name, value }, ... }: sorted by name */
static int l_environment(lua_State *L)
{
    size_t len;
    const char *prefix = luaL_checklstring(L, 1, &len);
    size_t count = 0;
    for (char **entry = environ; *entry != NULL; entry++)
        count += strncmp(*entry, prefix, len) == 0;
    /* memory of Lua's: an error below must not leak it */
    char **found = lua_newuserdata(L, (count + 1) * sizeof(*found));
    size_t n = 0;
    for (char **entry = environ; *entry != NULL && n < count; entry++)
        if (strncmp(*entry, prefix, len) == 0 && strchr(*entry, '=') != NULL)
            found[n++] = *entry;
    qsort(found, n, sizeof(*found), compare_texts);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        const char *equals = strchr(found[i], '=');
        lua_createtable(L, 2, 0);
        lua_pushlstring(L, found[i], (size_t)(equals - found[i]));
        lua_rawseti(L, -2, 1);
        lua_pushstring(L, equals + 1);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"config_file", l_config_file},
    {"config_set", l_config_set},
    {"environment", l_environment},
    {NULL, NULL},
};

void bind_config(lua_State *L)
{
    const struct generation *g = generation_of(L);
    luaL_register(L, NULL, functions);
    lua_pushboolean(L, g != NULL && g->debug_mode);
    lua_setfield(L, -2, "debug");
}
