/* script/memory.c - a cap on what a Lua state holds. See memory.h. */
#include "script/memory.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <unwind.h>

#include "base/log.h"
#include "script/call.h"
#include "script/slice.h"
#include "script/state.h"
#include "script/task.h"

/* Growth of the heap in one task's hands that is nobody's fault: an eighth of the limit. */
#define HARMLESS_SHARE 8
/* Above the limit, for harmless tasks and for building the error: a quarter of it. */
#define HEADROOM_SHARE 4
/* What a task that was refused may still allocate: pieces of this size, a sixteenth in all. */
#define RESERVE_PIECE 16384
#define RESERVE_SHARE 16

/* By how much the heap has grown while the task ran, over all its resumes. */
static size_t growth_of(const struct script *script, const struct task *task)
{
    size_t before = script->mark > task->grown ? script->mark - task->grown : 0;
    return script->used > before ? script->used - before : 0;
}

/* May the running task have `more` bytes although the limit is passed? */
static bool may_exceed(struct script *script, size_t more)
{
    size_t most = script->limit + script->limit / HEADROOM_SHARE;
    if (script->used + more <= most &&
        growth_of(script, script->running) + more <= script->limit / HARMLESS_SHARE)
        return true;
    /* Its error, its clean-up, and who answers for it while its frames still hold what it had:
     * wherever the heap stands. */
    bool has_reserve = script->refused || script->finishing > 0;
    if (!has_reserve || more > RESERVE_PIECE || more > script->reserve)
        return false;
    script->reserve -= more;
    return true;
}

/* ---- refusing ---- */

static _Unwind_Reason_Code look_at_frame(struct _Unwind_Context *context, void *data)
{
    bool *is_outside = data;
    Dl_info info;
    void *place = (void *)_Unwind_GetIP(context);
    if (place == NULL || dladdr(place, &info) != 0)
        return _URC_NO_REASON;
    *is_outside = true;
    return _URC_NORMAL_STOP;
}

/* Was the allocator called by a compiled trace? Machine code of traces belongs to no object file.
 * LuaJIT may crash when an allocation fails there: it looks at a frame which traces do not keep
 * up to date (lj_err_mem of 2.1, seen with string.rep and a table in a loop). */
static bool is_in_trace(void)
{
    bool is_outside = false;
    _Unwind_Backtrace(look_at_frame, &is_outside);
    return is_outside;
}

static void unhook(struct script *script)
{
    lua_sethook(script->L, NULL, 0, 0);
    script->hooked = false;
    slice_hook(script);
}

/* The trace has been left: the error that the allocator could not raise. */
static void on_hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    struct script *script = script_of(L);
    unhook(script);
    if (script->running == NULL)
        return;
    script->running->overdrawn = false;
    script->refused = true;
    lua_pushliteral(L, "not enough memory"); /* LuaJIT's own words */
    lua_error(L);
}

static void hook(struct script *script)
{
    lua_sethook(script->L, on_hook, LUA_MASKCOUNT, 1);
    script->hooked = true;
}

/* An allocation that the running task may not have. False: it gets it, because it cannot be
 * refused here; the error comes with the next instruction that is interpreted, which the
 * collector's steps in the trace bring about. */
static bool refuse(struct script *script, size_t more)
{
    script->refused = script->collect_soon = true;
    if (is_in_trace() && script->used + more <= script->limit * 2) {
        script->running->overdrawn = true; /* it may wait before it is interpreted */
        hook(script);
        return false;
    }
    script->running->overdrawn = false;
    if (script->hooked)
        unhook(script);
    return true;
}

static void *capped_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct script *script = ud;
    /* Outside of tasks our own C code pushes onto the stack: a failure there is a panic. */
    if (nsize > osize && script->limit != 0 && script->running != NULL &&
        script->used + (nsize - osize) > script->limit && !may_exceed(script, nsize - osize) &&
        refuse(script, nsize - osize))
        return NULL;
    void *p = script->alloc(script->alloc_ud, ptr, osize, nsize);
    if (p != NULL || nsize == 0)
        script->used += nsize - osize;
    return p;
}

/* Refuses once. */
static void *refusing_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct script *script = ud;
    if (nsize <= osize)
        return capped_alloc(ud, ptr, osize, nsize);
    lua_setallocf(script->L, capped_alloc, script);
    return NULL;
}

void memory_raise(lua_State *L)
{
    lua_setallocf(L, refusing_alloc, script_of(L));
    lua_newuserdata(L, 1);
}

void memory_install(struct script *script, size_t limit)
{
    script->alloc = lua_getallocf(script->L, &script->alloc_ud);
    script->used = (size_t)lua_gc(script->L, LUA_GCCOUNT, 0) * 1024 +
                   (size_t)lua_gc(script->L, LUA_GCCOUNTB, 0);
    script->limit = limit;
    script->collect_at = limit / 2;
    lua_setallocf(script->L, capped_alloc, script);
}

void memory_remove(struct script *script)
{
    lua_setallocf(script->L, script->alloc, script->alloc_ud);
}

void memory_enter(struct script *script, const struct task *task)
{
    script->mark = script->used;
    script->refused = false;
    script->reserve = script->limit / RESERVE_SHARE;
    if (task->overdrawn)
        hook(script);
}

static int l_collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

/* In use above this: collect again. A quarter more than is live, so that an app which keeps much
 * does not collect for every request; less when that would eat up the head-room. */
static size_t next_collection(const struct script *script, size_t live)
{
    size_t limit = script->limit;
    if (live + live / 4 < limit / 2)
        return limit / 2;
    return live + live / 4 < limit || live < limit / 2 ? live + live / 4 : live + limit / 16;
}

/* Collect fully; what is left is live. LuaJIT's own pace is set so that its cycles end below the
 * limit. */
static void collect(struct script *script)
{
    /* Protected: a finalizer of the user's may raise. */
    if (lua_cpcall(script->L, l_collect, NULL) != 0) {
        push_error_text(script->L, -1);
        log_trace(script->log, lua_tostring(script->L, -1), "Exception in a finalizer (__gc)");
        lua_pop(script->L, 2);
    }
    script->collect_soon = false;
    size_t live = script->used;
    script->collect_at = next_collection(script, live);
    /* Garbage counts as growth too: tasks that live long must not be blamed for all of it. */
    for (struct list *node = script->live.next; node != &script->live; node = node->next)
        LIST_ENTRY(node, struct task, node)->grown /= 2;
    size_t pace = live == 0 ? 200 : script->limit / 4 * 3 / (live / 100 + 1);
    lua_gc(script->L, LUA_GCSETPAUSE, pace > 200 ? 200 : pace < 105 ? 105 : (int)pace);
    /* While a task is being finished, what it held still counts. */
    if (live > script->limit / 4 * 3 && !script->wants_replacement && script->finishing == 0) {
        script->wants_replacement = true;
        log_write(script->log, LOG_WARNING,
                  "%zu MiB of Lua memory stay in use, near lua_memory_limit (%zu MiB); find what "
                  "the app keeps, or raise the limit",
                  live >> 20, script->limit >> 20);
    }
}

void memory_pause(struct script *script, struct task *task)
{
    task->grown = growth_of(script, task);
}

void memory_leave(struct script *script)
{
    if (script->hooked)
        unhook(script);
    bool much = script->limit != 0 && (script->used > script->collect_at || script->collect_soon);
    if (much)
        collect(script);
}
