/* script/task.c - coroutines: made, pooled, resumed, parked, woken, cancelled. See task.h. */
#include "script/task.h"

#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/memory.h"
#include "script/state.h"
#include "script/task_internal.h"

/* Coroutines kept for reuse: as many as a busy worker has requests waiting at once. */
#define POOL_MAX 1024

static void run_ready(void *data);

void tasks_init(struct script *script)
{
    list_init(&script->live);
    list_init(&script->ready);
    script->run_ready = (struct later){.fn = run_ready, .data = script};
}

/* ---- making and ending ---- */

static void on_unset(struct timer *timer)
{
    (void)timer;
    assert(!"a task's timer fired which no wait had set");
}

static struct task *make_task(struct script *script)
{
    struct task *task = mem_zalloc(sizeof(*task));
    task->script = script;
    task->L = lua_newthread(script->L);
    task->ref = luaL_ref(script->L, LUA_REGISTRYINDEX);
    list_init(&task->ready);
    timer_init(&task->timer, on_unset);
    return task;
}

struct task *task_new(struct script *script, struct task_context *context,
                      void (*on_done)(struct task *task), void *owner)
{
    struct task *task = script->pool;
    if (task != NULL) {
        script->pool = task->next_idle;
        script->pooled--;
    } else {
        task = make_task(script);
    }
    task->id = ++script->next_id;
    task->state = TASK_READY;
    task->failed = task->out_of_memory = task->cancelled = false;
    task->context = context == NULL ? NULL : task_context_ref(context);
    task->on_done = on_done;
    task->owner = owner;
    list_append(&script->live, &task->node);
    script->live_count++;
    return task;
}

/* Back to the pool after a normal return; anything else is left to the collector. */
static void retire(struct task *task)
{
    struct script *script = task->script;
    list_remove(&task->node);
    list_remove(&task->ready);
    script->live_count--;
    if (task->context != NULL)
        task_context_unref(script, &task->context);
    task->id = 0;
    task->state = TASK_IDLE;
    if (!task->failed && script->pooled < POOL_MAX) {
        lua_settop(task->L, 0);
        task->next_idle = script->pool;
        script->pool = task;
        script->pooled++;
        return;
    }
    luaL_unref(script->L, LUA_REGISTRYINDEX, task->ref);
    free(task);
}

void tasks_clear(struct script *script)
{
    while (!list_is_empty(&script->live)) {
        struct task *task = LIST_ENTRY(script->live.next, struct task, node);
        if (task->state == TASK_WAITING)
            task->wait.cancel(&task->wait);
        timer_stop(&task->timer);
        task->failed = true; /* its stack is not fit for reuse */
        retire(task);
    }
    while (script->pool != NULL) {
        struct task *task = script->pool;
        script->pool = task->next_idle;
        free(task);
    }
}

/* ---- context ---- */

void task_context_init(struct task_context *context, void *data,
                       void (*release)(struct task_context *context))
{
    *context = (struct task_context){.refs = 1, .ref = LUA_NOREF, .data = data, .release = release};
}

struct task_context *task_context_ref(struct task_context *context)
{
    context->refs++;
    return context;
}

void task_context_unref(struct script *script, struct task_context **slot)
{
    struct task_context *context = *slot;
    *slot = NULL;
    if (--context->refs > 0)
        return;
    if (context->ref != LUA_NOREF)
        luaL_unref(script->L, LUA_REGISTRYINDEX, context->ref);
    context->ref = LUA_NOREF;
    context->release(context);
}

void task_show_context(struct script *script, const struct task_context *context)
{
    bool has_table = context != NULL && context->ref != LUA_NOREF;
    if (!has_table && !script->current_set)
        return; /* the plain request: nothing to show, nothing to hide */
    lua_State *L = script->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, script->current_ref);
    if (has_table)
        lua_rawgeti(L, LUA_REGISTRYINDEX, context->ref);
    else
        lua_pushnil(L);
    lua_rawseti(L, -2, 1);
    lua_pop(L, 1);
    script->current_set = has_table;
}

/* ---- running ---- */

/* A bare coroutine.yield in a task's own coroutine: nobody could resume it. */
static int stray_yield(struct task *task)
{
    lua_settop(task->L, 0);
    lua_pushliteral(task->L, "attempt to yield from outside a coroutine: coroutine.yield works "
                             "inside coroutine.create and coroutine.wrap only");
    return LUA_ERRRUN;
}

static int resume(struct task *task, int nargs)
{
    struct script *script = task->script;
    struct task *outer = script->running;
    task_show_context(script, task->context);
    script->running = task;
    task->state = TASK_RUNNING;
    memory_enter(script);
    int rc = lua_resume(task->L, nargs);
    if (rc == LUA_YIELD) {
        if (task->state == TASK_WAITING)
            lua_settop(task->L, 0); /* the mark of the wait */
        else
            rc = stray_yield(task);
    }
    script->running = outer;
    task_show_context(script, outer == NULL ? NULL : outer->context);
    return rc;
}

