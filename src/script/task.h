/* script/task.h - a coroutine with an owner, a context and a way to be cancelled.
 *
 * Place in the flow: dispatch starts one per request, Lua's spawn starts more. The only place
 * that calls lua_resume. A task is a pooled coroutine: it goes back to the pool only after a
 * normal return (lua_resetthread does not close upvalues: after an error a closure of one
 * request could read a local of the next); errored ones are left to the collector.
 *
 * There is one form of waiting: a binding calls `return task_park(L, cancel, data)`; whoever
 * completes the wait finds the task by its id and calls task_wake. The parked call then returns
 * (true, results...) or (nil, error): Lua's face raises the latter (lua/qlua/task.lua).
 * Knows no HTTP.
 */
#ifndef QLUA_SCRIPT_TASK_H
#define QLUA_SCRIPT_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/timer.h"
#include "script/watchdog.h"

struct lua_State;
struct script;
struct task;

/* What a request's task and the tasks it spawned share: the Lua table that `request`, `g` and
 * the rest live in. Made on first touch (core.context()), released with its last task. */
struct task_context {
    uint32_t refs;
    int ref;                   /* the Lua table in the registry, or LUA_NOREF */
    void *data;                /* the owner's: dispatch's exchange */
    struct cpu_budget *budget; /* of all its tasks; NULL: each has its own */
    void (*release)(struct task_context *context);
};

enum task_state {
    TASK_IDLE,    /* in the pool */
    TASK_NEW,     /* made, and not begun yet */
    TASK_READY,   /* woken by another task: resumed soon */
    TASK_RUNNING, /* inside lua_resume */
    TASK_WAITING, /* parked on task->wait */
    TASK_DONE     /* returned or died; results or error lie on its stack */
};

/* A wait in progress. cancel() undoes it (stops the timer, forgets the task) without waking. */
struct wait {
    void (*cancel)(struct wait *wait);
    void *data;
};

struct task {
    struct list node;  /* in script->live */
    struct list ready; /* in script->ready */
    struct script *script;
    struct lua_State *L;          /* the coroutine */
    int ref;                      /* keeps the coroutine alive */
    uint64_t id;                  /* never reused; 0 while in the pool */
    uint32_t slot;                /* where task_find looks */
    uint8_t state;                /* enum task_state */
    bool failed;                  /* DONE by an error: its value is on top of L */
    bool out_of_memory;           /* DONE by an error after an allocation was refused */
    bool cancelled;               /* asked to stop: its waits raise */
    bool abandoned;               /* it waits again and again although cancelled: never resumed */
    uint8_t ignored_cancels;      /* waits begun after having been cancelled */
    bool sliced;                  /* script/slice: it did not wait, it has run long enough */
    bool overdrawn;               /* script/memory: it is owed a refusal */
    bool stopped;                 /* script/watchdog: its processor time is used up */
    bool is_spared;               /* ... and SIGINT does not end it */
    int stop_ref;                 /* ... and the error it is ended with, or LUA_NOREF */
    struct cpu_budget *budget;    /* its request's, or ... */
    struct cpu_budget own_budget; /* ... from one wait to the next */
    size_t grown;                 /* script/memory's: by how much the heap grew while it ran */
    int nargs;                    /* NEW, READY: values on top of L to resume with */
    int nresults;                 /* DONE: values on top of L */
    uint32_t awaits;              /* bind/task: how many other tasks it waits for ... */
    uint64_t join;                /* ... in which wait: tells an old wait's tasks from this one's */
    struct wait wait;
    struct timer timer; /* for sleep and deadlines: a task waits for one thing at a time */
    struct task_context *context; /* may be NULL */
    struct context_frame *frames; /* contexts entered and not yet left: script/context.h */
    /* DONE: called once; takes what it needs from the stack. The task is gone afterwards. */
    void (*on_done)(struct task *task);
    void *owner; /* on_done's */
    struct task *next_idle;
};

/* A task to run: push the function and its arguments on task->L, then task_run or task_start.
 * The context (may be NULL) gains a reference. */
struct task *task_new(struct script *script, struct task_context *context,
                      void (*on_done)(struct task *task), void *owner);

/* Resume with nargs values on top of task->L: runs until the task waits or is done; then
 * on_done has been called and the task must not be touched any more. */
void task_run(struct task *task, int nargs);
/* The same at the end of this turn of the loop. */
void task_start(struct task *task, int nargs);

/* The running task of this state, or NULL outside of one (loading, converters). */
struct task *task_current(struct lua_State *L);

/* From a C function called by the running task: `return task_park(L, cancel, data)`. Raises a
 * Lua error when the function may not wait here (no task, or a C function in the way). */
int task_park(struct lua_State *L, void (*cancel)(struct wait *wait), void *data);
/* May the running function wait here? Raises as task_park does; call it before acquiring. */
void task_check_park(struct lua_State *L);
/* Is a C function in the way of a wait from here? If so push the text that says which. */
bool task_push_barrier(struct lua_State *L);
/* The wait just begun cannot be: undo it; the task runs on. For a coroutine's wait that cannot
 * be passed outward. */
void task_undo_wait(struct task *task);

/* Push "file.lua:12: " of the innermost frame that is not qlua's own, or "". */
void task_push_place(struct lua_State *L);
/* Raise text as an error at the file and line of the user's code that called here. */
int task_misuse(struct lua_State *L, const char *text);

/* Push what a parked call yields: a user's coroutine that yields it passes the wait outward
 * (lua/qlua/coroutine.lua). */
void task_push_wait_mark(struct lua_State *L);

/* Complete a wait: (true, the nvalues values that the caller pushed on task->L). At once, or,
 * when called from within another task, at the end of the turn. */
void task_wake(struct task *task, int nvalues);
/* Complete a wait by raising the value on top of task->L at its point: (nil, value). */
void task_wake_error(struct task *task);

/* Ask a task to stop: a waiting one is woken with errors.Cancelled, a running one gets it at
 * its next wait, one that has not begun never runs (on_done is called, failed, at the end of the
 * turn). A task that catches its cancellation again and again is ended where it waits. */
void task_cancel(struct task *task);

/* Cancel those that live now; from outside of tasks. Clean-up may start others. */
void tasks_cancel(struct script *script);

/* Cancel every live task and let the clean-up of each run: for the end of a script or a worker.
 * From outside of tasks; turns the loop. */
void tasks_end(struct script *script);

/* DONE: did it end by being cancelled, and not by an error of its own on the way out? */
bool task_died_of_cancel(const struct task *task);

/* The part of its id that a Lua number can hold; never reused either. */
uint64_t task_serial(const struct task *task);
/* The live task with this id, or NULL. */
struct task *task_find(struct script *script, uint64_t id);

void task_context_init(struct task_context *context, void *data,
                       void (*release)(struct task_context *context));
struct task_context *task_context_ref(struct task_context *context);
void task_context_unref(struct script *script, struct task_context **context);
/* Make `context` (its Lua table exists) the one that current[1] shows. */
void task_show_context(struct script *script, const struct task_context *context);

#endif
