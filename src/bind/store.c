/* bind/store.c - the worker's stores as Lua sees them: core.store_open.
 *
 * A store's methods wait where they must: those that write always, get only when the store does
 * not know at once. What they give is (true, good, value): good is false when the store failed,
 * and value why then.
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/generation.h"
#include "script/state.h"
#include "script/task.h"
#include "store/store.h"

#define STORE "qlua.Store"
/* A result buffer larger than this is given back at once. */
#define KEEP_MAX 65536

/* The userdata. The store itself is the worker's and outlives it. */
struct lua_store {
    struct store *store;
    struct buf text; /* of a result that was there at once */
};

/* One operation under way. Freed when it is done or cancelled. */
struct operation {
    struct store_call call;
    struct script *script;
    struct store *store;
    struct buf *text; /* the handle's: for a result that is there at once */
    uint64_t task;    /* who waits; 0: the method has not returned yet */
    bool is_get;
    bool is_done;
    bool good;
    bool found;
};

static struct lua_store *check_store(lua_State *L)
{
    return luaL_checkudata(L, 1, STORE);
}

/* good, value: 2 values. text is the value of a get, or the message. */
static int push_result(lua_State *L, const struct operation *op, struct slice text)
{
    lua_pushboolean(L, op->good);
    if (!op->good || (op->is_get && op->found))
        push_slice(L, text);
    else if (op->is_get)
        lua_pushnil(L);
    else
        lua_pushboolean(L, op->found);
    return 2;
}

/* Hand the result to the task that waits. Nothing may be refused here: no protected call is
 * around it. */
static void wake(struct operation *op, struct slice text)
{
    struct script *script = op->script;
    struct task *running = script->running;
    struct task *task = task_find(script, op->task);
    script->running = NULL;
    int n = push_result(task->L, op, text);
    script->running = running;
    free(op);
    task_wake(task, n);
}

static void on_done(struct store_call *call, const struct store_result *result)
{
    struct operation *op = call->data;
    op->is_done = true;
    op->good = result->code == 0;
    op->found = result->found;
    if (result->code != QLUA_ELIMIT) /* that is who asks for too much */
        op->store->failing = !op->good;
    struct slice text = op->good ? result->value : slice_cstr(result->message);
    if (op->task != 0) {
        wake(op, text);
        return;
    }
    op->text->len = 0;
    buf_slice(op->text, text);
}

static struct operation *new_operation(lua_State *L, struct lua_store *handle)
{
    struct operation *op = mem_zalloc(sizeof(*op));
    op->call.done = on_done;
    op->call.data = op;
    op->script = script_of(L);
    op->store = handle->store;
    op->text = &handle->text;
    return op;
}

static void cancel(struct operation *op)
{
    op->store->ops->cancel(op->store, &op->call);
    free(op);
}

static void cancel_wait(struct wait *wait)
{
    cancel(wait->data);
}

/* true, good, value: what was there when the store's function returned. */
static int finish_at_once(lua_State *L, struct operation *op)
{
    struct operation result = *op;
    free(op);
    lua_pushboolean(L, 1);
    push_result(L, &result, buf_view(result.text));
    if (result.text->cap > KEEP_MAX)
        buf_clear(result.text);
    return 3;
}

/* The operation has begun: its result, or the wait for it. */
static int finish_or_park(lua_State *L, struct operation *op)
{
    if (op->is_done)
        return finish_at_once(L, op);
    struct task *task = task_current(L);
    op->task = task->id;
    return task_park(L, cancel_wait, op);
}

/* store:get(key) -> true, true, value | nil; or true, false, message; may wait */
static int l_get(lua_State *L)
{
    struct lua_store *handle = check_store(L);
    struct slice key = check_slice(L, 2);
    struct store *store = handle->store;
    bool may_wait = task_current(L) != NULL && lua_isyieldable(L);
    if (may_wait)
        task_check_park(L);
    struct operation *op = new_operation(L, handle);
    op->is_get = true;
    store->ops->get(store, key, &op->call);
    if (!op->is_done && !may_wait) {
        cancel(op);
        task_check_park(L); /* raises */
    }
    return finish_or_park(L, op);
}

/* A number of seconds as the store takes it. */
static uint32_t check_ttl(lua_State *L, int index)
{
    lua_Number ttl = luaL_checknumber(L, index);
    if (!(ttl >= 1))
        return 1;
    return ttl > 4e9 ? 4000000000u : (uint32_t)ttl;
}

/* store:set(key, value, seconds) -> true, true; or true, false, message; waits */
static int l_set(lua_State *L)
{
    struct lua_store *handle = check_store(L);
    struct slice key = check_slice(L, 2), value = check_slice(L, 3);
    uint32_t ttl = check_ttl(L, 4);
    task_check_park(L);
    struct operation *op = new_operation(L, handle);
    handle->store->ops->set(handle->store, key, value, ttl, &op->call);
    return finish_or_park(L, op);
}

/* store:touch(key, seconds) -> true, true, was it there; or true, false, message; waits */
static int l_touch(lua_State *L)
{
    struct lua_store *handle = check_store(L);
    struct slice key = check_slice(L, 2);
    uint32_t ttl = check_ttl(L, 3);
    task_check_park(L);
    struct operation *op = new_operation(L, handle);
    handle->store->ops->touch(handle->store, key, ttl, &op->call);
    return finish_or_park(L, op);
}

/* store:remove(key) -> true, true; or true, false, message; waits */
static int l_remove(lua_State *L)
{
    struct lua_store *handle = check_store(L);
    struct slice key = check_slice(L, 2);
    task_check_park(L);
    struct operation *op = new_operation(L, handle);
    handle->store->ops->remove(handle->store, key, &op->call);
    return finish_or_park(L, op);
}

static int l_gc(lua_State *L)
{
    buf_clear(&check_store(L)->text);
    return 0;
}

/* core.store_open(kind, place, bytes?) -> qlua.Store | nil, message
 * kind: "lmdb" with an absolute path and the file's largest size, or "redis" with a URL */
static int l_store_open(lua_State *L)
{
    static const char *const kinds[] = {"lmdb", "redis", NULL};
    struct store_options options = {
        .kind = (enum store_kind)luaL_checkoption(L, 1, NULL, kinds),
        .place = luaL_checkstring(L, 2),
    };
    lua_Number size = luaL_optnumber(L, 3, 0);
    options.size = size >= 0 && size < 9e15 ? (uint64_t)size : 0;
    const struct generation *g = generation_of(L);
    if (g == NULL || g->stores == NULL)
        return luaL_error(L, "no store can be opened here");
    struct lua_store *handle = lua_newuserdata(L, sizeof(*handle));
    *handle = (struct lua_store){.store = NULL};
    set_metatable(L, STORE);
    struct err err = {0};
    handle->store = store_open(g->stores, &options, &err);
    if (handle->store != NULL)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    return 2;
}

static const luaL_Reg methods[] = {
    {"get", l_get}, {"set", l_set}, {"touch", l_touch}, {"remove", l_remove}, {NULL, NULL},
};

void bind_store(lua_State *L)
{
    make_class(L, STORE, methods, l_gc);
    lua_pushcfunction(L, l_store_open);
    lua_setfield(L, -2, "store_open");
}
