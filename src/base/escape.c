/* base/escape.c - text made safe for HTML, URLs and JSON strings. See escape.h. */
#include "base/escape.h"

#include "base/block.h"
#include "base/utf8.h"

/* ---- HTML ------------------------------------------------------------------------------------ */

/* What stands for a byte in HTML: at most HTML_ENTITY_MAX bytes. */
#define HTML_ENTITY_MAX 5

static const struct {
    char text[HTML_ENTITY_MAX + 1];
    unsigned char len; /* 0: the byte itself */
} html_entities[64] = {
    ['&'] = {"&amp;", 5}, ['<'] = {"&lt;", 4},   ['>'] = {"&gt;", 4},
    ['"'] = {"&#34;", 5}, ['\''] = {"&#39;", 5},
};

#ifdef __x86_64__
#define HTML_BLOCK 16

/* Copy a block of which `left` bytes are the text's, 16 or more or all; gives a bit for each byte
 * that needs an entity. */
static inline unsigned copy_block(char *dst, const char *src, size_t left)
{
    __m128i bytes = block_load_16(src, left);
    block_store_16(dst, bytes);
    /* & and ' differ in bit 0, < and > in bit 1 */
    __m128i quotes = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(1)), _mm_set1_epi8('\''));
    __m128i angles = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
    __m128i doubles = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    return block_marks(_mm_or_si128(_mm_or_si128(quotes, angles), doubles));
}
#else
#define HTML_BLOCK 1

static inline unsigned copy_block(char *dst, const char *src, size_t left)
{
    (void)left;
    unsigned char c = (unsigned char)*src;
    *dst = *src;
    return c < 64 && html_entities[c].len != 0;
}
#endif

static __attribute__((noinline)) void escape_html_blocks(struct buf *out, struct slice text)
{
    const char *src = text.data, *end = text.data + text.len;
    char *dst = buf_reserve(out, text.len + HTML_BLOCK + HTML_ENTITY_MAX);
    while (src < end) { /* at dst there is room for all that is left, a block and an entity */
        size_t left = (size_t)(end - src);
        unsigned marks = copy_block(dst, src, left);
        if (marks == 0) { /* most texts */
            size_t n = left < HTML_BLOCK ? left : HTML_BLOCK;
            src += n;
            dst += n;
            continue;
        }
        size_t n = (size_t)__builtin_ctz(marks); /* plain ones before the first that is special */
        unsigned char c = (unsigned char)src[n];
        src += n + 1;
        dst += n;
        memcpy(dst, html_entities[c].text, HTML_ENTITY_MAX);
        out->len = (size_t)(dst - out->data) + html_entities[c].len;
        dst = buf_reserve(out, (size_t)(end - src) + HTML_BLOCK + HTML_ENTITY_MAX);
    }
    out->len = (size_t)(dst - out->data);
}

void escape_html(struct buf *out, struct slice text)
{
    /* most texts are short and plain; apart from the rest, for which registers are saved */
    if (text.len <= HTML_BLOCK && text.len > 0 && out->cap - out->len >= HTML_BLOCK &&
        copy_block(out->data + out->len, text.data, text.len) == 0)
        out->len += text.len;
    else if (text.len > 0)
        escape_html_blocks(out, text);
}

/* ---- URLs ------------------------------------------------------------------------------------ */

/* Letters, digits and "-._~" (RFC 3986 2.3). */
static const bool is_unreserved[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true,
    ['.'] = true,         ['_'] = true,         ['~'] = true,
};

void escape_url(struct buf *out, struct slice text, struct slice safe)
{
    static const char hex[] = "0123456789ABCDEF";
    if (text.len == 0) /* its data may be NULL */
        return;
    const char *src = text.data, *end = text.data + text.len;
    char *dst = buf_reserve(out, text.len);
    for (; src < end; src++) { /* at dst there is room for all that is left */
        unsigned char byte = (unsigned char)*src;
        if (is_unreserved[byte] || slice_find(safe, *src) < safe.len) {
            *dst++ = *src;
            continue;
        }
        out->len = (size_t)(dst - out->data);
        dst = buf_reserve(out, (size_t)(end - src) + 2);
        *dst++ = '%';
        *dst++ = hex[byte >> 4];
        *dst++ = hex[byte & 15];
    }
    out->len = (size_t)(dst - out->data);
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

/* ---- JSON ------------------------------------------------------------------------------------ */

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
