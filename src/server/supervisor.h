/* server/supervisor.h - `qlua run`: open the addresses, run the workers, watch, stop.
 *
 * Place in the flow: main.c hands it the settled configuration; it owns the listening sockets,
 * the crew and the control socket and returns when the service is over. One poll, one signalfd: no
 * libuv, no Lua, no threads, so that a fork is safe at any time.
 */
#ifndef QLUA_SERVER_SUPERVISOR_H
#define QLUA_SERVER_SUPERVISOR_H

struct config;
struct launch;
struct log_files;

/* Run the service (with `workers` 0: one worker in this process). Returns the exit code: 0 after
 * a stop that was asked for and after an upgrade, 2 after a
 * mistake on the command line, 1 otherwise; what was wrong has been said.
 * max_connections is lowered to what the limit of open files allows; what a former server handed
 * over is taken out of `launch`. */
int supervisor_run(struct config *config, struct log_files *files, struct launch *launch);

/* `qlua status` and `qlua reload`: ask the supervisor that these settings lead to. */
int supervisor_ask(const struct config *config, const char *command);

#endif
