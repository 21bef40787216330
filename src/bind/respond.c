/* bind/respond.c - from what Lua returned to an answer on the wire. See respond.h. */
#include "bind/respond.h"

#include <lauxlib.h>
#include <lua.h>

#include "base/err.h"
#include "bind/app_session.h"
#include "bind/exchange.h"
#include "bind/file.h"
#include "bind/generation.h"
#include "bind/keep.h"
#include "bind/lookup.h"
#include "bind/response.h"
#include "http/status.h"
#include "script/state.h"
#include "value/json.h"

#define HTML "text/html; charset=utf-8"
/* A JSON text larger than this does not keep its buffer. */
#define SCRATCH_MAX (1024 * 1024)

static int rule_of(const struct exchange *x)
{
    return x->outcome == ROUTE_FOUND ? x->match.rule : -1;
}

void respond_plain(struct exchange *x, int status)
{
    if (x->started) {
        request_abort(x->req);
        return;
    }
    struct buf page = {0};
    status_page(&page, status, SLICE(""));
    struct answer answer = {.status = status, .content_type = SLICE(HTML)};
    request_answer(x->req, &answer, buf_view(&page));
    buf_clear(&page);
}

void respond_add_allow(struct exchange *x, struct answer *answer, struct fields *headers)
{
    if (answer->headers != NULL && fields_get_id(answer->headers, HEADER_ALLOW) != NULL)
        return;
    const char *names[METHOD_COUNT];
    size_t count = lookup_method_names(lookup_allowed(x), names);
    if (count == 0)
        return;
    struct buf list = {0};
    for (size_t i = 0; i < count; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    fields_init(headers, &x->req->arena, true);
    for (uint32_t i = 0; answer->headers != NULL && i < answer->headers->count; i++)
        fields_add(headers, answer->headers->items[i].name, answer->headers->items[i].value);
    fields_add_id(headers, HEADER_ALLOW, arena_dup(&x->req->arena, buf_view(&list)));
    answer->headers = headers;
    buf_clear(&list);
}

/* ---- headers from a plain table ---- */

/* Add a header's value: a string, a number, or a list of them. False: Lua must look at it. */
static bool add_header(lua_State *L, struct fields *fields, struct slice name, int value,
                       struct answer *answer)
{
    int type = lua_type(L, value);
    if (type == LUA_TTABLE) {
        for (int i = 1;; i++) {
            lua_rawgeti(L, value, i);
            bool more = !lua_isnil(L, -1);
            bool ok = !more || (lua_type(L, -1) == LUA_TSTRING &&
                                add_header(L, fields, name, lua_gettop(L), answer));
            lua_pop(L, 1);
            if (!ok || !more)
                return ok;
        }
    }
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        return false;
    struct slice text;
    if (type == LUA_TNUMBER) {
        lua_pushvalue(L, value); /* lua_tolstring would change the user's table */
        text.data = lua_tolstring(L, -1, &text.len);
        text = arena_dup(fields->arena, text);
        lua_pop(L, 1);
    } else {
        text.data = lua_tolstring(L, value, &text.len);
    }
    if (header_id_of(name) == HEADER_CONTENT_TYPE)
        answer->content_type = text;
    else
        fields_add(fields, name, text);
    return true;
}

/* The headers of a view's table, borrowed from it. False: Lua must look at it (and the stack is
 * for the caller to settle). */
static bool read_headers(lua_State *L, int index, struct fields *fields, struct answer *answer)
{
    if (lua_getmetatable(L, index)) {
        lua_pop(L, 1);
        return false;
    }
    answer->headers = fields;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            return false;
        struct slice name;
        name.data = lua_tolstring(L, -2, &name.len);
        if (!add_header(L, fields, name, lua_gettop(L), answer))
            return false;
    }
    return true;
}

/* ---- bodies ---- */

