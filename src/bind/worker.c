/* bind/worker.c - the process as Lua sees it: core.worker, core.log, core.program. */
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <string.h>
#include <unistd.h>

#include "base/counter.h"
#include "base/log.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/generation.h"
#include "script/state.h"

/* core.log(level, text): level is "debug", "info", "warning", "error" or "critical". While
 * app.debug is on, "debug" counts where the setting log_level is the usual one. */
static int l_log(lua_State *L)
{
    const struct generation *g = generation_of(L);
    struct log log = *script_of(L)->log;
    int level = log_level_of(check_slice(L, 1));
    luaL_argcheck(L, level >= 0, 1, "debug, info, warning, error or critical expected");
    if (g != NULL && g->debug && log.level == LOG_INFO)
        log.level = LOG_DEBUG;
    log_text(&log, (enum log_level)level, check_slice(L, 2));
    return 0;
}

/* core.log_error(text): an event of level error, with its traceback */
static int l_log_error(lua_State *L)
{
    const struct generation *g = generation_of(L);
    log_text(script_of(L)->log, LOG_ERROR, check_slice(L, 1));
    if (g != NULL && g->errors != NULL)
        counter_add(g->errors, 1);
    return 0;
}

/* core.program() -> path of the running program, absolute; nil when the system does not tell */
static int l_program(lua_State *L)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path));
    if (len <= 0)
        return 0;
    lua_pushlstring(L, path, (size_t)len);
    return 1;
}

static const luaL_Reg functions[] = {
    {"program", l_program},
    {"log", l_log},
    {"log_error", l_log_error},
    {NULL, NULL},
};

void bind_worker(lua_State *L)
{
    const struct generation *g = generation_of(L);
    luaL_register(L, NULL, functions);
    lua_pushstring(L, g == NULL ? NULL : g->version);
    lua_setfield(L, -2, "version");
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, (lua_Integer)getpid());
    lua_setfield(L, -2, "pid");
    lua_pushinteger(L, g == NULL || g->worker_id == 0 ? 1 : g->worker_id);
    lua_setfield(L, -2, "id");
    lua_pushinteger(L, g == NULL || g->number == 0 ? 1 : (lua_Integer)g->number);
    lua_setfield(L, -2, "generation");
    lua_setfield(L, -2, "worker");
}
