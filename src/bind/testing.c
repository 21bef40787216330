/* bind/testing.c - connections over memory as Lua sees them: core.test_*. See testing.h.
 *
 * Nothing is fed, drained or closed from within a task: it would resume other tasks inside of it.
 * Functions called by Lua put the connection on bench->todo, and on_turn acts.
 */
#include "bind/testing.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "http/conn.h"
#include "http/handler.h"
#include "net/memory.h"
#include "net/stream.h"
#include "script/context.h"
#include "script/state.h"
#include "script/task.h"

#define CONN "qlua.TestConn"

/* What the client takes before it must read: as much as a socket's buffer. */
#define WINDOW (64 * 1024)

/* One connection, made for one request. */
struct test_conn {
    struct list node; /* in bench->conns */
    struct list todo; /* in bench->todo */
    struct test_bench *bench;
    struct http_server *server;
    struct stream *stream; /* NULL before it is opened and after it has closed */
    uint64_t id;
    uint64_t waiter; /* id of the task that waits, 0: none */
    const struct request *req;
    struct task_context *lent; /* counted, or NULL */
    struct buf input;          /* the request, until it is fed */
    struct buf output;         /* of the answer: what Lua has not taken yet */
    bool opened;
    bool ended;     /* Lua wants no more of it */
    bool collected; /* its userdata is gone */
};

/* ---- what happens at the end of a turn ---- */

static void act_later(struct test_conn *conn)
{
    list_remove(&conn->todo);
    list_append(&conn->bench->todo, &conn->todo);
    loop_later(conn->bench->generation->script->loop, &conn->bench->turn);
}

static void on_output(void *data, bool closed)
{
    struct test_conn *conn = data;
    if (closed)
        conn->stream = NULL;
    act_later(conn);
}

static void free_conn(struct test_conn *conn)
{
    list_remove(&conn->node);
    list_remove(&conn->todo);
    buf_clear(&conn->input);
    buf_clear(&conn->output);
    free(conn);
}

/* Connect, send the request, and say that nothing follows. */
static void open_conn(struct test_conn *conn)
{
    struct test_bench *bench = conn->bench;
    struct http_server *server = conn->server;
    conn->opened = true;
    conn->stream = memory_stream_new(server->loop, &conn->output, WINDOW);
    memory_stream_watch(conn->stream, on_output, conn);
    bench->generation->refs++; /* the server's on_closed drops it */
    http_server_tick(server, clock_seconds());
    conn_open(server, conn->stream);
    bench->feeding = conn;
    memory_stream_feed(conn->stream, buf_view(&conn->input));
    bench->feeding = NULL;
    buf_clear(&conn->input);
    if (conn->stream != NULL)
        memory_stream_eof(conn->stream);
}

static void close_conn(struct test_conn *conn)
{
    if (conn->stream != NULL) {
        memory_stream_watch(conn->stream, NULL, NULL);
        memory_stream_reset(conn->stream);
        conn->stream = NULL;
    }
    if (conn->lent != NULL)
        task_context_unref(conn->bench->generation->script, &conn->lent);
    conn->opened = true;
    if (conn->collected)
        free_conn(conn);
}

/* Is there something to tell who waits? */
static bool is_ready(const struct test_conn *conn)
{
    return conn->output.len > 0 || conn->lent != NULL || conn->ended ||
           (conn->opened && conn->stream == NULL);
}

static void act(struct test_conn *conn)
{
    if (conn->ended) {
        close_conn(conn);
        return;
    }
    if (!conn->opened)
        open_conn(conn);
    if (conn->waiter == 0)
        return;
    if (!is_ready(conn) && conn->stream != NULL)
        memory_stream_drain(conn->stream);
    if (!is_ready(conn))
        return;
    struct task *task = task_find(conn->bench->generation->script, conn->waiter);
    conn->waiter = 0;
    if (task != NULL)
        task_wake(task, 0);
}

/* Those that had something to do when the turn ended; what comes up meanwhile waits for the next,
 * so that a stream without end leaves the others their time. */
static void on_turn(void *data)
{
    struct test_bench *bench = data;
    struct list batch;
    list_init(&batch);
    while (!list_is_empty(&bench->todo)) {
        struct list *node = bench->todo.next;
        list_remove(node);
        list_append(&batch, node);
    }
    while (!list_is_empty(&batch)) {
        struct test_conn *conn = LIST_ENTRY(batch.next, struct test_conn, todo);
        list_remove(&conn->todo);
        bench->acting = conn;
        act(conn);
        bench->acting = NULL;
    }
}

/* ---- what the server tells ---- */

void test_bench_init(struct test_bench *bench, struct generation *generation)
{
    *bench = (struct test_bench){.generation = generation};
    list_init(&bench->conns);
    list_init(&bench->todo);
    bench->turn = (struct later){.fn = on_turn, .data = bench};
}

void test_bench_abort(struct test_bench *bench)
{
    bench->over = true;
    for (struct list *node = bench->conns.next; node != &bench->conns; node = node->next) {
        struct test_conn *conn = LIST_ENTRY(node, struct test_conn, node);
        conn->ended = true;
        act_later(conn);
    }
}

