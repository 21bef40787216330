/* server/debug_guard.h - the secret and the PIN of a run in debug mode.
 *
 * Place in the flow: supervisor.c makes them before it forks, so that a worker that is replaced
 * has the same ones and the count of wrong PINs goes on; the banner prints the PIN. In an upgrade
 * the new program is given them before it starts (upgrade.h, successor.h), so that pages that are
 * open stay good. What they are for: bind/debug_desk.h.
 */
#ifndef QLUA_SERVER_DEBUG_GUARD_H
#define QLUA_SERVER_DEBUG_GUARD_H

struct debug_guard;

/* In shared memory; NULL when there is none to be had. `packed` holds those of a former server, or
 * is -1; what it holds is copied where it is whole, and the descriptor stays the caller's. */
struct debug_guard *debug_guard_new(int packed);
/* All of it in sealed memory, for the one that follows: a descriptor, or a negative errno. */
int debug_guard_pack(const struct debug_guard *guard);
void debug_guard_free(struct debug_guard *guard);

#endif
