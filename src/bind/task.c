/* bind/task.c - sleeping, and tasks that run beside the one that started them: core.sleep,
 * core.spawn, core.task_*.
 *
 * A spawned task is a userdata qlua.Task. Its results, or its error, are kept in the userdata's
 * environment until someone asks; what fails with nobody waiting is logged.
 */
#include <lauxlib.h>
#include <lua.h>

#include "base/log.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "net/loop.h"
#include "script/call.h"
#include "script/state.h"
#include "script/task.h"

#define TASK "qlua.Task"
/* A Lua stack holds some 8,000 values for C. */
#define ARGUMENTS_MAX 7000

enum spawn_state { SPAWN_RUNNING, SPAWN_RETURNED, SPAWN_FAILED, SPAWN_CANCELLED };

/* The userdata; its environment is what keep_results made, once the task is over. */
struct spawn {
    struct script *script;
    uint64_t id;     /* of the task while it runs */
    uint64_t waiter; /* id of the task that waits for it, 0: none ... */
    uint64_t join;   /* ... and in which of its waits */
    uint8_t state;   /* enum spawn_state */
    int anchor;      /* keeps the userdata alive while its task runs */
};

/* ---- sleep ---- */

static void on_sleep_over(struct timer *timer)
{
    struct task *task = LIST_ENTRY(timer, struct task, timer);
    task_wake(task, 0);
}

static void stop_timer(struct wait *wait)
{
    struct task *task = wait->data;
    timer_stop(&task->timer);
}

/* Milliseconds of a number of seconds; nan and negative are 0, long ones some 49 days. */
static uint64_t to_ms(double seconds)
{
    if (!(seconds > 0))
        return 0;
    return seconds > 4e6 ? 4000000000u : (uint64_t)(seconds * 1000 + 0.5);
}

/* core.sleep(seconds) -> true; waits */
static int l_sleep(lua_State *L)
{
    double seconds = luaL_checknumber(L, 1);
    task_check_park(L);
    struct task *task = task_current(L);
    loop_update_now(task->script->loop); /* this turn may have begun long ago */
    task->timer.fn = on_sleep_over;
    timer_start(task->script->loop, &task->timer, to_ms(seconds));
    return task_park(L, stop_timer, task);
}

/* ---- spawned tasks ---- */

static struct spawn *check_spawn(lua_State *L, int index)
{
    return luaL_checkudata(L, index, TASK);
}

static void log_failure(struct task *task)
{
    lua_State *L = task->L;
    push_unseen_traceback(L, L);
    log_trace(task->script->log, lua_tostring(L, -1),
              "Exception in a spawned task, which nobody waits for");
    lua_pop(L, 1);
}

/* { n = count, ... } of its arguments */
static int l_pack(lua_State *L)
{
    int n = lua_gettop(L);
    lua_createtable(L, n, 1);
    lua_insert(L, 1);
    for (int i = n; i >= 1; i--)
        lua_rawseti(L, 1, i);
    lua_pushinteger(L, n);
    lua_setfield(L, 1, "n");
    return 1;
}

/* Results as { n = count, ... }; an error as { error, thread = coroutine with its frames }. */
static void keep_results(struct spawn *spawn, struct task *task)
{
    lua_State *L = task->script->L; /* a dead coroutine runs nothing */
    int n = task->nresults;
    lua_checkstack(L, n + 4);
    lua_pushcfunction(L, l_pack);
    lua_xmove(task->L, L, n);
    lua_call(L, n, 1); /* outside of tasks memory is not refused */
    if (task->failed) {
        lua_pushthread(task->L);
        lua_xmove(task->L, L, 1);
        lua_setfield(L, -2, "thread");
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, spawn->anchor);
    lua_insert(L, -2);
    lua_setfenv(L, -2);
    lua_pop(L, 1);
}

/* The task that waits for this one now, or NULL. */
static struct task *waiter_of(const struct spawn *spawn)
{
    struct task *task = spawn->waiter == 0 ? NULL : task_find(spawn->script, spawn->waiter);
    bool waits = task != NULL && task->state == TASK_WAITING && task->awaits > 0 &&
                 task->join == spawn->join;
    return waits ? task : NULL;
}

