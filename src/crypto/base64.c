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

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
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

static int value_in(enum base64_form form, char c)
{
    if (form == BASE64_URL)
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    return value_of(c);
}

/* What Python's binascii.a2b_base64 does: `quad` counts the digits of a group of four, `pads` the
 * "=" that follow one another (with anything but digits between them). */
int base64_decode_loose(enum base64_form form, struct slice text, char *dst, size_t *len)
{
    /* itsdangerous pads what it gets to a multiple of four, odd characters counted */
    size_t padded = form == BASE64_URL ? (text.len + 3) / 4 * 4 : text.len;
    uint32_t bits = 0;
    size_t out = 0;
    unsigned quad = 0, pads = 0;
    bool ended = false;
    for (size_t i = 0; i < padded && !ended; i++) {
        char c = i < text.len ? text.data[i] : '=';
        if (c == '=') {
            ended = quad >= 2 && quad + ++pads >= 4;
            continue;
        }
        int value = value_in(form, c);
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
