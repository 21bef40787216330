/* value/marker.c - what a Lua value stands for beyond its Lua type. See marker.h. */
#include "value/marker.h"

#include <lauxlib.h>

/* Their addresses are the registry's keys. */
static const char array_key;  /* the shared array metatable */
static const char others_key; /* weak: marked tables that have a metatable of their own */
static const char kinds_key;  /* metatable -> kind, and kind -> metatable */

static const char *const names[MARKER_COUNT] = {
    [MARKER_TUPLE] = "qlua.tuple", [MARKER_DICT] = "qlua.dict",
    [MARKER_BYTES] = "qlua.bytes", [MARKER_MARKUP] = "qlua.Markup",
    [MARKER_UUID] = "qlua.UUID",   [MARKER_DATETIME] = "qlua.datetime",
};

static void push_registered(lua_State *L, const char *key)
{
    lua_pushlightuserdata(L, (void *)key);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

/* registry[key] = the table on top, which is popped. */
static void register_top(lua_State *L, const char *key)
{
    lua_pushlightuserdata(L, (void *)key);
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

/* __tostring of what stands for a scalar */
static int l_text(lua_State *L)
{
    lua_rawgeti(L, 1, 1);
    return 1;
}

/* __eq: only called for two tables of one kind */
static int l_equal(lua_State *L)
{
    lua_rawgeti(L, 1, 1);
    lua_rawgeti(L, 2, 1);
    lua_pushboolean(L, lua_rawequal(L, -1, -2));
    return 1;
}

/* The metatables of all kinds but the array's. */
static void open_kinds(lua_State *L)
{
    lua_newtable(L);
    for (int kind = MARKER_TUPLE; kind < MARKER_COUNT; kind++) {
        lua_newtable(L);
        lua_pushstring(L, names[kind]);
        lua_setfield(L, -2, "__name");
        if (kind >= MARKER_BYTES) {
            lua_pushcfunction(L, l_text);
            lua_setfield(L, -2, "__tostring");
            lua_pushcfunction(L, l_equal);
            lua_setfield(L, -2, "__eq");
        }
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, kind);
        lua_pushinteger(L, kind);
        lua_rawset(L, -3);
    }
    register_top(L, &kinds_key);
}

void marker_open(lua_State *L)
{
    marker_push_array(L);
    bool is_open = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (is_open)
        return;
    lua_newtable(L);
    lua_pushliteral(L, "qlua.array");
    lua_setfield(L, -2, "__name");
    register_top(L, &array_key);

    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    register_top(L, &others_key);
    open_kinds(L);
}

void marker_push(lua_State *L, enum marker kind)
{
    if (kind == MARKER_ARRAY) {
        marker_push_array(L);
        return;
    }
    push_registered(L, &kinds_key);
    lua_rawgeti(L, -1, kind);
    lua_remove(L, -2);
}

void marker_push_array(lua_State *L)
{
    push_registered(L, &array_key);
}

void marker_set_array(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    if (lua_getmetatable(L, -1)) {
        marker_push_array(L);
        bool is_marked = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (!is_marked) {
            push_registered(L, &others_key);
            lua_pushvalue(L, -2);
            lua_pushboolean(L, 1);
            lua_rawset(L, -3);
            lua_pop(L, 1);
        }
    } else {
        marker_push_array(L);
        lua_setmetatable(L, -2);
    }
    lua_pop(L, 1);
}

/* Marked, though its metatable is its own. */
static bool is_other_array(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    push_registered(L, &others_key);
    lua_insert(L, -2);
    lua_rawget(L, -2);
    bool is_marked = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return is_marked;
}

enum marker marker_of(lua_State *L, int index, const void *array)
{
    if (!lua_getmetatable(L, index))
        return MARKER_NONE;
    if (lua_topointer(L, -1) == array) {
        lua_pop(L, 1);
        return MARKER_ARRAY;
    }
    push_registered(L, &kinds_key);
    lua_insert(L, -2);
    lua_rawget(L, -2);
    int kind = (int)lua_tointeger(L, -1); /* 0 for what is no kind */
    lua_pop(L, 2);
    if (kind != 0)
        return (enum marker)kind;
    return is_other_array(L, index) ? MARKER_ARRAY : MARKER_NONE;
}