static void tell_waiter(struct spawn *spawn)
{
    struct task *waiter = waiter_of(spawn);
    spawn->waiter = 0;
    if (waiter == NULL || (spawn->state == SPAWN_RETURNED && --waiter->awaits > 0))
        return;
    waiter->awaits = 0;
    lua_pushboolean(waiter->L, 1);
    task_wake(waiter, 1);
}

static void on_spawn_done(struct task *task)
{
    struct spawn *spawn = task->owner;
    spawn->id = 0;
    spawn->state = !task->failed               ? SPAWN_RETURNED
                   : task_died_of_cancel(task) ? SPAWN_CANCELLED
                                               : SPAWN_FAILED;
    if (spawn->state == SPAWN_FAILED && waiter_of(spawn) == NULL)
        log_failure(task);
    keep_results(spawn, task);
    tell_waiter(spawn);
    luaL_unref(task->script->L, LUA_REGISTRYINDEX, spawn->anchor);
}

/* core.spawn(fn, ...) -> qlua.Task: fn(...) begins at the end of this turn, in the same context */
static int l_spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    struct task *parent = task_current(L);
    if (parent == NULL)
        return task_misuse(L, "tasks can be spawned from within a task only: not in a custom "
                              "converter");
    int n = lua_gettop(L);
    if (n > ARGUMENTS_MAX)
        return task_misuse(L, "spawn: more arguments than a task can take; pass a table");
    struct spawn *spawn = lua_newuserdata(L, sizeof(*spawn));
    *spawn = (struct spawn){.script = parent->script};
    set_metatable(L, TASK);
    lua_pushvalue(L, -1);
    spawn->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_insert(L, 1);
    struct task *task = task_new(parent->script, parent->context, on_spawn_done, spawn);
    spawn->id = task->id;
    parent->script->running = NULL; /* an error of task->L would be nobody's: do not refuse */
    lua_checkstack(task->L, n);
    parent->script->running = parent;
    lua_xmove(L, task->L, n);
    task_start(task, n - 1);
    return 1;
}

/* ---- waiting for them ---- */

static void forget_join(struct wait *wait)
{
    struct task *task = wait->data;
    task->awaits = 0;
    timer_stop(&task->timer);
}

static void on_join_timeout(struct timer *timer)
{
    struct task *task = LIST_ENTRY(timer, struct task, timer);
    task->awaits = 0;
    lua_pushboolean(task->L, 0);
    task_wake(task, 1);
}

/* Raises for a task that may not be waited for from here. */
static void check_joinable(lua_State *L, const struct spawn *spawn)
{
    const struct task *task = task_current(L);
    if (spawn->state != SPAWN_RUNNING)
        return;
    if (spawn->id == task->id)
        task_misuse(L, "a task cannot wait for itself");
    const struct task *other = waiter_of(spawn);
    if (other != NULL && other != task)
        task_misuse(L, "another task waits for this one already; only one can: wait there and "
                       "hand the results on");
}

/* Are all done, or has one failed? */
static bool join_is_over(lua_State *L, int first)
{
    bool over = true;
    for (int i = first; i <= lua_gettop(L); i++) {
        const struct spawn *spawn = check_spawn(L, i);
        if (spawn->state > SPAWN_RETURNED)
            return true;
        over &= spawn->state == SPAWN_RETURNED;
    }
    return over;
}

/* core.task_join(seconds|false, task, ...) -> true, over: all have returned or one has failed
 * (over is true), or the time has passed (false); waits */
static int l_task_join(lua_State *L)
{
    if (join_is_over(L, 2)) {
        lua_pushboolean(L, 1);
        lua_pushboolean(L, 1);
        return 2;
    }
    task_check_park(L);
    for (int i = 2; i <= lua_gettop(L); i++)
        check_joinable(L, check_spawn(L, i));
    struct task *task = task_current(L);
    task->awaits = 0;
    task->join = ++task->script->next_id;
    for (int i = 2; i <= lua_gettop(L); i++) {
        struct spawn *spawn = check_spawn(L, i);
        if (spawn->state != SPAWN_RUNNING)
            continue;
        spawn->waiter = task->id;
        spawn->join = task->join;
        task->awaits++;
    }
    if (lua_isnumber(L, 1)) {
        task->timer.fn = on_join_timeout;
        timer_start(task->script->loop, &task->timer, to_ms(lua_tonumber(L, 1)));
    }
    return task_park(L, forget_join, task);
}

