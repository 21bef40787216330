/* bind/load.h - runs lua/qlua/loader.lua: the app file, a script, a subcommand.
 *
 * Place in the flow: the worker and script_run call generation_run once on a fresh generation;
 * all of loading is a task, so that it may wait.
 */
#ifndef QLUA_BIND_LOAD_H
#define QLUA_BIND_LOAD_H

struct generation;

/* Call qlua.loader's `function` with the arguments (NULL-terminated texts) in a task. When it is
 * over done(data, text) is called: text is NULL, or the error with its traceback. */
void generation_run(struct generation *generation, const char *function, const char *const *args,
                    void (*done)(void *data, const char *text), void *data);

/* The Lua state is gone: what was still being run gets no answer any more. */
void generation_drop_loadings(struct generation *generation);

/* Set the global `arg`: [0] is path, [1] and on the args (NULL-terminated, or NULL). */
void generation_set_arg(struct generation *generation, const char *path, char **args);

#endif
