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
#include "bind/exchange.h"
#include "bind/generation.h"
#include "http/request_id.h"
#include "script/state.h"

/* The log as this state uses it: while app.debug is on, "debug" counts where the setting log_level
 * is the usual one. */
static struct log log_of(lua_State *L)
{
    const struct generation *g = generation_of(L);
    struct log log = *script_of(L)->log;
    if (g != NULL && g->debug && log.level == LOG_INFO)
        log.level = LOG_DEBUG;
    return log;
}

static enum log_level check_level(lua_State *L, int index)
{
    int level = log_level_of(check_slice(L, index));
    luaL_argcheck(L, level >= 0, index, "debug, info, warning, error or critical expected");
    return (enum log_level)level;
}

/* core.log_wants(level) -> boolean: are lines of this level written? */
static int l_log_wants(lua_State *L)
{
    struct log log = log_of(L);
    lua_pushboolean(L, log_wants(&log, check_level(L, 1)));
    return 1;
}

/* core.log(level, text, logger?, traceback?, wanted?): level is "debug", "info", "warning",
 * "error" or "critical"; with `wanted` it is written whatever the setting log_level says */
static int l_log(lua_State *L)
{
    struct log log = log_of(L);
    struct log_event event = {.level = check_level(L, 1),
                              .message = check_slice(L, 2),
                              .logger = opt_slice(L, 3, SLICE("")),
                              .traceback = opt_slice(L, 4, SLICE(""))};
    const struct generation *g = generation_of(L);
    bool wanted = lua_toboolean(L, 5);
    if (g != NULL && g->errors != NULL && event.traceback.len > 0 && !wanted)
        counter_add(g->errors, 1);
    if (wanted)
        log.level = LOG_DEBUG;
    else if (!log_wants(&log, event.level))
        return 0;
    const struct exchange *x = exchange_current(L);
    if (x != NULL)
        event.request_id = request_id(x->req);
    log_event(&log, &event);
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
    {"log_wants", l_log_wants},
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
