/* template/vm_context.c - what names stand for outside of the slots.
 *
 * Place in the flow: frames look up in their context the names that no slot holds; includes,
 * imports and scoped blocks get contexts of their own, which see the one they came from. A context
 * is a table (vm_internal.h), because macros keep theirs.
 */
#include "template/vm_internal.h"

struct slice const_slice(const struct frame *frame, int name)
{
    return frame->program->program->consts[name].text;
}

const struct vm_program *program_at(lua_State *L, int program_table)
{
    lua_rawgeti(L, program_table, 0);
    const struct vm_program *program = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return program;
}

/* Push a context without tables to look into. */
static void new_bare(struct render *r, int program_table)
{
    lua_State *L = r->vm.L;
    lua_createtable(L, CTX_FIRST + 2, 0);
    lua_pushvalue(L, program_table);
    lua_rawseti(L, -2, CTX_PROGRAM);
    lua_pushnumber(L, program_at(L, program_table)->program->autoescape);
    lua_rawseti(L, -2, CTX_AUTOESCAPE);
}

void context_new(struct render *r, int program_table, int values, int globals)
{
    lua_State *L = r->vm.L;
    int at = CTX_FIRST;
    new_bare(r, program_table);
    if (values != 0) {
        lua_pushvalue(L, values);
        lua_rawseti(L, -2, at++);
    }
    if (globals != 0) {
        lua_pushvalue(L, globals);
        lua_rawseti(L, -2, at++);
    }
    lua_rawgeti(L, STACK_TABLES, ENV_GLOBALS);
    lua_rawseti(L, -2, at);
}

/* Push what is in a local's place: a value or nil. */
static void push_local(lua_State *L, const struct frame *frame, const struct program_local *local)
{
    if (!local->is_cell) {
        lua_pushvalue(L, frame->base + local->index);
        return;
    }
    lua_pushvalue(L, frame->fixed + FIXED_CELLS);
    for (int i = 0; i < local->depth; i++) {
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    }
    lua_rawgeti(L, -1, local->index);
    lua_remove(L, -2);
}

/* Push a table of what the frame's context has set, and over it the locals; false: it is empty and
 * was not pushed. */
static bool push_names(struct render *r, const struct frame *frame,
                       const struct program_locals *locals)
{
    lua_State *L = r->vm.L;
    bool is_empty = true;
    lua_newtable(L);
    int table = lua_gettop(L);
    lua_rawgeti(L, frame->fixed + FIXED_CONTEXT, CTX_VARS);
    if (lua_type(L, -1) == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, table + 1);) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, table);
            is_empty = false;
        }
    }
    lua_pop(L, 1);
    for (int i = 0; locals != NULL && i < locals->count; i++) {
        push_local(L, frame, &locals->items[i]);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            continue;
        }
        lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, locals->items[i].name + 1);
        lua_insert(L, -2);
        lua_rawset(L, table);
        is_empty = false;
    }
    if (is_empty)
        lua_pop(L, 1);
    return !is_empty;
}

void context_derive(struct render *r, struct frame *frame, int program_table,
                    const struct program_locals *locals)
{
    lua_State *L = r->vm.L;
    int ctx = frame->fixed + FIXED_CONTEXT;
    int at = CTX_FIRST;
    new_bare(r, program_table);
    if (push_names(r, frame, locals))
        lua_rawseti(L, -2, at++);
    for (int i = CTX_FIRST;; i++) {
        lua_rawgeti(L, ctx, i);
        if (lua_isnil(L, -1))
            break;
        lua_rawseti(L, -2, at++);
    }
    lua_pop(L, 1);
}

/* ---- autoescape ------------------------------------------------------------------------------ */

bool context_autoescape(lua_State *L)
{
    if (lua_tonumber(L, -1) != 0)
        return true;
    if (!lua_istable(L, -1))
        return false;
    lua_rawgeti(L, -1, CTX_AUTOESCAPE);
    bool autoescape = lua_tonumber(L, -1) != 0;
    lua_pop(L, 1);
    return autoescape;
}

void context_set_autoescape(lua_State *L, int ctx, bool autoescape)
{
    lua_rawgeti(L, ctx, CTX_AUTOESCAPE);
    bool is_shared = lua_istable(L, -1);
    lua_pushnumber(L, autoescape);
    lua_rawseti(L, is_shared ? -2 : ctx, CTX_AUTOESCAPE);
    lua_pop(L, 1);
}

void context_share_autoescape(lua_State *L, int ctx)
{
    lua_rawgeti(L, ctx, CTX_AUTOESCAPE);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_pushvalue(L, ctx);
    }
    lua_rawseti(L, -2, CTX_AUTOESCAPE);
}

