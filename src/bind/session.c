/* bind/session.c - the room session/ as Lua sees it: core.session_codec and what tells the core
 * which requests bring a session. */
#include "bind/session.h"

#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "crypto/random.h"
#include "session/codec.h"
#include "session/cookie_session.h"
#include "value/marker.h"

#define CODEC "qlua.session_codec"

/* What a cookie's text may be inflated to, unless the app says otherwise. */
#define MAX_TEXT 65536

#define KEYS_MAX 64

struct lua_codec {
    struct cookie_session *session;
};

struct cookie_session *check_session_codec(lua_State *L, int index)
{
    struct lua_codec *codec = luaL_checkudata(L, index, CODEC);
    luaL_argcheck(L, codec->session != NULL, index, "the codec is closed");
    return codec->session;
}

static void clear_buf(void *data)
{
    buf_clear(data);
}

/* The text of field `name` of the options at index 1; `otherwise` when it is absent. The table
 * keeps it alive. */
static struct slice option_slice(lua_State *L, const char *name, struct slice otherwise)
{
    struct slice s = otherwise;
    lua_getfield(L, 1, name);
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    lua_pop(L, 1);
    return s;
}

static enum signer_derivation check_derivation(lua_State *L)
{
    static const struct {
        struct slice name;
        enum signer_derivation derivation;
    } known[] = {
        {{"hmac", 4}, SIGNER_HMAC},
        {{"concat", 6}, SIGNER_CONCAT},
        {{"django-concat", 13}, SIGNER_DJANGO_CONCAT},
        {{"none", 4}, SIGNER_NONE},
    };
    struct slice name = option_slice(L, "key_derivation", SLICE("hmac"));
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_eq(known[i].name, name))
            return known[i].derivation;
    luaL_error(L,
               "key_derivation \"%s\" is unknown; there are hmac, concat, django-concat and none",
               name.data);
    return SIGNER_HMAC;
}

/* The array part of options.keys; the table keeps the strings alive. */
static size_t read_keys(lua_State *L, struct slice *keys)
{
    lua_getfield(L, 1, "keys");
    luaL_checktype(L, -1, LUA_TTABLE);
    size_t count = lua_objlen(L, -1);
    if (count == 0 || count > KEYS_MAX)
        luaL_error(L, "a session needs 1 to %d keys", KEYS_MAX);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "the keys of a session must be strings");
        keys[i].data = lua_tolstring(L, -1, &keys[i].len);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return count;
}

/* core.session_codec { keys = { oldest, ..., newest }, salt?, digest?, key_derivation?, max_text? }
 * -> codec */
static int l_session_codec(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct slice keys[KEYS_MAX];
    struct signer_options options = {.keys = keys, .nkeys = read_keys(L, keys)};
    options.salt = option_slice(L, "salt", SLICE("cookie-session"));
    options.derivation = check_derivation(L);
    struct slice digest = option_slice(L, "digest", SLICE("sha1"));
    if (digest_by_name(digest, &options.digest) != 0)
        return luaL_error(L, "digest \"%s\" is unknown; there are sha1, sha256, sha384 and sha512",
                          digest.data);
    lua_getfield(L, 1, "max_text");
    size_t max_text = lua_isnil(L, -1) ? MAX_TEXT : (size_t)lua_tonumber(L, -1);
    struct lua_codec *codec = lua_newuserdata(L, sizeof(*codec));
    codec->session = NULL;
    set_metatable(L, CODEC);
    codec->session = cookie_session_new(&options, max_text);
    return 1;
}

static int l_codec_gc(lua_State *L)
{
    struct lua_codec *codec = luaL_checkudata(L, 1, CODEC);
    cookie_session_free(codec->session);
    codec->session = NULL;
    return 0;
}

static int64_t opt_now(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? clock_seconds() : (int64_t)luaL_checknumber(L, index);
}

