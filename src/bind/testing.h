/* bind/testing.h - requests of the test client: connections over memory, as Lua sees them.
 *
 * Place in the flow: lua/qlua/testing.lua opens one per request and reads the answer's bytes; in
 * between lie parser, router and writer, as behind a socket. server/testing.c fills the bench with
 * servers that answer through server/dispatch, and tells of each request. A second server's
 * requests are not answered: their contexts are lent (app:test_request_context).
 */
#ifndef QLUA_BIND_TESTING_H
#define QLUA_BIND_TESTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/loop.h"

struct generation;
struct http_server;
struct request;
struct task_context;
struct test_conn;

/* What a generation keeps for tests. */
struct test_bench {
    struct generation *generation;
    struct http_server *answering;
    struct http_server *lending;
    struct list conns;         /* whose userdata or stream lives */
    struct list todo;          /* conns with something to do at the end of this turn */
    struct later turn;         /* does it, outside of any task */
    struct test_conn *feeding; /* whose request is just being handed to its server */
    struct test_conn *acting;  /* in use by C: not to be freed now */
    bool over;                 /* test_bench_abort was called: none is opened any more */
    uint64_t last_id;
};

void test_bench_init(struct test_bench *bench, struct generation *generation);
/* End every connection, for good; the loop must turn until bench->turn is not queued and neither
 * server has a connection. */
void test_bench_abort(struct test_bench *bench);

/* The request that is being handed over belongs to the connection that is being fed. */
void test_bench_begun(struct test_bench *bench, struct request *req);
/* Its context is there to be entered. */
void test_bench_lend(struct test_bench *bench, struct task_context *context);
/* The request has been answered, or given up. */
void test_bench_done(struct test_bench *bench, const struct request *req);

#endif
