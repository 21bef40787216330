/* bind/handover.c - hands a request to Lua. See handover.h. */
#include "bind/handover.h"

#include <lauxlib.h>
#include <lua.h>

#include "base/buf.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/log.h"
#include "bind/exchange.h"
#include "bind/generation.h"
#include "bind/lookup.h"
#include "bind/route.h"
#include "http/request.h"
#include "http/request_id.h"
#include "script/call.h"
#include "script/state.h"

static struct task *new_task(struct exchange *x, enum exchange_stage stage)
{
    struct task *task = task_new(x->generation->script, &x->context, x->over, x);
    x->task = task;
    x->stage = (uint8_t)stage;
    return task;
}

/* A task that is to call the hook with this reference. */
static struct task *new_hook(struct exchange *x, enum exchange_stage stage, int ref)
{
    struct task *task = new_task(x, stage);
    lua_rawgeti(task->L, LUA_REGISTRYINDEX, ref);
    return task;
}

void handover_view(struct exchange *x)
{
    struct task *task = new_task(x, STAGE_VIEW);
    size_t n = x->match.nvalues;
    lua_rawgeti(task->L, LUA_REGISTRYINDEX, x->generation->rules[x->match.rule].target_ref);
    if (n > 0)
        lua_checkstack(task->L, (int)n + 4);
    for (size_t i = 0; i < n; i++)
        exchange_push_variable(task->L, x, i);
    task_run(task, (int)n);
}

/* ---- dispatch.refused ---- */

void handover_push_methods(lua_State *L, uint64_t methods)
{
    const char *names[METHOD_COUNT];
    size_t count = lookup_method_names(methods, names);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

void handover_refused(struct exchange *x, int status)
{
    struct task *task = new_hook(x, STAGE_FAILED, x->generation->refused_ref);
    lua_pushinteger(task->L, status);
    if (status == 405)
        handover_push_methods(task->L, x->match.allowed);
    task_run(task, status == 405 ? 2 : 1);
}

void handover_options(struct exchange *x)
{
    struct task *task = new_hook(x, STAGE_FAILED, x->generation->refused_ref);
    lua_pushliteral(task->L, "options");
    handover_push_methods(task->L, x->match.allowed);
    task_run(task, 2);
}

void handover_redirect(struct exchange *x, struct slice url)
{
    struct task *task = new_hook(x, STAGE_FAILED, x->generation->refused_ref);
    lua_pushliteral(task->L, "redirect");
    lua_pushlstring(task->L, url.data, url.len);
    task_run(task, 2);
}

/* ---- dispatch.debug ---- */

void handover_debug(struct exchange *x, struct slice path, const char *load_error)
{
    struct task *task = new_hook(x, STAGE_FAILED, x->generation->debug_ref);
    if (path.data == NULL)
        lua_pushnil(task->L);
    else
        lua_pushlstring(task->L, path.data, path.len);
    if (load_error == NULL)
        lua_pushnil(task->L);
    else
        lua_pushstring(task->L, load_error);
    task_run(task, 2);
}

/* ---- errors and other results ---- */

void handover_failed(struct exchange *x, struct task *dead)
{
    struct task *task = new_hook(x, STAGE_FAILED, x->generation->failed_ref);
    if (dead->stopped)
        cpu_budget_extend(&x->budget);
    lua_xmove(dead->L, task->L, 1);
    if (dead->failed) {
        lua_pushthread(dead->L);
        lua_xmove(dead->L, task->L, 1);
    } else {
        lua_pushboolean(task->L, 0); /* it returned, and goes back to the pool: no frames */
    }
    lua_pushboolean(task->L, dead->out_of_memory);
    task_run(task, 3);
}

void handover_converter_error(struct exchange *x)
{
    struct task *task = new_hook(x, STAGE_FAILED, x->generation->failed_ref);
    lua_pushstring(task->L, x->converter_error);
    task_run(task, 1);
}

void handover_value(struct exchange *x, struct task *from)
{
    int n = from->nresults;
    int rule = x->stage == STAGE_VIEW && x->outcome == ROUTE_FOUND ? x->match.rule : -1;
    struct task *task = new_hook(x, STAGE_VALUE, x->generation->value_ref);
    lua_pushinteger(task->L, rule);
    lua_checkstack(task->L, n);
    lua_xmove(from->L, task->L, n);
    task_run(task, n + 1);
}

void handover_log_loss(struct exchange *x, struct task *task)
{
    if (x->generation->errors != NULL)
        counter_add(x->generation->errors, 1);
    push_traceback(task->L, task->L);
    struct slice method = method_name(request_method(x->req));
    struct buf message = {0};
    buf_printf(&message, "Exception %s %.*s %.*s%s",
               x->req->gone ? "on request" : "while answering an error of", (int)method.len,
               method.data, (int)x->req->target.path.len, x->req->target.path.data,
               x->req->gone ? ", whose client has gone" : "");
    const char *traceback = lua_tostring(task->L, -1);
    struct log_event event = {.level = LOG_ERROR,
                              .request_id = request_id(x->req),
                              .message = buf_view(&message),
                              .traceback = slice_cstr(traceback == NULL ? "?" : traceback)};
    log_event(x->generation->log, &event);
    buf_clear(&message);
}

/* ---- custom converters ---- */

bool handover_convert(void *data, int converter, struct slice text, int slot)
{
    struct exchange *x = data;
    lua_State *L = x->converting;
    if (x->converter_error != NULL || !routes_push_converter(L, converter))
        return false;
    lua_getfield(L, -1, "to_lua");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 2);
        return true; /* the text itself is the value */
    }
    lua_insert(L, -2);
    lua_pushlstring(L, text.data, text.len);
    struct err err;
    if (script_call_on(L, 2, 1, &err) != 0) {
        struct buf place = {0};
        if (err.name[0] != '\0')
            buf_printf(&place, "%s:%d: ", err.name, err.line);
        buf_printf(&place, "%s\nin a custom converter's to_lua", err.message);
        x->converter_error = arena_cstr(&x->req->arena, buf_view(&place));
        buf_clear(&place);
        return false;
    }
    bool accepted = !lua_isnil(L, -1);
    if (x->custom_ref == LUA_NOREF) {
        lua_newtable(L);
        x->custom_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->custom_ref);
    lua_insert(L, -2);
    lua_rawseti(L, -2, slot + 1);
    lua_pop(L, 1);
    return accepted;
}
