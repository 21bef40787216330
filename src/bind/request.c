/* bind/request.c - what a request says, as Lua asks for it: core.request_*.
 *
 * Place in the flow: lua/qlua/request.lua calls these to fill a missing field; each takes the
 * handle (bind/handle.h) first. What a parser makes lies in the request's arena until it is
 * copied to Lua.
 */
#include <lauxlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/handle.h"
#include "bind/multidict.h"
#include "crypto/base64.h"
#include "http/cookie.h"
#include "http/query.h"
#include "http/request.h"
#include "http/request_id.h"
#include "http/url.h"
#include "value/marker.h"

/* ---- the request line ---- */

/* core.request_method(handle) -> "GET" */
static int l_method(lua_State *L)
{
    return push_slice(L, method_name(request_method(check_handle(L, 1))));
}

/* core.request_path(handle) -> decoded path */
static int l_path(lua_State *L)
{
    return push_slice(L, check_handle(L, 1)->target.path);
}

/* core.request_raw_path(handle) -> path as received */
static int l_raw_path(lua_State *L)
{
    return push_slice(L, check_handle(L, 1)->target.raw_path);
}

/* core.request_query(handle) -> query as received */
static int l_query(lua_State *L)
{
    return push_slice(L, check_handle(L, 1)->target.query);
}

/* core.request_http_version(handle) -> "1.1" */
static int l_http_version(lua_State *L)
{
    lua_pushstring(L, check_handle(L, 1)->http_minor == 0 ? "1.0" : "1.1");
    return 1;
}

/* core.request_id(handle) -> the request's name in logs */
static int l_id(lua_State *L)
{
    return push_slice(L, request_id(check_handle(L, 1)));
}

/* core.request_scheme(handle) -> "http" */
static int l_scheme(lua_State *L)
{
    return push_slice(L, request_scheme(check_handle(L, 1)));
}

/* core.request_root_path(handle) -> where the app is mounted, "" or "/prefix" */
static int l_root_path(lua_State *L)
{
    return push_slice(L, check_handle(L, 1)->root_path);
}

/* core.request_host(handle) -> Host without the scheme's own port; "" when there is none */
static int l_host(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    return push_slice(L, host_without_default_port(req->host, request_is_secure(req)));
}

/* core.request_iri(handle) -> path, query: as they stand in request.url */
static int l_iri(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    push_slice(L, url_iri(&req->arena, req->target.path, URL_PATH));
    push_slice(L, url_iri(&req->arena, req->target.query, URL_QUERY));
    return 2;
}

/* core.request_args(handle) -> MultiDict */
static int l_args(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    struct fields args;
    fields_init(&args, &req->arena, false);
    query_parse(req->target.query, &args, UINT32_MAX); /* bounded by max_target_size */
    multidict_push(L, MULTIDICT_ARGS, &args);
    return 1;
}

/* ---- headers ---- */

/* core.request_header(handle, name) -> first value or nil */
static int l_header(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    const struct field *field = fields_get(&req->headers, check_slice(L, 2));
    return push_slice_or_nil(L, field == NULL ? slice_of(NULL, 0) : field->value);
}

/* core.request_header_all(handle, name) -> all values, joined by ", ", or nil */
static int l_header_all(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    struct slice name = check_slice(L, 2);
    const struct field *field = fields_next(&req->headers, NULL, name);
    if (field == NULL)
        return 0;
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    luaL_addlstring(&buffer, field->value.data, field->value.len);
    while ((field = fields_next(&req->headers, field, name)) != NULL) {
        luaL_addstring(&buffer, ", ");
        luaL_addlstring(&buffer, field->value.data, field->value.len);
    }
    luaL_pushresult(&buffer);
    return 1;
}

/* core.request_date(handle, name) -> seconds since 1970, or nil when absent or no date */
static int l_date(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    const struct field *field = fields_get(&req->headers, check_slice(L, 2));
    int64_t seconds;
    if (field == NULL || clock_parse_http_date(field->value, clock_seconds(), &seconds) != 0)
        return 0;
    lua_pushnumber(L, (lua_Number)seconds);
    return 1;
}

/* Each word's first letter in upper case, as Python's title(): the names an app sees do not
 * depend on how the client writes them. */
static struct slice title_case(struct arena *arena, struct slice name)
{
    char *text = arena_alloc(arena, name.len);
    bool in_word = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.data[i]);
        bool is_letter = c >= 'a' && c <= 'z';
        text[i] = is_letter && !in_word ? (char)(c & ~0x20) : c;
        in_word = is_letter;
    }
    return slice_of(text, name.len);
}

static struct slice peer_of(struct request *req)
{
    int port;
    struct slice peer = request_peer(req, &port);
    return peer.len > 0 ? peer : SLICE("<local>");
}

/* core.request_headers(handle) -> Headers that cannot be changed; Remote-Addr first, as in Quart */
static int l_headers(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    struct fields headers;
    fields_init(&headers, &req->arena, true);
    fields_add(&headers, SLICE("Remote-Addr"), peer_of(req));
    for (uint32_t i = 0; i < req->headers.count; i++) {
        const struct field *field = &req->headers.items[i];
        fields_add(&headers, title_case(&req->arena, field->name), field->value);
    }
    multidict_push(L, MULTIDICT_REQUEST_HEADERS, &headers);
    return 1;
}

