/* bind/token.c - the payloads of url-safe tokens, which are packed as those of sessions are, and
 * their time: core.token_pack, core.token_unpack, core.token_time. */
#include <lauxlib.h>
#include <lua.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "session/codec.h"

#define CODEC "qlua.token_codec"

/* What the payload of a token may be inflated to: it is signed, but a mistake is possible. */
#define TOKEN_TEXT_MAX (16u << 20)

/* The codec of this Lua state: the upvalue, made when first needed. */
static struct codec *codec_of(lua_State *L)
{
    struct codec **codec = lua_touserdata(L, lua_upvalueindex(1));
    if (*codec == NULL)
        *codec = codec_new(TOKEN_TEXT_MAX);
    return *codec;
}

static int l_codec_gc(lua_State *L)
{
    struct codec **codec = luaL_checkudata(L, 1, CODEC);
    codec_free(*codec);
    *codec = NULL;
    return 0;
}

static void clear_buf(void *data)
{
    buf_clear(data);
}

/* core.token_pack(text) -> payload: deflated when that saves bytes, as url-safe base64 */
static int l_pack(lua_State *L)
{
    struct slice text = check_slice(L, 1);
    struct arena *arena = push_scratch(L);
    struct buf *out = arena_zalloc(arena, sizeof(*out));
    arena_defer(arena, clear_buf, out);
    codec_pack(codec_of(L), text, out);
    push_slice(L, buf_view(out));
    arena_clear(arena);
    return 1;
}

/* core.token_unpack(payload) -> text | nil, message, code */
static int l_unpack(lua_State *L)
{
    struct slice text;
    int rc = codec_unpack(codec_of(L), check_slice(L, 1), &text);
    return rc == 0 ? push_slice(L, text) : push_failure(L, rc);
}

/* core.token_time() -> seconds since 1970, as whoever else signs has them (base/clock.h) */
static int l_time(lua_State *L)
{
    lua_pushnumber(L, (double)clock_seconds());
    return 1;
}

void bind_token(lua_State *L)
{
    lua_pushcfunction(L, l_time);
    lua_setfield(L, -2, "token_time");
    /* one codec for both functions */
    struct codec **codec = lua_newuserdata(L, sizeof(struct codec *));
    *codec = NULL;
    if (luaL_newmetatable(L, CODEC)) {
        lua_pushcfunction(L, l_codec_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, l_pack, 1);
    lua_setfield(L, -3, "token_pack");
    lua_pushcclosure(L, l_unpack, 1);
    lua_setfield(L, -2, "token_unpack");
}
