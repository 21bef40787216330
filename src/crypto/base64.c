/* crypto/base64.c - base64 (RFC 4648). See base64.h. */
#include "crypto/base64.h"

#include <stdint.h>

#include "base/err.h"

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
