/* crypto/base64.c - base64 (RFC 4648). See base64.h. */
#include "crypto/base64.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

static const char letters[2][65] = {
    [BASE64_PLAIN] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t base64_encode(enum base64_form form, struct slice bytes, char *dst)
{
    const char *letter = letters[form];
    char *out = dst;
    size_t i = 0;
    for (; bytes.len - i >= 3; i += 3) {
        const unsigned char *in = (const unsigned char *)bytes.data + i;
        *out++ = letter[in[0] >> 2];
        *out++ = letter[(in[0] & 3) << 4 | in[1] >> 4];
        *out++ = letter[(in[1] & 15) << 2 | in[2] >> 6];
        *out++ = letter[in[2] & 63];
    }
    size_t rest = bytes.len - i;
    if (rest > 0) {
        unsigned first = (unsigned char)bytes.data[i];
        unsigned second = rest == 2 ? (unsigned char)bytes.data[i + 1] : 0;
        *out++ = letter[first >> 2];
        *out++ = letter[(first & 3) << 4 | second >> 4];
        if (rest == 2)
            *out++ = letter[(second & 15) << 2];
    }
    if (form == BASE64_PLAIN)
        while ((out - dst) % 4 != 0)
            *out++ = '=';
    return (size_t)(out - dst);
}

/* clang-format off */
#define DIGITS_ALIKE \
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, \
    ['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, \
    ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, \
    ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, \
    ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, \
    ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, \
    ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, \
    ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, \
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62
/* clang-format on */

/* The value of a digit plus 1, of both forms; 0 for other characters. */
static const uint8_t values[2][256] = {
    [BASE64_PLAIN] = {DIGITS_ALIKE, ['+'] = 63, ['/'] = 64},
    [BASE64_URL] = {DIGITS_ALIKE, ['+'] = 63, ['/'] = 64, ['-'] = 63, ['_'] = 64},
};

static int value_of(char c)
{
    return values[BASE64_PLAIN][(unsigned char)c] - 1;
}

int base64_decode(struct slice text, char *dst, size_t *len)
{
    if (text.len % 4 != 0)
        return QLUA_ESYNTAX;
    size_t digits = text.len;
    for (int pad = 0; pad < 2 && digits > 0 && text.data[digits - 1] == '='; pad++)
        digits--;

    uint32_t bits = 0;
    size_t out = 0;
    for (size_t i = 0; i < digits; i++) {
        int value = value_of(text.data[i]);
        if (value < 0)
            return QLUA_ESYNTAX;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0) /* 2, 4, 6 bits are left over after the second to fourth digit */
            dst[out++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
    }
    *len = out;
    return 0;
}

/* Whole groups of four digits, as far as there is nothing else. Returns how many characters. */
static size_t decode_groups(enum base64_form form, struct slice text, char *dst)
{
    const uint8_t *value = values[form];
    size_t i = 0;
    for (; text.len - i >= 4; i += 4) {
        const unsigned char *in = (const unsigned char *)text.data + i;
        uint32_t a = value[in[0]], b = value[in[1]], c = value[in[2]], d = value[in[3]];
        if (a == 0 || b == 0 || c == 0 || d == 0)
            break;
        uint32_t bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
        *dst++ = (char)(bits >> 16);
        *dst++ = (char)(bits >> 8 & 0xff);
        *dst++ = (char)(bits & 0xff);
    }
    return i;
}

/* What Python's binascii.a2b_base64 does: `quad` counts the digits of a group of four, `pads` the
 * "=" that follow one another (with anything but digits between them). */
int base64_decode_loose(enum base64_form form, struct slice text, char *dst, size_t *len)
{
    /* itsdangerous pads what it gets to a multiple of four, odd characters counted */
    size_t padded = form == BASE64_URL ? (text.len + 3) / 4 * 4 : text.len;
    uint32_t bits = 0;
    size_t begin = decode_groups(form, text, dst);
    size_t out = begin / 4 * 3;
    unsigned quad = 0, pads = 0;
    bool ended = false;
    for (size_t i = begin; i < padded && !ended; i++) {
        char c = i < text.len ? text.data[i] : '=';
        if (c == '=') {
            ended = quad >= 2 && quad + ++pads >= 4;
            continue;
        }
        int value = values[form][(unsigned char)c] - 1;
        if (value < 0)
            continue;
        pads = 0;
        bits = bits << 6 | (uint32_t)value;
        if (quad != 0)
            dst[out++] = (char)(bits >> (6 - 2 * quad) & 0xff);
        quad = (quad + 1) % 4;
    }
    *len = out;
    return ended || quad == 0 ? 0 : QLUA_ESYNTAX;
}