void task_run(struct task *task, int nargs)
{
    struct script *script = task->script;
    int rc = resume(task, nargs);
    if (rc == LUA_YIELD) {
        memory_leave(script);
        return;
    }
    task->state = TASK_DONE;
    task->failed = rc != 0;
    task->out_of_memory = rc != 0 && script->refused;
    task->nresults = task->failed ? 1 : lua_gettop(task->L);
    task->on_done(task);
    retire(task);
    memory_leave(script);
}

void task_start(struct task *task, int nargs)
{
    struct script *script = task->script;
    task->state = TASK_READY;
    task->nargs = nargs;
    list_append(&script->ready, &task->ready);
    loop_later(script->loop, &script->run_ready);
}

/* Those that were ready when the turn ended; who becomes ready meanwhile waits for the next. */
static void run_ready(void *data)
{
    struct script *script = data;
    uint64_t last = script->next_id;
    for (uint32_t n = script->live_count; n > 0 && !list_is_empty(&script->ready); n--) {
        struct task *task = LIST_ENTRY(script->ready.next, struct task, ready);
        if (task->id > last)
            break;
        list_remove(&task->ready);
        task_run(task, task->nargs);
    }
    if (!list_is_empty(&script->ready))
        loop_later(script->loop, &script->run_ready);
}

struct task *task_current(lua_State *L)
{
    return script_of(L)->running;
}

struct task *task_find(struct script *script, uint64_t id)
{
    for (struct list *node = script->live.next; node != &script->live; node = node->next) {
        struct task *task = LIST_ENTRY(node, struct task, node);
        if (task->id == id)
            return task;
    }
    return NULL;
}

/* ---- waiting ---- */

/* The name of the C function that a yield could not cross, and where it was called. */
static void describe_barrier(lua_State *L, char *name, size_t size)
{
    lua_Debug ar;
    snprintf(name, size, "a C function");
    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sn", &ar);
        if (strcmp(ar.what, "C") == 0) {
            if (ar.name != NULL)
                snprintf(name, size, "the C function '%s'", ar.name);
            return;
        }
    }
}

void task_check_park(lua_State *L)
{
    struct task *task = task_current(L);
    if (task == NULL)
        luaL_error(L, "this call would wait, and nothing can wait here: custom converters and "
                      "code outside of a task run to their end at once");
    if (!lua_isyieldable(L)) {
        char name[128];
        describe_barrier(L, name, sizeof(name));
        luaL_error(L,
                   "this call would wait, and %s is in the way: it cannot be suspended; fetch what "
                   "is waited for before calling it",
                   name);
    }
}

static void push_cancelled(struct script *script, lua_State *L)
{
    if (script->cancelled_ref == LUA_NOREF)
        lua_pushliteral(L, "cancelled");
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, script->cancelled_ref);
}

int task_park(lua_State *L, void (*cancel)(struct wait *wait), void *data)
{
    struct task *task = task_current(L);
    task->wait = (struct wait){.cancel = cancel, .data = data};
    if (task->cancelled) {
        /* It was asked to stop and went on: every further wait raises at once. */
        cancel(&task->wait);
        lua_pushnil(L);
        push_cancelled(task->script, L);
        return 2;
    }
    task->state = TASK_WAITING;
    task_push_wait_mark(L);
    return lua_yield(L, 1);
}

void task_push_wait_mark(lua_State *L)
{
    static const char mark;
    lua_pushlightuserdata(L, (void *)(uintptr_t)&mark);
}

static void wake(struct task *task, int nargs)
{
    assert(task->state == TASK_WAITING && "only a waiting task can be woken");
    timer_stop(&task->timer);
    if (task->script->running == NULL)
        task_run(task, nargs);
    else
        task_start(task, nargs);
}

void task_wake(struct task *task, int nvalues)
{
    lua_pushboolean(task->L, 1);
    lua_insert(task->L, -1 - nvalues);
    wake(task, nvalues + 1);
}

void task_wake_error(struct task *task)
{
    lua_pushnil(task->L);
    lua_insert(task->L, -2);
    wake(task, 2);
}

void task_cancel(struct task *task)
{
    if (task->cancelled || task->state == TASK_DONE || task->state == TASK_IDLE)
        return;
    task->cancelled = true;
    if (task->state != TASK_WAITING)
        return; /* running, or about to: its next wait raises */
    task->wait.cancel(&task->wait);
    push_cancelled(task->script, task->L);
    task_wake_error(task);
}
