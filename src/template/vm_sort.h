/* template/vm_sort.h - sorting by Python's rules.
 *
 * Place in the flow: the filters sort, dictsort and groupby make keys and let a sorter order them,
 * which can ask Lua at any comparison; list.sort() sorts in place. Stable, also when reversed.
 */
#ifndef QLUA_TEMPLATE_VM_SORT_H
#define QLUA_TEMPLATE_VM_SORT_H

#include "template/vm.h"

/* Push a sorter (a userdata) of n items by their keys, a list of n at the stack index `keys`.
 * columns 0: the keys are compared with `<`. 1: as lists of one are in Python, where equal ones
 * need no `<`. More: keys is a list of so many lists of n keys, compared one after the other. */
struct sorter *sorter_new(struct vm *vm, int keys, int n, int columns, bool reverse);
/* Sort. VM_AGAIN: Lua is asked; call again with `asked`, the answer on top. Fails for keys which
 * `<` does not order. */
enum vm_status sorter_run(struct vm *vm, struct sorter *sorter, int keys, bool asked);
/* The 0-based number of the item that is i-th (0-based) in order. */
int sorter_at(const struct sorter *sorter, int i);

/* Sort the list by the keys (the list itself, or one as long). Fails for objects. */
void sort_list(struct vm *vm, int list, int keys, bool reverse);

#endif
