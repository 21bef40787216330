/* template/vm_block.c - blocks, super, self, and going on in the parent.
 *
 * The programs that a context runs are a chain: the one that was rendered, what it extends, and so
 * on. A block is that of the first program in the chain that has one of the name; super() is that
 * of the next.
 */
#include "template/vm_internal.h"

/* `self.name` and `super`: a userdata whose table holds the context. */
struct vm_block {
    struct slice name; /* of a program in the context's chain */
    int at;            /* in the chain */
};

/* ---- the chain ------------------------------------------------------------------------------- */

/* Push the table of the program `at` places up the chain of the context; false: none (nothing
 * pushed). */
static bool push_program(lua_State *L, int ctx, int at)
{
    if (at == 0) {
        lua_rawgeti(L, ctx, CTX_PROGRAM);
        return true;
    }
    lua_rawgeti(L, ctx, CTX_PARENTS);
    if (lua_type(L, -1) == LUA_TTABLE) {
        lua_rawgeti(L, -1, at);
        lua_replace(L, -2);
        if (!lua_isnil(L, -1))
            return true;
    }
    lua_pop(L, 1);
    return false;
}

/* Find the block from `at` places up the chain on: pushes its program's table and gives the place,
 * or gives -1. */
static int find_block(struct render *r, int ctx, int at, struct slice name,
                      const struct program_block **block)
{
    lua_State *L = r->vm.L;
    for (; push_program(L, ctx, at); at++) {
        *block = program_block(program_at(L, lua_gettop(L))->program, name);
        if (*block != NULL)
            return at;
        lua_pop(L, 1);
    }
    return -1;
}

/* The program's table is on top: begin the block's unit in the context at ctx. */
static struct frame *begin_block(struct render *r, const struct program_block *block, int ctx,
                                 int ret)
{
    lua_State *L = r->vm.L;
    const struct vm_program *program = program_at(L, lua_gettop(L));
    int base = lua_gettop(L);
    lua_pushvalue(L, ctx);
    lua_insert(L, base);
    lua_pushnil(L);
    lua_insert(L, base);
    lua_pushnil(L);
    return frame_begin(r, &program->program->units[block->unit], program, ret, base);
}

/* ---- {% block %} ----------------------------------------------------------------------------- */

/* Push a context for a scoped block: the frame's, with the locals on top. */
static void push_scoped(struct render *r, struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    int ctx = frame->fixed + FIXED_CONTEXT;
    const struct program_locals *locals =
        insn->b == 0 ? NULL : &frame->program->program->locals[insn->b - 1];
    lua_rawgeti(L, ctx, CTX_PROGRAM);
    int program = lua_gettop(L);
    context_derive(r, frame, program, locals);
    lua_remove(L, program);
    lua_rawgeti(L, ctx, CTX_PARENTS);
    lua_rawseti(L, -2, CTX_PARENTS);
    context_share_autoescape(L, ctx);
}

void block_enter(struct render *r, struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    const struct program *own = frame->program->program;
    struct slice name = own->consts[own->blocks[insn->c].name].text;
    const struct program_block *block;
    int ret = lua_gettop(L) + 1;
    int ctx = frame->fixed + FIXED_CONTEXT;
    if (insn->a) {
        push_scoped(r, frame, insn);
        ctx = ret;
    }
    if (find_block(r, ctx, 0, name, &block) < 0)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "there is no block '%.*s'", (int)name.len, name.data);
    begin_block(r, block, ctx, ret);
}

void block_require(struct render *r, struct frame *frame, int index)
{
    const struct program *own = frame->program->program;
    struct slice name = own->consts[own->blocks[index].name].text;
    int ctx = frame->fixed + FIXED_CONTEXT;
    const struct program_block *block;
    int top = lua_gettop(r->vm.L);
    int first = find_block(r, ctx, 0, name, &block);
    int second = first < 0 ? -1 : find_block(r, ctx, first + 1, name, &block);
    lua_settop(r->vm.L, top);
    if (second < 0)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "Required block '%.*s' not found", (int)name.len,
                name.data);
}

/* ---- references ------------------------------------------------------------------------------ */

/* Push a reference to the block `at` places up the chain of the context at ctx. */
static void push_reference(struct render *r, struct slice name, int at, int ctx)
{
    lua_State *L = r->vm.L;
    struct vm_block *block = lua_newuserdata(L, sizeof(*block));
    *block = (struct vm_block){name, at};
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, ctx);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
    vm_push_meta(&r->vm, VM_META_BLOCK);
    lua_setmetatable(L, -2);
}

/* Push the context of a reference or of self. */
static void push_context(lua_State *L, int object)
{
    lua_getfenv(L, object);
    lua_rawgeti(L, -1, 1);
    lua_replace(L, -2);
}

/* Push a reference to the block above `at`, or what is undefined. */
static void push_above(struct render *r, struct slice name, int at, int ctx)
{
    lua_State *L = r->vm.L;
    const struct program_block *block;
    at = find_block(r, ctx, at + 1, name, &block);
    if (at >= 0) {
        struct slice kept = program_at(L, lua_gettop(L))->program->consts[block->name].text;
        lua_pop(L, 1);
        push_reference(r, kept, at, ctx);
        return;
    }
    size_t start = r->vm.text.len;
    buf_printf(&r->vm.text, "there is no parent block called '%.*s'.", (int)name.len, name.data);
    struct slice hint = {r->vm.text.data + start, r->vm.text.len - start};
    value_push_undefined_hint(&r->vm, hint);
    r->vm.text.len = start;
}

