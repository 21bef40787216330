/* server/script_run.c - Lua without a server. See script_run.h. */
#include "server/script_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "bind/load.h"
#include "net/loop.h"
#include "script/task.h"
#include "server/config.h"
#include "server/generation.h"
#include "server/load_error.h"
#include "server/testing.h"
#include "store/store.h"

struct script_run {
    struct config *config;
    struct loop *loop;
    struct generation *generation;
    struct stores stores;
    struct generation_owner owner;
    bool is_script; /* app:run ends it */
    bool over;
    int exit_code;
};

/* app:run(options): a plain script ends there and the process becomes `qlua run`. */
static bool on_run(void *data, const struct run_options *options, struct err *err)
{
    struct script_run *run = data;
    if (!run->is_script)
        return false;
    config_set_run(run->config, options->host, options->port, options->debug, options->workers,
                   err);
    return true;
}

static void on_over(void *data, const char *error)
{
    struct script_run *run = data;
    if (error != NULL && !run->config->run_requested) {
        load_error_print("", error);
        run->exit_code = run->generation->exit_code != 0 ? run->generation->exit_code : 1;
    }
    run->over = true;
    loop_stop(run->loop);
}

static int open_run(struct script_run *run, const struct log *log)
{
    struct err err = {0};
    run->loop = loop_new();
    if (run->loop == NULL)
        return -1;
    run->generation = generation_new(run->loop, log, run->config, 1, 1, &err);
    if (run->generation == NULL) {
        fprintf(stderr, "qlua: %s\n", err.message);
        loop_free(run->loop);
        return -1;
    }
    run->owner = (struct generation_owner){.on_run = on_run, .data = run};
    run->generation->owner = &run->owner;
    stores_init(&run->stores, run->loop, log);
    run->generation->stores = &run->stores;
    return 0;
}

/* Run the loader's function to its end. */
static int run_to_end(struct script_run *run, const char *function, const char *const *texts)
{
    generation_run(run->generation, function, texts, on_over, run);
    if (!run->over)
        loop_run(run->loop);
    testing_end(run->generation);       /* clients go first: who answers them is not to blame */
    tasks_end(run->generation->script); /* the main chunk is over: so is what it spawned */
    if (run->exit_code == 0)
        run->exit_code = run->generation->exit_code;
    generation_unref(&run->generation);
    stores_close(&run->stores);
    loop_free(run->loop);
    fflush(stdout);
    return run->exit_code;
}

int script_run(struct config *config, const char *path, char **args)
{
    struct log log = {.fd = 2, .level = LOG_INFO};
    struct script_run run = {.config = config, .is_script = true};
    if (open_run(&run, &log) != 0)
        return 1;
    generation_set_arg(run.generation, path, args);
    const char *texts[] = {path, config->app_name, NULL};
    return run_to_end(&run, "script", texts);
}

int command_run(struct config *config, const char *module, const char *path, char **args)
{
    struct log log = {.fd = 2, .level = LOG_INFO};
    struct script_run run = {.config = config};
    if (open_run(&run, &log) != 0)
        return 1;
    generation_set_arg(run.generation, path == NULL ? "" : path, args);
    const char *texts[] = {module, path == NULL ? "" : path,
                           config->app_name == NULL ? "" : config->app_name, NULL};
    return run_to_end(&run, "command", texts);
}