/* codec:load(value, max_age?, now?) -> values | nil, message, code */
static int l_load(lua_State *L)
{
    struct cookie_session *session = check_session_codec(L, 1);
    struct slice value = check_slice(L, 2);
    int64_t max_age = (int64_t)luaL_optnumber(L, 3, SIGNER_ANY_AGE);
    struct slice text;
    int rc = cookie_session_open(session, value, opt_now(L, 4), max_age, &text);
    if (rc != 0)
        return push_failure(L, rc);
    push_slice(L, text); /* the codec's memory can change while Lua allocates */
    text.data = lua_tolstring(L, -1, &text.len);
    struct err err = {0};
    rc = codec_decode(L, text, &err);
    if (rc == 0)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    lua_pushinteger(L, rc);
    return 3;
}

/* codec:dump(values, now?) -> value | nil, message */
static int l_dump(lua_State *L)
{
    struct cookie_session *session = check_session_codec(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    int64_t now = opt_now(L, 3);
    struct arena *arena = push_scratch(L);
    struct buf *text = arena_zalloc(arena, sizeof(*text));
    struct err err = {0};
    arena_defer(arena, clear_buf, text);
    if (codec_encode(L, 2, text, &err) == 0) {
        push_slice(L, cookie_session_seal(session, arena, buf_view(text), now));
        arena_clear(arena);
        return 1;
    }
    arena_clear(arena);
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    return 2;
}

/* core.session_unpack(payload) -> the JSON text of a cookie's payload | nil, message, code */
static int l_session_unpack(lua_State *L)
{
    struct slice payload = check_slice(L, 1);
    struct codec *codec = codec_new(MAX_TEXT);
    struct slice text;
    struct arena *arena = push_scratch(L);
    int rc = codec_unpack(codec, payload, &text);
    if (rc == 0)
        text = arena_dup(arena, text);
    codec_free(codec);
    return rc != 0 ? push_failure(L, rc) : push_slice(L, text);
}

/* core.session_encode(values) -> JSON text | nil, message */
static int l_session_encode(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct arena *arena = push_scratch(L);
    struct buf *text = arena_zalloc(arena, sizeof(*text));
    struct err err = {0};
    arena_defer(arena, clear_buf, text);
    int rc = codec_encode(L, 1, text, &err);
    if (rc == 0)
        push_slice(L, buf_view(text));
    arena_clear(arena);
    if (rc == 0)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    return 2;
}

/* core.session_decode(text) -> values | nil, message */
static int l_session_decode(lua_State *L)
{
    struct err err = {0};
    if (codec_decode(L, check_slice(L, 1), &err) == 0)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    return 2;
}

/* core.random_token(bytes) -> url-safe base64 of so many random bytes */
static int l_random_token(lua_State *L)
{
    int bytes = luaL_checkint(L, 1);
    luaL_argcheck(L, bytes > 0 && bytes <= 1024, 1, "1 to 1024 bytes");
    struct arena *arena = push_scratch(L);
    push_slice(L, random_token(arena, (size_t)bytes));
    arena_clear(arena);
    return 1;
}

/* core.session_cookie(which): the answers to requests that bring a cookie of this name pass
 * through Lua; true: those to all requests, false: to none. */
static int l_session_cookie(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g == NULL)
        return luaL_error(L, "no app is being served here");
    free(g->session_cookie);
    g->session_cookie = lua_type(L, 1) == LUA_TSTRING ? mem_strdup(lua_tostring(L, 1)) : NULL;
    g->sessions_always = lua_type(L, 1) == LUA_TBOOLEAN && lua_toboolean(L, 1);
    return 0;
}

/* core.brings_session() -> boolean: is the running request one of those? */
static int l_brings_session(lua_State *L)
{
    const struct exchange *x = exchange_current(L);
    lua_pushboolean(L, x != NULL && exchange_brings_session(x));
    return 1;
}

static const luaL_Reg methods[] = {
    {"load", l_load},
    {"dump", l_dump},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"session_codec", l_session_codec},   {"session_unpack", l_session_unpack},
    {"session_encode", l_session_encode}, {"session_decode", l_session_decode},
    {"random_token", l_random_token},     {"session_cookie", l_session_cookie},
    {"brings_session", l_brings_session}, {NULL, NULL},
};

void bind_session(lua_State *L)
{
    luaL_register(L, NULL, functions);
    make_class(L, CODEC, methods, l_codec_gc);
}
