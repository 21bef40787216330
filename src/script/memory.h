/* script/memory.h - a cap on what a Lua state holds.
 *
 * Place in the flow: state.c puts the allocator in front of LuaJIT's own; task.c tells it when
 * a task is resumed and when it has come back. LuaJIT has no emergency collection, so the cap
 * cannot simply refuse at the limit: harmless requests would fail whenever garbage happens to
 * fill it. Instead what is live is kept low between resumes, and inside one only the task that
 * itself grew is refused; the others have head-room above the limit.
 */
#ifndef QLUA_SCRIPT_MEMORY_H
#define QLUA_SCRIPT_MEMORY_H

#include <stddef.h>

struct script;

/* Put the cap in front of script->L's allocator. limit 0: count only. */
void memory_install(struct script *script, size_t limit);
/* Give the state its own allocator back, before lua_close. */
void memory_remove(struct script *script);

/* A task is about to be resumed: growth is measured from here. */
void memory_enter(struct script *script);
/* It has come back: collect when much is in use, and set the collector's pace. */
void memory_leave(struct script *script);

#endif
