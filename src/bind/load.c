/* bind/load.c - runs lua/qlua/loader.lua. See load.h. */
#include "bind/load.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "bind/generation.h"
#include "script/call.h"
#include "script/state.h"
#include "script/task.h"

/* A function of the loader at work; the generation has it in its list. */
struct loading {
    struct list node;
    void (*done)(void *data, const char *text);
    void *data;
};

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
        push_traceback(L, L);
        text = lua_tostring(L, -1);
    }
    list_remove(&loading->node);
    loading->done(loading->data, text);
    free(loading);
}

void generation_drop_loadings(struct generation *g)
{
    while (!list_is_empty(&g->loadings)) {
        struct loading *loading = LIST_ENTRY(g->loadings.next, struct loading, node);
        list_remove(&loading->node);
        free(loading);
    }
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
    *loading = (struct loading){.done = done, .data = data};
    list_append(&g->loadings, &loading->node);
    struct task *task = task_new(g->script, NULL, on_loaded, loading);
    if (g->loading_cpu_ns != 0)
        task->own_budget = (struct cpu_budget){.limit = g->loading_cpu_ns, .kind = CPU_LOADING};
    lua_xmove(L, task->L, 1);
    int n = 0;
    for (; args[n] != NULL; n++) {
        lua_checkstack(task->L, 1);
        lua_pushstring(task->L, args[n]);
    }
    task_run(task, n);
}

void generation_set_arg(struct generation *g, const char *path, char **args)
{
    lua_State *L = g->script->L;
    lua_newtable(L);
    lua_pushstring(L, path);
    lua_rawseti(L, -2, 0);
    for (int i = 0; args != NULL && args[i] != NULL; i++) {
        lua_pushstring(L, args[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setglobal(L, "arg");
}
