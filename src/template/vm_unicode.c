/* template/vm_unicode.c - text by code points, as filters ask for it. */
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
    return code == '_' || (code >= '0' && code <= '9') ||
           ((code | 32) >= 'a' && (code | 32) <= 'z');
}

void value_lower(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++)
        buf_char(out, ascii_lower(text.data[i]));
}

void value_upper(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        buf_char(out, c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
    }
}
