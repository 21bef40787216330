/* bind/signer.c - crypto/signer as Lua sees it: core.signer. */
#include <lauxlib.h>
#include <lua.h>

#include "base/arena.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "crypto/signer.h"

#define SIGNER "qlua.signer"
#define CODEC  "qlua.token_codec"

static const struct signer *check_signer(lua_State *L)
{
    struct signer **signer = luaL_checkudata(L, 1, SIGNER);
    luaL_argcheck(L, *signer != NULL, 1, "closed");
    return *signer;
}

/* The strings of the list at index: borrowed from it. */
static struct slice *check_keys(lua_State *L, int index, struct arena *arena, size_t *count)
{
    luaL_checktype(L, index, LUA_TTABLE);
    *count = lua_objlen(L, index);
    luaL_argcheck(L, *count > 0, index, "no key");
    struct slice *keys = arena_array(arena, *count, sizeof(*keys));
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "a key is no string");
        keys[i].data = lua_tolstring(L, -1, &keys[i].len);
        lua_pop(L, 1);
    }
    return keys;
}

/* core.signer(keys, salt, derivation, digest, separator) -> qlua.signer
 * keys: oldest first, the last signs; derivation and digest by name */
static int l_signer(lua_State *L)
{
    static const char *const derivations[] = {"hmac", "concat", "django-concat", "none", NULL};
    struct signer_options options = {
        .salt = check_slice(L, 2),
        .derivation = (enum signer_derivation)luaL_checkoption(L, 3, NULL, derivations),
        .separator = check_slice(L, 5),
    };
    if (digest_by_name(check_slice(L, 4), &options.digest) != 0)
        return luaL_argerror(L, 4, "unknown digest");
    struct arena *arena = push_scratch(L);
    options.keys = check_keys(L, 1, arena, &options.nkeys);
    struct signer **signer = lua_newuserdata(L, sizeof(struct signer *));
    *signer = NULL;
    set_metatable(L, SIGNER);
    *signer = signer_new(&options);
    arena_clear(arena);
    return 1;
}

static int l_gc(lua_State *L)
{
    struct signer **signer = luaL_checkudata(L, 1, SIGNER);
    signer_free(*signer);
    *signer = NULL;
    return 0;
}

/* signer:seal(text) -> token without a time */
static int l_seal(lua_State *L)
{
    const struct signer *signer = check_signer(L);
    struct slice text = check_slice(L, 2);
    struct arena *arena = push_scratch(L);
    push_slice(L, signer_seal(signer, arena, text));
    arena_clear(arena);
    return 1;
}

/* signer:sign(payload, seconds) -> token with that time */
static int l_sign(lua_State *L)
{
    const struct signer *signer = check_signer(L);
    struct slice payload = check_slice(L, 2);
    lua_Number now = luaL_checknumber(L, 3);
    luaL_argcheck(L, now >= 0 && now < 9e15, 3, "no time");
    struct arena *arena = push_scratch(L);
    push_slice(L, signer_sign(signer, arena, payload, (int64_t)now));
    arena_clear(arena);
    return 1;
}

/* signer:open(token) -> is the mac good, text | nil, mac | nil (nil without a separator) */
static int l_open(lua_State *L)
{
    const struct signer *signer = check_signer(L);
    struct slice token = check_slice(L, 2), text, mac;
    lua_pushboolean(L, signer_open(signer, token, &text, &mac) == 0);
    push_slice_or_nil(L, text);
    push_slice_or_nil(L, mac);
    return 3;
}

/* signer:part(text) -> payload | nil (no separator), seconds | nil (no time) */
static int l_part(lua_State *L)
{
    const struct signer *signer = check_signer(L);
    struct slice payload = {NULL, 0};
    int64_t time = 0;
    int rc = signer_part(signer, check_slice(L, 2), &payload, &time);
    push_slice_or_nil(L, payload);
    if (rc == 0)
        lua_pushnumber(L, (lua_Number)time);
    return rc == 0 ? 2 : 1;
}

static const luaL_Reg methods[] = {
    {"seal", l_seal}, {"sign", l_sign}, {"open", l_open}, {"part", l_part}, {NULL, NULL},
};

void bind_signer(lua_State *L)
{
    make_class(L, SIGNER, methods, l_gc);
    lua_pushcfunction(L, l_signer);
    lua_setfield(L, -2, "signer");
}
