/* bind/response.c - Responses read, and answers sent in pieces: core.answer_*. See response.h. */
#include "bind/response.h"

#include <lauxlib.h>
#include <lua.h>
#include <math.h>

#include "base/err.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/exchange.h"
#include "bind/file.h"
#include "bind/generation.h"
#include "bind/keep.h"
#include "bind/multidict.h"
#include "bind/respond.h"
#include "http/request.h"
#include "script/state.h"

bool response_is(lua_State *L, int index, const struct generation *generation)
{
    if (generation->response_meta == NULL || !lua_getmetatable(L, index))
        return false;
    bool is = lua_topointer(L, -1) == generation->response_meta;
    lua_pop(L, 1);
    return is;
}

/* Bytes that a task may write without a wait in between. */
#define BURST_MAX (256u * 1024)

/* Its address is core.ANSWERED. */
static const char answered_mark;

bool response_is_answered(lua_State *L, int index)
{
    return lua_touserdata(L, index) == (const void *)&answered_mark;
}

static int timeout_at(lua_State *L, int index)
{
    if (lua_isnil(L, index))
        return -1;
    double seconds = lua_isnumber(L, index) ? lua_tonumber(L, index) : 0;
    return seconds > 0 && seconds < 2000000 ? (int)ceil(seconds * 1000) : 0;
}

/* What a 304 stands for. */
static void read_unsent(lua_State *L, int index, struct answer *answer)
{
    lua_rawgeti(L, index, 7);
    lua_rawgeti(L, index, 8);
    if (lua_type(L, -2) == LUA_TSTRING)
        answer->unsent_type.data = lua_tolstring(L, -2, &answer->unsent_type.len);
    answer->unsent_length = lua_isnumber(L, -1) ? (int64_t)lua_tonumber(L, -1) : -1;
    lua_pop(L, 2);
}

void response_read(lua_State *L, int index, struct response_view *view)
{
    *view = (struct response_view){.body = SLICE("")};
    int top = lua_gettop(L);
    for (int slot = 1; slot <= 6; slot++)
        lua_rawgeti(L, index, slot);
    view->answer.status = (int)lua_tointeger(L, top + 1);
    switch (lua_type(L, top + 2)) {
    case LUA_TSTRING: view->body.data = lua_tolstring(L, top + 2, &view->body.len); break;
    case LUA_TUSERDATA: view->file = lua_file_at(L, top + 2); break;
    case LUA_TFUNCTION: view->streamed = true; break;
    default: break;
    }
    if (lua_isuserdata(L, top + 3))
        view->answer.headers = headers_fields(L, top + 3);
    if (lua_type(L, top + 4) == LUA_TSTRING)
        view->answer.content_type.data = lua_tolstring(L, top + 4, &view->answer.content_type.len);
    if (view->answer.status == 304)
        read_unsent(L, index, &view->answer);
    view->timeout_ms = timeout_at(L, top + 6);
    view->has_table = lua_istable(L, top + 5);
    lua_settop(L, top);
    /* what the app itself states of a body whose length we do not know */
    bool is_stated = view->streamed && view->answer.headers != NULL;
    view->answer.length = is_stated ? fields_content_length(view->answer.headers) : -1;
}

void response_set_timeout(struct request *req, const struct response_view *view,
                          const struct generation *generation, int rule)
{
    req->stall_ms = view != NULL && view->timeout_ms >= 0
                        ? (uint32_t)view->timeout_ms
                        : generation_limits_of(generation, rule)->response_timeout_ms;
}

/* ---- answers in pieces ---- */

static struct exchange *need_exchange(lua_State *L)
{
    struct exchange *x = exchange_current(L);
    if (x == NULL)
        luaL_error(L, "not within a request");
    return x;
}

