/* template/vm_sort.h - sorting a list in place by Python's rules.
 *
 * Place in the flow: list.sort(); the filter sort has its own, which can ask Lua.
 */
#ifndef QLUA_TEMPLATE_VM_SORT_H
#define QLUA_TEMPLATE_VM_SORT_H

#include "template/vm.h"

/* Sort the list by the keys (the list itself, or one as long): stable, also when reversed. Fails
 * for keys which `<` does not order; objects are such. */
void sort_list(struct vm *vm, int list, int keys, bool is_reversed);

#endif
