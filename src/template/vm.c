/* template/vm.c - a render's errors and limits, its way out to Lua, what builtins ask of the
 * environment. See vm_internal.h.
 *
 * An error is made by the environment's own method `error`, which gives an instance of the right
 * class, and raised on the thread that runs: no protected call stands between, so a traceback sees
 * who rendered. The render itself is left as it is; render_clear makes it usable again.
 */
#include "template/vm.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "template/filter.h"
#include "template/vm_internal.h"

/* Instructions after which a render looks whether it is called back: about a millisecond. */
#define LOOK_AFTER 65536

/* ---- errors ---------------------------------------------------------------------------------- */

static const char *kind_name(enum template_error_kind kind)
{
    switch (kind) {
    case TEMPLATE_SYNTAX: return "syntax";
    case TEMPLATE_ASSERTION: return "assertion";
    case TEMPLATE_NOT_FOUND: return "notfound";
    case TEMPLATE_UNDEFINED: return "undefined";
    case TEMPLATE_FILTER_ARG: return "filterarg";
    case TEMPLATE_SECURITY: return "security";
    case TEMPLATE_LIMIT: return "limit";
    default: return "runtime";
    }
}

int frame_line(const struct frame *frame)
{
    return program_line_of(frame->unit, (int)(frame->pc - frame->unit->code));
}

static void push_slice(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data, text.len);
}

static void push_name(lua_State *L, const struct frame *frame)
{
    if (frame->program->program->name.len > 0)
        push_slice(L, frame->program->program->name);
    else
        lua_pushnil(L);
}

static void push_place(lua_State *L, const struct frame *frame)
{
    int line = frame_line(frame);
    lua_createtable(L, 0, 3);
    push_name(L, frame);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, line);
    lua_setfield(L, -2, "lineno");
    push_slice(L, program_source_line(frame->program->program, line));
    lua_setfield(L, -2, "source");
}

void render_push_chain(struct render *r, bool with_innermost)
{
    lua_State *L = r->vm.L;
    int n = 0;
    lua_newtable(L);
    for (const struct frame *frame = render_code_frame(r); frame != NULL;
         frame = frame_below(r, frame)) {
        if (!frame->is_native && !frame->is_test && with_innermost) {
            push_place(L, frame);
            lua_rawseti(L, -2, ++n);
        }
        with_innermost = true;
    }
}

/* Push kind, message, line, name, source and chain. */
static void push_description(struct render *r, const char *kind, const char *message)
{
    lua_State *L = r->vm.L;
    const struct frame *frame = render_code_frame(r);
    lua_pushstring(L, kind);
    lua_pushstring(L, message);
    if (frame == NULL) {
        lua_pushnil(L);
        lua_pushnil(L);
        lua_pushnil(L);
    } else {
        int line = frame_line(frame);
        lua_pushinteger(L, line);
        push_name(L, frame);
        push_slice(L, program_source_line(frame->program->program, line));
    }
    render_push_chain(r, false);
}

/* A buffer longer than this gives its memory back after a render. */
#define KEEP_OUTPUT 1048576

static void empty_buffers(struct render *r)
{
    struct buf *bufs[] = {&r->out, &r->vm.text, &r->flows[0], &r->flows[1]};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        if (bufs[i]->cap > KEEP_OUTPUT)
            buf_clear(bufs[i]);
        bufs[i]->len = 0;
    }
}

