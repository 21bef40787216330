/* template/vm_import.c - include, import, from ... import.
 *
 * Place in the flow: OP_LOAD has the driver find the template; the next instruction runs it, in a
 * frame, in a context of its own. A template imported (or included) without context is run once:
 * its module is kept with the program, as Jinja keeps it with the template.
 */
#include "template/vm_internal.h"

enum { MODULE_BODY = 1, MODULE_NAME, MODULE_GLOBALS };

/* ---- loading --------------------------------------------------------------------------------- */

/* Names as Lua gets them: without what is undefined, what is no object as plain text. */
static void clean_names(struct render *r, int list)
{
    lua_State *L = r->vm.L;
    int n = (int)lua_objlen(L, list);
    lua_createtable(L, n, 0);
    for (int i = 1, count = 0; i <= n; i++) {
        lua_rawgeti(L, list, i);
        int at = lua_gettop(L);
        enum value_kind kind = value_kind(&r->vm, at);
        if (kind != VALUE_STRING && kind != VALUE_OBJECT && kind != VALUE_UNDEFINED) {
            value_push_str(&r->vm, at);
            lua_replace(L, at);
        }
        if (kind == VALUE_UNDEFINED)
            lua_pop(L, 1);
        else
            lua_rawseti(L, -2, ++count);
    }
    lua_replace(L, list);
}

/* What is neither text nor a list nor an object: no template's name. false: it may be missing. */
static bool refuse_name(struct render *r, int at, int flags)
{
    bool is_true;
    value_truth(&r->vm, at, &is_true);
    if (is_true && (flags & INCLUDE_MANY)) {
        value_to_list(&r->vm, at); /* fails: a number is no list */
        clean_names(r, at);
        return true;
    }
    if (flags & INCLUDE_IGNORE_MISSING)
        return false;
    if (flags & INCLUDE_MANY) { /* an empty list: Lua says so */
        lua_createtable(r->vm.L, 0, 0);
        lua_replace(r->vm.L, at);
        return true;
    }
    struct buf *text = &r->vm.text;
    size_t start = text->len;
    value_repr(&r->vm, at, text);
    vm_fail(&r->vm, TEMPLATE_NOT_FOUND, "%.*s", (int)(text->len - start), text->data + start);
}

/* The name, or names, as Lua gets them, in the place of the value at index. false: there is none,
 * and there need not be. */
static bool read_names(struct render *r, int at, int flags)
{
    switch (value_kind(&r->vm, at)) {
    case VALUE_STRING:
    case VALUE_OBJECT: return true;
    case VALUE_MARKUP:
        value_push_str(&r->vm, at);
        lua_replace(r->vm.L, at);
        return true;
    case VALUE_UNDEFINED: value_fail_undefined(&r->vm, at);
    case VALUE_LIST:
    case VALUE_TUPLE:
        if (!(flags & INCLUDE_MANY))
            vm_fail(&r->vm, TEMPLATE_RUNTIME, "a template's name must be a text, not a %s",
                    value_type_name(&r->vm, at));
        clean_names(r, at);
        return true;
    default: return refuse_name(r, at, flags);
    }
}

void import_load(struct render *r, struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    if (!read_names(r, lua_gettop(L), insn->a)) {
        lua_pop(L, 1);
        vm_push_none(&r->vm);
        return;
    }
    struct slice name = frame->program->program->name;
    if (name.len > 0)
        lua_pushlstring(L, name.data, name.len);
    else
        lua_pushnil(L);
    bool may_miss = insn->a & INCLUDE_IGNORE_MISSING;
    render_ask(r, may_miss ? ASK_LOAD_IF_ANY : ASK_LOAD, 2, 0);
}

/* ---- running --------------------------------------------------------------------------------- */

static const struct program_locals *locals_of(const struct frame *frame, const struct insn *insn)
{
    return insn->b == 0 ? NULL : &frame->program->program->locals[insn->b - 1];
}

/* The program's table is at ret, its context on top: begin its body. */
static struct frame *begin_body(struct render *r, int ret)
{
    lua_State *L = r->vm.L;
    const struct vm_program *program = program_at(L, ret);
    lua_pushnil(L);
    lua_insert(L, ret + 1);
    lua_pushvalue(L, ret);
    lua_pushnil(L);
    return frame_begin(r, &program->program->units[0], program, ret, ret + 1);
}

/* What the module exports is asked for: it is kept track of. */
static void note_exports(lua_State *L)
{
    lua_newtable(L);
    lua_rawseti(L, -2, CTX_EXPORTED);
}

/* Push the module that is kept with the program whose table is at index; false: none yet, or one
 * that sees other globals. */
static bool push_kept(struct render *r, int program_table)
{
    lua_State *L = r->vm.L;
    int at = program_at(L, program_table)->program->nconsts + PROGRAM_MODULE;
    lua_rawgeti(L, program_table, at);
    if (lua_type(L, -1) == LUA_TTABLE) {
        lua_rawgeti(L, -1, MODULE_GLOBALS);
        bool is_same = lua_rawequal(L, -1, STACK_GLOBALS);
        lua_pop(L, 1);
        if (is_same)
            return true;
    }
    lua_pop(L, 1);
    return false;
}

