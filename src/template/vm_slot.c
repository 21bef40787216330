/* template/vm_slot.c - the attributes of what is in slots. See vm_slot.h. */
#include "template/vm_slot.h"

/* Is the table in a slot without a metatable? The slot is remembered until it, or the frame,
 * changes, or Lua has run. */
static inline bool is_plain(struct render *r, int object)
{
    if (lua_getmetatable(r->vm.L, object)) {
        lua_pop(r->vm.L, 1);
        return false;
    }
    r->known = object;
    r->known_type = LUA_TTABLE;
    r->is_known_plain = true;
    return true;
}

/* Is the slot's value a plain table, and can the name only be that of a field? Then an attribute
 * needs no more than a look into the table. Gives the slot's stack index, 0: no. */
static inline int plain_slot(struct render *r, struct frame *frame, const struct insn *insn)
{
    int object = frame->base + insn->b;
    if (!frame->program->is_field[insn->c])
        return 0;
    if (slot_is_plain(r, object))
        return object;
    int type;
    if (object == r->known) {
        type = r->known_type;
    } else if (insn->a & SLOT_LAZY) {
        type = fill_slot(r, frame, insn->b, frame->unit->slot_names[insn->b]);
    } else {
        type = lua_type(r->vm.L, object);
    }
    return type == LUA_TTABLE && is_plain(r, object) ? object : 0;
}

/* Push that a plain table has no such field, in the place of the nil on top. */
static void push_no_field(struct render *r, const struct frame *frame, int object, int name)
{
    lua_State *L = r->vm.L;
    lua_rawgeti(L, frame->fixed + FIXED_PROGRAM, name + 1);
    value_push_missing(&r->vm, object, lua_gettop(L));
    lua_replace(L, -3);
    lua_pop(L, 1);
}

int push_slot_attr_other(struct render *r, struct frame *frame, const struct insn *insn)
{
    int object = plain_slot(r, frame, insn);
    if (object != 0) {
        int type = push_field(r, frame, object, insn->c);
        if (type != LUA_TNIL)
            return type;
        if (!r->vm.sandboxed) { /* which hides some names */
            push_no_field(r, frame, object, insn->c);
            return lua_type(r->vm.L, -1);
        }
        lua_pop(r->vm.L, 1);
    }
    int name = frame->unit->slot_names[insn->b];
    if (insn->a & SLOT_LAZY)
        fill_slot(r, frame, insn->b, name);
    push_slot(r, frame, insn->b, name);
    return operate_attr(r, frame, insn->c) ? lua_type(r->vm.L, -1) : LUA_TNONE;
}

bool slot_attr_truth(struct render *r, struct frame *frame, const struct insn *insn, bool *is_true)
{
    lua_State *L = r->vm.L;
    int object = plain_slot(r, frame, insn);
    if (object == 0)
        return false;
    bool is_known = true;
    switch (push_field(r, frame, object, insn->c)) {
    case LUA_TNIL:
        *is_true = false;
        is_known = r->vm.undefined != UNDEFINED_STRICT && !r->vm.sandboxed;
        break;
    case LUA_TBOOLEAN: *is_true = lua_toboolean(L, -1); break;
    case LUA_TSTRING: *is_true = lua_objlen(L, -1) > 0; break;
    case LUA_TNUMBER: *is_true = lua_tonumber(L, -1) != 0; break;
    default: is_known = false; break;
    }
    lua_pop(L, 1);
    return is_known;
}
