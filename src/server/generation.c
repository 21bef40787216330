/* server/generation.c - making one generation. See generation.h. */
#include "server/generation.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "bind/bind.h"
#include "script/modules.h"
#include "script/state.h"
#include "server/config.h"
#include "server/testing.h"

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
    g->app_file = &config->app_file;
    g->app_set = &config->app_set;
    g->debug = g->debug_mode = config->debug;
    g->worker_id = worker_id;
    g->number = number;
    testing_init(g, config);
    bind_all(script->L);
    return g;
}

struct generation *generation_ref(struct generation *g)
{
    g->refs++;
    return g;
}

void generation_close(struct generation **slot)
{
    if (*slot != NULL)
        script_close((*slot)->script);
    generation_unref(slot);
}

void generation_unref(struct generation **slot)
{
    struct generation *g = *slot;
    *slot = NULL;
    if (g == NULL || --g->refs > 0)
        return;
    script_free(g->script);
    testing_clear(g);
    generation_clear(g);
    free(g);
}