void vm_fail(struct vm *vm, enum template_error_kind kind, const char *format, ...)
{
    struct render *r = render_of(vm);
    lua_State *L = vm->L;
    char message[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    empty_buffers(r); /* the next render may be far away */
    r->is_busy = false;
    lua_checkstack(L, 20); /* without it, Lua's own "stack overflow" is the error */
    lua_getfield(L, STACK_ENVIRONMENT, "error");
    lua_pushvalue(L, STACK_ENVIRONMENT);
    push_description(r, kind_name(kind), message);
    lua_call(L, 7, 1);
    lua_error(L);
    abort(); /* lua_error does not return */
}

/* ---- limits ---------------------------------------------------------------------------------- */

void render_fail_depth(struct render *r)
{
    vm_fail(&r->vm, TEMPLATE_LIMIT,
            "recursion: macros, includes, blocks and loops lie deeper in each other than %d "
            "(max_depth)",
            r->env->max_depth);
}

void render_fail_values(struct render *r)
{
    vm_fail(&r->vm, TEMPLATE_LIMIT,
            "too many values in use at once: names, arguments and the items of lists that are "
            "written out, in all macros, includes, blocks and loops that run, may be %d together; "
            "hand a long list to the template as one value",
            LUAI_MAXCSTACK);
}

/* Whoever wants the processor back (script/watchdog.h) has armed a hook, which is called before the
 * next instruction of Lua: there has to be one. It raises an error, unless that was not for us. */
static void heed_hook(struct render *r)
{
    lua_State *L = r->vm.L;
    if (lua_gethook(L) == NULL || lua_gethookcount(L) != 1)
        return;
    r->is_busy = false;
    lua_checkstack(L, 20);
    lua_getfield(L, LUA_REGISTRYINDEX, RENDER_STOP_KEY);
    render_push_chain(r, true);
    lua_call(L, 1, 0);
    r->is_busy = true;
}

void render_spend(struct render *r, int instructions)
{
    r->budget -= instructions;
    if (r->budget >= 0)
        return;
    if (r->rest != INT64_MAX) {
        r->rest += r->budget;
        if (r->rest < 0)
            vm_fail(&r->vm, TEMPLATE_LIMIT,
                    "the template ran for more than %.0f instructions (max_instructions)",
                    r->env->max_instructions);
    }
    heed_hook(r);
    r->budget = r->rest < LOOK_AFTER ? r->rest : LOOK_AFTER;
    if (r->rest != INT64_MAX)
        r->rest -= r->budget;
}

void vm_spend(struct vm *vm, double instructions)
{
    render_spend(render_of(vm), instructions < INT32_MAX ? (int)instructions : INT32_MAX);
}

void render_set_mark(struct render *r)
{
    size_t most = r->env->max_output;
    size_t mark = VALUE_TEXT_LIMIT;
    if (most > 0) {
        double left = (double)most - r->flushed;
        mark = left < 0 ? 0 : (size_t)left;
    }
    if (r->flush_size > 0 && r->flush_size <= mark)
        mark = r->flush_size - 1;
    r->mark = mark;
}

bool render_check_output(struct render *r)
{
    size_t most = r->env->max_output;
    double len = (double)r->out.len + (most > 0 ? r->flushed : 0); /* else: what is kept of it */
    if (most == 0)
        most = VALUE_TEXT_LIMIT;
    if (len > (double)most)
        vm_fail(&r->vm, TEMPLATE_LIMIT, "the output is longer than %zu bytes (max_output)", most);
    return r->flush_size > 0 && r->out.len >= r->flush_size && r->ncaptures == 0;
}

/* ---- the way out to Lua ---------------------------------------------------------------------- */

void render_ask(struct render *r, int ask, int count, int target)
{
    r->asked.ask = ask;
    r->asked.count = count;
    r->asked.first = lua_gettop(r->vm.L) - count + 1;
    r->asked.target = target;
    r->asked.negate = false;
}

enum vm_status vm_ask(struct vm *vm, enum vm_ask ask, int nargs)
{
    render_ask(render_of(vm), (int)ask, nargs, 0);
    return VM_AGAIN;
}

/* What Lua gave is on top: nil stands for something undefined where a value was asked for. */
void render_answer(struct render *r)
{
    lua_State *L = r->vm.L;
    const struct vm_asked asked = r->asked;
    r->asked.ask = -1;
    if (asked.ask == ASK_FLUSH) {
        lua_pop(L, 1);
        return;
    }
    if (asked.negate) {
        bool value = lua_toboolean(L, -1);
        lua_pop(L, 1);
        lua_pushboolean(L, !value);
    }
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        if (asked.ask == VM_ASK_INDEX || asked.ask == VM_ASK_ITEM)
            value_push_missing(&r->vm, asked.first, asked.first + 1);
        else if (asked.ask == ASK_LOAD_IF_ANY)
            vm_push_none(&r->vm);
        else
            value_push_undefined_hint(&r->vm, SLICE("the function returned nothing"));
    }
    if ((asked.ask == ASK_LOAD || asked.ask == ASK_LOAD_IF_ANY) && !program_is(r, lua_gettop(L)) &&
        value_kind(&r->vm, lua_gettop(L)) != VALUE_NONE)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "load_program must give a program, got '%s'",
                value_type_name(&r->vm, lua_gettop(L)));
    if (asked.target != 0) {
        lua_replace(L, asked.target);
        lua_settop(L, asked.first - 1);
    } else {
        lua_replace(L, asked.first);
        lua_settop(L, asked.first);
    }
}

/* ---- lives ----------------------------------------------------------------------------------- */

void render_clear(struct render *r)
{
    empty_buffers(r);
    r->nframes = r->nloops = r->ncaptures = r->depth = 0;
    r->top = NULL;
    r->asked.ask = -1;
    r->flush_size = 0;
    r->flushed = 0;
    r->keeps_value = r->is_waiting = r->is_busy = false;
    r->writes = -1;
}

void render_free(struct render *r)
{
    buf_clear(&r->out);
    buf_clear(&r->vm.text);
    buf_clear(&r->flows[0]);
    buf_clear(&r->flows[1]);
    for (int i = 0; i < r->nchunks; i++)
        free(r->chunks[i]);
    free(r->chunks);
    free(r->loops);
    free(r->captures);
    r->chunks = NULL;
    r->loops = NULL;
    r->captures = NULL;
    r->nchunks = r->room_loops = r->room_captures = 0;
}

/* ---- the environment, as builtins ask for it ------------------------------------------------- */

void vm_push_policy(struct vm *vm, struct slice name)
{
    lua_State *L = vm->L;
    lua_rawgeti(L, STACK_TABLES, ENV_POLICIES);
    if (lua_type(L, -1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_pushnil(L);
        return;
    }
    push_slice(L, name);
    lua_rawget(L, -2);
    lua_replace(L, -2);
}

struct slice vm_newline(const struct vm *vm)
{
    return ((const struct render *)vm)->env->syntax.newline_sequence;
}

static bool has_own(struct vm *vm, int tables, struct slice name)
{
    lua_State *L = vm->L;
    lua_rawgeti(L, STACK_TABLES, tables);
    push_slice(L, name);
    lua_rawget(L, -2);
    bool has = !lua_isnil(L, -1);
    lua_pop(L, 2);
    return has;
}

bool vm_has_filter(struct vm *vm, struct slice name)
{
    return has_own(vm, ENV_FILTERS, name) || filter_builtin(name) != NULL;
}

bool vm_has_test(struct vm *vm, struct slice name)
{
    return has_own(vm, ENV_TESTS, name) || test_builtin(name) != NULL;
}
