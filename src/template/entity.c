/* template/entity.c - HTML text back into what it says. See entity.h. */
#include "template/entity.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/block.h"
#include "base/utf8.h"
#include "template/chars.h"
#include "template/entity_table.h"

#define NAME_MAX_LEN 32

/* ---- names ----------------------------------------------------------------------------------- */

/* The entry that byte `at` of the names lies in. */
static struct slice entry_around(size_t at)
{
    size_t begin = at;
    while (begin > 0 && entity_names[begin - 1] != ' ')
        begin--;
    struct slice rest = {entity_names + begin, entity_names_len - begin};
    rest.len = slice_find(rest, ' ');
    return rest;
}

/* Find a name (without ";"): *text is what it stands for. has_end: a ";" follows it, which some
 * names do without. */
static bool find_name(struct slice name, bool has_end, struct slice *text)
{
    size_t low = 0, high = entity_names_len;
    while (low < high) {
        struct slice entry = entry_around((low + high) / 2);
        size_t end = 0;
        while (entry.data[end] != ';' && entry.data[end] != ',')
            end++;
        int order = slice_cmp(name, slice_of(entry.data, end));
        if (order == 0) {
            *text = slice_from(entry, end + 1);
            return has_end || entry.data[end] == ',';
        }
        size_t begin = (size_t)(entry.data - entity_names);
        if (order < 0)
            high = begin;
        else
            low = begin + entry.len + 1;
    }
    return false;
}

static bool ends_name(char c)
{
    return c == '\t' || c == '\n' || c == '\f' || c == ' ' || c == '<' || c == '&' || c == '#' ||
           c == ';';
}

size_t entity_usual(struct slice rest, char *meant)
{
    static const struct {
        char text[8];
        size_t len;
        char meant;
    } usual[] = {{"amp;", 4, '&'},  {"lt;", 3, '<'},   {"gt;", 3, '>'},
                 {"quot;", 5, '"'}, {"#39;", 4, '\''}, {"#34;", 4, '"'}};
    uint64_t begin = block_load_some(rest.data, rest.len < 8 ? rest.len : 8);
    for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
        uint64_t mask = ((uint64_t)1 << 8 * usual[i].len) - 1;
        if ((begin & mask) == block_load(usual[i].text)) {
            *meant = usual[i].meant;
            return usual[i].len;
        }
    }
    return 0;
}

/* &name; or the longest known beginning of it. Gives the bytes taken; 0: none is known. */
static size_t unescape_name(struct slice rest, struct buf *out)
{
    struct slice text;
    size_t len = 0;
    for (size_t chars = 0; chars < NAME_MAX_LEN && len < rest.len && !ends_name(rest.data[len]);
         chars++)
        len += chars_first(slice_from(rest, len));
    bool has_end = len > 0 && len < rest.len && rest.data[len] == ';';
    if (has_end && find_name(slice_of(rest.data, len), true, &text)) {
        buf_slice(out, text);
        return len + 1;
    }
    for (; len > 1; len--) {
        if (len <= NAME_MAX_LEN && find_name(slice_of(rest.data, len), false, &text)) {
            buf_slice(out, text);
            return len;
        }
    }
    return 0;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* What Windows-1252 has at 0x80..0x9f, which browsers read there. */
static const uint16_t windows[32] = {
    0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6,  0x2030, 0x160,
    0x2039, 0x152,  0x8D,   0x17D,  0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178,
};

static void append_code(uint32_t code, struct buf *out)
{
    if (code >= 0x80 && code < 0xA0)
        utf8_encode(out, windows[code - 0x80]);
    else if (code == 0 || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF)
        utf8_encode(out, UTF8_REPLACEMENT);
    else if (code == '\r')
        buf_char(out, '\r');
    else if ((code < 0x20 && code != '\t' && code != '\n' && code != '\f') || code == 0x7F ||
             (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE)
        return; /* no character */
    else
        utf8_encode(out, code);
}

static int digit_value(char c, unsigned base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* #123; or #x7b; of rest. Gives the bytes taken; 0: it is none. */
static size_t unescape_number(struct slice rest, struct buf *out)
{
    bool is_hex = rest.len > 1 && ascii_lower(rest.data[1]) == 'x';
    unsigned base = is_hex ? 16 : 10;
    size_t first = is_hex ? 2 : 1, at = first;
    uint32_t code = 0;
    for (; at < rest.len && digit_value(rest.data[at], base) >= 0; at++) {
        code = code * base + (uint32_t)digit_value(rest.data[at], base);
        code = code > 0x110000 ? 0x110000 : code;
    }
    if (at == first)
        return 0;
    append_code(code, out);
    return at + (at < rest.len && rest.data[at] == ';');
}

void entity_unescape(struct slice html, struct buf *out)
{
    while (html.len > 0) {
        size_t plain = slice_find(html, '&');
        buf_append(out, html.data, plain);
        html = slice_from(html, plain);
        if (html.len == 0)
            return;
        html = slice_from(html, 1);
        char usual = '&';
        size_t n = entity_usual(html, &usual);
        if (n > 0)
            buf_char(out, usual);
        else if (html.len > 0)
            n = html.data[0] == '#' ? unescape_number(html, out) : unescape_name(html, out);
        if (n == 0)
            buf_char(out, '&');
        html = slice_from(html, n);
    }
}