static bool option(lua_State *L, int index, const char *name, bool otherwise)
{
    lua_pushstring(L, name);
    lua_rawget(L, index);
    bool value = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The table at index as JSON into the generation's scratch buffer; its content type is left on
 * the stack when app.json says one. */
static int encode_json(struct exchange *x, lua_State *L, int index, struct answer *answer,
                       struct err *err)
{
    struct generation *g = x->generation;
    struct json_options options = {.compact = !g->debug, .sort_keys = true, .ensure_ascii = true};
    answer->content_type = SLICE("application/json");
    lua_rawgeti(L, LUA_REGISTRYINDEX, g->json_ref);
    int settings = lua_gettop(L);
    if (lua_istable(L, settings)) {
        options.compact = option(L, settings, "compact", options.compact);
        options.sort_keys = option(L, settings, "sort_keys", true);
        options.ensure_ascii = option(L, settings, "ensure_ascii", true);
        lua_pushliteral(L, "mimetype");
        lua_rawget(L, settings);
        if (lua_type(L, -1) == LUA_TSTRING) /* app.json keeps it alive */
            answer->content_type.data = lua_tolstring(L, -1, &answer->content_type.len);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    g->scratch.len = 0;
    int rc = json_encode(L, index, &options, &g->scratch, err);
    if (rc == 0)
        buf_char(&g->scratch, '\n');
    return rc;
}

/* Is the table at index one that stands for JSON: plain, or marked as an array? */
static bool is_plain(lua_State *L, int index, const struct generation *g)
{
    if (!lua_getmetatable(L, index))
        return true;
    bool is_array = lua_topointer(L, -1) == g->array_meta;
    lua_pop(L, 1);
    return is_array;
}

static enum respond_result raised(lua_State *L, const struct err *err)
{
    if (err->name[0] != '\0')
        lua_pushfstring(L, "JSON answer: %s: %s", err->name, err->message);
    else
        lua_pushstring(L, err->message);
    return RESPOND_RAISED;
}

static enum respond_result send_response(struct exchange *x, lua_State *L, int index)
{
    struct response_view view;
    response_read(L, index, &view);
    if (view.streamed)
        return RESPOND_FOR_LUA;
    if (!header_value_is_valid(view.answer.content_type)) {
        /* the lines of Headers were checked when they were set */
        lua_pushliteral(L, "the content type holds a line break or another control character; "
                           "remove it");
        return RESPOND_RAISED;
    }
    struct fields table, headers;
    if (view.has_table) {
        struct err err;
        err.name[0] = '\0';
        fields_init(&table, &x->req->arena, true);
        lua_rawgeti(L, index, 5); /* its texts live as long as the response */
        bool ok = read_headers(L, lua_gettop(L), &table, &view.answer);
        lua_settop(L, index);
        if (!ok)
            err_set(&err, QLUA_ESYNTAX,
                    "a header's value must be a string, a number or a list "
                    "of strings");
        if (!ok || answer_check(&view.answer, &err) != 0)
            return raised(L, &err);
    }
    if (view.answer.status == 405)
        respond_add_allow(x, &view.answer, &headers);
    response_set_timeout(x->req, &view, x->generation, rule_of(x));
    if (view.file == NULL) {
        struct string_keeper keeper;
        lua_rawgeti(L, index, 2);
        string_keeper_init(&keeper, x, L, lua_gettop(L));
        view.answer.keeper = &keeper.keeper;
        request_answer(x->req, &view.answer, view.body);
    } else {
        int fd = view.file->fd;
        view.file->fd = -1;
        if (fd < 0) {
            lua_pushliteral(L, "the file of this response is closed, or was sent already");
            return RESPOND_RAISED;
        }
        request_answer_file(x->req, &view.answer, fd, view.file->offset, view.file->length);
    }
    return RESPOND_SENT;
}

/* Streamed by Lua, or given up. */
static enum respond_result finish_streamed(struct exchange *x)
{
    if (x->aborted)
        request_abort(x->req);
    else if (x->started)
        request_answer_end(x->req);
    else if (!x->req->gone)
        respond_plain(x, 500); /* cancelled by the app's own hand */
    return RESPOND_SENT;
}

/* ---- body, status, headers ---- */

/* The status and headers behind the body. False: Lua must look at them. */
static bool read_rest(struct exchange *x, lua_State *L, int first, int n, struct answer *answer,
                      struct fields *fields)
{
    if (n > 3)
        return false;
    int at = first + 1;
    if (n >= 2 && lua_type(L, at) == LUA_TNUMBER) {
        lua_Number status = lua_tonumber(L, at);
        if (!(status >= 200 && status <= 599) || status != (int)status)
            return false;
        answer->status = (int)status;
        at++;
    } else if (n >= 2 && lua_isnil(L, at)) {
        at++;
    } else if (n == 3) {
        return false;
    }
    if (at >= first + n || lua_isnil(L, at))
        return true;
    if (lua_type(L, at) != LUA_TTABLE)
        return false;
    fields_init(fields, &x->req->arena, true);
    int top = lua_gettop(L);
    bool ok = read_headers(L, at, fields, answer);
    lua_settop(L, top);
    return ok;
}

/* Is there a session to save into the view's own answer? Elsewhere Lua has done so. */
static bool has_session(const struct exchange *x)
{
    return x->stage == STAGE_VIEW && (x->session == SESSION_BROUGHT || x->session == SESSION_OPEN);
}

/* More values than an answer can have fill the stack that we push onto: all but one go. */
#define RESULTS_MAX 4

enum respond_result respond(struct exchange *x, lua_State *L, int *nresults)
{
    int n = *nresults;
    int first = lua_gettop(L) - n + 1;
    if (n > RESULTS_MAX) {
        n = *nresults = RESULTS_MAX;
        lua_settop(L, first + n - 1);
    }
    lua_checkstack(L, LUA_MINSTACK);
    int type = n == 0 ? LUA_TNONE : lua_type(L, first);
    struct answer answer = {.status = 200};
    struct fields fields;
    struct err err; /* large: filled only by who fails */
    err.name[0] = '\0';
    struct slice body;
    struct string_keeper keeper;
    answer.keeper = &keeper.keeper;
    if (type == LUA_TLIGHTUSERDATA && response_is_answered(L, first))
        return finish_streamed(x);
    if (x->in_lua && x->stage == STAGE_VIEW)
        return RESPOND_FOR_LUA;
    if (type == LUA_TTABLE && n == 1 && response_is(L, first, x->generation))
        return has_session(x) ? RESPOND_FOR_LUA : send_response(x, L, first);
    if (type == LUA_TSTRING) {
        answer.content_type = SLICE(HTML);
        body.data = lua_tolstring(L, first, &body.len);
        string_keeper_init(&keeper, x, L, first);
    } else if (type == LUA_TTABLE && is_plain(L, first, x->generation)) {
        if (encode_json(x, L, first, &answer, &err) != 0)
            return raised(L, &err);
        body = buf_view(&x->generation->scratch);
        scratch_keeper_init(&keeper.keeper, x->generation);
    } else {
        return RESPOND_FOR_LUA;
    }
    if (n > 1 && !read_rest(x, L, first, n, &answer, &fields))
        return RESPOND_FOR_LUA;
    if (answer.headers != NULL && answer_check(&answer, &err) != 0)
        return raised(L, &err);
    if (has_session(x) && !app_session_save(x, L, &answer, &fields))
        return RESPOND_FOR_LUA;
    struct generation *g = x->generation;
    struct fields with_allow;
    if (answer.status == 405)
        respond_add_allow(x, &answer, &with_allow);
    request_answer(x->req, &answer, body);
    if (g->scratch.cap > SCRATCH_MAX)
        buf_clear(&g->scratch);
    return RESPOND_SENT;
}
