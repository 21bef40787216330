/* template/vm_unicode.c - text by code points, by the names that filters use. */
#include "template/chars.h"
#include "template/unicode.h"
#include "template/vm_value.h"

size_t value_codepoints(struct slice text)
{
    return chars_count(text);
}

size_t value_codepoint_offset(struct slice text, size_t n)
{
    return chars_offset(text, n);
}

bool value_is_space(uint32_t code)
{
    return unicode_is_space(code);
}

bool value_is_word(uint32_t code)
{
    return code == '_' || unicode_is_alnum(code);
}

void value_lower(struct slice text, struct buf *out)
{
    unicode_convert(text, UNICODE_LOWER, out);
}

void value_upper(struct slice text, struct buf *out)
{
    unicode_convert(text, UNICODE_UPPER, out);
}
