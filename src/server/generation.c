/* server/generation.c - making one generation. See generation.h. */
#include "server/generation.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bind/bind.h"
#include "script/call.h"
#include "script/modules.h"
#include "script/state.h"
#include "script/task.h"
#include "server/config.h"

struct loading {
    struct generation *generation;
    void (*done)(void *data, const char *text);
    void *data;
};

struct generation *generation_new(struct loop *loop, const struct log *log,
                                  const struct config *config, int worker_id, uint32_t number,
                                  struct err *err)
{
    struct script_options options = {
        .root = config->app_root == NULL ? "." : config->app_root,
        .modules = script_modules,
        .memory_limit = (size_t)config->lua_memory_limit,
    };
    struct script *script = script_new(loop, log, &options, err);
    if (script == NULL)
        return NULL;
    struct generation *g = mem_zalloc(sizeof(*g));
    generation_init(g, script);
    g->root = config->app_root;
    g->app_path = config->app_path;
    g->spool_dir = config->spool_dir;
    g->worker_id = worker_id;
    g->number = number;
    bind_all(script->L);
    return g;
}

/* Runs protected. Arguments: module function's name, then its arguments. */
static int l_find_loader(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "qlua.loader");
    lua_call(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_gettable(L, -2);
    return 1;
}

static void on_loaded(struct task *task)
{
    struct loading *loading = task->owner;
    const char *text = NULL;
    if (task->failed) {
        lua_State *L = task->L;
        push_error_text(L, -1);
        push_traceback(L, L, lua_tostring(L, -1));
        text = lua_tostring(L, -1);
    }
    loading->done(loading->data, text);
    free(loading);
}

void generation_run(struct generation *g, const char *function, const char *const *args,
                    void (*done)(void *data, const char *text), void *data)
{
    lua_State *L = g->script->L;
    struct err err = {0};
    lua_pushcfunction(L, l_find_loader);
    lua_pushstring(L, function);
    if (script_call(g->script, 1, 1, &err) != 0) {
        char text[1024];
        snprintf(text, sizeof(text), "%s:%d: %s", err.name, err.line, err.message);
        done(data, text);
        return;
    }
    struct loading *loading = mem_alloc(sizeof(*loading));
    *loading = (struct loading){.generation = g, .done = done, .data = data};
    struct task *task = task_new(g->script, NULL, on_loaded, loading);
    lua_xmove(L, task->L, 1);
    int n = 0;
    for (; args[n] != NULL; n++) {
        lua_checkstack(task->L, 1);
        lua_pushstring(task->L, args[n]);
    }
    task_run(task, n);
}

struct generation *generation_ref(struct generation *g)
{
    g->refs++;
    return g;
}

void generation_unref(struct generation **slot)
{
    struct generation *g = *slot;
    *slot = NULL;
    if (g == NULL || --g->refs > 0)
        return;
    script_free(g->script);
    generation_clear(g);
    free(g);
}