/* ---- looking up ------------------------------------------------------------------------------ */

/* Push what the template has set under the name; gives its lua_type, LUA_TNIL: nothing (nothing
 * pushed). */
static int push_set(lua_State *L, const struct frame *frame, int name)
{
    lua_rawgeti(L, frame->fixed + FIXED_CONTEXT, CTX_VARS);
    lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, name + 1);
    lua_rawget(L, -2);
    int type = lua_type(L, -1);
    if (type != LUA_TNIL)
        lua_replace(L, -2);
    else
        lua_pop(L, 2);
    return type;
}

/* What the frame keeps of its context is fetched with the first name that is looked up. */
static void look_at_context(lua_State *L, struct frame *frame)
{
    int ctx = frame->fixed + FIXED_CONTEXT;
    lua_rawgeti(L, ctx, CTX_FIRST);
    lua_replace(L, frame->fixed + FIXED_FIRST);
    lua_rawgeti(L, ctx, CTX_VARS);
    frame->has_vars = (signed char)lua_toboolean(L, -1);
    lua_pop(L, 1);
}

int context_resolve(struct render *r, struct frame *frame, int name)
{
    lua_State *L = r->vm.L;
    int type = LUA_TNIL;
    if (frame->has_vars < 0)
        look_at_context(L, frame);
    if (frame->has_vars && (type = push_set(L, frame, name)) != LUA_TNIL)
        return type;
    lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, name + 1);
    lua_rawget(L, frame->fixed + FIXED_FIRST);
    for (int i = CTX_FIRST + 1; (type = lua_type(L, -1)) == LUA_TNIL; i++) {
        lua_pop(L, 1);
        lua_rawgeti(L, frame->fixed + FIXED_CONTEXT, i);
        if (lua_isnil(L, -1))
            break; /* nobody has it */
        lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, name + 1);
        lua_rawget(L, -2);
        lua_replace(L, -2);
    }
    return type;
}

int context_value(struct render *r, struct frame *frame, int name)
{
    int type = context_resolve(r, frame, name);
    if (type != LUA_TNIL)
        return type;
    lua_pop(r->vm.L, 1);
    value_push_undefined(&r->vm, const_slice(frame, name));
    return lua_type(r->vm.L, -1);
}

/* ---- setting --------------------------------------------------------------------------------- */

void context_set(struct render *r, struct frame *frame, int name, bool is_exported,
                 bool is_unexported)
{
    lua_State *L = r->vm.L;
    int ctx = frame->fixed + FIXED_CONTEXT;
    int consts = frame->fixed + FIXED_PROGRAM;
    int value = lua_gettop(L);
    lua_rawgeti(L, ctx, CTX_VARS);
    if (lua_type(L, -1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, ctx, CTX_VARS);
    }
    lua_rawgeti(L, consts, name + 1);
    lua_pushvalue(L, value);
    lua_rawset(L, value + 1);

    lua_rawgeti(L, ctx, CTX_EXPORTED);
    if (lua_type(L, -1) == LUA_TTABLE && (is_exported || is_unexported)) {
        lua_rawgeti(L, consts, name + 1);
        if (is_exported)
            lua_pushboolean(L, 1);
        else
            lua_pushnil(L);
        lua_rawset(L, -3);
    }
    lua_settop(L, value - 1);
    if (frame->has_vars == 0)
        frame->has_vars = true;
}

/* ---- {% debug %} ----------------------------------------------------------------------------- */

void context_show(struct render *r, struct frame *frame)
{
    lua_State *L = r->vm.L;
    size_t start = r->vm.text.len;
    int ctx = frame->fixed + FIXED_CONTEXT;
    vm_new_dict(&r->vm);
    int all = lua_gettop(L);
    for (int i = CTX_FIRST;; i++) {
        lua_rawgeti(L, ctx, i);
        if (lua_isnil(L, -1))
            break;
        int table = lua_gettop(L);
        for (lua_pushnil(L); lua_next(L, table);) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -1);
            lua_rawget(L, all);
            bool is_new = lua_isnil(L, -1);
            lua_pop(L, 1);
            lua_insert(L, -2);
            if (is_new)
                lua_rawset(L, all);
            else
                lua_pop(L, 2);
        }
        lua_settop(L, all);
    }
    lua_settop(L, all);
    buf_cstr(&r->vm.text, "{'context': ");
    value_repr(&r->vm, all, &r->vm.text);
    buf_cstr(&r->vm.text, "}");
    lua_pop(L, 1);
    vm_push_text(&r->vm, start);
}
