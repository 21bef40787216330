/* server/script_run.h - Lua without a server: `qlua FILE.lua` and the Lua subcommands.
 *
 * Place in the flow: main.c comes here when the first word is a Lua file or a command written in
 * Lua; one generation is made and run on the loop, without listeners.
 */
#ifndef QLUA_SERVER_SCRIPT_RUN_H
#define QLUA_SERVER_SCRIPT_RUN_H

struct config;

/* Run the script at `path` with `args` (NULL-terminated) as its arguments. Returns the exit code.
 * The script ends with its main chunk: tasks it has spawned and that still wait are cancelled,
 * and their clean-up runs (as asyncio.run does it).
 * When the script calls app:run, config->run_requested is set, its host, port, debug and workers
 * are given to config_set_run, and main goes on as `qlua run` of that file. */
int script_run(struct config *config, const char *path, char **args);

/* Run the Lua module of a subcommand ("qlua.cli.routes") for the app at `path` (NULL: none) with
 * the remaining words. Returns the exit code. */
int command_run(struct config *config, const char *module, const char *path, char **args);

#endif
