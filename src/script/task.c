/* script/task.c - coroutines: made, pooled, resumed, parked, woken, cancelled. See task.h. */
#include "script/task.h"

#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/context.h"
#include "script/memory.h"
#include "script/state.h"
#include "script/task_internal.h"

/* Coroutines kept for reuse: as many as a busy worker has requests waiting at once. */
#define POOL_MAX 1024
/* How often a cancelled task may catch errors.Cancelled and wait again: clean-up takes a few
 * waits, `while true do pcall(wait) end` would hold the worker for ever. */
#define CANCEL_PATIENCE 100
/* Turns of the loop that the clean-up of a script's last tasks may take. */
#define END_TURNS 1000
/* An id is a counter above the task's slot: task_find need not search. */
#define SLOT_BITS  24
#define OWN_SOURCE "@lua/qlua/" /* the chunk names of qlua's own Lua (modules.h) begin so */

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

/* A slot that no task has; the table of slots grows with the tasks that live at once. */
static uint32_t take_slot(struct script *script)
{
    struct task_slot *slot;
    if (script->free_slot == script->nslots) {
        uint32_t count = script->nslots == 0 ? 64 : script->nslots * 2;
        assert(count <= (uint32_t)1 << SLOT_BITS && "more tasks than ids have room for");
        script->slots = mem_realloc(script->slots, count * sizeof(*script->slots));
        for (uint32_t i = script->nslots; i < count; i++)
            script->slots[i] = (struct task_slot){.next_free = i + 1};
        script->nslots = count;
    }
    slot = &script->slots[script->free_slot];
    uint32_t index = script->free_slot;
    script->free_slot = slot->next_free;
    return index;
}

static void free_task(struct task *task)
{
    struct script *script = task->script;
    script->slots[task->slot] = (struct task_slot){.next_free = script->free_slot};
    script->free_slot = task->slot;
    free(task);
}

static struct task *make_task(struct script *script)
{
    struct task *task = mem_zalloc(sizeof(*task));
    task->script = script;
    task->slot = take_slot(script);
    script->slots[task->slot].task = task;
    task->L = lua_newthread(script->L);
    task->ref = luaL_ref(script->L, LUA_REGISTRYINDEX);
    task->stop_ref = LUA_NOREF;
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
        /* Nothing may fail here: the error would be one of the main coroutine, which nobody
         * protects while a task runs. So this growth is not refused to that task. */
        struct task *running = script->running;
        script->running = NULL;
        task = make_task(script);
        script->running = running;
    }
    task->id = ++script->next_id << SLOT_BITS | task->slot;
    task->state = TASK_NEW;
    task->failed = task->out_of_memory = task->cancelled = task->abandoned = false;
    task->overdrawn = task->stopped = task->is_spared = task->sliced = false;
    task->ignored_cancels = 0;
    task->grown = 0;
    task->own_budget = (struct cpu_budget){.limit = script->cpu_limit, .kind = CPU_SLICE};
    task->budget = context == NULL || context->budget == NULL ? &task->own_budget : context->budget;
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
    context_leave_all(task);
    if (task->context != NULL)
        task_context_unref(script, &task->context);
    task->id = 0;
    task->state = TASK_IDLE;
    if (task->stopped)
        watchdog_forget(task);
    if (!task->failed && script->pooled < POOL_MAX) {
        lua_settop(task->L, 0);
        task->next_idle = script->pool;
        script->pool = task;
        script->pooled++;
        return;
    }
    luaL_unref(script->L, LUA_REGISTRYINDEX, task->ref);
    free_task(task);
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
        free_task(task);
    }
    free(script->slots);
    script->slots = NULL;
    script->nslots = script->free_slot = 0;
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

