/* script/memory.c - a cap on what a Lua state holds. See memory.h. */
#include "script/memory.h"

#include <lauxlib.h>
#include <lua.h>

#include "base/log.h"
#include "script/state.h"

/* Growth within one resume that is nobody's fault: an eighth of the limit. */
#define HARMLESS_SHARE 8
/* Above the limit, for harmless tasks and for building the error: a quarter of it. */
#define HEADROOM_SHARE 4
/* What a task that was refused may still allocate at once: its error, its clean-up. */
#define RESERVE_PIECE 16384

/* May the running task have `more` bytes although the limit is passed? */
static bool may_exceed(const struct script *script, size_t more)
{
    if (script->used + more > script->limit + script->limit / HEADROOM_SHARE)
        return false;
    size_t growth = script->used > script->mark ? script->used - script->mark : 0;
    if (growth + more <= script->limit / HARMLESS_SHARE)
        return true;
    return script->refused && more <= RESERVE_PIECE;
}

static void *capped_alloc(void *ud, void *ptr, size_t osize, size_t nsize)
{
    struct script *script = ud;
    /* Outside of tasks our own C code pushes onto the stack: a failure there is a panic. */
    if (nsize > osize && script->limit != 0 && script->running != NULL &&
        script->used + (nsize - osize) > script->limit && !may_exceed(script, nsize - osize)) {
        script->refused = true;
        return NULL;
    }
    void *p = script->alloc(script->alloc_ud, ptr, osize, nsize);
    if (p != NULL || nsize == 0)
        script->used += nsize - osize;
    return p;
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

void memory_enter(struct script *script)
{
    script->mark = script->used;
    script->refused = false;
}

/* Collect fully; what is left is live. The next full collection waits until a quarter more is in
 * use, so that an app which keeps much does not collect for every request, and LuaJIT's own pace
 * is set so that its cycles end below the limit. */
static void collect(struct script *script)
{
    lua_gc(script->L, LUA_GCCOLLECT, 0);
    size_t live = script->used;
    size_t half = script->limit / 2;
    script->collect_at = live + live / 4 > half ? live + live / 4 : half;
    size_t pace = live == 0 ? 200 : script->limit / 4 * 3 / (live / 100 + 1);
    lua_gc(script->L, LUA_GCSETPAUSE, pace > 200 ? 200 : pace < 105 ? 105 : (int)pace);
    if (live > script->limit / 4 * 3 && !script->wants_replacement) {
        script->wants_replacement = true;
        log_write(script->log, LOG_WARNING,
                  "%zu MiB of Lua memory stay in use, near lua_memory_limit (%zu MiB); find what "
                  "the app keeps, or raise the limit",
                  live >> 20, script->limit >> 20);
    }
}

void memory_leave(struct script *script)
{
    if (script->limit != 0 && (script->used > script->collect_at || script->refused))
        collect(script);
}
