/* bind/profile.c - a profile of a generation: core.profile_... (lua/qlua/profile). See profile.h.
 */
#include "bind/profile.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bind/bind.h"
#include "bind/check.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "route/table.h"
#include "script/call.h"
#include "script/profile.h"
#include "script/state.h"
#include "script/task.h"
#include "script/watchdog.h"

/* ---- what tasks are for ---- */

/* Numbers of labels: these, and method and rule together. */
enum { LABEL_NO_REQUEST, LABEL_NO_ROUTE, LABEL_FIRST };

/* From a signal's handler: nothing but fields that do not move. */
static uint64_t number_of(const struct task *task)
{
    const struct exchange *x = task->context == NULL ? NULL : task->context->data;
    if (x == NULL)
        return LABEL_NO_REQUEST;
    if (x->outcome != ROUTE_FOUND || x->match.rule < 0)
        return LABEL_NO_ROUTE;
    return LABEL_FIRST + (uint64_t)x->match.rule * METHOD_COUNT + request_method(x->req);
}

static struct slice text_of(const struct script *script, uint64_t number, char *room, size_t size)
{
    const struct generation *g = script->owner;
    const struct route_table *routes = g->routes;
    uint64_t rest = number < LABEL_FIRST ? 0 : number - LABEL_FIRST;
    if (number == LABEL_NO_REQUEST)
        return SLICE("(tasks without a request)");
    if (number == LABEL_NO_ROUTE || routes == NULL ||
        rest / METHOD_COUNT >= (uint64_t)route_table_count(routes))
        return SLICE("(no route)");
    struct slice method = method_name((unsigned)(rest % METHOD_COUNT));
    struct slice rule = route_rule_at(routes, (int)(rest / METHOD_COUNT))->rule;
    int len =
        snprintf(room, size, "%.*s %.*s", (int)method.len, method.data, (int)rule.len, rule.data);
    return slice_of(room, len < (int)size ? (size_t)len : size - 1);
}

static const struct watchdog_labels labels = {.number = number_of, .text = text_of};

/* ---- the compiler's aborts ---- */

/* (name): call this function of lua/qlua/profile/traces.lua. Runs protected. */
static int l_traces(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "qlua.profile.traces");
    lua_call(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_gettable(L, -2);
    lua_call(L, 0, 0);
    return 0;
}

static void tell_traces(struct generation *g, const char *name)
{
    struct err err = {0};
    lua_State *L = g->script->L;
    if (g->script->running != NULL)
        return; /* whoever runs does it */
    lua_pushcfunction(L, l_traces);
    lua_pushstring(L, name);
    if (script_call(g->script, 1, 0, &err) != 0)
        log_write(g->log, LOG_WARNING, "a profile without aborted traces: %s", err.message);
}

/* ---- its life ---- */

/* No more samples. */
static void stop(struct generation_profile *taken)
{
    timer_stop(&taken->timer);
    taken->is_taken = false;
    taken->seconds_ms = clock_ms() - taken->began_ms;
    watchdog_unprofile(taken->profile, &taken->nanoseconds);
}

static void tell_over(struct generation_profile *taken)
{
    void (*on_over)(void *data) = taken->on_over;
    taken->on_over = NULL;
    if (on_over != NULL)
        on_over(taken->data);
}

static void on_time(struct timer *timer)
{
    struct generation_profile *taken = LIST_ENTRY(timer, struct generation_profile, timer);
    generation_profile_end(taken->generation);
}

void generation_profile_end(struct generation *g)
{
    struct generation_profile *taken = g->profile;
    if (taken == NULL || !taken->is_taken)
        return;
    stop(taken);
    tell_traces(g, "detach");
    if (taken->is_watched_for_it && g->script->running == NULL)
        watchdog_stop(g->script);
    tell_over(taken);
}

void generation_profile_free(struct generation *g)
{
    struct generation_profile *taken = g->profile;
    if (taken == NULL)
        return;
    if (taken->is_taken)
        stop(taken);
    tell_over(taken);
    g->profile = NULL;
    profile_free(taken->profile);
    free(taken);
}

const char *generation_profile_begin(struct generation *g, uint64_t milliseconds,
                                     void (*on_over)(void *data), void *data)
{
    if (g->profile != NULL && g->profile->is_taken)
        return "a profile is being taken already";
    generation_profile_free(g);
    struct generation_profile *taken = mem_zalloc(sizeof(*taken));
    taken->is_watched_for_it = !g->script->watched; /* handler_cpu_limit is off */
    watchdog_start(g->script);
    taken->generation = g;
    taken->profile = profile_new();
    timer_init(&taken->timer, on_time);
    g->profile = taken;
    if (!watchdog_profile(g->script, taken->profile, &labels)) {
        generation_profile_free(g);
        return "no profile can be taken: this code does not serve, or the system gives no timer";
    }
    taken->is_taken = true;
    taken->began_ms = clock_ms();
    taken->on_over = on_over;
    taken->data = data;
    timer_start(g->script->loop, &taken->timer, milliseconds);
    tell_traces(g, "attach");
    return NULL;
}

bool generation_profile_write(const struct generation *g, struct buf *out)
{
    const struct generation_profile *taken = g->profile;
    if (taken == NULL)
        return false;
    uint64_t ms = taken->is_taken ? clock_ms() - taken->began_ms : taken->seconds_ms;
    buf_printf(out, "{\"pid\":%d,\"worker\":%d,\"generation\":%u,\"seconds\":%.3f,\"taking\":%s,",
               (int)getpid(), g->worker_id == 0 ? 1 : g->worker_id, g->number, (double)ms / 1000,
               taken->is_taken ? "true" : "false");
    profile_write(taken->profile, taken->nanoseconds, out);
    buf_char(out, '}');
    return true;
}

/* ---- Lua's side ---- */

static struct generation *check_generation(lua_State *L)
{
    struct generation *g = generation_of(L);
    if (g == NULL)
        luaL_error(L, "profiles are of code that a server runs");
    return g;
}

/* core.profile_begin(seconds) -> true | nil, why not */
static int l_begin(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    if (!(seconds > 0 && seconds <= PROFILE_MOST_SECONDS))
        return luaL_error(L, "a profile takes more than 0 and at most %d seconds",
                          PROFILE_MOST_SECONDS);
    const char *why =
        generation_profile_begin(check_generation(L), (uint64_t)(seconds * 1000) + 1, NULL, NULL);
    if (why == NULL) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

/* core.profile_end() */
static int l_end(lua_State *L)
{
    generation_profile_end(check_generation(L));
    return 0;
}

/* core.profile_json() -> what there is of a profile, or nil */
static int l_json(lua_State *L)
{
    struct buf out = {0};
    if (!generation_profile_write(check_generation(L), &out))
        return 0;
    lua_pushlstring(L, out.data, out.len);
    buf_clear(&out);
    return 1;
}

/* core.profile_abort(place, reason): a trace was given up. Nothing while no profile is taken. */
static int l_abort(lua_State *L)
{
    const struct generation *g = generation_of(L);
    if (g != NULL && g->profile != NULL && g->profile->is_taken)
        profile_abort(g->profile->profile, check_slice(L, 1), check_slice(L, 2));
    return 0;
}

static const luaL_Reg functions[] = {
    {"profile_begin", l_begin}, {"profile_end", l_end}, {"profile_json", l_json},
    {"profile_abort", l_abort}, {NULL, NULL},
};

void bind_profile(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
