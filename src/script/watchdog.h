/* script/watchdog.h - ends a task that never gives the processor back.
 *
 * Place in the flow: server/generation starts it for a state; task.c tells it of every resume and
 * asks it what a yield means; bind/exchange keeps a request's budget. A timer of the thread's own
 * processor time ticks every 10 ms; its signal adds what has passed to the budget of the task that
 * is running, so that the way of a request reads no clock.
 *
 * When a budget is used up the signal arms a count hook, which is called before the next Lua
 * instruction and takes the coroutine from its task by a yield: past pcall and xpcall, with all
 * its frames. Where a C function is in the way (table.sort, string.gsub) it raises an error that no
 * message handler sees, and yields behind it. The hook stays until the task is over. Compiled code
 * looks at no hook: LuaJIT's profiler in line mode makes it look at every line whether it is to
 * leave. There is one profiler a process. The state that serves has it; one that is loaded beside
 * it, or drained, is interpreted. What runs in C (a pathological string.find) is left to the
 * supervisor's heartbeat, and so are finalizers (__gc), for which LuaJIT turns hooks off.
 *
 * A profile (script/profile.h) lives on the same parts, so that nothing has to be shared out: while
 * one is taken the one timer ticks faster (the kernel makes that its own tick, 1 to 4 ms), and each
 * tick during a task has LuaJIT's profiler, which is there already, call back at the next line. The
 * callback, no longer a signal's handler, counts the stack. Ticks while C runs add up until Lua
 * goes on. Without a profile a tick costs one test more. Only the state that serves is profiled.
 */
#ifndef QLUA_SCRIPT_WATCHDOG_H
#define QLUA_SCRIPT_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct lua_State;
struct profile;
struct script;
struct task;

/* What a budget is for: how the text of its end puts it. */
enum cpu_budget_kind {
    CPU_REQUEST, /* all resumes of all tasks of a request */
    CPU_SLICE,   /* from one wait to the next: streams, background tasks */
    CPU_LOADING  /* the app file, before_serving */
};

/* Processor time in nanoseconds. One may be shared by several tasks. */
struct cpu_budget {
    int64_t used;
    int64_t limit; /* 0: none */
    uint8_t kind;  /* enum cpu_budget_kind */
};

/* Watch this state from now on. It gets the profiler when no other has it; else it is
 * interpreted until watchdog_take. Nothing when it is watched already. */
void watchdog_start(struct script *script);
/* The profiler goes to this state, which serves from now on; the one that had it is interpreted.
 * Nothing when the state is not watched. From outside of tasks. */
void watchdog_take(struct script *script);
/* The state is about to be closed. */
void watchdog_stop(struct script *script);

/* What tasks are for, as a profile tells it: a number for the running task, asked from a signal's
 * handler (it may read, and nothing else), and later the text of such a number, "GET /users/<id>",
 * perhaps in `room`. Neither may touch Lua. */
struct watchdog_labels {
    uint64_t (*number)(const struct task *task);
    struct slice (*text)(const struct script *script, uint64_t number, char *room, size_t size);
};

/* Count samples of this state in `profile` from now on, until watchdog_unprofile or the state is
 * closed. The state must be the one that serves and be watched. False: there is no timer, or
 * another profile is being taken. From outside of signals. */
bool watchdog_profile(struct script *script, struct profile *profile,
                      const struct watchdog_labels *labels);
/* No more samples go to this profile; *nanoseconds: the processor time they stand for. Nothing,
 * and 0, when none go there. */
void watchdog_unprofile(const struct profile *profile, int64_t *nanoseconds);

/* From now on SIGINT ends the task of this state that is running, unless it is one with is_spared,
 * and makes `fd` readable (an eventfd that does not block); the state must be watched. NULL: as
 * before. */
void watchdog_catch_interrupt(struct script *script, int fd);

/* Its task has come back: take the hook away. */
void watchdog_disarm(struct script *script);
/* Lua that ran outside of tasks, in a protected call, is over: take the hook away. */
void watchdog_settle(struct script *script);
/* Is the budget used up? By a tick more than that, because a tick counts for whoever runs. */
bool cpu_budget_is_over(const struct cpu_budget *budget);
/* Give a request that was stopped a little more, for its error handlers and its teardown: a fifth
 * of its limit, 50 ms to 1 s. */
void cpu_budget_extend(struct cpu_budget *budget);

/* Push the error that ends a task whose budget is used up. */
void watchdog_push_error(struct lua_State *L, const struct task *task);
/* Let go of what the task was ended with. */
void watchdog_forget(struct task *task);

#endif
