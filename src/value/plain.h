/* value/plain.h - bytes that stand in a JSON string as they are: 0x20..0x7e but " and \.
 *
 * Place in the flow: the scanner skips and the encoder copies them; most strings have no others.
 */
#ifndef QLUA_VALUE_PLAIN_H
#define QLUA_VALUE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PLAIN_EACH(byte) (~(uint64_t)0 / 255 * (byte))

static inline bool plain_is(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Are all eight bytes plain? Each subtraction sets the high bit of a byte that is too small or
 * equal to what was folded in; the borrow can only touch bytes above one that is not plain. */
static inline bool plain_is_word(uint64_t word)
{
    uint64_t quote = word ^ PLAIN_EACH('"');
    uint64_t backslash = word ^ PLAIN_EACH('\\');
    uint64_t marks = (word - PLAIN_EACH(0x20)) | (quote - PLAIN_EACH(1)) |
                     (backslash - PLAIN_EACH(1)) | (word + PLAIN_EACH(1)) | word;
    return (marks & PLAIN_EACH(0x80)) == 0;
}

/* How many bytes at the beginning are plain. */
static inline size_t plain_span(const char *text, size_t len)
{
    size_t n = 0;
    for (; len - n >= 8; n += 8) {
        uint64_t word;
        memcpy(&word, text + n, 8);
        if (!plain_is_word(word))
            break;
    }
    while (n < len && plain_is(text[n]))
        n++;
    return n;
}

/* Copy `len` bytes if all are plain; else false, and what stands at dst is void. */
static inline bool plain_copy(char *dst, const char *text, size_t len)
{
    size_t n = 0;
    for (; len - n >= 8; n += 8) {
        uint64_t word;
        memcpy(&word, text + n, 8);
        if (!plain_is_word(word))
            return false;
        memcpy(dst + n, &word, 8);
    }
    for (; n < len; n++) {
        if (!plain_is(text[n]))
            return false;
        dst[n] = text[n];
    }
    return true;
}

#endif
