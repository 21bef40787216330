/* template/space.c - white space at the ends of texts, as Python sees it. See space.h. */
#include "template/space.h"

#include "template/chars.h"
#include "template/unicode.h"

/* Is the one character of text white space? */
static bool is_space(struct slice text)
{
    uint32_t code;
    chars_decode(text, &code);
    return unicode_is_space(code);
}

size_t space_before(struct slice text)
{
    size_t at = 0;
    while (at < text.len) {
        char c = text.data[at];
        if (c == ' ' || c == '\n') { /* nearly all there is */
            at++;
            continue;
        }
        if (c > ' ')
            break;
        size_t len = chars_first(slice_from(text, at));
        if (!is_space(slice_of(text.data + at, len)))
            break;
        at += len;
    }
    return at;
}

/* Bytes of the white space character that text (not empty) ends in, 0 when it ends otherwise. */
static size_t last_len(struct slice text)
{
    size_t len = chars_last(text);
    return is_space(slice_from(text, text.len - len)) ? len : 0;
}

size_t space_behind(struct slice text)
{
    struct slice kept = text;
    size_t len;
    while (kept.len > 0 && (len = last_len(kept)) > 0)
        kept.len -= len;
    return text.len - kept.len;
}

bool space_is_last(struct slice text)
{
    return last_len(text) > 0;
}