void block_push_self(struct render *r, struct frame *frame)
{
    lua_State *L = r->vm.L;
    lua_newuserdata(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, frame->fixed + FIXED_CONTEXT);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
    vm_push_meta(&r->vm, VM_META_SELF);
    lua_setmetatable(L, -2);
}

void block_push_super(struct render *r, struct frame *frame, int index)
{
    lua_State *L = r->vm.L;
    const struct program *own = frame->program->program;
    struct slice name = own->consts[own->blocks[index].name].text;
    int ctx = frame->fixed + FIXED_CONTEXT;
    int at = 0;
    for (bool is_found = false; !is_found && push_program(L, ctx, at);) {
        is_found = lua_rawequal(L, -1, frame->fixed + FIXED_PROGRAM);
        lua_pop(L, 1);
        at += !is_found;
    }
    push_above(r, name, at, ctx);
}

enum vm_status block_call(struct render *r, const struct vm_args *args, int escape,
                          bool *is_written)
{
    lua_State *L = r->vm.L;
    int callee = args->first - 1;
    const struct vm_block reference = *(struct vm_block *)lua_touserdata(L, callee);
    const struct program_block *block;
    if (args->count > 0 || args_have_keywords(args))
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "a block is called without arguments");
    push_context(L, callee);
    int ctx = args->first;
    find_block(r, ctx, reference.at, reference.name, &block);
    lua_rawgeti(L, ctx, CTX_AUTOESCAPE);
    bool is_markup = context_autoescape(L);
    lua_pop(L, 1);
    bool writes = call_may_write(r, escape, is_markup);
    struct frame *frame = begin_block(r, block, ctx, callee);
    if (writes)
        *is_written = true;
    else
        frame_capture(r, frame, is_markup ? RESULT_MARKUP : RESULT_TEXT);
    return VM_AGAIN;
}

bool block_getattr(struct render *r, int object, struct slice name)
{
    lua_State *L = r->vm.L;
    const struct vm_block *block = lua_touserdata(L, object);
    if (slice_eq(name, SLICE("name"))) {
        lua_pushlstring(L, block->name.data, block->name.len);
        return true;
    }
    if (!slice_eq(name, SLICE("super")))
        return false;
    push_context(L, object);
    int ctx = lua_gettop(L);
    push_above(r, block->name, block->at, ctx);
    lua_remove(L, ctx);
    return true;
}

bool self_getattr(struct render *r, int object, struct slice name)
{
    lua_State *L = r->vm.L;
    const struct program_block *block;
    push_context(L, object);
    int ctx = lua_gettop(L);
    int at = find_block(r, ctx, 0, name, &block);
    if (at < 0) {
        lua_pop(L, 1);
        return false;
    }
    struct slice kept = program_at(L, lua_gettop(L))->program->consts[block->name].text;
    lua_pop(L, 1);
    push_reference(r, kept, at, ctx);
    lua_remove(L, ctx);
    return true;
}

void block_write(struct render *r, int object, struct buf *out)
{
    const struct vm_block *block = lua_touserdata(r->vm.L, object);
    buf_printf(out, "<BlockReference '%.*s'>", (int)block->name.len, block->name.data);
}

void self_write(struct render *r, int object, struct buf *out)
{
    lua_State *L = r->vm.L;
    push_context(L, object);
    lua_rawgeti(L, -1, CTX_PROGRAM);
    struct slice name = program_at(L, lua_gettop(L))->program->name;
    lua_pop(L, 2);
    if (name.len == 0)
        buf_cstr(out, "<TemplateReference None>");
    else
        buf_printf(out, "<TemplateReference '%.*s'>", (int)name.len, name.data);
}

/* ---- {% extends %} --------------------------------------------------------------------------- */

void extends_loaded(struct render *r, struct frame *frame)
{
    lua_State *L = r->vm.L;
    int ctx = frame->fixed + FIXED_CONTEXT;
    lua_getfenv(L, -1);
    lua_replace(L, -2);
    lua_rawgeti(L, ctx, CTX_PARENTS);
    if (lua_type(L, -1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, -1);
        lua_rawseti(L, ctx, CTX_PARENTS);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    lua_pop(L, 1);
    frame->extends = frame->pc;
}

bool parent_enter(struct render *r, struct frame *frame)
{
    lua_State *L = r->vm.L;
    int ctx = frame->fixed + FIXED_CONTEXT;
    if (frame->extends == NULL)
        return false;
    frame->pc = frame->extends; /* the line that an error in the parent tells of */
    int base = lua_gettop(L) + 1;
    lua_pushnil(L);
    lua_pushvalue(L, ctx);
    lua_rawgeti(L, ctx, CTX_PARENTS);
    lua_rawgeti(L, -1, (int)lua_objlen(L, -1)); /* the last is the one that this body extends */
    lua_replace(L, -2);
    const struct vm_program *program = program_at(L, base + FIXED_PROGRAM);
    lua_pushnil(L);
    frame_begin(r, &program->program->units[0], program, base, base);
    return true;
}
