/* server/generation.c - making one generation. See generation.h. */
#include "server/generation.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "bind/bind.h"
#include "script/modules.h"
#include "bind/profile.h"
#include "script/state.h"
#include "server/config.h"
#include "server/testing.h"
#include "server/version.h"

/* nanoseconds */
#define MS ((int64_t)1000000)

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
    g->version = QLUA_VERSION;
    g->spool_dir = config->spool_dir;
    g->app_file = &config->app_file;
    g->app_set = &config->app_set;
    g->debug = g->debug_mode = config->debug;
    g->worker_id = worker_id;
    g->number = number;
    g->limits.cpu_limit_ns = config->handler_cpu_limit * MS;
    testing_init(g, config);
    bind_all(script->L);
    return g;
}

void generation_watch(struct generation *g, const struct config *config)
{
    struct script *script = g->script;
    script->cpu_limit = script->outside.limit = config->handler_cpu_limit * MS;
    g->loading_cpu_ns =
        config->start_timeout == 0 ? INT64_MAX / 2 : config->start_timeout * MS / 4 * 3;
    if (config->handler_cpu_limit != 0)
        watchdog_start(script);
}

struct generation *generation_ref(struct generation *g)
{
    g->refs++;
    return g;
}

void generation_close(struct generation **slot)
{
    if (*slot != NULL) {
        generation_profile_free(*slot);
        script_close((*slot)->script);
    }
    generation_unref(slot);
}

void generation_unref(struct generation **slot)
{
    struct generation *g = *slot;
    *slot = NULL;
    if (g == NULL)
        return;
    if (--g->refs > 0) {
        if (g->refs == 1 && g->on_idle != NULL)
            g->on_idle(g->idle);
        return;
    }
    generation_profile_free(g);
    script_free(g->script);
    testing_clear(g);
    generation_clear(g);
    free(g);
}

void generation_free_aside(struct generation *g)
{
    generation_profile_free(g);
    script_free_aside(g->script);
    testing_clear(g);
    generation_clear(g);
    free(g);
}
