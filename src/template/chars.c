/* template/chars.c - text counted in characters. See chars.h. */
#include "template/chars.h"

#include "base/block.h"
#include "base/utf8.h"

/* The bytes at the beginning that are ASCII. */
static size_t ascii_span(struct slice text)
{
#ifdef __x86_64__
    for (size_t n = 0; n < text.len; n += 16) {
        unsigned high = block_marks(block_load_16(text.data + n, text.len - n));
        if (high != 0)
            return n + (size_t)__builtin_ctz(high);
    }
#else
    for (size_t n = 0; n < text.len; n += 8) {
        size_t left = text.len - n;
        uint64_t block = block_load_some(text.data + n, left < 8 ? left : 8);
        if ((block & BLOCK_EACH(0x80)) != 0)
            return n + (size_t)__builtin_ctzll(block & BLOCK_EACH(0x80)) / 8;
    }
#endif
    return text.len;
}

bool chars_is_ascii(struct slice text)
{
    return ascii_span(text) == text.len;
}

size_t chars_decode(struct slice text, uint32_t *code)
{
    unsigned char c = (unsigned char)text.data[0];
    if (c < 0x80) {
        *code = c;
        return 1;
    }
    size_t n = utf8_decode(text, code);
    return *code == UINT32_MAX ? 1 : n;
}

size_t chars_first(struct slice text)
{
    uint32_t code;
    return text.len == 0 ? 0 : chars_decode(text, &code);
}

size_t chars_last(struct slice text)
{
    for (size_t n = 2; n <= 4 && n <= text.len; n++)
        if (chars_first(slice_from(text, text.len - n)) == n)
            return n;
    return text.len == 0 ? 0 : 1;
}

size_t chars_count(struct slice text)
{
    size_t at = ascii_span(text);
    size_t n = at;
    while (at < text.len) {
        at += chars_first(slice_from(text, at));
        n++;
    }
    return n;
}

size_t chars_offset(struct slice text, size_t n)
{
    /* not beyond n: a long text is cut off in many pieces */
    size_t at = ascii_span(slice_of(text.data, n < text.len ? n : text.len));
    for (n -= at; n > 0 && at < text.len; n--)
        at += chars_first(slice_from(text, at));
    return at;
}
