/* template/filter_usual.h - the usual calls of the filters that pages are full of.
 *
 * Place in the flow: filter_usual (filter.h) finds them by the filter (see native_quick in vm.h).
 * Each takes plain strings and numbers and gives what the filter would; all else is left to it.
 */
#ifndef QLUA_TEMPLATE_FILTER_USUAL_H
#define QLUA_TEMPLATE_FILTER_USUAL_H

#include "template/vm.h"

/* In filter_wrap.c; the others are in filter_usual.c itself. */
bool quick_truncate(struct vm *vm, int first, int count);

#endif