void task_push_place(lua_State *L)
{
    lua_Debug ar;
    const char *dir = script_of(L)->lua_dir;
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        bool is_own =
            ar.currentline <= 0 || strncmp(ar.source, OWN_SOURCE, strlen(OWN_SOURCE)) == 0;
        if (dir != NULL && strncmp(ar.source + 1, dir, strlen(dir)) == 0)
            is_own = true;
        if (!is_own) {
            lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

int task_misuse(lua_State *L, const char *text)
{
    task_push_place(L);
    lua_pushstring(L, text);
    lua_concat(L, 2);
    return lua_error(L);
}

static const char wait_mark;

/* A bare coroutine.yield in a task's own coroutine: nobody could resume it. Its frames stay for
 * the traceback. */
static int stray_yield(struct task *task)
{
    lua_State *L = task->L;
    lua_settop(L, 0);
    task_push_place(L);
    lua_pushliteral(L, "attempt to yield from outside a coroutine: coroutine.yield works inside "
                       "coroutine.create and coroutine.wrap only; to let others run, call "
                       "qlua.sleep(0)");
    lua_concat(L, 2);
    return LUA_ERRRUN;
}

static void push_cancelled(struct script *script, lua_State *L)
{
    if (script->cancelled_ref == LUA_NOREF)
        lua_pushliteral(L, "cancelled");
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, script->cancelled_ref);
}

/* It caught its cancellation too often: it is not resumed again. */
static int abandon(struct task *task)
{
    log_write(task->script->log, LOG_WARNING,
              "a cancelled task caught errors.Cancelled and waited again, %d times; it was ended. "
              "A pcall around a wait must let errors.Cancelled through",
              CANCEL_PATIENCE);
    lua_settop(task->L, 0);
    push_cancelled(task->script, task->L);
    return LUA_ERRRUN;
}

/* Its processor time is used up: it is never resumed again, not even if it waits by now. */
static int stop(struct task *task)
{
    task->stopped = true;
    lua_settop(task->L, 0);
    watchdog_push_error(task->L, task);
    return LUA_ERRRUN;
}

/* What a yield means: LUA_YIELD for a wait, or an error (on top of the stack). */
static int yielded(struct task *task)
{
    if (task->stopped)
        return stop(task);
    if (task->sliced) {
        task_start(task, 0);
        return LUA_YIELD;
    }
    bool is_wait =
        lua_gettop(task->L) == 1 && lua_touserdata(task->L, 1) == (const void *)&wait_mark;
    if (is_wait && task->abandoned)
        return abandon(task);
    if (!is_wait || task->state != TASK_WAITING)
        return stray_yield(task);
    lua_settop(task->L, 0);
    return LUA_YIELD;
}

/* A wait that never reached us: a C module resumed the coroutine that waits and took its yield
 * for its own. */
static void drop_lost_wait(struct task *task)
{
    if (task->state != TASK_WAITING)
        return;
    task->state = TASK_RUNNING;
    task->wait.cancel(&task->wait);
}

static int resume(struct task *task, int nargs)
{
    struct script *script = task->script;
    struct task *outer = script->running;
    task_show_context(script, task->context);
    script->running = task;
    task->state = TASK_RUNNING;
    memory_enter(script, task);
    if (task->budget->kind == CPU_SLICE && !task->sliced)
        task->budget->used = 0;
    task->sliced = false;
    if (script->sliced)
        script->slice_began = clock_ns();
    script->stack_base = outer == NULL ? (uintptr_t)__builtin_frame_address(0) : script->stack_base;
    int rc = lua_resume(task->L, nargs);
    if (rc == LUA_YIELD)
        rc = yielded(task);
    else if (rc != 0 && task->stopped)
        rc = stop(task);
    if (rc != LUA_YIELD)
        drop_lost_wait(task);
    memory_pause(script, task);
    script->running = outer;
    if (script->armed)
        watchdog_disarm(script);
    task_show_context(script, outer == NULL ? NULL : outer->context);
    return rc;
}

/* It returned (rc 0) or died: tell its owner, and be rid of it. */
static void finish(struct task *task, int rc)
{
    struct script *script = task->script;
    task->state = TASK_DONE;
    task->failed = rc != 0;
    task->out_of_memory = rc != 0 && script->refused;
    task->nresults = task->failed ? 1 : lua_gettop(task->L);
    bool out_of_memory = task->out_of_memory;
    script->finishing++;
    if (out_of_memory)
        memory_leave(script); /* who answers its error needs room */
    task->on_done(task);      /* may run other tasks */
    retire(task);
    script->finishing--;
    script->ran_out |= out_of_memory;
    script->collect_soon |= out_of_memory; /* what it held can go now */
    memory_leave(script);
}

void task_run(struct task *task, int nargs)
{
    int rc = resume(task, nargs);
    if (rc == LUA_YIELD)
        memory_leave(task->script);
    else
        finish(task, rc);
}

void task_start(struct task *task, int nargs)
{
    struct script *script = task->script;
    if (task->state != TASK_NEW)
        task->state = TASK_READY;
    task->nargs = nargs;
    list_append(&script->ready, &task->ready);
    loop_later(script->loop, &script->run_ready);
}

/* Cancelled before it has begun: its function never runs. */
static void never_run(struct task *task)
{
    memory_enter(task->script, task);
    lua_settop(task->L, 0);
    push_cancelled(task->script, task->L);
    finish(task, LUA_ERRRUN);
}

/* Those that were ready when the turn ended; who becomes ready meanwhile waits for the next. */
static void run_ready(void *data)
{
    struct script *script = data;
    struct list batch;
    list_init(&batch);
    while (!list_is_empty(&script->ready)) {
        struct list *node = script->ready.next;
        list_remove(node);
        list_append(&batch, node);
    }
    while (!list_is_empty(&batch)) {
        struct task *task = LIST_ENTRY(batch.next, struct task, ready);
        list_remove(&task->ready);
        if (task->state == TASK_NEW && task->cancelled)
            never_run(task);
        else
            task_run(task, task->nargs);
    }
}

struct task *task_current(lua_State *L)
{
    return script_of(L)->running;
}

uint64_t task_serial(const struct task *task)
{
    return task->id >> SLOT_BITS;
}

struct task *task_find(struct script *script, uint64_t id)
{
    uint64_t slot = id & (((uint64_t)1 << SLOT_BITS) - 1);
    struct task *task = slot < script->nslots ? script->slots[slot].task : NULL;
    return task != NULL && task->id == id ? task : NULL;
}

/* ---- waiting ---- */

/* Push the name that a standard library has for the function on top of the stack: "table.sort";
 * or nil. */
static void push_library_name(lua_State *L)
{
    static const char *const libraries[] = {"_G", "string", "table", "io", "os", "debug"};
    int fn = lua_gettop(L);
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        lua_getglobal(L, libraries[i]);
        if (!lua_istable(L, -1)) {
            lua_pop(L, 1);
            continue;
        }
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            if (!lua_rawequal(L, -1, fn) || lua_type(L, -2) != LUA_TSTRING)
                continue;
            lua_pushfstring(L, "%s%s%s", i == 0 ? "" : libraries[i], i == 0 ? "" : ".",
                            lua_tostring(L, -2));
            lua_replace(L, fn + 1);
            lua_settop(L, fn + 1);
            return;
        }
        lua_pop(L, 1);
    }
    lua_pushnil(L);
}

