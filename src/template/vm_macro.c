/* template/vm_macro.c - macros: made where they are written, called from anywhere.
 *
 * A macro is a userdata; its table holds the context, the program's table and the cells around it,
 * so that it works after the template that made it is through. Its result is Markup when escaping
 * is on where it is called; where it would only be written, it writes itself.
 */
#include "template/vm_internal.h"

struct vm_macro {
    const struct vm_program *program;
    const struct program_unit *unit;
};

/* In the table. Behind them, at MACRO_CALLER + its unit, each call block's macro: the block may
 * stand in a loop, and its macro is the same each time. */
enum { MACRO_CONTEXT = 1, MACRO_PROGRAM, MACRO_CELLS, MACRO_CALLER };

/* Push the table that the frame's macros share. */
static void push_closure(lua_State *L, const struct frame *frame)
{
    lua_pushvalue(L, frame->fixed + FIXED_CLOSURE);
    if (lua_istable(L, -1))
        return;
    lua_pop(L, 1);
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, frame->fixed + FIXED_CONTEXT);
    lua_rawseti(L, -2, MACRO_CONTEXT);
    lua_pushvalue(L, frame->fixed + FIXED_PROGRAM);
    lua_rawseti(L, -2, MACRO_PROGRAM);
    lua_pushvalue(L, frame->fixed + FIXED_CELLS);
    lua_rawseti(L, -2, MACRO_CELLS);
    lua_pushvalue(L, -1);
    lua_replace(L, frame->fixed + FIXED_CLOSURE);
}

void macro_make(struct render *r, struct frame *frame, int unit)
{
    lua_State *L = r->vm.L;
    const struct program_unit *made = &frame->program->program->units[unit];
    bool is_caller = made->name.len == 0;
    push_closure(L, frame);
    if (is_caller) {
        lua_rawgeti(L, -1, MACRO_CALLER + unit);
        if (!lua_isnil(L, -1)) {
            lua_replace(L, -2);
            return;
        }
        lua_pop(L, 1);
    }
    struct vm_macro *macro = lua_newuserdata(L, sizeof(*macro));
    macro->program = frame->program;
    macro->unit = made;
    vm_push_meta(&r->vm, VM_META_MACRO);
    lua_setmetatable(L, -2);
    if (is_caller) {
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, MACRO_CALLER + unit);
    }
    lua_insert(L, -2);
    lua_setfenv(L, -2);
}

enum vm_status macro_call(struct render *r, const struct vm_args *args, int escape,
                          bool *is_written)
{
    lua_State *L = r->vm.L;
    int callee = args->first - 1;
    struct vm_macro macro = *(struct vm_macro *)lua_touserdata(L, callee);
    bool is_markup = r->vm.autoescape;
    bool writes = call_may_write(r, escape, is_markup);
    bool is_full = bind_macro(r, macro.program->program, macro.unit, args);
    lua_getfenv(L, callee);
    int table = lua_gettop(L);
    lua_rawgeti(L, table, MACRO_CONTEXT);
    lua_rawgeti(L, table, MACRO_PROGRAM);
    lua_rawgeti(L, table, MACRO_CELLS);
    struct frame *frame = frame_begin(r, macro.unit, macro.program, callee, args->first);
    if (is_full)
        frame->pc = frame->next = macro.unit->code + macro.unit->begin;
    if (writes)
        *is_written = true;
    else
        frame_capture(r, frame, is_markup ? RESULT_MARKUP : RESULT_TEXT);
    return VM_AGAIN;
}

const struct vm_program *macro_push_program(lua_State *L, int index)
{
    lua_getfenv(L, index);
    lua_rawgeti(L, -1, MACRO_PROGRAM);
    lua_replace(L, -2);
    return ((struct vm_macro *)lua_touserdata(L, index))->program;
}

void macro_set_escape(struct render *r, int index)
{
    const struct vm_macro *macro = lua_touserdata(r->vm.L, index);
    enum program_escape escape = macro->unit->escape;
    r->vm.autoescape =
        escape == ESCAPE_ON || (escape == ESCAPE_DYNAMIC && macro->program->program->autoescape);
}

/* ---- attributes ------------------------------------------------------------------------------ */

static void push_arguments(struct render *r, const struct vm_macro *macro)
{
    lua_State *L = r->vm.L;
    vm_new_tuple(&r->vm, macro->unit->nparams);
    for (int i = 0; i < macro->unit->nparams; i++) {
        struct slice name = macro->program->program->consts[macro->unit->params[i]].text;
        lua_pushlstring(L, name.data, name.len);
        lua_rawseti(L, -2, i + 1);
    }
}

bool macro_getattr(struct render *r, int object, struct slice name)
{
    lua_State *L = r->vm.L;
    const struct vm_macro *macro = lua_touserdata(L, object);
    const struct program_unit *unit = macro->unit;
    if (slice_eq(name, SLICE("name"))) {
        if (unit->name.len > 0)
            lua_pushlstring(L, unit->name.data, unit->name.len);
        else
            vm_push_none(&r->vm);
    } else if (slice_eq(name, SLICE("arguments"))) {
        push_arguments(r, macro);
    } else if (slice_eq(name, SLICE("catch_kwargs"))) {
        lua_pushboolean(L, unit->takes_kwargs);
    } else if (slice_eq(name, SLICE("catch_varargs"))) {
        lua_pushboolean(L, unit->takes_varargs);
    } else if (slice_eq(name, SLICE("caller"))) {
        lua_pushboolean(L, unit->takes_caller);
    } else if (slice_eq(name, SLICE("explicit_caller"))) {
        lua_pushboolean(L, unit->explicit_caller);
    } else {
        return false;
    }
    return true;
}

void macro_write(struct render *r, int object, struct buf *out)
{
    const struct vm_macro *macro = lua_touserdata(r->vm.L, object);
    struct slice name = macro->unit->name;
    if (name.len == 0)
        buf_cstr(out, "<Macro anonymous>");
    else
        buf_printf(out, "<Macro '%.*s'>", (int)name.len, name.data);
}
