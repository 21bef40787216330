/* bind/check.c - what the bindings share. See check.h. */
#include "bind/check.h"

#include <lauxlib.h>

#include "base/err.h"

#define SCRATCH "qlua.scratch"

struct slice check_slice(lua_State *L, int index)
{
    struct slice s;
    s.data = luaL_checklstring(L, index, &s.len);
    return s;
}

struct slice opt_slice(lua_State *L, int index, struct slice otherwise)
{
    return lua_isnoneornil(L, index) ? otherwise : check_slice(L, index);
}

int push_slice(lua_State *L, struct slice s)
{
    lua_pushlstring(L, s.len == 0 ? "" : s.data, s.len);
    return 1;
}

int push_slice_or_nil(lua_State *L, struct slice s)
{
    if (s.data != NULL)
        return push_slice(L, s);
    lua_pushnil(L);
    return 1;
}

int push_failure(lua_State *L, int code)
{
    lua_pushnil(L);
    lua_pushstring(L, err_text(code));
    lua_pushinteger(L, code);
    return 3;
}

static int scratch_gc(lua_State *L)
{
    struct arena *arena = lua_touserdata(L, 1);
    arena_clear(arena);
    return 0;
}

struct arena *push_scratch(lua_State *L)
{
    struct arena *arena = lua_newuserdata(L, sizeof(*arena));
    arena_init(arena);
    if (luaL_newmetatable(L, SCRATCH)) {
        lua_pushcfunction(L, scratch_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return arena;
}

void set_slice_field(lua_State *L, const char *name, struct slice s)
{
    if (s.data == NULL)
        return;
    push_slice(L, s);
    lua_setfield(L, -2, name);
}

void set_metatable(lua_State *L, const char *name)
{
    luaL_getmetatable(L, name);
    lua_setmetatable(L, -2);
}

void make_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc)
{
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
    if (methods != NULL) {
        lua_newtable(L);
        luaL_register(L, NULL, methods);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
}