void test_bench_begun(struct test_bench *bench, struct request *req)
{
    if (bench->feeding != NULL)
        bench->feeding->req = req;
}

void test_bench_lend(struct test_bench *bench, struct task_context *context)
{
    if (bench->feeding != NULL && bench->feeding->lent == NULL) {
        bench->feeding->lent = task_context_ref(context);
        act_later(bench->feeding);
    }
}

/* The connection that a request came by, or NULL. */
static struct test_conn *conn_of(const struct test_bench *bench, const struct request *req)
{
    for (struct list *node = bench->conns.next; node != &bench->conns; node = node->next) {
        struct test_conn *conn = LIST_ENTRY(node, struct test_conn, node);
        if (conn->req == req)
            return conn;
    }
    return NULL;
}

void test_bench_done(struct test_bench *bench, const struct request *req)
{
    struct test_conn *conn = conn_of(bench, req);
    if (conn != NULL)
        conn->req = NULL; /* the storage serves another request next */
}

/* ---- what Lua may call ---- */

static struct test_conn *check_conn(lua_State *L, int index)
{
    return *(struct test_conn **)luaL_checkudata(L, index, CONN);
}

/* core.test_open(bytes, lending) -> qlua.TestConn, id: sends the request at the end of this turn;
 * lending: it is not answered, its context is lent */
static int l_open(lua_State *L)
{
    struct slice bytes = check_slice(L, 1);
    struct generation *g = generation_of(L);
    if (g == NULL || g->tests == NULL)
        return luaL_error(L, "no requests can be made here");
    if (g->tests->over)
        return luaL_error(L, "no requests can be made any more: the process ends");
    struct test_conn **slot = lua_newuserdata(L, sizeof(*slot));
    *slot = NULL;
    set_metatable(L, CONN);
    struct test_conn *conn = mem_zalloc(sizeof(*conn));
    *slot = conn;
    conn->bench = g->tests;
    conn->server = lua_toboolean(L, 2) ? g->tests->lending : g->tests->answering;
    conn->id = ++g->tests->last_id;
    buf_slice(&conn->input, bytes);
    list_append(&g->tests->conns, &conn->node);
    list_init(&conn->todo);
    act_later(conn);
    lua_pushnumber(L, (lua_Number)conn->id);
    return 2;
}

static void forget_waiter(struct wait *wait)
{
    struct test_conn *conn = wait->data;
    conn->waiter = 0;
}

/* core.test_wait(conn) -> true: there is something to read or to enter, or it has ended; waits */
static int l_wait(lua_State *L)
{
    struct test_conn *conn = check_conn(L, 1);
    if (is_ready(conn)) {
        lua_pushboolean(L, 1);
        return 1;
    }
    task_check_park(L);
    if (conn->waiter != 0)
        return luaL_error(L, "another task reads this answer");
    conn->waiter = task_current(L)->id;
    act_later(conn);
    return task_park(L, forget_waiter, conn);
}

/* core.test_read(conn) -> bytes so far, taken | nil at the end */
static int l_read(lua_State *L)
{
    struct test_conn *conn = check_conn(L, 1);
    bool over = conn->ended || (conn->opened && conn->stream == NULL);
    if (over && conn->output.len == 0)
        return 0;
    push_slice(L, buf_view(&conn->output));
    buf_clear(&conn->output);
    return 1;
}

/* core.test_enter(conn) -> was a context lent? It is the running task's until
 * core.leave_context() */
static int l_enter(lua_State *L)
{
    struct test_conn *conn = check_conn(L, 1);
    struct task *task = task_current(L);
    if (conn->lent != NULL && task != NULL)
        context_enter(task, conn->lent);
    lua_pushboolean(L, conn->lent != NULL && task != NULL);
    return 1;
}

/* core.test_close(conn): the client goes; who answers it still is told so */
static int l_close(lua_State *L)
{
    struct test_conn *conn = check_conn(L, 1);
    conn->ended = true;
    act_later(conn);
    return 0;
}

/* core.test_id() -> id of the connection by which the running request came | nil */
static int l_id(lua_State *L)
{
    const struct exchange *x = exchange_current(L);
    if (x == NULL || x->generation->tests == NULL)
        return 0;
    const struct test_conn *conn = conn_of(x->generation->tests, x->req);
    if (conn == NULL)
        return 0;
    lua_pushnumber(L, (lua_Number)conn->id);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct test_conn **slot = luaL_checkudata(L, 1, CONN);
    struct test_conn *conn = *slot;
    *slot = NULL;
    if (conn == NULL)
        return 0;
    conn->collected = conn->ended = true;
    if (conn->stream == NULL && conn->lent == NULL && conn->bench->acting != conn)
        free_conn(conn); /* at the end of the state, too: an open one keeps the state alive */
    else
        act_later(conn);
    return 0;
}

static const luaL_Reg functions[] = {
    {"test_open", l_open},   {"test_wait", l_wait}, {"test_read", l_read}, {"test_enter", l_enter},
    {"test_close", l_close}, {"test_id", l_id},     {NULL, NULL},
};

void bind_testing(lua_State *L)
{
    make_class(L, CONN, NULL, l_gc);
    luaL_register(L, NULL, functions);
}
