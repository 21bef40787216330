/* bind/text.c - texts of HTTP for Lua: status pages, dates, escapes, media types, cookies. */
#include <lauxlib.h>
#include <lua.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/escape.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/multidict.h"
#include "crypto/digest.h"
#include "http/cookie.h"
#include "http/mime.h"
#include "http/status.h"
#include "route/quote.h"

static void clear_buf(void *data)
{
    buf_clear(data);
}

/* A buffer that the scratch arena it pushes gives back. */
static struct buf *push_buf(lua_State *L)
{
    struct arena *arena = push_scratch(L);
    struct buf *buf = arena_zalloc(arena, sizeof(*buf));
    arena_defer(arena, clear_buf, buf);
    return buf;
}

/* core.status_phrase(code) -> "Not Found", "" for a code without one */
static int l_status_phrase(lua_State *L)
{
    struct slice phrase = status_phrase((int)luaL_checkinteger(L, 1));
    return push_slice(L, slice_eq(phrase, SLICE("UNKNOWN")) ? SLICE("") : phrase);
}

/* core.status_description(code) -> text, "" for a code without one */
static int l_status_description(lua_State *L)
{
    return push_slice(L, status_description((int)luaL_checkinteger(L, 1)));
}

/* core.status_page(code, description?) -> the default page of an error */
static int l_status_page(lua_State *L)
{
    int code = (int)luaL_checkinteger(L, 1);
    struct slice description = opt_slice(L, 2, SLICE(""));
    struct buf *page = push_buf(L);
    status_page(page, code, description);
    return push_slice(L, buf_view(page));
}

/* core.http_date(seconds?) -> "Thu, 01 Jan 1970 00:00:00 GMT"; now without an argument */
static int l_http_date(lua_State *L)
{
    char date[CLOCK_DATE_LEN];
    int64_t seconds = lua_isnoneornil(L, 1) ? clock_seconds() : (int64_t)luaL_checknumber(L, 1);
    clock_http_date(seconds, date);
    return push_slice(L, slice_of(date, sizeof(date)));
}

/* core.parse_http_date(text) -> seconds since 1970 | nil */
static int l_parse_http_date(lua_State *L)
{
    int64_t seconds;
    if (clock_parse_http_date(check_slice(L, 1), clock_seconds(), &seconds) != 0)
        return 0;
    lua_pushnumber(L, (double)seconds);
    return 1;
}

/* core.escape_html(text) */
static int l_escape_html(lua_State *L)
{
    struct slice text = check_slice(L, 1);
    struct buf *out = push_buf(L);
    escape_html(out, text);
    return push_slice(L, buf_view(out));
}

/* core.quote_iri(url) -> the URL with what may not stand in one percent-encoded */
static int l_quote_iri(lua_State *L)
{
    struct slice url = check_slice(L, 1);
    struct buf *out = push_buf(L);
    escape_url(out, url, SLICE("%!#$&'()*+,/:;=?@[]"));
    return push_slice(L, buf_view(out));
}

/* core.quote_anchor(text) -> what follows the # of a URL */
static int l_quote_anchor(lua_State *L)
{
    struct slice text = check_slice(L, 1);
    struct buf *out = push_buf(L);
    route_quote_anchor(out, text);
    return push_slice(L, buf_view(out));
}

/* core.quote_parameter(text) -> as filename*=UTF-8''... has it (RFC 8187 3.2.1) */
static int l_quote_parameter(lua_State *L)
{
    struct slice text = check_slice(L, 1);
    struct buf *out = push_buf(L);
    escape_url(out, text, SLICE("!#$&+^`|"));
    return push_slice(L, buf_view(out));
}

/* core.mime_type(filename) -> type | nil */
static int l_mime_type(lua_State *L)
{
    struct slice type = mime_type_of(check_slice(L, 1));
    return type.len == 0 ? 0 : push_slice(L, type);
}

/* core.mime_wants_charset(mimetype) -> boolean */
static int l_mime_wants_charset(lua_State *L)
{
    lua_pushboolean(L, mime_wants_charset(check_slice(L, 1)));
    return 1;
}

/* core.is_headers(value) -> boolean: a Headers object, request.headers too */
static int l_is_headers(lua_State *L)
{
    lua_pushboolean(L, headers_fields(L, 1) != NULL);
    return 1;
}

/* The text of field `name` of the options at index 3; data NULL when it is not a string. The
 * table keeps it alive. */
static struct slice option_slice(lua_State *L, const char *name)
{
    struct slice s = {NULL, 0};
    lua_getfield(L, 3, name);
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    lua_pop(L, 1);
    return s;
}

static bool option_bool(lua_State *L, const char *name)
{
    lua_getfield(L, 3, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static bool option_seconds(lua_State *L, const char *name, int64_t *seconds)
{
    lua_getfield(L, 3, name);
    bool given = lua_isnumber(L, -1);
    if (given)
        *seconds = (int64_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    return given;
}

/* core.cookie_write(name, value, options) -> the text of Set-Cookie | nil, message; options as of
 * response:set_cookie, path "/" when it is nil */
static int l_cookie_write(lua_State *L)
{
    struct cookie cookie = {.name = check_slice(L, 1), .value = check_slice(L, 2)};
    luaL_checktype(L, 3, LUA_TTABLE);
    cookie.domain = option_slice(L, "domain");
    cookie.path = option_slice(L, "path");
    cookie.samesite = option_slice(L, "samesite");
    cookie.secure = option_bool(L, "secure");
    cookie.httponly = option_bool(L, "httponly");
    cookie.partitioned = option_bool(L, "partitioned");
    cookie.has_max_age = option_seconds(L, "max_age", &cookie.max_age);
    cookie.has_expires = option_seconds(L, "expires", &cookie.expires);
    lua_getfield(L, 3, "path");
    if (lua_isnil(L, -1))
        cookie.path = SLICE("/");
    struct buf *out = push_buf(L);
    struct err err = {0};
    if (cookie_write(out, &cookie, clock_seconds(), &err) != 0) {
        lua_pushnil(L);
        lua_pushstring(L, err.message);
        return 2;
    }
    return push_slice(L, buf_view(out));
}

/* core.md5(text) -> its checksum in hex | nil, message, code */
static int l_md5(lua_State *L)
{
    char hex[DIGEST_MD5_HEX];
    int rc = digest_md5_hex(check_slice(L, 1), hex);
    if (rc != 0)
        return push_failure(L, rc);
    return push_slice(L, slice_of(hex, sizeof(hex)));
}

static const luaL_Reg functions[] = {
    {"md5", l_md5},
    {"status_phrase", l_status_phrase},
    {"status_description", l_status_description},
    {"status_page", l_status_page},
    {"http_date", l_http_date},
    {"parse_http_date", l_parse_http_date},
    {"escape_html", l_escape_html},
    {"quote_iri", l_quote_iri},
    {"quote_anchor", l_quote_anchor},
    {"quote_parameter", l_quote_parameter},
    {"mime_type", l_mime_type},
    {"mime_wants_charset", l_mime_wants_charset},
    {"is_headers", l_is_headers},
    {"cookie_write", l_cookie_write},
    {NULL, NULL},
};

void bind_text(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
