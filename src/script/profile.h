/* script/profile.h - where a state's processor time goes, counted by call stack.
 *
 * Place in the flow: bind/profile makes one when somebody asks and hands it to the watchdog, whose
 * ticks then bring samples here (script/watchdog.h says how); lua/qlua/profile shows what
 * profile_write gives. Between profiles there is none, and nothing is counted.
 *
 * Everything has its bound: a stack that is new when the table is full counts for the longest part
 * of it that is known.
 */
#ifndef QLUA_SCRIPT_PROFILE_H
#define QLUA_SCRIPT_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;
struct lua_State;
struct profile;

/* Entries of the tables. */
#define PROFILE_NODES  8192 /* call stacks */
#define PROFILE_FRAMES 2048 /* functions, and routes */
#define PROFILE_SPOTS  4096 /* lines */
#define PROFILE_ABORTS 256  /* traces that were given up */
/* Frames of a stack that are told apart, from the innermost; as JSON a stack nests twice as
 * deep, and 200 is the most that is written. */
#define PROFILE_DEPTH 90

struct profile *profile_new(void);
void profile_free(struct profile *profile);

/* Count `ticks` for what L, the coroutine that runs, is at; `base` is its task's own coroutine,
 * `route` what the task is for. `state` is LuaJIT's: 'N' compiled code, 'I' interpreter, 'C' C
 * code, 'G' collector, 'J' compiler. Touches no Lua memory: for the profiler's callback. L NULL:
 * where, nobody knows. */
void profile_sample(struct profile *profile, struct lua_State *L, struct lua_State *base,
                    struct slice route, unsigned ticks, int state);
/* Count ticks while no task ran: the server itself. */
void profile_outside(struct profile *profile, unsigned ticks);
/* Count a trace that the compiler gave up: where ("app.lua:12"), and why. */
void profile_abort(struct profile *profile, struct slice place, struct slice reason);

/* Append all of it as the fields of a JSON object, without its braces:
 *   "samples":N "outside":N "cut":N (their stack is not whole) "nanoseconds":N (processor time)
 *   "frames":[[kind, name, file, line], ...]   kind "route", "lua" or "c"; line: of its definition
 *   "nodes":[[parent, frame, n, i, c, g, j], ...]  parent: index in nodes, from 0, or -1
 *   "lines":[[frame, line, n, i, c, g, j], ...]
 *   "aborts":[[place, reason, count], ...] */
void profile_write(const struct profile *profile, int64_t nanoseconds, struct buf *out);

#endif
