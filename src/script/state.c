/* script/state.c - one Lua state with qlua's modules. See state.h. */
#include "script/state.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/pool.h"
#include "script/ahead.h"
#include "script/call.h"
#include "script/memory.h"
#include "script/modules.h"
#include "script/task.h"
#include "script/task_internal.h"

/* As OpenResty sets them: a server compiles many more traces than a script. */
static const char jit_options[] =
    "jit.opt.start('maxtrace=8000', 'maxrecord=16000', 'minstitch=3', 'maxmcode=40960')";

struct script *script_of(lua_State *L)
{
    void *script;
    lua_getallocf(L, &script);
    return script;
}

static int on_panic(lua_State *L)
{
    struct script *script = script_of(L);
    const char *text = lua_tostring(L, -1);
    log_write(script->log, LOG_CRITICAL, "Lua error outside of any protected call: %s",
              text == NULL ? "(no text)" : text);
    abort();
}

/* ---- finding qlua's own modules ---- */

/* DIR/qlua/app.lua or DIR/qlua/cli/init.lua for "qlua.app", "qlua.cli". */
static bool load_from_dir(lua_State *L, const char *dir, const char *name)
{
    const char *path = luaL_gsub(L, name, ".", "/");
    static const char *const forms[] = {"%s/%s.lua", "%s/%s/init.lua"};
    for (int i = 0; i < 2; i++) {
        const char *file = lua_pushfstring(L, forms[i], dir, path);
        int rc = luaL_loadfile(L, file);
        if (rc == 0)
            return true;
        if (rc != LUA_ERRFILE)
            lua_error(L);
        lua_pop(L, 1);
    }
    return false;
}

/* A package.loaders entry: loader(name) -> function | text why not */
static int l_find_module(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct script *script = script_of(L);
    if (strncmp(name, "qlua", 4) != 0 || (name[4] != '\0' && name[4] != '.'))
        return 0;
    if (script->lua_dir != NULL && load_from_dir(L, script->lua_dir, name))
        return 1;
    for (const struct script_module *m = script->modules; m != NULL && m->name != NULL; m++) {
        if (strcmp(m->name, name) != 0)
            continue;
        lua_pushfstring(L, "@%s", m->path);
        if (luaL_loadbuffer(L, (const char *)m->bytecode, m->size, lua_tostring(L, -1)) != 0)
            return lua_error(L);
        return 1;
    }
    lua_pushfstring(L, "\n\tno module '%s' in qlua", name);
    return 1;
}

/* package[field] = the text on top of the stack (popped; the package table lies below it), then
 * the places LuaJIT was built with; never the current folder, which must not matter. */
static void set_path(lua_State *L, const char *field)
{
    lua_getfield(L, -2, field);
    const char *rest = lua_tostring(L, -1);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (const char *at = rest; at != NULL && *at != '\0';) {
        const char *end = strchr(at, ';');
        size_t len = end == NULL ? strlen(at) : (size_t)(end - at);
        if (len < 2 || at[0] != '.' || at[1] != '/') {
            luaL_addchar(&b, ';');
            luaL_addlstring(&b, at, len);
        }
        at = end == NULL ? NULL : end + 1;
    }
    luaL_pushresult(&b);
    lua_remove(L, -2); /* the old text: now prefix, rest */
    lua_concat(L, 2);
    lua_setfield(L, -2, field);
}

static int l_last(lua_State *L)
{
    memory_remove(script_of(L));
    return 0;
}

/* LuaJIT gives back its memory only with its own allocator in place, and finalizers find the script
 * through ours. lua_close calls them the newest first: so this one, made before all others, is
 * where the change belongs. */
static void anchor_last(lua_State *L)
{
    lua_newuserdata(L, 1);
    lua_newtable(L);
    lua_pushcfunction(L, l_last);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, "qlua.last");
}

/* Runs protected: everything that may fail while a state is set up. Argument: the options. */
static int l_set_up(lua_State *L)
{
    const struct script_options *options = lua_touserdata(L, 1);
    anchor_last(L);
    luaL_openlibs(L);
    if (luaL_dostring(L, jit_options) != 0)
        return lua_error(L);
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", options->root, options->root);
    set_path(L, "path");
    lua_pushfstring(L, "%s/?.so", options->root);
    set_path(L, "cpath");
    lua_getfield(L, -1, "loaders");
    /* Behind package.preload, before the files. */
    for (int i = (int)lua_objlen(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, l_find_module);
    lua_rawseti(L, -2, 2);
    lua_newtable(L);
    script_of(L)->current_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

struct script *script_new(struct loop *loop, const struct log *log,
                          const struct script_options *options, struct err *err)
{
    struct script *script = mem_zalloc(sizeof(*script));
    script->loop = loop;
    script->log = log;
    script->modules = options->modules;
    script->lua_dir = getenv("QLUA_LUA_DIR");
    script->cancelled_ref = script->traceback_ref = script->stopped_ref = LUA_NOREF;
    script->outside.kind = CPU_SLICE;
    script->L = luaL_newstate();
    if (script->L == NULL) {
        free(script);
        err_set(err, QLUA_ELIMIT, "no memory for a Lua state");
        return NULL;
    }
    memory_install(script, options->memory_limit);
    lua_atpanic(script->L, on_panic);
    tasks_init(script);
    if (lua_cpcall(script->L, l_set_up, (void *)(uintptr_t)options) != 0) {
        err_from_lua(script->L, err);
        script_free(script);
        return NULL;
    }
    return script;
}

static void leave_process(struct script *script)
{
    tasks_clear(script);
    watchdog_stop(script);
    ahead_forget(script);
}

void script_close(struct script *script)
{
    if (script->is_closed)
        return;
    script->is_closed = true;
    leave_process(script);
    lua_close(script->L);
}

void script_free(struct script *script)
{
    if (script == NULL)
        return;
    script_close(script);
    free(script);
}

/* In a thread of the pool: nobody else knows the state any more, and its memory is its own. */
static void close_state(void *data)
{
    struct script *script = data;
    lua_close(script->L);
}

void script_free_aside(struct script *script)
{
    leave_process(script);
    if (pool_run(script->loop, close_state, free, script) != 0) {
        lua_close(script->L);
        free(script);
    }
}
