/* server/script_run.c - Lua without a server. See script_run.h. */
#include "server/script_run.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "net/loop.h"
#include "script/state.h"
#include "server/config.h"
#include "server/generation.h"

struct script_run {
    struct config *config;
    struct loop *loop;
    struct generation *generation;
    struct generation_owner owner;
    bool is_script; /* app:run ends it */
    bool over;
    int exit_code;
};

/* Raised by app:run to end the script; no user code can mistake it for an error of its own. */
static const char run_mark;

static const char *text_option(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text; /* the options table keeps it */
}

static int64_t number_option(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    int64_t value = lua_isnumber(L, -1) ? (int64_t)lua_tonumber(L, -1) : -1;
    lua_pop(L, 1);
    return value;
}

/* app:run(options) in a plain script: it ends here and the process becomes `qlua run`. */
static void on_run(lua_State *L, void *data)
{
    struct script_run *run = data;
    if (!run->is_script)
        return;
    const char *host = NULL;
    int64_t port = -1, workers = -1;
    int debug = -1;
    if (lua_istable(L, 1)) {
        host = text_option(L, "host");
        port = number_option(L, "port");
        workers = number_option(L, "workers");
        lua_getfield(L, 1, "debug");
        debug = lua_isnil(L, -1) ? -1 : lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    struct err err = {0};
    if (config_set_run(run->config, host, port, debug, workers, &err) != 0)
        luaL_error(L, "%s", err.message);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&run_mark);
    lua_error(L);
}

static void on_over(void *data, const char *error)
{
    struct script_run *run = data;
    if (error != NULL && !run->config->run_requested) {
        fprintf(stderr, "qlua: %s\n", error);
        run->exit_code = 1;
    }
    run->over = true;
    loop_stop(run->loop);
}

/* The global `arg`: [0] is the file, [1] and on its arguments. */
static void set_arg(struct script_run *run, const char *path, char **args)
{
    lua_State *L = run->generation->script->L;
    lua_newtable(L);
    lua_pushstring(L, path);
    lua_rawseti(L, -2, 0);
    for (int i = 0; args != NULL && args[i] != NULL; i++) {
        lua_pushstring(L, args[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setglobal(L, "arg");
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
    return 0;
}

/* Run the loader's function to its end. */
static int run_to_end(struct script_run *run, const char *function, const char *const *texts)
{
    generation_run(run->generation, function, texts, on_over, run);
    if (!run->over)
        loop_run(run->loop);
    generation_unref(&run->generation);
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
    set_arg(&run, path, args);
    const char *texts[] = {path, config->app_name, NULL};
    return run_to_end(&run, "script", texts);
}

int command_run(struct config *config, const char *module, const char *path, char **args)
{
    struct log log = {.fd = 2, .level = LOG_INFO};
    struct script_run run = {.config = config};
    if (open_run(&run, &log) != 0)
        return 1;
    set_arg(&run, path == NULL ? "" : path, args);
    const char *texts[] = {module, path == NULL ? "" : path,
                           config->app_name == NULL ? "" : config->app_name, NULL};
    return run_to_end(&run, "command", texts);
}
