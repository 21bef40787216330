/* template/vm_dict.h - dicts as tables: their keys, and the order in which these came.
 *
 * Place in the flow: vm_make.c holds it; access, iteration and the methods of dicts use it. Any
 * table that is a dict will do: one which was not written in a template has no order of its own.
 */
#ifndef QLUA_TEMPLATE_VM_DICT_H
#define QLUA_TEMPLATE_VM_DICT_H

#include "template/vm.h"

/* Push the list of the dict's keys in the order of their coming; false (nothing pushed): it has
 * none. A Lua function may since have added keys or taken some away. */
bool dict_push_order(struct vm *vm, int dict);

/* Can the value at index be a key? Lists and dicts cannot, nor what holds one. */
bool dict_is_key(struct vm *vm, int index);

/* Turn the value on top into the key that it is of this dict: a Markup into its text, true into 1
 * where that is there, a tuple into an equal one. Fails for what has no hash. */
void dict_key(struct vm *vm, int dict);

/* Take the key on top (as dict_key left it), which is popped, out of the dict. */
void dict_remove(struct vm *vm, int dict);

#endif