/* Is the function of this frame a C function that a yield cannot cross? */
static bool is_barrier(lua_State *L, lua_Debug *ar)
{
    lua_getinfo(L, "Snf", ar);
    lua_getglobal(L, "pcall");
    lua_getglobal(L, "xpcall");
    bool is = strcmp(ar->what, "C") == 0 && !lua_rawequal(L, -3, -2) && !lua_rawequal(L, -3, -1);
    lua_pop(L, 3);
    return is;
}

bool task_push_barrier(lua_State *L)
{
    if (lua_isyieldable(L))
        return false;
    int top = lua_gettop(L);
    lua_Debug ar;
    const char *name = NULL;
    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        if (!is_barrier(L, &ar))
            continue;
        lua_getinfo(L, "f", &ar);
        push_library_name(L);
        name = lua_isnil(L, -1) ? ar.name : lua_tostring(L, -1);
        break;
    }
    if (name == NULL)
        lua_pushliteral(L, "a C function");
    else
        lua_pushfstring(L, "the C function '%s'", name);
    name = lua_tostring(L, -1);
    task_push_place(L);
    lua_pushfstring(L,
                    "%sthis call would wait, and %s is in the way: it cannot be suspended; "
                    "fetch what is waited for before calling it",
                    lua_tostring(L, -1), name);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return true;
}

void task_check_park(lua_State *L)
{
    struct task *task = task_current(L);
    if (task == NULL)
        task_misuse(L, "this call would wait, and nothing can wait here: custom converters and "
                       "code outside of a task run to their end at once");
    assert(task != NULL && "task_misuse does not return");
    if (task_push_barrier(L))
        lua_error(L);
    drop_lost_wait(task);
}

void task_undo_wait(struct task *task)
{
    drop_lost_wait(task);
}

int task_park(lua_State *L, void (*cancel)(struct wait *wait), void *data)
{
    struct task *task = task_current(L);
    task->wait = (struct wait){.cancel = cancel, .data = data};
    if (task->cancelled) {
        /* It was asked to stop and went on: every further wait raises at once. */
        cancel(&task->wait);
        if (++task->ignored_cancels > CANCEL_PATIENCE) {
            task->abandoned = true;
            task_push_wait_mark(L);
            return lua_yield(L, 1);
        }
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
    lua_pushlightuserdata(L, (void *)(uintptr_t)&wait_mark);
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

bool task_died_of_cancel(const struct task *task)
{
    if (!task->failed || !task->cancelled)
        return false;
    push_cancelled(task->script, task->L);
    bool is = lua_rawequal(task->L, -1, -2);
    lua_pop(task->L, 1);
    return is;
}

void task_cancel(struct task *task)
{
    if (task->cancelled || task->state == TASK_DONE || task->state == TASK_IDLE)
        return;
    task->cancelled = true;
    if (task->state != TASK_WAITING)
        return; /* running or woken: its next wait raises; new: run_ready ends it */
    task->wait.cancel(&task->wait);
    push_cancelled(task->script, task->L);
    task_wake_error(task);
}

void tasks_cancel(struct script *script)
{
    /* each may end at once, and others with it */
    for (uint32_t n = script->live_count; n > 0 && script->live_count > 0; n--) {
        struct task *task = LIST_ENTRY(script->live.next, struct task, node);
        list_remove(&task->node);
        list_append(&script->live, &task->node); /* the next one is looked at next */
        task_cancel(task);
    }
}

void tasks_end(struct script *script)
{
    assert(script->running == NULL && "a task cannot outlive its own end");
    /* Cancelled waits are over at once, so few turns do, unless clean-up starts tasks for ever. */
    for (int turn = 0; script->live_count > 0 && turn < END_TURNS; turn++) {
        tasks_cancel(script);
        loop_turn(script->loop, false);
    }
}
