/* bind/app_session.c - sessions in a signed cookie, without Lua. See app_session.h. */
#include "bind/app_session.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/session.h"
#include "http/cookie.h"
#include "http/request.h"
#include "session/codec.h"
#include "session/cookie_session.h"

/* Buffers larger than this are given back at once. */
#define KEEP_MAX 16384

struct app_session {
    struct cookie_session *codec; /* belongs to the userdata that refs keeps alive */
    int refs;       /* a table: [1] the codec, [2] the list of former keys or nil ... */
    size_t nformer; /* ... and behind them those keys, as the codec has them */
    bool has_former;
    struct cookie cookie; /* what all of them have; the texts are in arena */
    struct slice tail;    /* what its line has behind the value while it is not permanent */
    int64_t lifetime;
    int64_t max_cookie; /* larger ones are Lua's, which warns; not above 0: none is */
    bool refresh;       /* a permanent one is set at every answer */
    struct arena arena;
    struct buf text; /* scratch: JSON, then the header's line */
    struct buf line;
};

void app_session_free(struct app_session *session)
{
    if (session == NULL)
        return;
    arena_clear(&session->arena);
    buf_clear(&session->text);
    buf_clear(&session->line);
    free(session);
}

/* ---- opening ----------------------------------------------------------------------------- */

