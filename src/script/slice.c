/* script/slice.c - long work of a Lua state in short pieces. See slice.h. */
#include "script/slice.h"

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>

#include "base/clock.h"
#include "script/ahead.h"
#include "script/state.h"
#include "script/task.h"
#include "script/task_internal.h"

/* How long a piece is: what a request may have to wait more while an app is loaded. */
#define SLICE_NS 400000
/* Instructions between two looks at the clock: 10 us, or 200 when each makes a table. */
#define LOOK_AFTER 500
/* What is loaded mostly stays: nothing is collected before the heap is so large (a quarter of its
 * limit, when that is less). Then, and from the end of loading on, the collector begins when the
 * heap has grown by its pause: it has doubled, unless the app has set another. */
#define UNCOLLECTED_MAX ((size_t)128 << 20)
#define LIMIT_SHARE     4
/* Cycles of the collector until everything is gone: the one under way, one that finds what is
 * garbage and calls the finalizers, one that frees what had finalizers. */
#define CYCLES 3
/* Per cent of work that one step of the collector does: a few microseconds each. */
#define STEP_WORK 1000

/* The collector begins a pause from now, which is what -1 means to LuaJIT; not at once. */
static void resume_collector(struct script *script)
{
    script->uncollected = false;
    lua_gc(script->L, LUA_GCRESTART, -1);
}

static bool is_large(const struct script *script)
{
    size_t share = script->limit / LIMIT_SHARE;
    size_t most = share == 0 || share > UNCOLLECTED_MAX ? UNCOLLECTED_MAX : share;
    return script->used > most;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct script *script = script_of(L);
    struct task *task = script->running;
    if (task == NULL || clock_ns() - script->slice_began < SLICE_NS)
        return;
    if (task->state == TASK_WAITING)
        return; /* coroutines are handing its wait up to us: it will be back at once */
    if (script->uncollected && is_large(script))
        resume_collector(script);
    ahead_of(script);
    if (task->L != L || !lua_isyieldable(L))
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
    script->uncollected = true;
    lua_gc(script->L, LUA_GCSTOP, 0);
    slice_hook(script);
}

void slice_end(struct script *script)
{
    if (!script->sliced)
        return;
    script->sliced = false;
    lua_sethook(script->L, NULL, 0, 0);
    if (script->uncollected)
        resume_collector(script);
    luaJIT_setmode(script->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_ON);
}

/* Is the pair of the registry on top of the stack one that finalizers may ask for? References of C
 * are numbers. Its texts name metatables: those of userdata that have a finalizer, and of others,
 * through whose methods all of the framework and the app may be reached. */
static bool is_for_finalizers(lua_State *L)
{
    if (lua_type(L, -2) == LUA_TNUMBER)
        return false;
    if (!lua_istable(L, -1))
        return true;
    lua_pushliteral(L, "__gc");
    lua_rawget(L, -2);
    bool has_finalizer = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return has_finalizer;
}

/* Remove every pair of the table at index, but for those which keep wants kept. */
static void clear_table(lua_State *L, int index, bool (*keep)(lua_State *L))
{
    if (!lua_istable(L, index))
        return;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        bool kept = keep != NULL && keep(L);
        lua_pop(L, 1);
        if (kept)
            continue;
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, index);
    }
}

static int l_empty(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, LUA_REGISTRYINDEX);
    lua_getfield(L, 1, "_LOADED");
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    clear_table(L, 1, is_for_finalizers);
    clear_table(L, 2, NULL);
    clear_table(L, 3, NULL);
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
