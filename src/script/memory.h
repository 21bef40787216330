/* script/memory.h - a cap on what a Lua state holds.
 *
 * Place in the flow: state.c puts the allocator in front of LuaJIT's own; task.c tells it when
 * a task is resumed and when it has come back. LuaJIT has no emergency collection, so the cap
 * cannot simply refuse at the limit: harmless requests would fail whenever garbage happens to
 * fill it. Instead what is live is kept low between resumes, and inside one only the task that
 * itself grew is refused; the others have head-room above the limit, a quarter of it. A compiled
 * trace cannot be refused (LuaJIT 2.1 may crash): its task gets what it asks for, up to twice the
 * limit, and the error as soon as it is interpreted again.
 *
 * Out of memory is an ordinary error for the task, and ran_out is set. When more than three
 * quarters of the limit stay live, wants_replacement is set and a line logged, once. A fresh state
 * takes over after either (server/renewal).
 */
#ifndef QLUA_SCRIPT_MEMORY_H
#define QLUA_SCRIPT_MEMORY_H

#include <stddef.h>

struct lua_State;
struct script;
struct task;

/* Put the cap in front of script->L's allocator. limit 0: count only. */
void memory_install(struct script *script, size_t limit);
/* Give the state its own allocator back, while lua_close runs. */
void memory_remove(struct script *script);

/* Raise LuaJIT's own error for a lack of memory, though there is none: the one error for which no
 * message handler (xpcall's) is called. Not from compiled code. May return, when a finalizer has
 * met the error instead. */
void memory_raise(struct lua_State *L);

/* The task is about to be resumed: growth is measured from here. */
void memory_enter(struct script *script, const struct task *task);
/* It has come back: what the heap grew by counts on when it is resumed again. */
void memory_pause(struct script *script, struct task *task);
/* It waits or is gone: collect when much is in use, and set the collector's pace. */
void memory_leave(struct script *script);

#endif
