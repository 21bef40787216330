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

/* The short ways of a builtin's usual calls, NULL: it has none. */
void filter_usual(const struct vm_native *native, native_quick *quick, native_text *text);

/* The form of the filter for calls of one value and keywords, which become its parameters; NULL: it
 * has none. For a filter whose `**` takes few names. */
const struct vm_native *filter_named(const struct vm_native *native);

/* How a filter deals with sequences. */
enum {
    WALK_MAKES = 1, /* it makes a generator of its own */
    WALK_WALKS = 2, /* it walks its operand once and keeps nothing of it but the items */
    WALK_LISTS = 4  /* ... and makes a list of them all */
};
int filter_walk(const struct vm_native *native);

/* ---- cycler and joiner, as value_getattr, value_method and vm_call see them -------------------
 */

/* Push the attribute of the cycler at index (current); false: it has none of this name. */
bool global_getattr(struct vm *vm, int object, struct slice name);
/* The method of the cycler (next, reset); its first parameter is the cycler. NULL: none. */
const struct vm_native *global_method(struct vm *vm, int object, struct slice name);
/* What calling the joiner or translation runs; its first parameter is that. NULL: not one. */
const struct vm_native *global_call(struct vm *vm, int object);

/* ---- translations ---------------------------------------------------------------------------- */

/* Push what stands for the Lua function at index as the newstyle `name` (gettext, ngettext,
 * pgettext or npgettext); false, and nothing, for another name. */
bool gettext_push(lua_State *L, struct slice name, int function);
/* What calling a translation runs; its first parameter is the translation. */
const struct vm_native *gettext_call(struct vm *vm, int object);

#endif
