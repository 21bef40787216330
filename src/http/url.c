/* http/url.c - the text of request.url. See url.h. */
#include "http/url.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/utf8.h"

static const char hex_digits[] = "0123456789ABCDEF";

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte of the "%XX" at text[i], or -1. */
static int escaped_at(struct slice text, size_t i)
{
    if (text.data[i] != '%' || i + 2 >= text.len)
        return -1;
    int high = hex_value(text.data[i + 1]);
    int low = hex_value(text.data[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Would the character, written as itself, mean something else or not be seen? */
static bool must_be_escaped(unsigned char c, enum url_part part)
{
    if (c <= 0x20 || c == '%' || c == 0x7f)
        return true;
    return strchr(part == URL_PATH ? "/?#" : "&=+#", c) != NULL;
}

static size_t write_escaped(char *dst, unsigned char c)
{
    dst[0] = '%';
    dst[1] = hex_digits[c >> 4];
    dst[2] = hex_digits[c & 15];
    return 3;
}

/* Must a character that came as itself be escaped? Here "/" in a path, "&=+" in a query, and a
 * "%" that begins no escape are what they look like. */
static bool is_out_of_place(unsigned char c, enum url_part part)
{
    return c <= 0x20 || c == 0x7f || (part == URL_PATH && (c == '?' || c == '#'));
}

/* Escapes decoded where they may be. */
static struct slice decode(struct arena *arena, struct slice text, enum url_part part)
{
    char *dst = arena_alloc(arena, text.len * 3);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int escaped = escaped_at(text, i);
        unsigned char c = (unsigned char)text.data[i];
        if (escaped >= 0 && must_be_escaped((unsigned char)escaped, part)) {
            memcpy(dst + len, text.data + i, 3);
            len += 3;
        } else if (escaped < 0 && is_out_of_place(c, part)) {
            len += write_escaped(dst + len, c);
        } else {
            dst[len++] = (char)(escaped >= 0 ? escaped : c);
        }
        i += escaped >= 0 ? 2 : 0;
    }
    return slice_of(dst, len);
}

/* What is not UTF-8 escaped again. */
static struct slice escape_invalid(struct arena *arena, struct slice text)
{
    char *dst = arena_alloc(arena, text.len * 3);
    size_t len = 0;
    while (text.len > 0) {
        uint32_t code;
        size_t taken = utf8_decode(text, &code);
        for (size_t i = 0; i < taken; i++) {
            if (code == UINT32_MAX)
                len += write_escaped(dst + len, (unsigned char)text.data[i]);
            else
                dst[len++] = text.data[i];
        }
        text = slice_from(text, taken);
    }
    return slice_of(dst, len);
}

struct slice url_iri(struct arena *arena, struct slice text, enum url_part part)
{
    struct slice decoded = decode(arena, text, part);
    return utf8_is_valid(decoded) ? decoded : escape_invalid(arena, decoded);
}
