/* template/unicode.h - what Python's str methods know of characters: classes and case.
 *
 * Place in the flow: repr, and the methods, filters and tests of text. Knows no Lua. A code of
 * UINT32_MAX (a byte that is not UTF-8, see chars.h) is in no class and has no other case.
 */
#ifndef QLUA_TEMPLATE_UNICODE_H
#define QLUA_TEMPLATE_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* str.isprintable() and so on, of one character. */
bool unicode_is_printable(uint32_t code);
bool unicode_is_alpha(uint32_t code);
bool unicode_is_decimal(uint32_t code);
bool unicode_is_digit(uint32_t code);
bool unicode_is_numeric(uint32_t code);
bool unicode_is_alnum(uint32_t code);
bool unicode_is_space(uint32_t code);
bool unicode_is_lower(uint32_t code);
bool unicode_is_upper(uint32_t code);
bool unicode_is_title(uint32_t code); /* Lt: a digraph like U+01C5 */
/* What an identifier may begin with, and go on with. */
bool unicode_is_name_start(uint32_t code);
bool unicode_is_name(uint32_t code);

enum unicode_case {
    UNICODE_LOWER,      /* str.lower(): also a final sigma */
    UNICODE_UPPER,      /* str.upper() */
    UNICODE_FOLD,       /* str.casefold() */
    UNICODE_TITLED,     /* str.title(): each letter behind no letter */
    UNICODE_CAPITALIZE, /* str.capitalize() */
    UNICODE_SWAP        /* str.swapcase() */
};

/* Append the text in another case. Bytes that are not UTF-8 stay. */
void unicode_convert(struct slice text, enum unicode_case to, struct buf *out);

#endif