/* The program's table is at ret, on top: run it as a module that sees no context but globals. */
static void begin_module(struct render *r, int ret, enum frame_result result)
{
    bool has_globals = !lua_isnil(r->vm.L, STACK_GLOBALS);
    context_new(r, ret, 0, has_globals ? STACK_GLOBALS : 0);
    note_exports(r->vm.L);
    struct frame *frame = begin_body(r, ret);
    frame->is_shared = true;
    frame_capture(r, frame, result);
}

/* Append a module's body to the output. */
static void write_body(struct render *r, int module)
{
    lua_State *L = r->vm.L;
    struct slice body;
    lua_rawgeti(L, module, MODULE_BODY);
    body.data = lua_tolstring(L, -1, &body.len);
    buf_slice(&r->out, body);
    lua_pop(L, 1);
}

void include_enter(struct render *r, struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    int ret = lua_gettop(L);
    if (value_kind(&r->vm, ret) == VALUE_NONE) { /* ignore missing */
        lua_pop(L, 1);
        return;
    }
    lua_getfenv(L, ret);
    lua_replace(L, ret);
    if (insn->a & INCLUDE_CONTEXT) {
        context_derive(r, frame, ret, locals_of(frame, insn));
        begin_body(r, ret);
    } else if (push_kept(r, ret)) {
        write_body(r, ret + 1);
        lua_settop(L, ret - 1);
    } else {
        begin_module(r, ret, RESULT_BODY);
    }
}

void import_enter(struct render *r, struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    int ret = lua_gettop(L);
    lua_getfenv(L, ret);
    lua_replace(L, ret);
    if (insn->a & INCLUDE_CONTEXT) {
        context_derive(r, frame, ret, locals_of(frame, insn));
        note_exports(L);
        frame_capture(r, begin_body(r, ret), RESULT_MODULE);
        r->top->is_shared = false;
    } else if (push_kept(r, ret)) {
        lua_replace(L, ret);
    } else {
        begin_module(r, ret, RESULT_MODULE);
    }
}

/* ---- modules --------------------------------------------------------------------------------- */

/* Fill the module on top with what the context at ctx exports. */
static void add_exports(lua_State *L, int ctx)
{
    int module = lua_gettop(L);
    lua_rawgeti(L, ctx, CTX_EXPORTED);
    lua_rawgeti(L, ctx, CTX_VARS);
    for (lua_pushnil(L); lua_type(L, module + 2) == LUA_TTABLE && lua_next(L, module + 1);) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushvalue(L, -1);
        lua_rawget(L, module + 2);
        lua_rawset(L, module);
    }
    lua_settop(L, module);
}

void import_finish(struct render *r, struct frame *frame)
{
    lua_State *L = r->vm.L;
    const struct program *program = frame->program->program;
    capture_end(r, false);
    int body = lua_gettop(L);
    lua_newtable(L);
    add_exports(L, frame->fixed + FIXED_CONTEXT);
    lua_pushvalue(L, body);
    lua_rawseti(L, -2, MODULE_BODY);
    lua_pushlstring(L, program->name.data, program->name.len);
    lua_rawseti(L, -2, MODULE_NAME);
    lua_pushvalue(L, STACK_GLOBALS);
    lua_rawseti(L, -2, MODULE_GLOBALS);
    vm_push_meta(&r->vm, VM_META_MODULE);
    lua_setmetatable(L, -2);
    lua_replace(L, body);
    if (frame->is_shared) {
        lua_pushvalue(L, body);
        lua_rawseti(L, frame->fixed + FIXED_PROGRAM, program->nconsts + PROGRAM_MODULE);
    }
    if (frame->result == RESULT_BODY)
        write_body(r, body);
}

static void push_not_exported(struct render *r, struct frame *frame, int module,
                              struct slice wanted)
{
    lua_State *L = r->vm.L;
    struct buf *text = &r->vm.text;
    size_t start = text->len;
    struct slice own = frame->program->program->name;
    struct slice name;
    lua_rawgeti(L, module, MODULE_NAME);
    name.data = lua_tolstring(L, -1, &name.len);
    buf_printf(text, "the template '%.*s' (imported on line %d", (int)name.len, name.data,
               frame_line(frame));
    if (own.len > 0)
        buf_printf(text, " in '%.*s'", (int)own.len, own.data);
    buf_printf(text, ") does not export the requested name '%.*s'", (int)wanted.len, wanted.data);
    struct slice hint = {text->data + start, text->len - start};
    value_push_undefined_hint(&r->vm, hint);
    text->len = start;
    lua_remove(L, -2);
}

void import_push_name(struct render *r, struct frame *frame, int name)
{
    lua_State *L = r->vm.L;
    int module = lua_gettop(L);
    lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, name + 1);
    lua_rawget(L, module);
    if (!lua_isnil(L, -1))
        return;
    lua_pop(L, 1);
    push_not_exported(r, frame, module, const_slice(frame, name));
}
