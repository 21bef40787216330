/* script/call.c - protected calls from C, and what is told of an error. See call.h. */
#include "script/call.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "script/state.h"

/* lua_pcall, of Lua which may run outside of tasks. */
static int protect(lua_State *L, int nargs, int nresults)
{
    int rc = lua_pcall(L, nargs, nresults, 0);
    watchdog_settle(script_of(L));
    return rc;
}

/* tostring(value), which may run a metamethod of the user's. */
static int l_text(lua_State *L)
{
    lua_settop(L, 1);
    lua_getglobal(L, "tostring");
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    if (lua_type(L, 1) != LUA_TSTRING)
        luaL_error(L, "__tostring gave no string");
    return 1;
}

void push_error_text(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TSTRING) {
        lua_pushvalue(L, index);
        return;
    }
    lua_pushvalue(L, index);
    lua_pushcfunction(L, l_text);
    lua_insert(L, -2);
    if (protect(L, 1, 1) != 0) {
        lua_pop(L, 1);
        lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, index));
    }
}

static void push_told(lua_State *L, lua_State *co, bool unseen)
{
    lua_State *main = script_of(co)->L; /* co itself is dead: nothing may run on it */
    lua_rawgeti(main, LUA_REGISTRYINDEX, script_of(co)->traceback_ref);
    lua_pushvalue(co, -1);
    lua_pushthread(co);
    lua_xmove(co, main, 2);
    lua_pushnil(main);
    lua_pushboolean(main, unseen);
    if (protect(main, 4, 1) == 0 && lua_type(main, -1) == LUA_TSTRING) {
        lua_xmove(main, L, 1);
        return;
    }
    lua_pop(main, 1);
    lua_pushvalue(co, -1);
    lua_xmove(co, main, 1);
    push_error_text(main, -1);
    luaL_traceback(main, co, lua_tostring(main, -1), 0);
    lua_xmove(main, L, 1);
    lua_pop(main, 2);
}

void push_traceback(lua_State *L, lua_State *co)
{
    push_told(L, co, false);
}

void push_unseen_traceback(lua_State *L, lua_State *co)
{
    push_told(L, co, true);
}

/* "file.lua:12: message" -> name, line, message. */
static void split_place(const char *text, struct err *err)
{
    const char *colon = strchr(text, ':');
    while (colon != NULL) {
        char *end;
        long line = strtol(colon + 1, &end, 10);
        if (end > colon + 1 && *end == ':' && line > 0 && line < 100000000) {
            snprintf(err->name, sizeof(err->name), "%.*s", (int)(colon - text), text);
            err->line = (int)line;
            text = end + 1 + (end[1] == ' ');
            break;
        }
        colon = strchr(colon + 1, ':');
    }
    snprintf(err->message, sizeof(err->message), "%s", text);
}

int err_from_lua(lua_State *L, struct err *err)
{
    push_error_text(L, -1);
    if (err != NULL) {
        *err = (struct err){.code = QLUA_ESYNTAX};
        split_place(lua_tostring(L, -1), err);
    }
    lua_pop(L, 2);
    return QLUA_ESYNTAX;
}

int script_call_on(lua_State *L, int nargs, int nresults, struct err *err)
{
    if (protect(L, nargs, nresults) == 0)
        return 0;
    return err_from_lua(L, err);
}

int script_call(struct script *script, int nargs, int nresults, struct err *err)
{
    return script_call_on(script->L, nargs, nresults, err);
}
