/* server/debug_guard.h - the secret and the PIN of a run in debug mode.
 *
 * Place in the flow: supervisor.c makes them before it forks, so that a worker that is replaced
 * has the same ones and the count of wrong PINs goes on; the banner prints the PIN. What they are
 * for: bind/debug_desk.h.
 */
#ifndef QLUA_SERVER_DEBUG_GUARD_H
#define QLUA_SERVER_DEBUG_GUARD_H

struct debug_guard;

/* In shared memory; NULL when there is none to be had. */
struct debug_guard *debug_guard_new(void);
void debug_guard_free(struct debug_guard *guard);

#endif
