/* template/unicode.c - what Python's str methods know of characters. See unicode.h. */
#include "template/unicode.h"

bool unicode_is_printable(uint32_t code)
{
    return code >= 0x20 && code != 0x7f && !(code >= 0x80 && code <= 0xa0) && code != 0xad;
}

bool unicode_is_space(uint32_t code)
{
    return code == ' ' || (code >= 9 && code <= 13) || (code >= 0x1c && code <= 0x1f);
}
