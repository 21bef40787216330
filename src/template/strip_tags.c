/* template/strip_tags.c - the text of HTML, without its tags. See strip_tags.h. */
#include "template/strip_tags.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/block.h"
#include "template/chars.h"
#include "template/entity.h"
#include "template/unicode.h"

/* ---- comments -------------------------------------------------------------------------------- */

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

/* ---- words ----------------------------------------------------------------------------------- */

/* What copy_words may write behind its end. */
#define COPY_SLACK 16

#ifdef __x86_64__
/* A bit for each byte that is to be looked at: a tag, a reference, a control character (zeros are,
 * too), or what white space beyond ASCII begins with: 0xC2, 0xE1, 0xE2, 0xE3. */
static inline unsigned special_marks(__m128i block)
{
    __m128i tags = _mm_cmpeq_epi8(block, _mm_set1_epi8('<'));
    __m128i references = _mm_cmpeq_epi8(block, _mm_set1_epi8('&'));
    __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(' ' - 1)), block);
    __m128i latin = _mm_cmpeq_epi8(block, _mm_set1_epi8((char)0xC2));
    __m128i from = _mm_sub_epi8(block, _mm_set1_epi8((char)0xE1));
    __m128i others = _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8(2)), from);
    __m128i ascii = _mm_or_si128(_mm_or_si128(tags, references), controls);
    return block_marks(_mm_or_si128(_mm_or_si128(latin, others), ascii));
}

/* How far it is to the first '<' or '>'; len: there is none. */
static inline size_t find_angle(const char *at, size_t len)
{
    for (size_t n = 0; n < len; n += 16) {
        __m128i block = _mm_or_si128(block_load_16(at + n, len - n), _mm_set1_epi8(2));
        unsigned marks = block_marks(_mm_cmpeq_epi8(block, _mm_set1_epi8('>')));
        if (marks != 0)
            return n + (size_t)__builtin_ctz(marks);
    }
    return len;
}

/* Copy up to the first byte that is special, or a space behind a space; gives how many bytes. */
static inline size_t copy_words(char *to, const char *at, size_t len, bool *was_space)
{
    unsigned before = *was_space;
    size_t n = 0;
    while (n < len) {
        __m128i block = block_load_16(at + n, len - n);
        unsigned spaces = block_marks(_mm_cmpeq_epi8(block, _mm_set1_epi8(' ')));
        unsigned marks = special_marks(block) | (spaces & (spaces << 1 | before));
        block_store_16(to + n, block);
        if (marks != 0) { /* at the latest where the text ends: there are zeros */
            size_t copied = (size_t)__builtin_ctz(marks);
            before = copied > 0 ? spaces >> (copied - 1) & 1 : before;
            n += copied < len - n ? copied : len - n;
            break;
        }
        before = spaces >> 15;
        n += 16;
    }
    *was_space = before;
    return n;
}
#else
static bool is_special(unsigned char c)
{
    return c < ' ' || c == '<' || c == '&' || c == 0xC2 || (c >= 0xE1 && c <= 0xE3);
}

static size_t find_angle(const char *at, size_t len)
{
    size_t n = 0;
    while (n < len && at[n] != '<' && at[n] != '>')
        n++;
    return n;
}

static size_t copy_words(char *to, const char *at, size_t len, bool *was_space)
{
    size_t n = 0;
    for (; n < len && !is_special((unsigned char)at[n]) && !(*was_space && at[n] == ' '); n++) {
        *was_space = at[n] == ' ';
        to[n] = at[n];
    }
    return n;
}
#endif

/* The words of html without its tags, a space between each two: " ".join(text.split()). With
 * `is_usual` also the usual references are replaced: then false, and nothing is appended, when
 * there is another, or one that may go on behind a tag, or a tag may be none or a comment. */
static bool add_words(struct slice html, struct buf *out, bool is_usual)
{
    if (html.len == 0) /* its data may be NULL */
        return true;
    const char *at = html.data, *end = html.data + html.len;
    char *begin = buf_reserve(out, html.len + COPY_SLACK), *to = begin;
    bool was_space = true, has_tags = true; /* no space before the first word */
    while (at < end) {
        size_t n = copy_words(to, at, (size_t)(end - at), &was_space);
        to += n;
        at += n;
        if (at == end)
            break;
        struct slice rest = {at, (size_t)(end - at)};
        if (*at == '<' && has_tags) {
            size_t close = is_usual ? 1 + find_angle(at + 1, rest.len - 1) : slice_find(rest, '>');
            if (is_usual && (close == rest.len || at[close] == '<' || at[1] == '!'))
                return false;
            has_tags = close < rest.len; /* else there is none behind it either */
            if (has_tags) {
                at += close + 1;
                continue;
            }
        }
        uint32_t code;
        n = chars_decode(rest, &code);
        if (code == '&' && is_usual) {
            char meant = '&';
            size_t len = entity_usual(slice_from(rest, 1), &meant);
            if (len == 0 && rest.len > 1 && at[1] != ' ')
                return false;
            *to++ = meant;
            at += len + 1;
            was_space = false;
            continue;
        }
        bool is_space = unicode_is_space(code);
        if (is_space && !was_space)
            *to++ = ' ';
        for (size_t i = 0; i < n && !is_space; i++)
            *to++ = at[i];
        at += n;
        was_space = is_space;
    }
    to -= was_space && to > begin;
    out->len += (size_t)(to - begin);
    return true;
}

/* Replace the references in what was appended from start on. */
static void unescape_tail(struct buf *out, size_t start)
{
    size_t len = out->len - start;
    buf_reserve(out, 2 * len + 16); /* no reference is half as long as what it stands for */
    entity_unescape(slice_from(buf_view(out), start), out);
    size_t result = out->len - start - len;
    memmove(out->data + start, out->data + start + len, result);
    out->len = start + result;
}

void strip_tags(struct slice html, struct buf *out)
{
    struct buf without_comments = {0};
    size_t start = out->len;
    if (add_words(html, out, true))
        return;
    size_t comment = find_comment(html);
    if (comment < html.len) {
        cut_comments(html, comment, &without_comments);
        html = buf_view(&without_comments);
    }
    add_words(html, out, false);
    unescape_tail(out, start);
    buf_clear(&without_comments);
}
