/* value/value.c - the room as Lua sees it. See value.h. */
#include "value/value.h"

#include <lauxlib.h>
#include <lua.h>

#include "base/buf.h"
#include "base/err.h"
#include "value/json.h"
#include "value/marker.h"

#define WRITER_TYPE "qlua.json_writer"

/* A text longer than this gives its memory back at once. */
#define WRITER_KEEP 65536

/* The text being written. One is kept as json_encode's upvalue, so that an ordinary call
 * allocates nothing but its result, and nothing leaks when Lua raises. */
struct writer {
    struct buf text;
    bool is_busy;
};

static struct writer *push_writer(lua_State *L)
{
    struct writer *writer = lua_newuserdata(L, sizeof(*writer));
    *writer = (struct writer){0};
    luaL_getmetatable(L, WRITER_TYPE);
    lua_setmetatable(L, -2);
    return writer;
}

static int l_writer_gc(lua_State *L)
{
    struct writer *writer = lua_touserdata(L, 1);
    buf_clear(&writer->text);
    return 0;
}

static bool option(lua_State *L, int index, const char *name, bool otherwise)
{
    lua_pushstring(L, name);
    lua_rawget(L, index);
    bool value = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static struct json_options check_options(lua_State *L, int index)
{
    struct json_options options = json_defaults;
    if (lua_isnoneornil(L, index))
        return options;
    luaL_checktype(L, index, LUA_TTABLE);
    options.compact = option(L, index, "compact", options.compact);
    options.sort_keys = option(L, index, "sort_keys", options.sort_keys);
    options.ensure_ascii = option(L, index, "ensure_ascii", options.ensure_ascii);
    return options;
}

/* json_encode(value [, options]) -> text | nil, message, path
 * options: compact, sort_keys, ensure_ascii; what is nil is true. */
static int l_json_encode(lua_State *L)
{
    struct json_options options = check_options(L, 2);
    struct writer *writer = lua_touserdata(L, lua_upvalueindex(1));
    if (writer->is_busy) /* a finalizer encodes while its collector was woken by our encoding */
        writer = push_writer(L);
    struct err err = {0};

    lua_pushvalue(L, 1);
    writer->is_busy = true;
    writer->text.len = 0;
    int rc = json_encode(L, -1, &options, &writer->text, &err);
    if (rc == 0)
        lua_pushlstring(L, writer->text.data, writer->text.len);
    if (writer->text.cap > WRITER_KEEP)
        buf_clear(&writer->text);
    writer->is_busy = false;
    if (rc == 0)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    lua_pushstring(L, err.name);
    return 3;
}

/* json_decode(text) -> value | nil, message */
static int l_json_decode(lua_State *L)
{
    struct slice text;
    struct err err = {0};
    text.data = luaL_checklstring(L, 1, &text.len);
    if (json_decode(L, text, &err) == 0)
        return 1;
    lua_pushnil(L);
    lua_pushfstring(L, "line %d column %d: %s", err.line, err.column, err.message);
    return 2;
}

/* array(table) -> the same table, marked as an array */
static int l_array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    marker_set_array(L, 1);
    return 1;
}

/* is_array(value) -> boolean: a table with the mark */
static int l_is_array(lua_State *L)
{
    luaL_checkany(L, 1);
    marker_push_array(L);
    lua_pushboolean(L, lua_istable(L, 1) && marker_of(L, 1, lua_topointer(L, -1)) == MARKER_ARRAY);
    return 1;
}

/* tuple(list) -> the same table, marked as a tuple */
static int l_tuple(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    marker_push(L, MARKER_TUPLE);
    lua_setmetatable(L, 1);
    return 1;
}

/* markup(text) -> Markup: HTML that needs no escaping */
static int l_markup(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    marker_push(L, MARKER_MARKUP);
    lua_setmetatable(L, -2);
    return 1;
}

void value_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"json_decode", l_json_decode}, {"array", l_array},
        {"is_array", l_is_array},       {"tuple", l_tuple},
        {"markup", l_markup},           {NULL, NULL},
    };
    marker_open(L);
    luaL_setfuncs(L, functions, 0);
    if (luaL_newmetatable(L, WRITER_TYPE)) {
        lua_pushcfunction(L, l_writer_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
    push_writer(L);
    lua_pushcclosure(L, l_json_encode, 1);
    lua_setfield(L, -2, "json_encode");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}

int luaopen_qlua_value(lua_State *L)
{
    lua_newtable(L);
    value_register(L);
    return 1;
}