/* Has somebody changed the list of former keys in place? (That another one is assigned is told.) */
static bool is_stale(lua_State *L, const struct app_session *session)
{
    if (!session->has_former)
        return false;
    lua_rawgeti(L, LUA_REGISTRYINDEX, session->refs);
    int refs = lua_gettop(L);
    lua_rawgeti(L, refs, 2);
    bool same = lua_objlen(L, refs + 1) == session->nformer;
    for (int i = 1; same && i <= (int)session->nformer; i++) {
        lua_rawgeti(L, refs + 1, i);
        lua_rawgeti(L, refs, i + 2);
        same = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    lua_settop(L, refs - 1);
    return !same;
}

/* The value of the request's session cookie; data NULL when it has none. */
static struct slice find_cookie(const struct app_session *session, struct request *req)
{
    struct fields cookies;
    fields_init(&cookies, &req->arena, false);
    for (uint32_t i = 0; i < req->headers.count; i++)
        if (req->headers.items[i].id == HEADER_COOKIE)
            cookie_parse(req->headers.items[i].value, &cookies);
    const struct field *found = fields_get(&cookies, session->cookie.name);
    return found == NULL ? slice_of(NULL, 0) : found->value;
}

/* Verify and unpack the request's cookie; *text borrows from the codec. Returns 0, or the code of
 * what is wrong: QLUA_EBADSIG also when there is none. */
static int open_text(const struct app_session *session, struct request *req, struct slice *text)
{
    struct slice value = find_cookie(session, req);
    if (value.data == NULL)
        return QLUA_EBADSIG;
    return cookie_session_open(session->codec, value, clock_seconds(), session->lifetime, text);
}

static bool is_untrusted(int rc)
{
    return rc == QLUA_EBADSIG || rc == QLUA_EEXPIRED;
}

/* Push the values of a text that open_text gave, or what is wrong with it. */
static int push_values(lua_State *L, struct slice text, struct arena *arena)
{
    struct err err; /* large: filled only when something is wrong */
    err.message[0] = '\0';
    /* the codec's memory can change while Lua allocates: a finalizer may use it */
    int rc = codec_decode(L, arena_dup(arena, text), &err);
    if (rc != 0)
        lua_pushstring(L, err.message);
    return rc;
}

/* core.session_open(handle) -> the values of the request's session, what is wrong with a cookie
 * that is signed well | nil (core.session_keep must be called anew) */
static int l_open(lua_State *L)
{
    struct exchange *x = check_exchange(L, 1);
    const struct app_session *session = x->generation->session;
    if (session == NULL || is_stale(L, session))
        return 0;
    struct slice text;
    lua_settop(L, 1);
    x->session = SESSION_OPEN;
    int rc = open_text(session, x->req, &text);
    if (rc == 0 && (rc = push_values(L, text, &x->req->arena)) == 0)
        return 1;
    lua_newtable(L);
    if (is_untrusted(rc))
        return 1;
    if (lua_gettop(L) == 2) /* no message of push_values below it */
        lua_pushstring(L, err_text(rc));
    else
        lua_insert(L, 2);
    return 2;
}

/* ---- saving ------------------------------------------------------------------------------ */

enum saving {
    SAVING_NOTHING,
    SAVING_VARY,   /* the answer depends on the cookie */
    SAVING_COOKIE, /* that too, and session->line is its Set-Cookie */
    SAVING_LUA     /* Lua must do it */
};

/* Is the field true? Raw: neither states nor values have metatables. */
static bool is_true(lua_State *L, int table, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, table);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* Write the line of a session to session->line. The value needs no quotes: it is base64 and dots.
 */
static int write_cookie(struct app_session *session, struct slice value, bool is_permanent,
                        int64_t now)
{
    struct buf *line = &session->line;
    struct cookie cookie = session->cookie;
    line->len = 0;
    if (!is_permanent) {
        buf_slice(line, cookie.name);
        buf_char(line, '=');
        buf_slice(line, value);
        buf_slice(line, session->tail);
        return 0;
    }
    cookie.value = value;
    cookie.has_expires = true;
    cookie.expires = now + session->lifetime;
    return cookie_write(line, &cookie, now, NULL);
}

/* Write session->line for the values at index; false: they cannot be, or Lua has something to say
 * of it. */
static bool write_line(struct app_session *session, lua_State *L, int values, bool is_permanent,
                       struct arena *arena)
{
    int64_t now = clock_seconds();
    session->text.len = 0;
    if (codec_encode(L, values, &session->text, NULL) != 0)
        return false;
    struct slice value = cookie_session_seal(session->codec, arena, buf_view(&session->text), now);
    if (write_cookie(session, value, is_permanent, now) != 0)
        return false;
    if (session->text.cap > KEEP_MAX)
        buf_clear(&session->text);
    return session->max_cookie <= 0 || (int64_t)session->line.len <= session->max_cookie;
}

/* What is to be said of a session with the values at index; save_cookie in
 * lua/qlua/session_interface.lua is the same in Lua. */
static enum saving save_values(struct app_session *session, lua_State *L, int values, bool accessed,
                               bool modified, struct arena *arena)
{
    lua_pushnil(L);
    if (!lua_next(L, values)) /* none: the cookie goes, if there may be one */
        return modified ? SAVING_LUA : accessed ? SAVING_VARY : SAVING_NOTHING;
    lua_pop(L, 2);
    bool is_permanent = is_true(L, values, "_permanent");
    if (!modified && !(is_permanent && session->refresh))
        return accessed ? SAVING_VARY : SAVING_NOTHING;
    return write_line(session, L, values, is_permanent, arena) ? SAVING_COOKIE : SAVING_LUA;
}

/* The same, of the state at index. */
static enum saving save_state(struct app_session *session, lua_State *L, int state,
                              struct arena *arena)
{
    bool accessed = is_true(L, state, "accessed");
    bool modified = is_true(L, state, "modified");
    lua_pushliteral(L, "values");
    lua_rawget(L, state);
    if (!lua_istable(L, -1))
        return SAVING_LUA;
    return save_values(session, L, lua_gettop(L), accessed, modified, arena);
}

/* May this JSON text have the key? Its name may be written with escapes. */
static bool may_be_permanent(struct slice text)
{
    return memmem(text.data, text.len, "_permanent", 10) != NULL ||
           memmem(text.data, text.len, "\\u00", 4) != NULL;
}

/* A session that nobody has touched: a permanent one is set again. */
static enum saving save_brought(struct app_session *session, lua_State *L, struct request *req)
{
    struct slice text;
    if (is_stale(L, session))
        return SAVING_LUA;
    int rc = open_text(session, req, &text);
    if (rc == 0 && !may_be_permanent(text))
        return SAVING_NOTHING;
    if (rc == 0)
        rc = push_values(L, text, &req->arena);
    if (rc != 0)
        return is_untrusted(rc) ? SAVING_NOTHING : SAVING_LUA;
    return save_values(session, L, lua_gettop(L), false, false, &req->arena);
}

/* A session that was opened here: its state is in the table of the request's context. */
static enum saving save_open(struct app_session *session, lua_State *L, struct exchange *x)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->context.ref);
    if (!lua_istable(L, -1))
        return SAVING_LUA;
    lua_pushliteral(L, "session");
    lua_rawget(L, -2);
    if (!lua_istable(L, -1))
        return SAVING_LUA;
    return save_state(session, L, lua_gettop(L), &x->req->arena);
}

bool app_session_save(struct exchange *x, lua_State *L, struct answer *answer,
                      struct fields *fields)
{
    struct app_session *session = x->generation->session;
    if (session == NULL) /* since the session was opened, an app has come that keeps it otherwise */
        return false;
    int top = lua_gettop(L);
    enum saving saving =
        x->session == SESSION_OPEN ? save_open(session, L, x) : save_brought(session, L, x->req);
    lua_settop(L, top);
    if (saving == SAVING_NOTHING || saving == SAVING_LUA)
        return saving == SAVING_NOTHING;
    if (answer->headers == NULL) {
        fields_init(fields, &x->req->arena, true);
        answer->headers = fields;
    } else if (fields_get_id(fields, HEADER_VARY) != NULL) {
        return false;
    }
    if (saving == SAVING_COOKIE)
        fields_add_id(fields, HEADER_SET_COOKIE, buf_view(&session->line));
    fields_add_id(fields, HEADER_VARY, SLICE("Cookie"));
    return true;
}

