/* template/filter.h - the builtin filters, tests and globals, by name.
 *
 * Place in the flow: the compiler asks which names exist, the VM runs them. An environment's
 * own filters and tests (Lua functions) come first; these are found when there is none of the name.
 */
#ifndef QLUA_TEMPLATE_FILTER_H
#define QLUA_TEMPLATE_FILTER_H

#include "template/vm.h"

/* NULL: no such builtin. */
const struct vm_native *filter_builtin(struct slice name);
const struct vm_native *test_builtin(struct slice name);

/* Set the builtin globals (range, dict, lipsum, cycler, joiner, namespace) in the table on top of
 * L: values that vm_call knows how to call. */
void filter_open_globals(lua_State *L);

#endif
