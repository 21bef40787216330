/* template/unicode.h - what Python's str methods know of characters: classes and case.
 *
 * Place in the flow: repr and the methods and filters of text ask. Knows no Lua. A code of
 * UINT32_MAX (a byte that is not UTF-8) is in no class and has no case.
 */
#ifndef QLUA_TEMPLATE_UNICODE_H
#define QLUA_TEMPLATE_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

bool unicode_is_printable(uint32_t code);
bool unicode_is_space(uint32_t code);

#endif
