/* bind/generation.c - how an app's Lua code tells the core what to serve. See generation.h. */
#include "bind/generation.h"

#include <lauxlib.h>
#include <lua.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "bind/app_session.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/load.h"
#include "bind/route.h"
#include "route/table.h"
#include "script/state.h"
#include "value/marker.h"

struct generation *generation_of(lua_State *L)
{
    return script_of(L)->owner;
}

/* For bindings that make no sense in a plain script. */
static struct generation *need_generation(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g == NULL)
        luaL_error(L, "no app is being served here");
    return g;
}

void generation_init(struct generation *g, struct script *script)
{
    g->script = script;
    g->log = script->log;
    g->refs = 1;
    list_init(&g->exchanges);
    list_init(&g->loadings);
    g->routes_ref = g->app_ref = g->json_ref = LUA_NOREF;
    g->refused_ref = g->failed_ref = g->value_ref = g->debug_ref = LUA_NOREF;
    g->limits = (struct generation_limits){.max_content_length = 16 * 1024 * 1024,
                                           .body_timeout_ms = 60000,
                                           .body_stall_ms = 20000,
                                           .response_timeout_ms = 60000};
    script->owner = g;
}

void generation_clear(struct generation *g)
{
    generation_drop_loadings(g);
    free(g->rules);
    buf_clear(&g->scratch);
    app_session_free(g->session);
    free(g->session_cookie);
    free(g->own_root);
    free(g->own_path);
    g->rules = NULL;
    g->session = NULL;
    g->nrules = 0;
}

const struct generation_limits *generation_limits_of(const struct generation *g, int rule)
{
    if (rule >= 0 && rule < g->nrules && g->rules[rule].own_limits)
        return &g->rules[rule].limits;
    return &g->limits;
}

/* Keep the value at index in *ref, in place of what was there. */
static void keep(lua_State *L, int index, int *ref)
{
    lua_pushvalue(L, index);
    int fresh = luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_unref(L, LUA_REGISTRYINDEX, *ref);
    *ref = fresh;
}

/* ---- what is served ---- */

/* The record of a rule, made when it is new. */
static struct generation_rule *rule_at(lua_State *L, struct generation *g, lua_Integer index)
{
    if (index < 0 || index > 10000000)
        luaL_error(L, "no rule has the index %d", (int)index);
    if (index >= g->nrules) {
        int count = g->nrules * 2 > (int)index + 1 ? g->nrules * 2 : (int)index + 16;
        g->rules = mem_realloc(g->rules, (size_t)count * sizeof(*g->rules));
        for (int i = g->nrules; i < count; i++)
            g->rules[i] = (struct generation_rule){.target_ref = LUA_NOREF};
        g->nrules = count;
    }
    return &g->rules[index];
}

/* core.route_target(index, fn): what is called for this rule, with its variables */
static int l_route_target(lua_State *L)
{
    struct generation *g = need_generation(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct generation_rule *rule = rule_at(L, g, luaL_checkinteger(L, 1));
    keep(L, 2, &rule->target_ref);
    rule->own_limits = false; /* another app's rule may have had this index */
    return 0;
}

/* Seconds at field `name` as milliseconds into *out; false and nil turn the limit off. */
static void read_time(lua_State *L, int index, const char *name, uint32_t *out)
{
    lua_getfield(L, index, name);
    if (lua_type(L, -1) == LUA_TBOOLEAN && !lua_toboolean(L, -1)) {
        *out = 0;
    } else if (!lua_isnil(L, -1)) {
        double seconds = lua_tonumber(L, -1);
        *out = seconds > 0 && seconds < 4000000 ? (uint32_t)ceil(seconds * 1000) : 0;
    }
    lua_pop(L, 1);
}

/* Read the limits that the table at index gives; the others stay. */
static void read_limits(lua_State *L, int index, struct generation_limits *limits)
{
    lua_getfield(L, index, "max_content_length");
    if (lua_type(L, -1) == LUA_TBOOLEAN && !lua_toboolean(L, -1))
        limits->max_content_length = UINT64_MAX;
    else if (lua_isnumber(L, -1) && lua_tonumber(L, -1) >= 0)
        limits->max_content_length = (uint64_t)lua_tonumber(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, index, "cpu_limit");
    if (lua_isnumber(L, -1) && lua_tonumber(L, -1) >= 0 && lua_tonumber(L, -1) < 4000000)
        limits->cpu_limit_ns = (int64_t)(lua_tonumber(L, -1) * 1e9);
    lua_pop(L, 1);
    read_time(L, index, "body_timeout", &limits->body_timeout_ms);
    read_time(L, index, "body_stall_timeout", &limits->body_stall_ms);
    read_time(L, index, "response_timeout", &limits->response_timeout_ms);
}

/* core.set_limits { max_content_length=, body_timeout=, body_stall_timeout=, response_timeout= }
 * : the app's; false: no limit; absent: unchanged */
static int l_set_limits(lua_State *L)
{
    struct generation *g = generation_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    if (g != NULL)
        read_limits(L, 1, &g->limits);
    return 0;
}

/* core.route_limits(index, limits): the same for one rule, beginning with the app's */
static int l_route_limits(lua_State *L)
{
    struct generation *g = need_generation(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct generation_rule *rule = rule_at(L, g, luaL_checkinteger(L, 1));
    rule->limits = g->limits;
    read_limits(L, 2, &rule->limits);
    rule->own_limits = true;
    if (rule->limits.cpu_limit_ns != 0)
        watchdog_start(g->script); /* this rule may be the only one with a limit */
    return 0;
}

/* core.set_debug(on): whether JSON is indented for people */
static int l_set_debug(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g != NULL)
        g->debug = lua_toboolean(L, 1);
    return 0;
}

/* core.set_hooks { refused=, failed=, value=, debug= }: dispatch.lua's functions */
static int l_set_hooks(lua_State *L)
{
    struct generation *g = need_generation(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "refused");
    keep(L, 2, &g->refused_ref);
    lua_getfield(L, 1, "failed");
    keep(L, 3, &g->failed_ref);
    lua_getfield(L, 1, "value");
    keep(L, 4, &g->value_ref);
    lua_getfield(L, 1, "debug");
    keep(L, 5, &g->debug_ref);
    return 0;
}

/* core.set_cancelled(value): what cancelled waits raise */
static int l_set_cancelled(lua_State *L)
{
    luaL_checkany(L, 1);
    keep(L, 1, &script_of(L)->cancelled_ref);
    return 0;
}

/* core.set_stopped(class): whose instances end tasks that used up their processor time: with the
 * fields message and frames. Their method _noted is called where they were stopped. */
static int l_set_stopped(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    keep(L, 1, &script_of(L)->stopped_ref);
    return 0;
}

/* core.set_traceback(fn): fn(err, thread) gives the text that is logged of an error */
static int l_set_traceback(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    keep(L, 1, &script_of(L)->traceback_ref);
    return 0;
}

/* core.response_class(metatable): what marks a Response */
static int l_response_class(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct generation *g = generation_of(L);
    if (g == NULL)
        return 0;
    lua_settop(L, 1);
    g->response_meta = lua_topointer(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "qlua.Response"); /* lives as long as its address counts */
    marker_push_array(L);
    g->array_meta = lua_topointer(L, -1);
    return 0;
}

/* core.serve(app, json, routes): serve this app from now on */
static int l_serve(lua_State *L)
{
    struct generation *g = need_generation(L);
    luaL_checkany(L, 3);
    keep(L, 1, &g->app_ref);
    keep(L, 2, &g->json_ref);
    keep(L, 3, &g->routes_ref);
    g->routes = routes_served(L);
    return 0;
}

/* core.app() -> the app being served, or nil */
static int l_app(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g == NULL || g->app_ref == LUA_NOREF)
        return 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, g->app_ref);
    return 1;
}

