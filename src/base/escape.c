/* base/escape.c - text made safe for HTML, URLs and JSON strings. See escape.h. */
#include "base/escape.h"

#include "base/utf8.h"

void escape_html(struct buf *out, struct slice text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *with;
        switch (text.data[i]) {
        case '&': with = "&amp;"; break;
        case '<': with = "&lt;"; break;
        case '>': with = "&gt;"; break;
        case '\'': with = "&#39;"; break;
        case '"': with = "&#34;"; break;
        default: continue;
        }
        buf_append(out, text.data + start, i - start);
        buf_cstr(out, with);
        start = i + 1;
    }
    buf_append(out, text.data + start, text.len - start);
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void escape_url(struct buf *out, struct slice text, struct slice safe)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (is_unreserved(c) || slice_find(safe, c) < safe.len) {
            buf_char(out, c);
        } else {
            unsigned char byte = (unsigned char)c;
            char triple[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            buf_append(out, triple, 3);
        }
    }
}

/* 0..15, or -1. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void unescape_url(struct buf *out, struct slice text, bool plus_is_space)
{
    if (text.len == 0)
        return;
    char *dst = buf_reserve(out, text.len);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%' && i + 2 < text.len && hex_digit(text.data[i + 1]) >= 0 &&
            hex_digit(text.data[i + 2]) >= 0) {
            dst[n++] = (char)(hex_digit(text.data[i + 1]) * 16 + hex_digit(text.data[i + 2]));
            i += 2;
        } else {
            dst[n++] = c == '+' && plus_is_space ? ' ' : c;
        }
    }
    out->len += n;
}

static void append_u(struct buf *out, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {
        '\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
    buf_append(out, text, 6);
}

static void append_code(struct buf *out, uint32_t code)
{
    if (code >= 0x10000) {
        append_u(out, 0xD800 + ((code - 0x10000) >> 10));
        append_u(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
        append_u(out, code);
    }
}

/* The letter of a short escape, or 0. */
static char short_escape(unsigned char c)
{
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\b': return 'b';
    case '\f': return 'f';
    default: return 0;
    }
}

void escape_json(struct buf *out, struct slice text, bool ascii)
{
    size_t start = 0;
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t n = 1;
        uint32_t code = c;
        if (c >= 0x80)
            n = utf8_decode(slice_from(text, i), &code);
        if (!ascii && c >= 0x7f && code != UINT32_MAX) {
            i += n;
            continue;
        }
        buf_append(out, text.data + start, i - start);
        char letter = c < 0x7f ? short_escape(c) : 0;
        if (letter != 0) {
            buf_char(out, '\\');
            buf_char(out, letter);
        } else {
            append_code(out, code == UINT32_MAX ? UTF8_REPLACEMENT : code);
        }
        i += n;
        start = i;
    }
    buf_append(out, text.data + start, text.len - start);
}
