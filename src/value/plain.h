/* value/plain.h - bytes that stand in a JSON string as they are: 0x20..0x7e but " and \.
 *
 * Place in the flow: the scanner skips and the encoder copies them; most strings have no others.
 * Eight bytes are looked at together; the bytes of a word count from its low end (little-endian).
 */
#ifndef QLUA_VALUE_PLAIN_H
#define QLUA_VALUE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "plain_span counts a word's bytes from its low end"
#endif

#define PLAIN_EACH(byte) (~(uint64_t)0 / 255 * (byte))

static inline bool plain_is(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The high bit of the first byte that is not plain, and perhaps of bytes above it: each
 * subtraction sets it where a byte is too small or equal to what was folded in, and its borrow
 * only touches what is above such a byte. 0: all eight are plain. */
static inline uint64_t plain_marks(uint64_t word)
{
    uint64_t quote = word ^ PLAIN_EACH('"');
    uint64_t backslash = word ^ PLAIN_EACH('\\');
    uint64_t marks = (word - PLAIN_EACH(0x20)) | (quote - PLAIN_EACH(1)) |
                     (backslash - PLAIN_EACH(1)) | (word + PLAIN_EACH(1)) | word;
    return marks & PLAIN_EACH(0x80);
}

/* How many bytes at the beginning are plain. */
static inline size_t plain_span(const char *text, size_t len)
{
    size_t n = 0;
    for (; len - n >= 8; n += 8) {
        uint64_t word;
        memcpy(&word, text + n, 8);
        uint64_t marks = plain_marks(word);
        if (marks != 0)
            return n + (size_t)__builtin_ctzll(marks) / 8;
    }
    while (n < len && plain_is(text[n]))
        n++;
    return n;
}

/* Fewer than eight bytes. */
static inline bool plain_copy_short(char *dst, const char *text, size_t len)
{
    if (len >= 4) {
        uint32_t first, last; /* they overlap */
        memcpy(&first, text, 4);
        memcpy(&last, text + len - 4, 4);
        if (plain_marks((uint64_t)last << 32 | first) != 0)
            return false;
        memcpy(dst, &first, 4);
        memcpy(dst + len - 4, &last, 4);
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (!plain_is(text[i]))
            return false;
        dst[i] = text[i];
    }
    return true;
}

/* Copy `len` bytes if all are plain; else false, and what stands at dst is void. */
static inline bool plain_copy(char *dst, const char *text, size_t len)
{
    if (len < 8)
        return plain_copy_short(dst, text, len);
    uint64_t word;
    for (size_t n = 0; n < len - 8; n += 8) {
        memcpy(&word, text + n, 8);
        if (plain_marks(word) != 0)
            return false;
        memcpy(dst + n, &word, 8);
    }
    memcpy(&word, text + len - 8, 8); /* the last eight, part of which may be there already */
    memcpy(dst + len - 8, &word, 8);
    return plain_marks(word) == 0;
}

#endif
