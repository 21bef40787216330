/* script/ahead.h - memory that a growing Lua state will want, made ready by another thread.
 *
 * Place in the flow: while code is loaded, slice by slice, slice.c calls this between two slices.
 * Half the time of loading large tables is the kernel's, which finds and clears a page at each
 * first touch; a thread of the pool has that done before the state gets there. Knows nothing of
 * Lua but its allocator.
 */
#ifndef QLUA_SCRIPT_AHEAD_H
#define QLUA_SCRIPT_AHEAD_H

struct script;

/* Have memory ready for as much as a quarter of what the state has by now, at least 1 MB, at most
 * 8: so much may be left over. A state of less than 2 MB is left alone. */
void ahead_of(struct script *script);
/* The state goes: what a thread still touches is no concern of its any more. */
void ahead_forget(struct script *script);

#endif
