/* bind/keep.c - bodies that Lua made, kept while they are being sent. See keep.h. */
#include "bind/keep.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "script/state.h"

/* The exchange holds its generation, and with it the Lua state, until the answer is out. */
struct kept_string {
    lua_State *L; /* the main one */
    int ref;
};

static void *keep_string(void *data)
{
    const struct string_keeper *keeper = data;
    lua_pushvalue(keeper->L, keeper->index);
    int ref = luaL_ref(keeper->L, LUA_REGISTRYINDEX);
    struct kept_string *kept = mem_alloc(sizeof(*kept));
    *kept = (struct kept_string){.L = keeper->x->generation->script->L, .ref = ref};
    return kept;
}

static void release_string(void *data)
{
    struct kept_string *kept = data;
    luaL_unref(kept->L, LUA_REGISTRYINDEX, kept->ref);
    free(kept);
}

void string_keeper_init(struct string_keeper *keeper, struct exchange *x, lua_State *L, int index)
{
    keeper->keeper = (struct keeper){keep_string, release_string, keeper};
    keeper->x = x;
    keeper->L = L;
    keeper->index = index;
}

static void *keep_scratch(void *data)
{
    struct generation *generation = data;
    struct buf *kept = mem_alloc(sizeof(*kept));
    *kept = generation->scratch;
    generation->scratch = (struct buf){0};
    return kept;
}

static void release_scratch(void *data)
{
    struct buf *kept = data;
    buf_clear(kept);
    free(kept);
}

void scratch_keeper_init(struct keeper *keeper, struct generation *generation)
{
    *keeper = (struct keeper){keep_scratch, release_scratch, generation};
}
