/* server/limits.h - what the system lets a process have: open files, core files.
 *
 * Place in the flow: the supervisor sets them before anything is opened; workers inherit them.
 */
#ifndef QLUA_SERVER_LIMITS_H
#define QLUA_SERVER_LIMITS_H

#include <stddef.h>

struct config;
struct err;
struct log;

/* Set rlimit_nofile (-1: the hard limit) and rlimit_core (-1: as it is). 0, or err. */
int limits_set(const struct config *config, struct err *err);

/* Lower max_connections to what the limit of open files allows: each connection takes a
 * descriptor, and so do the listeners, files that are sent, logs, the loop. */
void limits_fit(struct config *config, const struct log *log, size_t listeners);

#endif