/* core.app_root() -> the started file's folder, absolute, without a last slash */
static int l_app_root(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g == NULL || g->root == NULL)
        return 0;
    lua_pushstring(L, g->root);
    return 1;
}

/* core.app_path() -> the started file, absolute */
static int l_app_path(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g == NULL || g->app_path == NULL)
        return 0;
    lua_pushstring(L, g->app_path);
    return 1;
}

/* core.set_app_file(path): this one, absolute, is the started file from now on */
static int l_set_app_file(lua_State *L)
{
    struct generation *g = need_generation(L);
    const char *path = luaL_checkstring(L, 1);
    const char *slash = strrchr(path, '/');
    luaL_argcheck(L, slash != NULL, 1, "an absolute path expected");
    free(g->own_root);
    free(g->own_path);
    g->app_path = g->own_path = mem_strdup(path);
    g->root = g->own_root = mem_strdup(path);
    g->own_root[slash == path ? 1 : slash - path] = '\0';
    return 0;
}

/* core.spool_dir() -> where large uploads lie */
static int l_spool_dir(lua_State *L)
{
    struct generation *g = generation_of(L);
    lua_pushstring(L, g == NULL || g->spool_dir == NULL ? "/tmp" : g->spool_dir);
    return 1;
}

/* Raised by app:run to end a script; no user code can mistake it for an error of its own. */
static const char run_mark;

static int64_t number_option(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    int64_t value = lua_isnumber(L, -1) ? (int64_t)lua_tonumber(L, -1) : -1;
    lua_pop(L, 1);
    return value;
}

/* core.run_called(options): app:run was called; in a plain script this ends it */
static int l_run_called(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g == NULL || g->owner == NULL)
        return 0;
    struct run_options options = {.port = -1, .workers = -1, .debug = -1};
    if (lua_istable(L, 1)) {
        lua_getfield(L, 1, "host");
        options.host = lua_tostring(L, -1); /* the table keeps it */
        lua_getfield(L, 1, "debug");
        options.debug = lua_isnil(L, -1) ? -1 : lua_toboolean(L, -1);
        lua_pop(L, 2);
        options.port = number_option(L, "port");
        options.workers = number_option(L, "workers");
    }
    struct err err = {0};
    bool ends = g->owner->on_run(g->owner->data, &options, &err);
    if (err.code != 0)
        return luaL_error(L, "%s", err.message);
    if (!ends)
        return 0;
    lua_pushlightuserdata(L, (void *)(uintptr_t)&run_mark);
    return lua_error(L);
}

/* core.set_exit_code(code): what the process ends with when this command or script returns */
static int l_set_exit_code(lua_State *L)
{
    need_generation(L)->exit_code = (int)luaL_checkinteger(L, 1);
    return 0;
}

static const luaL_Reg functions[] = {
    {"route_target", l_route_target},
    {"route_limits", l_route_limits},
    {"set_limits", l_set_limits},
    {"set_debug", l_set_debug},
    {"set_hooks", l_set_hooks},
    {"set_cancelled", l_set_cancelled},
    {"set_stopped", l_set_stopped},
    {"set_traceback", l_set_traceback},
    {"response_class", l_response_class},
    {"serve", l_serve},
    {"app", l_app},
    {"app_root", l_app_root},
    {"app_path", l_app_path},
    {"set_app_file", l_set_app_file},
    {"spool_dir", l_spool_dir},
    {"run_called", l_run_called},
    {"set_exit_code", l_set_exit_code},
    {NULL, NULL},
};

void bind_generation(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