/* core.wait_barrier() -> nil, or why the running function cannot pass a wait outward; the wait
 * has then been undone */
static int l_wait_barrier(lua_State *L)
{
    if (!task_push_barrier(L))
        return 0;
    task_undo_wait(task_current(L));
    return 1;
}

/* Coroutines that are resumed within each other take C's stack, and nothing else bounds them. */
#define STACK_MOST ((uintptr_t)1 << 20)

/* core.is_stack_used_up() -> boolean */
static int l_is_stack_used_up(lua_State *L)
{
    uintptr_t base = script_of(L)->stack_base, here = (uintptr_t)__builtin_frame_address(0);
    lua_pushboolean(L, base > here && base - here > STACK_MOST);
    return 1;
}

/* core.task_id() -> the running task's number, never used again; nil outside of one */
static int l_task_id(lua_State *L)
{
    struct task *task = task_current(L);
    if (task == NULL)
        return 0;
    lua_pushnumber(L, (lua_Number)task_serial(task));
    return 1;
}

/* core.task_lives(id) -> has the task with this id not ended yet? Looks at all */
static int l_task_lives(lua_State *L)
{
    uint64_t serial = (uint64_t)luaL_checknumber(L, 1);
    const struct list *live = &script_of(L)->live;
    bool lives = false;
    for (const struct list *node = live->next; node != live && !lives; node = node->next)
        lives = task_serial(LIST_ENTRY(node, struct task, node)) == serial;
    lua_pushboolean(L, lives);
    return 1;
}

/* core.task_state(task) -> "running" | "returned" | "failed" | "cancelled" */
static int l_task_state(lua_State *L)
{
    static const char *const names[] = {"running", "returned", "failed", "cancelled"};
    lua_pushstring(L, names[check_spawn(L, 1)->state]);
    return 1;
}

/* core.task_results(task) -> { n =, ... }: what it returned, or { error, thread = } */
static int l_task_results(lua_State *L)
{
    struct spawn *spawn = check_spawn(L, 1);
    if (spawn->state == SPAWN_RUNNING)
        return 0;
    lua_getfenv(L, 1);
    return 1;
}

/* core.task_cancel(task) -> was there anything to cancel? */
static int l_task_cancel(lua_State *L)
{
    struct spawn *spawn = check_spawn(L, 1);
    struct task *task = spawn->id == 0 ? NULL : task_find(spawn->script, spawn->id);
    if (task != NULL)
        task_cancel(task);
    lua_pushboolean(L, task != NULL);
    return 1;
}

/* core.hand_on_loading(task): the one that waits for it has begun to load. One budget for both. */
static int l_hand_on_loading(lua_State *L)
{
    const struct task *from = task_current(L);
    const struct spawn *spawn = check_spawn(L, 1);
    struct task *task = spawn->id == 0 ? NULL : task_find(spawn->script, spawn->id);
    if (from != NULL && task != NULL && from->budget->kind == CPU_LOADING)
        task->own_budget = *from->budget;
    return 0;
}

static const luaL_Reg functions[] = {
    {"sleep", l_sleep},
    {"spawn", l_spawn},
    {"task_join", l_task_join},
    {"task_state", l_task_state},
    {"task_results", l_task_results},
    {"task_cancel", l_task_cancel},
    {"hand_on_loading", l_hand_on_loading},
    {"wait_barrier", l_wait_barrier},
    {"is_stack_used_up", l_is_stack_used_up},
    {"task_id", l_task_id},
    {"task_lives", l_task_lives},
    {NULL, NULL},
};

void bind_task(lua_State *L)
{
    luaL_newmetatable(L, TASK);
    lua_pop(L, 1);
    luaL_register(L, NULL, functions);
    task_push_wait_mark(L);
    lua_setfield(L, -2, "WAIT");
    luaL_getmetatable(L, TASK);
    lua_setfield(L, -2, "task_metatable");
}