/* core.request_headers_copy(handle) -> Headers of what the client sent, to be changed */
static int l_headers_copy(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    headers_push(L);
    for (uint32_t i = 0; i < req->headers.count; i++) {
        const struct field *field = &req->headers.items[i];
        headers_add(L, -1, title_case(&req->arena, field->name), field->value);
    }
    return 1;
}

/* core.request_cookies(handle) -> MultiDict */
static int l_cookies(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    struct fields cookies;
    fields_init(&cookies, &req->arena, false);
    for (uint32_t i = 0; i < req->headers.count; i++)
        if (req->headers.items[i].id == HEADER_COOKIE)
            cookie_parse(req->headers.items[i].value, &cookies);
    multidict_push(L, MULTIDICT_COOKIES, &cookies);
    return 1;
}

/* core.request_mimetype(handle) -> media type in lower case, "" when there is none */
static int l_mimetype(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    const struct field *field = fields_get_id(&req->headers, HEADER_CONTENT_TYPE);
    return push_slice(L, field == NULL ? SLICE("") : header_mimetype(field->value, &req->arena));
}

/* core.request_content_length(handle) -> number or nil */
static int l_content_length(lua_State *L)
{
    int64_t length = fields_content_length(&check_handle(L, 1)->headers);
    if (length < 0)
        return 0;
    lua_pushnumber(L, (lua_Number)length);
    return 1;
}

/* The credentials of "Basic": base64 of "username:password" in UTF-8 (RFC 7617). Pushes both; 0
 * when they are not that. */
static int push_basic(lua_State *L, struct request *req, struct slice text)
{
    struct slice pair = {arena_alloc(&req->arena, BASE64_DECODED_MAX(text.len)), 0};
    if (base64_decode(text, (char *)(uintptr_t)pair.data, &pair.len) != 0 || !utf8_is_valid(pair))
        return 0;
    lua_pushliteral(L, "basic");
    push_slice(L, slice_split(&pair, ':'));
    push_slice(L, pair);
    return 3;
}

/* core.request_authorization(handle) -> scheme, username, password | scheme, nil, nil, rest | nil
 */
static int l_authorization(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    const struct field *field = fields_get_id(&req->headers, HEADER_AUTHORIZATION);
    if (field == NULL)
        return 0;
    struct slice rest = slice_trim(field->value);
    struct slice scheme = slice_split(&rest, ' ');
    rest = slice_trim(rest);
    if (slice_eq_nocase(scheme, SLICE("basic")))
        return push_basic(L, req, rest);
    push_slice(L, header_mimetype(scheme, &req->arena)); /* lower case */
    lua_pushnil(L);
    lua_pushnil(L);
    push_slice(L, rest);
    return 4;
}

/* core.header_list(text) -> list of the elements of a comma-separated value */
static int l_header_list(lua_State *L)
{
    struct slice text = check_slice(L, 1);
    struct slice element;
    int n = 0;
    lua_newtable(L);
    while (header_list_next(&text, &element)) {
        push_slice(L, element);
        lua_rawseti(L, -2, ++n);
    }
    marker_set_array(L, -1);
    return 1;
}

/* ---- the peer, limits ---- */

/* core.request_peer(handle) -> address ("<local>" for a Unix socket), port */
static int l_peer(lua_State *L)
{
    int port = 0;
    struct request *req = check_handle(L, 1);
    request_peer(req, &port);
    push_slice(L, peer_of(req));
    lua_pushinteger(L, port);
    return 2;
}

/* core.request_set_max_body(handle, bytes | nil): the limit for what is still to come */
static int l_set_max_body(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    double bytes = luaL_optnumber(L, 2, -1);
    req->max_body = bytes < 0 ? UINT64_MAX : (uint64_t)bytes;
    return 0;
}

/* core.request_set_body_timeout(handle, seconds | nil): for the whole body */
static int l_set_body_timeout(lua_State *L)
{
    struct request *req = check_handle(L, 1);
    double seconds = luaL_optnumber(L, 2, 0);
    double limit = UINT32_MAX / 1000;
    req->body_timeout_ms = (uint32_t)((seconds < limit ? seconds : limit) * 1000);
    return 0;
}

static const luaL_Reg functions[] = {
    {"request_method", l_method},
    {"request_path", l_path},
    {"request_raw_path", l_raw_path},
    {"request_query", l_query},
    {"request_http_version", l_http_version},
    {"request_id", l_id},
    {"request_scheme", l_scheme},
    {"request_root_path", l_root_path},
    {"request_host", l_host},
    {"request_iri", l_iri},
    {"request_args", l_args},
    {"request_header", l_header},
    {"request_header_all", l_header_all},
    {"request_date", l_date},
    {"request_headers", l_headers},
    {"request_headers_copy", l_headers_copy},
    {"request_cookies", l_cookies},
    {"request_mimetype", l_mimetype},
    {"request_content_length", l_content_length},
    {"request_authorization", l_authorization},
    {"header_list", l_header_list},
    {"request_peer", l_peer},
    {"request_set_max_body", l_set_max_body},
    {"request_set_body_timeout", l_set_body_timeout},
    {NULL, NULL},
};

void bind_request(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
