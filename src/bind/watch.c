/* bind/watch.c - files that the app's code was made of: core.watch, core.watching.
 *
 * lua/qlua/require.lua names each module's file here, and who loads templates names theirs; when
 * one changes, the server loads the code anew.
 */
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <stdio.h>
#include <unistd.h>

#include "bind/bind.h"
#include "bind/generation.h"
#include "net/file_watch.h"

/* core.watching() -> are files watched? */
static int l_watching(lua_State *L)
{
    const struct generation *g = generation_of(L);
    lua_pushboolean(L, g != NULL && g->files != NULL);
    return 1;
}

/* core.watch(path) -> is there a file? */
static int l_watch(lua_State *L)
{
    const struct generation *g = generation_of(L);
    const char *path = luaL_checkstring(L, 1);
    char folder[PATH_MAX];
    if (path[0] != '/' && getcwd(folder, sizeof(folder)) != NULL)
        path = lua_pushfstring(L, "%s/%s", folder, path);
    if (g != NULL && g->files != NULL && path[0] == '/')
        file_watch_add(g->files, path, g->number);
    lua_pushboolean(L, access(path, R_OK) == 0);
    return 1;
}

static const luaL_Reg functions[] = {
    {"watching", l_watching},
    {"watch", l_watch},
    {NULL, NULL},
};

void bind_watch(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
