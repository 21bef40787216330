/* script/state.h - one Lua state with qlua's modules: the script of a generation.
 *
 * Place in the flow: server/generation makes one per loaded app, `qlua FILE.lua` makes one for
 * a script; tasks run on it. Owns the lua_State, the pool of coroutines and the memory cap.
 * Knows no HTTP; what HTTP needs of Lua is added by bind/.
 */
#ifndef QLUA_SCRIPT_STATE_H
#define QLUA_SCRIPT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "net/loop.h"
#include "script/watchdog.h"

struct ahead_job;
struct err;
struct log;
struct lua_State;
struct script_module;
struct task;

/* Where task_find finds a task by the low bits of its id. */
struct task_slot {
    struct task *task;
    uint32_t next_free; /* task is NULL: the next slot without one */
};

struct script {
    struct lua_State *L;
    struct loop *loop;
    const struct log *log;
    void *owner; /* bind's and server's: the generation; NULL in a plain script */
    const struct script_module *modules;
    const char *lua_dir; /* QLUA_LUA_DIR, or NULL */

    struct task *running;
    struct list live;  /* tasks that are NEW, READY, RUNNING or WAITING */
    struct list ready; /* to be resumed at the end of this turn */
    struct task *pool; /* idle ones */
    struct task_slot *slots;
    uint32_t nslots;
    uint32_t free_slot; /* nslots: none is free */
    struct later run_ready;
    uint32_t pooled;
    uint32_t live_count;
    uint32_t finishing; /* tasks whose on_done runs */
    uint64_t next_id;
    int current_ref;   /* the table whose [1] is the running task's context table */
    bool current_set;  /* [1] is not nil now */
    int traceback_ref; /* traceback(err, thread) -> text, or LUA_NOREF */
    int cancelled_ref; /* the value raised for cancelled tasks (errors.Cancelled), or LUA_NOREF */
    int stopped_ref;   /* the class of what ends a task that used up its processor time */

    /* the memory cap: script/memory.h */
    void *(*alloc)(void *ud, void *ptr, size_t osize, size_t nsize); /* LuaJIT's own */
    void *alloc_ud;
    size_t used;
    size_t limit;                /* 0: none */
    uintptr_t stack_base;        /* where C's stack was when the outermost task was resumed */
    size_t ahead;                /* script/ahead.h: memory is ready until so much is used */
    struct ahead_job *ahead_job; /* the one under way; NULL: none */
    size_t mark;                 /* used when the running task was resumed */
    size_t collect_at;           /* used above this between resumes: collect */
    bool refused;                /* an allocation was refused since the running task was resumed */
    size_t reserve;              /* what is left for a task that was refused */
    bool hooked;                 /* an error waits for the running task to leave a trace */
    bool collect_soon;           /* an allocation was refused since the last full collection */
    bool is_closed;              /* L is gone */
    bool sliced;                 /* script/slice.h: tasks are taken back after a while */
    bool uncollected;            /* script/slice.h: the collector stands still */
    uint8_t cycles;              /* of the collector, while the state is emptied */
    uint64_t slice_began;        /* nanoseconds: when the running task was resumed */
    bool ran_out;                /* a task ended because it was refused memory */
    bool wants_replacement;      /* so much stays live that a fresh state should take over */

    /* processor time: script/watchdog.h */
    struct script *next_watched;
    int64_t cpu_limit;         /* nanoseconds of a task that serves no request, between waits */
    struct cpu_budget outside; /* of Lua that runs outside of tasks */
    bool watched;
    volatile bool armed; /* the hook is set that ends the running task */
};

/* How a state is made. */
struct script_options {
    const char *root;                    /* folder `require` looks in first; absolute */
    const struct script_module *modules; /* lua/qlua (modules.h) */
    size_t memory_limit;                 /* bytes; 0: none */
};

/* A state with the standard libraries, package.path set for root, LuaRocks' and Debian's
 * folders, `require "qlua"` ready to load. NULL and *err when it cannot be made. */
struct script *script_new(struct loop *loop, const struct log *log,
                          const struct script_options *options, struct err *err);

/* No task may be live but those never run again: their coroutines die with the state. */
void script_free(struct script *script);
/* The same for the Lua state alone: its finalizers still find the script. */
void script_close(struct script *script);
/* The same for a state that slice_collect has emptied, without stopping the loop: the system takes
 * a while to take back a large heap. */
void script_free_aside(struct script *script);

/* The script of any of its coroutines. */
struct script *script_of(struct lua_State *L);

#endif
