/* spec/fuzz/html_fuzz.c - text made HTML and back, and HTML without its tags: in blocks as the
 * server does it, and byte by byte. */
#include <assert.h>
#include <stdint.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "template/chars.h"
#include "template/entity.h"
#include "template/strip_tags.h"
#include "template/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Append text without what stands from each `begin` to the next `end`. */
static void cut(struct slice text, struct slice begin, struct slice end, struct buf *out)
{
    while (text.len > 0) {
        const char *close = NULL;
        if (slice_starts_with(text, begin) && text.len > begin.len)
            close = memmem(text.data + begin.len, text.len - begin.len, end.data, end.len);
        if (close == NULL)
            buf_char(out, text.data[0]);
        size_t n = close == NULL ? 1 : (size_t)(close - text.data) + end.len;
        text = slice_from(text, n);
    }
}

/* " ".join(text.split()) */
static void join_words(struct slice text, struct buf *out)
{
    bool was_space = false;
    while (text.len > 0) {
        uint32_t code;
        size_t n = chars_decode(text, &code);
        bool is_space = unicode_is_space(code);
        if (!is_space && was_space && out->len > 0)
            buf_char(out, ' ');
        if (!is_space)
            buf_append(out, text.data, n);
        was_space = is_space;
        text = slice_from(text, n);
    }
}

static void check_tags(struct slice html)
{
    struct buf result = {0}, uncommented = {0}, untagged = {0}, words = {0}, expected = {0};
    cut(html, SLICE("<!--"), SLICE("-->"), &uncommented);
    cut(buf_view(&uncommented), SLICE("<"), SLICE(">"), &untagged);
    join_words(buf_view(&untagged), &words);
    entity_unescape(buf_view(&words), &expected);
    strip_tags(html, &result);
    /* stray bytes on both sides of a tag do not become a character */
    assert(!utf8_is_valid(html) || slice_eq(buf_view(&result), buf_view(&expected)));
    buf_clear(&result);
    buf_clear(&uncommented);
    buf_clear(&untagged);
    buf_clear(&words);
    buf_clear(&expected);
}

static void check_escape(struct slice text)
{
    struct buf escaped = {0}, back = {0};
    escape_html(&escaped, text);
    for (size_t i = 0; i < escaped.len; i++)
        assert(strchr("<>\"'", escaped.data[i]) == NULL || escaped.data[i] == 0);
    entity_unescape(buf_view(&escaped), &back);
    assert(slice_eq(buf_view(&back), text));
    buf_clear(&escaped);
    buf_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096) /* the byte by byte way looks to the end at each "<" */
        return 0;
    check_tags(slice_of((const char *)data, size));
    check_escape(slice_of((const char *)data, size));
    return 0;
}
