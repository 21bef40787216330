/* server/profile_ask.h - `qlua profile`: the asker's end.
 *
 * Place in the flow: main.c; what comes back is shown by lua/qlua/cli/profile.lua. The server's
 * end is supervisor_profile.c.
 */
#ifndef QLUA_SERVER_PROFILE_ASK_H
#define QLUA_SERVER_PROFILE_ASK_H

#include <stdint.h>

struct buf;
struct config;

/* Have the server of these settings (pid 0), or the one that the process belongs to, take a
 * profile for so long, and wait for it. 0, with a line of JSON for each worker appended; or the
 * exit code, after a line on standard error. */
int profile_ask(const struct config *config, int pid, uint32_t milliseconds, struct buf *out);

#endif
