/* bind/generation.h - what the C core keeps of one loaded app.
 *
 * Place in the flow: server/generation makes one per load; the app's Lua code fills it through
 * bind/generation.c (core.route_target, core.set_hooks, ...); server/dispatch reads it for every
 * request. Holds registry references of script->L, so it dies with the script.
 */
#ifndef QLUA_BIND_GENERATION_H
#define QLUA_BIND_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"

struct app_keys;
struct debug_desk;
struct err;
struct generation_profile;
struct file_watch;
struct app_session;
struct log;
struct lua_State;
struct route_table;
struct script;
struct stores;
struct test_bench;

/* What an app's config says of a request's limits; times in milliseconds, 0: none. */
struct generation_limits {
    uint64_t max_content_length; /* bytes; UINT64_MAX: none */
    uint32_t body_timeout_ms;
    uint32_t body_stall_ms;
    uint32_t response_timeout_ms;
    int64_t cpu_limit_ns; /* of the handlers, in processor time */
};

/* One rule, by its index in the route table. */
struct generation_rule {
    int target_ref;  /* the Lua function to call with the variables, or LUA_NOREF */
    bool own_limits; /* limits differ from the app's */
    struct generation_limits limits;
};

/* What app:run{} asks for. */
struct run_options {
    const char *host;
    int64_t port;
    int64_t workers;
    int debug; /* 0 or 1 */
};

/* Upward calls of bind/: filled by who runs the script. */
struct generation_owner {
    /* app:run(options) was called: what is not given is NULL or -1. True: the script ends here.
     * With err->code set the call raises its message. */
    bool (*on_run)(void *data, const struct run_options *options, struct err *err);
    void *data;
};

struct generation {
    struct script *script;
    const struct log *log;
    const struct generation_owner *owner;
    const char *root;     /* the app file's folder, absolute, without a last slash */
    const char *app_path; /* the app file */
    const char *version;  /* qlua's */
    const char *spool_dir;
    struct stores *stores;           /* the worker's; NULL: none can be opened */
    _Atomic uint64_t *errors;        /* exceptions that are logged are counted there; or NULL */
    const struct app_keys *app_file; /* bind/config.h: what was given outside; may be NULL */
    const struct app_keys *app_set;
    struct debug_desk *desk;            /* debug mode: the worker's; else NULL */
    struct generation_profile *profile; /* bind/profile.h; NULL: none was taken */
    bool debug_mode;                    /* the server's switch; `debug` below is the app's */
    int worker_id;
    int64_t loading_cpu_ns; /* what loading may use of the processor; 0: as a task */
    uint32_t number; /* of the service's code: 1 at its start, then one more with each reload */
    uint32_t refs;   /* the worker's, and one a request */
    struct list exchanges;       /* of its requests: bind/exchange.h's node */
    struct list loadings;        /* of generation_run: bind/load.c's node */
    void (*on_idle)(void *idle); /* its last request has ended; NULL while it serves */
    void *idle;                  /* on_idle's */
    struct file_watch *files;    /* what it was made of is watched there; NULL: nowhere */

    struct route_table *routes; /* what requests are looked up in; NULL before the app is loaded */
    struct generation_rule *rules;
    int nrules;
    int routes_ref;  /* keeps the userdata of routes alive */
    int app_ref;     /* the app object */
    int refused_ref; /* dispatch.refused, .failed, .value, .debug */
    int failed_ref;
    int value_ref;
    int debug_ref;
    int json_ref;              /* app.json: the settings of JSON answers */
    bool debug;                /* app.debug */
    const void *response_meta; /* lua_topointer of the metatables that mark these */
    const void *array_meta;
    struct generation_limits limits;
    struct buf scratch;          /* JSON answers are made in it */
    struct test_bench *tests;    /* bind/testing.h */
    struct app_session *session; /* bind/app_session.h; NULL: sessions are Lua's alone */
    char *session_cookie;        /* who brings it may need its session saved; NULL: see the next */
    bool sessions_always;        /* all do */
    char *own_root; /* of core.set_app_file: what root and app_path point to, or NULL */
    char *own_path;
    int exit_code; /* core.set_exit_code: of a command; after an error 0 means 1 */
};

/* The generation of this state; NULL in a plain script. */
struct generation *generation_of(struct lua_State *L);

void generation_init(struct generation *generation, struct script *script);
void generation_clear(struct generation *generation);

/* The limits of the rule with this index, or the app's for -1. */
const struct generation_limits *generation_limits_of(const struct generation *generation, int rule);

#endif
