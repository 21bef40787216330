/* template/entity.c - HTML text back into what it says. See entity.h. */
#include "template/entity.h"

#ifdef __x86_64__
#include <emmintrin.h>
#endif

#include <stdbool.h>
#include <stdint.h>

#include "base/utf8.h"
#include "template/chars.h"
#include "template/entity_table.h"
#include "template/unicode.h"

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

/* One of the references that escape() makes, and most people: the bytes taken, or 0. */
static size_t unescape_usual(struct slice rest, struct buf *out)
{
    static const struct {
        struct slice name;
        char stands_for;
    } usual[] = {{{"amp;", 4}, '&'}, {{"lt;", 3}, '<'}, {{"gt;", 3}, '>'}, {{"quot;", 5}, '"'}};
    for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
        if (slice_starts_with(rest, usual[i].name)) {
            buf_char(out, usual[i].stands_for);
            return usual[i].name.len;
        }
    }
    return 0;
}

/* &name; or the longest known beginning of it. Gives the bytes taken; 0: none is known. */
static size_t unescape_name(struct slice rest, struct buf *out)
{
    struct slice text;
    size_t len = unescape_usual(rest, out);
    if (len > 0)
        return len;
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
        size_t n = 0;
        if (html.len > 0)
            n = html.data[0] == '#' ? unescape_number(html, out) : unescape_name(html, out);
        if (n == 0)
            buf_char(out, '&');
        html = slice_from(html, n);
    }
}

/* ---- tags ------------------------------------------------------------------------------------ */

/* A text being joined from parts: " ".join(text.split()). */
struct words {
    struct buf *out;
    size_t start;   /* in out */
    bool was_space; /* the last character was */
};

/* Copy blocks of whole words with one space between each two, as most text is; gives how many
 * bytes. */
static size_t copy_words(char *to, const char *at, size_t len)
{
    size_t n = 0;
#ifdef __x86_64__
    for (; len - n >= 16; n += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(at + n));
        __m128i blank = _mm_set1_epi8(' '); /* a byte above 0x7f is a negative char */
        int others = _mm_movemask_epi8(_mm_cmplt_epi8(block, blank));
        int spaces = _mm_movemask_epi8(_mm_cmpeq_epi8(block, blank));
        if (others != 0 || (spaces & (spaces << 1 | 0x8001)) != 0)
            break;
        _mm_storeu_si128((__m128i *)(void *)(to + n), block);
    }
#else
    (void)to, (void)at, (void)len;
#endif
    return n;
}

/* Append the words of text, a space before each that is not the first: at most a byte more than
 * the text has, for the white space that came before it. */
static void add_words(struct words *words, struct slice text)
{
    const char *at = text.data, *end = text.data + text.len;
    char *to = buf_reserve(words->out, text.len + 1);
    char *begin = to;
    bool is_first = words->out->len == words->start, was_space = words->was_space;
    while (at < end) {
        size_t n = 1;
        bool is_space = *at == ' ';
        if (*at < ' ') { /* a byte above 0x7f is a negative char */
            uint32_t code;
            n = chars_decode(slice_of(at, (size_t)(end - at)), &code);
            is_space = unicode_is_space(code);
        }
        if (is_space) {
            was_space = true;
            at += n;
            continue;
        }
        if (was_space && !is_first)
            *to++ = ' ';
        is_first = was_space = false;
        size_t whole = n == 1 ? copy_words(to, at, (size_t)(end - at)) : 0;
        to += whole;
        at += whole;
        if (whole > 0)
            continue;
        for (; n > 0; n--)
            *to++ = *at++;
        while (at<end && * at> ' ')
            *to++ = *at++;
    }
    words->was_space = was_space;
    words->out->len += (size_t)(to - begin);
}

/* Where "<!--" begins; html.len: nowhere. */
static size_t find_comment(struct slice html)
{
    for (size_t at = slice_find(html, '<'); at < html.len;) {
        struct slice rest = slice_from(html, at);
        if (slice_starts_with(rest, SLICE("<!--")))
            return at;
        at += 1 + slice_find(slice_from(rest, 1), '<');
    }
    return html.len;
}

/* Append html without its comments; the first begins at `at`. */
static void cut_comments(struct slice html, size_t at, struct buf *out)
{
    while (at < html.len) {
        struct slice rest = slice_from(html, at + strlen("<!--"));
        const char *end = rest.len == 0 ? NULL : memmem(rest.data, rest.len, "-->", 3);
        if (end == NULL)
            break;
        buf_append(out, html.data, at);
        html = slice_from(html, (size_t)(end - html.data) + strlen("-->"));
        at = find_comment(html);
    }
    buf_slice(out, html);
}

void entity_strip_tags(struct slice html, struct buf *out)
{
    struct buf without_comments = {0};
    struct words words = {out, out->len, false};
    size_t comment = find_comment(html);
    if (comment < html.len) {
        cut_comments(html, comment, &without_comments);
        html = buf_view(&without_comments);
    }
    while (html.len > 0) {
        size_t begin = slice_find(html, '<');
        size_t len = slice_find(slice_from(html, begin), '>');
        if (begin + len == html.len)
            break;
        add_words(&words, slice_of(html.data, begin));
        html = slice_from(html, begin + len + 1);
    }
    add_words(&words, html);
    buf_clear(&without_comments);
}
