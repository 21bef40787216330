/* script/slice.h - long work of a Lua state in short pieces, so that the loop goes on turning.
 *
 * Place in the flow: a generation that is loaded beside the one that serves is sliced, and without
 * a supervisor the first one: task.c takes its tasks back after a while and resumes them in the
 * next turn of the loop. One that is closed is emptied and collected in slices, because lua_close
 * frees everything in one go (24 ms for 90 MB). Knows nothing of generations.
 */
#ifndef QLUA_SCRIPT_SLICE_H
#define QLUA_SCRIPT_SLICE_H

#include <stdbool.h>

struct script;

/* From here on no task of this state runs longer than a slice at a time, where it may yield: not
 * within a C function, and not within a coroutine of the user's. The JIT compiler is off
 * meanwhile, because compiled code looks at no hook; so is the collector, while the heap is not
 * large. */
void slice_begin(struct script *script);
/* The state serves now: tasks run as long as they want, and are compiled. */
void slice_end(struct script *script);
/* Somebody else has used the state's one hook: set the slices' again. */
void slice_hook(struct script *script);

/* Nothing of this state will run any more: forget its tasks and let go of all that its globals,
 * its modules and C hold; what finalizers need stays. */
void slice_empty(struct script *script);
/* Collect for the time of a slice. True when everything that was garbage at the first call is
 * gone. From outside of tasks. */
bool slice_collect(struct script *script);

#endif
