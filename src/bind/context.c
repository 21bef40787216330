/* bind/context.c - contexts entered and left by Lua: core.enter_context, core.leave_context,
 * core.hold_context.
 *
 * A held context is a userdata qlua.Context: it counts, so that copied contexts (copy_current_
 * request_context) hold their request until they are collected.
 */
#include <lauxlib.h>
#include <lua.h>

#include "bind/bind.h"
#include "bind/check.h"
#include "script/context.h"
#include "script/state.h"
#include "script/task.h"

#define CONTEXT "qlua.Context"

static struct task *need_task(lua_State *L)
{
    struct task *task = task_current(L);
    if (task == NULL)
        luaL_error(L, "contexts live in tasks, and no task runs here");
    return task;
}

/* core.enter_context(table | held): it is the running task's until core.leave_context */
static int l_enter_context(lua_State *L)
{
    struct task *task = need_task(L);
    if (lua_istable(L, 1)) {
        context_enter_table(L, 1);
        return 0;
    }
    struct task_context **held = luaL_checkudata(L, 1, CONTEXT);
    context_enter(task, *held);
    return 0;
}

/* core.leave_context(...) -> ...: back to the context before */
static int l_leave_context(lua_State *L)
{
    context_leave(need_task(L));
    return lua_gettop(L);
}

/* core.hold_context() -> held | nil: the running task's context, kept for later */
static int l_hold_context(lua_State *L)
{
    struct task *task = need_task(L);
    if (task->context == NULL)
        return 0;
    struct task_context **held = lua_newuserdata(L, sizeof(*held));
    *held = NULL;
    set_metatable(L, CONTEXT);
    *held = task_context_ref(task->context);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct task_context **held = luaL_checkudata(L, 1, CONTEXT);
    if (*held != NULL)
        task_context_unref(script_of(L), held);
    return 0;
}

static const luaL_Reg functions[] = {
    {"enter_context", l_enter_context},
    {"leave_context", l_leave_context},
    {"hold_context", l_hold_context},
    {NULL, NULL},
};

void bind_context(lua_State *L)
{
    make_class(L, CONTEXT, NULL, l_gc);
    luaL_register(L, NULL, functions);
}