/* core.answer_start(response) -> may a body follow, in pieces? The head is sent now */
static int l_answer_start(lua_State *L)
{
    struct exchange *x = need_exchange(L);
    if (!response_is(L, 1, x->generation))
        return luaL_argerror(L, 1, "Response expected");
    if (x->started || x->req->answer_state != ANSWER_NONE)
        return luaL_error(L, "the answer has begun already");
    struct response_view view;
    response_read(L, 1, &view);
    struct err err = {0};
    if (answer_check(&view.answer, &err) != 0)
        return luaL_error(L, "%s", err.message);
    struct fields headers;
    if (view.answer.status == 405)
        respond_add_allow(x, &view.answer, &headers);
    x->started = true;
    x->budget.kind = CPU_SLICE; /* a stream may live for long */
    response_set_timeout(x->req, &view, x->generation,
                         x->outcome == ROUTE_FOUND ? x->match.rule : -1);
    request_answer_start(x->req, &view.answer);
    lua_pushboolean(L, !x->req->answer_to_head);
    return 1;
}

static void forget_drain(struct wait *wait)
{
    struct exchange *x = wait->data;
    x->drain_waiter = 0;
}

void exchange_on_drain(struct exchange *x)
{
    if (x->drain_waiter == 0)
        return;
    struct task *task = task_find(x->generation->script, x->drain_waiter);
    x->drain_waiter = 0;
    if (task != NULL)
        task_wake(task, 0);
}

static void on_turn_over(struct timer *timer)
{
    task_wake(LIST_ENTRY(timer, struct task, timer), 0);
}

static void forget_turn(struct wait *wait)
{
    struct task *task = wait->data;
    timer_stop(&task->timer);
}

/* A client that reads as fast as the task writes: others must have their turn, and we must hear
 * when it goes. */
static int let_others_run(lua_State *L, struct exchange *x)
{
    struct task *task = task_current(L);
    x->burst = 0;
    task->timer.fn = on_turn_over;
    timer_start(task->script->loop, &task->timer, 0);
    return task_park(L, forget_turn, task);
}

/* core.answer_write(chunk) -> true; waits while the client is slow */
static int l_answer_write(lua_State *L)
{
    struct exchange *x = need_exchange(L);
    struct slice chunk = check_slice(L, 1);
    if (!x->started || x->ended)
        return luaL_error(L, "no answer is being sent in pieces");
    task_check_park(L);
    if (task_current(L)->cancelled)
        return task_park(L, forget_drain, x); /* raises: an endless stream ends with its client */
    x->burst += (uint32_t)(chunk.len < BURST_MAX ? chunk.len : BURST_MAX) + 64;
    struct string_keeper keeper;
    string_keeper_init(&keeper, x, L, 1);
    if (!request_answer_write(x->req, chunk, &keeper.keeper)) {
        if (x->burst > BURST_MAX)
            return let_others_run(L, x);
        lua_pushboolean(L, 1);
        return 1;
    }
    x->burst = 0;
    x->drain_waiter = task_current(L)->id;
    return task_park(L, forget_drain, x);
}

/* core.answer_end(): the answer is whole */
static int l_answer_end(lua_State *L)
{
    need_exchange(L)->ended =
        true; /* sent when the task is over: the next request may begin then */
    return 0;
}

/* core.answer_abort(): it cannot be finished; the client sees the connection cut */
static int l_answer_abort(lua_State *L)
{
    need_exchange(L)->aborted = true;
    return 0;
}

/* core.answer_started() -> has the head been sent? */
static int l_answer_started(lua_State *L)
{
    struct exchange *x = exchange_current(L);
    lua_pushboolean(L, x != NULL && x->started);
    return 1;
}

/* core.answer_gone() -> is the client gone? */
static int l_answer_gone(lua_State *L)
{
    struct exchange *x = exchange_current(L);
    lua_pushboolean(L, x != NULL && x->req->gone);
    return 1;
}

/* core.answer_in_lua(): the view's results pass through dispatch.value, whatever they are */
static int l_answer_in_lua(lua_State *L)
{
    need_exchange(L)->in_lua = true;
    return 0;
}

static const luaL_Reg functions[] = {
    {"answer_gone", l_answer_gone},       {"answer_in_lua", l_answer_in_lua},
    {"answer_start", l_answer_start},     {"answer_write", l_answer_write},
    {"answer_end", l_answer_end},         {"answer_abort", l_answer_abort},
    {"answer_started", l_answer_started}, {NULL, NULL},
};

void bind_response(lua_State *L)
{
    luaL_register(L, NULL, functions);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&answered_mark);
    lua_setfield(L, -2, "ANSWERED");
}