/* core.session_save(handle, state) -> the line for Set-Cookie or false, does the answer depend on
 * the cookie? | nil: the session interface must do it. Either way the core has no more to do with
 * this request's session. */
static int l_save(lua_State *L)
{
    struct exchange *x = check_exchange(L, 1);
    struct app_session *session = x->generation->session;
    luaL_checktype(L, 2, LUA_TTABLE);
    x->session = SESSION_SAVED;
    enum saving saving = SAVING_LUA;
    if (session != NULL)
        saving = save_state(session, L, 2, &x->req->arena);
    if (saving == SAVING_LUA)
        return 0;
    if (saving == SAVING_COOKIE)
        push_slice(L, buf_view(&session->line));
    else
        lua_pushboolean(L, 0);
    lua_pushboolean(L, saving != SAVING_NOTHING);
    return 2;
}

/* ---- what is kept ------------------------------------------------------------------------ */

/* The text of field `name` of the table at index 1, copied; data NULL when it is not a string. */
static struct slice copy_text(lua_State *L, const char *name, struct arena *arena)
{
    struct slice text = {NULL, 0};
    lua_getfield(L, 1, name);
    if (lua_type(L, -1) == LUA_TSTRING) {
        text.data = lua_tolstring(L, -1, &text.len);
        text = slice_of(arena_cstr(arena, text), text.len);
    }
    lua_pop(L, 1);
    return text;
}

/* The number in field `name` of the table at index 1, as far as it is a sensible one. */
static int64_t whole(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value < 0 ? -1 : value < 9e15 ? (int64_t)value : (int64_t)9e15;
}

/* Keep alive what the session uses: its codec, the list of former keys, and a copy of that. */
static void keep_refs(lua_State *L, struct app_session *session)
{
    lua_newtable(L);
    int refs = lua_gettop(L);
    lua_getfield(L, 1, "codec");
    lua_rawseti(L, refs, 1);
    lua_getfield(L, 1, "former");
    if (lua_istable(L, -1)) {
        session->has_former = true;
        session->nformer = lua_objlen(L, -1);
        for (int i = 1; i <= (int)session->nformer; i++) {
            lua_rawgeti(L, refs + 1, i);
            lua_rawseti(L, refs, i + 2);
        }
    }
    lua_rawseti(L, refs, 2);
    session->refs = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void forget(lua_State *L, struct generation *g)
{
    if (g->session != NULL)
        luaL_unref(L, LUA_REGISTRYINDEX, g->session->refs);
    app_session_free(g->session);
    g->session = NULL;
}

/* core.session_keep(options | nil) -> boolean: from now on the core opens and saves the sessions
 * of the served app, as these options say; nil: Lua does. False: with such a cookie Lua must.
 * { codec =, former = list of former keys?, name =, lifetime = seconds, max_cookie = bytes,
 *   refresh =, domain =, path =, samesite =, secure =, httponly =, partitioned = } */
static int l_keep(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g == NULL)
        return luaL_error(L, "no app is being served here");
    forget(L, g);
    if (lua_isnoneornil(L, 1))
        return 0;
    lua_settop(L, 1);
    lua_getfield(L, 1, "codec");
    struct cookie_session *codec = check_session_codec(L, 2);
    struct app_session *session = mem_zalloc(sizeof(*session));
    arena_init(&session->arena);
    session->refs = LUA_NOREF;
    session->codec = codec;
    g->session = session; /* its owner, whatever Lua raises */
    session->lifetime = whole(L, "lifetime");
    session->max_cookie = whole(L, "max_cookie");
    session->refresh = is_true(L, 1, "refresh");
    session->cookie = (struct cookie){
        .name = copy_text(L, "name", &session->arena),
        .domain = copy_text(L, "domain", &session->arena),
        .path = copy_text(L, "path", &session->arena),
        .samesite = copy_text(L, "samesite", &session->arena),
        .secure = is_true(L, 1, "secure"),
        .httponly = is_true(L, 1, "httponly"),
        .partitioned = is_true(L, 1, "partitioned"),
    };
    keep_refs(L, session);
    bool is_usable = cookie_write(&session->line, &session->cookie, 0, NULL) == 0;
    if (is_usable)
        session->tail = arena_dup(
            &session->arena, slice_from(buf_view(&session->line), session->cookie.name.len + 1));
    else
        forget(L, g);
    lua_pushboolean(L, is_usable);
    return 1;
}

static const luaL_Reg functions[] = {
    {"session_keep", l_keep},
    {"session_open", l_open},
    {"session_save", l_save},
    {NULL, NULL},
};

void bind_app_session(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
