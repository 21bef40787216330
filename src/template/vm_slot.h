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

/* Push the attribute of the slot's value that an OP_SLOT_ATTR or OP_OUT_ATTR names; gives its
 * lua_type, LUA_TNONE: Lua was asked for it. */
int push_slot_attr(struct render *r, struct frame *frame, const struct insn *insn);
/* Is that attribute true? Only where that is easily said; else false is given, and nothing was
 * done. */
bool slot_attr_truth(struct render *r, struct frame *frame, const struct insn *insn, bool *is_true);

#endif
