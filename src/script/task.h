/* script/task.h - a coroutine with an owner, a context and a way to be cancelled.
 *
 * Place in the flow: dispatch starts one per request, Lua's spawn starts more. The only place
 * that calls lua_resume. A task is a pooled coroutine: it goes back to the pool only after a
 * normal return (lua_resetthread does not close upvalues: after an error a closure of one
 * request could read a local of the next); errored ones are left to the collector.
 *
 * There is one form of waiting: a binding fills task->wait and yields with task_park; whoever
 * completes the wait finds the task by struct wait and calls task_wake. The resumed function
 * gets (true, results...) or (nil, error): Lua's face raises the latter (lua/qlua/task.lua).
 * Knows no HTTP.
 */
#ifndef QLUA_SCRIPT_TASK_H
#define QLUA_SCRIPT_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/timer.h"

struct lua_State;
struct loop;
struct script;
struct task;

/* What a request's task and the tasks it spawned share: the Lua table that `request`, `g` and
 * the rest live in. Made on first touch (core.context()), released with its last task. */
struct task_context {
    uint32_t refs;
    int ref;    /* the Lua table in the registry, or LUA_NOREF */
    void *data; /* the owner's: dispatch's exchange */
    void (*release)(struct task_context *context);
};

enum task_state {
    TASK_IDLE,    /* in the pool */
    TASK_READY,   /* to be resumed for the first time */
    TASK_RUNNING, /* inside lua_resume */
    TASK_WAITING, /* parked on task->wait */
    TASK_DONE     /* returned or died; results or error lie on its stack */
};

/* A wait in progress: cancel() undoes it (stops the timer, forgets the task); it does not wake. */
struct wait {
    void (*cancel)(struct wait *wait);
    void *data;
};

struct task {
    struct list node; /* in the script's list of live tasks, or in the pool */
    struct script *script;
    struct lua_State *L; /* the coroutine */
    int ref;             /* keeps the coroutine alive */
    uint64_t id;         /* never reused; 0 in the pool */
    uint8_t state;       /* enum task_state */
    bool failed;         /* DONE by an error: its value is on top of L */
    bool cancelled;      /* asked to stop: the next wait raises errors.Cancelled */
    bool detached;       /* nobody waits for its results */
    int nresults;        /* DONE: values on top of L */
    struct wait wait;
    struct timer timer;  /* for sleep and deadlines: a task waits for one thing at a time */
    struct task_context *context; /* may be NULL */
    /* DONE: called once, by task_run's caller's loop; takes what it needs from the stack. */
    void (*on_done)(struct task *task);
    void *owner; /* on_done's */
};

/* A task ready to run: push the function and its arguments on task->L, then task_run. The
 * context (may be NULL) gains a reference. */
struct task *task_new(struct script *script, struct task_context *context,
                      void (*on_done)(struct task *task), void *owner);

/* Resume with nargs values on top of task->L: runs until the task waits or is done; then
 * on_done has been called and the task must not be touched any more. */
void task_run(struct task *task, int nargs);

/* The running task of this state, or NULL outside of one (loading, converters). */
struct task *task_current(struct lua_State *L);

/* From a C function called by the running task: `return task_park(L, cancel, data)`. Raises a
 * Lua error when the function may not wait here (no task, or a C function in the way). */
int task_park(struct lua_State *L, void (*cancel)(struct wait *wait), void *data);
/* Complete a wait: (true, the nvalues values on top of task->L). Values are pushed by the
 * caller on task->L before. */
void task_wake(struct task *task, int nvalues);
/* Complete a wait by raising at its point: (nil, the value on top of task->L). */
void task_wake_error(struct task *task);

/* Ask a task to stop: a waiting one is woken with errors.Cancelled now, a running one at its
 * next wait, a READY one never runs. */
void task_cancel(struct task *task);

/* The live task with this id, or NULL. */
struct task *task_find(struct script *script, uint64_t id);

void task_context_init(struct task_context *context, void *data,
                       void (*release)(struct task_context *context));
struct task_context *task_context_ref(struct task_context *context);
void task_context_unref(struct script *script, struct task_context **context);

#endif
