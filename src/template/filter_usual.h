/* template/filter_usual.h - the usual calls of the filters that pages are full of.
 *
 * Place in the flow: filter_usual (filter.h) finds them by the filter (see native_quick and
 * native_text in vm.h). Each takes plain strings and numbers and gives what the filter would; all
 * else is left to it.
 */
#ifndef QLUA_TEMPLATE_FILTER_USUAL_H
#define QLUA_TEMPLATE_FILTER_USUAL_H

#include "template/vm.h"

/* native_text text_lower; declares functions of this type. */
typedef bool filter_text_usual(struct vm *vm, struct text_flow *flow, const struct vm_plain *args,
                               int count);

/* filter_usual_text.c */
filter_text_usual text_capitalize, text_default, text_escape, text_format, text_lower, text_replace;
filter_text_usual text_safe, text_string, text_striptags, text_title, text_trim, text_upper;
filter_text_usual text_urlencode;
filter_text_usual text_truncate; /* filter_wrap.c */

#endif
