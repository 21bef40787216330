/* script/slice.c - long work of a Lua state in short pieces. See slice.h. */
#include "script/slice.h"

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>

#include "base/clock.h"
#include "script/state.h"
#include "script/task.h"
#include "script/task_internal.h"

/* How long a piece is: what a request may have to wait more while an app is loaded. */
#define SLICE_NS 400000
/* Instructions between two looks at the clock: 10 us, or 200 when each makes a table. */
#define LOOK_AFTER 500
/* What is loaded mostly stays: the collector begins anew when the heap has grown so much, in per
 * cent; LuaJIT's own pace is 200. */
#define LOADING_PAUSE 1000
#define USUAL_PAUSE   200
/* Cycles of the collector until everything is gone: the one under way, one that finds what is
 * garbage and calls the finalizers, one that frees what had finalizers. */
#define CYCLES 3
/* Per cent of work that one step of the collector does: a few microseconds each. */
#define STEP_WORK 1000

static void on_count(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct script *script = script_of(L);
    struct task *task = script->running;
    if (task == NULL || task->L != L || clock_ns() - script->slice_began < SLICE_NS ||
        !lua_isyieldable(L))
        return;
    task->sliced = true;
    lua_yield(L, 0);
}

void slice_hook(struct script *script)
{
    if (script->sliced)
        lua_sethook(script->L, on_count, LUA_MASKCOUNT, LOOK_AFTER);
}

void slice_begin(struct script *script)
{
    script->sliced = true;
    luaJIT_setmode(script->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    lua_gc(script->L, LUA_GCSETPAUSE, LOADING_PAUSE);
    slice_hook(script);
}

void slice_end(struct script *script)
{
    if (!script->sliced)
        return;
    script->sliced = false;
    lua_sethook(script->L, NULL, 0, 0);
    lua_gc(script->L, LUA_GCSETPAUSE, USUAL_PAUSE);
    luaJIT_setmode(script->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_ON);
}

/* Remove every pair of the table at index whose key has this type; LUA_TNONE: all pairs. */
static void clear_table(lua_State *L, int index, int key_type)
{
    if (!lua_istable(L, index))
        return;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (key_type != LUA_TNONE && lua_type(L, -1) != key_type)
            continue;
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, index);
    }
}

/* References of C are numbers in the registry; its texts name metatables, which finalizers ask. */
static int l_empty(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, LUA_REGISTRYINDEX);
    lua_getfield(L, 1, "_LOADED");
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    clear_table(L, 1, LUA_TNUMBER);
    clear_table(L, 2, LUA_TNONE);
    clear_table(L, 3, LUA_TNONE);
    lua_gc(L, LUA_GCSETSTEPMUL, STEP_WORK);
    return 0;
}

void slice_empty(struct script *script)
{
    tasks_clear(script);
    script->sliced = false;
    lua_sethook(script->L, NULL, 0, 0);
    luaJIT_setmode(script->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    luaJIT_setmode(script->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_FLUSH);
    if (lua_cpcall(script->L, l_empty, NULL) != 0)
        lua_pop(script->L, 1); /* lua_close frees what is left */
    script->cycles = 0;
}

static int l_collect(lua_State *L)
{
    struct script *script = script_of(L);
    uint64_t began = clock_ns();
    while (script->cycles < CYCLES && clock_ns() - began < SLICE_NS)
        if (lua_gc(L, LUA_GCSTEP, 0) != 0)
            script->cycles++;
    return 0;
}

bool slice_collect(struct script *script)
{
    /* protected: a finalizer of the user's may raise */
    if (lua_cpcall(script->L, l_collect, NULL) != 0)
        lua_pop(script->L, 1);
    return script->cycles >= CYCLES;
}
