/* template/vm_slot.h - slots, and the attributes of what is in them.
 *
 * Place in the flow: vm_run.c reads names from slots and asks for the attributes of what they hold,
 * which is what templates do most. A plain table (one without a metatable) is looked into here;
 * all else is vm_operate.c's.
 */
#ifndef QLUA_TEMPLATE_VM_SLOT_H
#define QLUA_TEMPLATE_VM_SLOT_H

#include "template/vm_run.h"

/* Push what is in the slot; undefined when nothing is. */
static inline void push_slot(struct render *r, const struct frame *frame, int slot, int name)
{
    lua_pushvalue(r->vm.L, frame->base + slot);
    if (lua_type(r->vm.L, -1) == LUA_TNIL) {
        lua_pop(r->vm.L, 1);
        value_push_undefined(&r->vm, const_slice(frame, name));
    }
}

/* The name of the context that the slot keeps: looked up when it is not there yet. Gives its
 * lua_type. */
static inline int fill_slot(struct render *r, struct frame *frame, int slot, int name)
{
    int type = lua_type(r->vm.L, frame->base + slot);
    if (type != LUA_TNIL)
        return type;
    type = context_value(r, frame, name);
    lua_replace(r->vm.L, frame->base + slot);
    return type;
}

/* The slot at the stack index gets the value on top. */
static inline void set_slot(struct render *r, int index)
{
    if (index == r->known)
        r->known = 0;
    lua_replace(r->vm.L, index);
}

/* The slot gets the value on top, whose lua_type is known. */
static inline void set_slot_known(struct render *r, int index, int type)
{
    lua_replace(r->vm.L, index);
    r->known = index;
    r->known_type = type;
    r->is_known_plain = false;
}

/* The lua_type of what is in the slot at the stack index. */
static inline int slot_type(const struct render *r, int index)
{
    return index == r->known ? r->known_type : lua_type(r->vm.L, index);
}

/* Is it known that the slot at the stack index holds a table without a metatable? */
static inline bool slot_is_plain(const struct render *r, int index)
{
    return index == r->known && r->is_known_plain;
}

/* Push what the plain table in a slot has under the name, or nil; gives its lua_type. */
static inline int push_field(struct render *r, const struct frame *frame, int object, int name)
{
    lua_rawgeti(r->vm.L, frame->fixed + FIXED_PROGRAM, name + 1);
    lua_rawget(r->vm.L, object);
    return lua_type(r->vm.L, -1);
}

int push_slot_attr_other(struct render *r, struct frame *frame, const struct insn *insn);

/* Push the attribute of the slot's value that an OP_SLOT_ATTR or OP_OUT_ATTR names; gives its
 * lua_type, LUA_TNONE: Lua was asked for it. */
static inline int push_slot_attr(struct render *r, struct frame *frame, const struct insn *insn)
{
    int object = frame->base + insn->b;
    if (slot_is_plain(r, object) && frame->program->is_field[insn->c]) {
        int type = push_field(r, frame, object, insn->c);
        if (type != LUA_TNIL)
            return type;
        lua_pop(r->vm.L, 1);
    }
    return push_slot_attr_other(r, frame, insn);
}

/* Is that attribute true? Only where that is easily said; else false is given, and nothing was
 * done. */
bool slot_attr_truth(struct render *r, struct frame *frame, const struct insn *insn, bool *is_true);

#endif
