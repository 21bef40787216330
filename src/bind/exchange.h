/* bind/exchange.h - one request on its way through Lua.
 *
 * Place in the flow: server/dispatch makes one per request in the request's arena; bind/request,
 * bind/body and bind/response find it from the running task. It lives until the answer is out
 * and the last task that shares its context has ended; then the handle that Lua holds is dead.
 */
#ifndef QLUA_BIND_EXCHANGE_H
#define QLUA_BIND_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "http/request.h"
#include "route/match.h"
#include "script/task.h"

struct debug_body;
struct generation;
struct lua_State;

/* The userdata `handle` of a context table. */
struct handle {
    struct exchange *exchange; /* NULL: the request has ended */
};

/* Which Lua function's results are being awaited. */
enum exchange_stage {
    STAGE_VIEW,   /* the rule's target */
    STAGE_VALUE,  /* dispatch.value: results that C does not answer by itself */
    STAGE_FAILED, /* dispatch.failed or .refused */
    STAGE_LOST    /* even that failed: a plain 500, or a cut connection */
};

struct exchange {
    struct list node;              /* in generation->exchanges */
    struct request *req;           /* counted */
    struct generation *generation; /* counted */
    struct task_context context;
    struct cpu_budget budget;        /* processor time of all its tasks */
    struct handle *handle;           /* Lua's userdata, or NULL while nobody asked for it */
    void (*over)(struct task *task); /* dispatch's: a task of this exchange has ended */
    struct task *task;               /* answering now; NULL between tasks */
    uint8_t stage;                   /* enum exchange_stage */
    uint8_t outcome;                 /* enum route_outcome */
    bool in_lua;      /* the answer must pass through dispatch.value, whatever the view returned */
    uint8_t session;  /* enum session_stage (bind/app_session.h) */
    uint8_t failures; /* how often dispatch.failed was asked */
    bool started;     /* answer_start was called: pieces follow */
    bool ended;       /* answer_end was called: the answer is whole */
    bool aborted;     /* answer_abort was called: cut it */
    bool body_whole;  /* the waiter wants all of the body */
    uint64_t body_waiter;          /* id of the task waiting for the body; 0: none */
    uint32_t burst;                /* bytes written since its task last waited */
    uint64_t drain_waiter;         /* id of the task waiting to write */
    int custom_ref;                /* table of converted values by slot, or LUA_NOREF */
    uint64_t end_waiter;           /* id of the task waiting for the end of all this */
    struct lua_State *converting;  /* where custom converters run */
    const char *converter_error;   /* a custom converter raised: its text */
    bool debug_admitted;           /* debug mode: its client may see debug pages */
    struct debug_body *debug_body; /* debug mode: what has arrived of the body, else NULL */
    struct route_match match;
};

/* Settle what Lua's side of a fresh, zeroed exchange needs; release is called when its last task
 * has ended and its answer is out. */
void exchange_init(struct exchange *x, void (*release)(struct task_context *context));
/* Lua's side of it ends: the handle is dead, what converters made is let go. */
void exchange_forget(struct exchange *x);

/* The exchange behind the handle at index; raises when its request has ended. */
struct exchange *check_exchange(struct lua_State *L, int index);

/* The exchange of the running task, or NULL. */
struct exchange *exchange_current(struct lua_State *L);

/* Does the request bring a session that its answer may have to refresh? */
bool exchange_brings_session(const struct exchange *x);

/* Push the i-th matched variable as the view gets it. */
void exchange_push_variable(struct lua_State *L, struct exchange *x, size_t i);

/* The answer's peer reads again; more of the body has come: wake who waits for it. */
void exchange_on_drain(struct exchange *x);
void exchange_on_body(struct exchange *x);
/* The client is gone, or the answer out. */
void exchange_on_end(struct exchange *x);

#endif
