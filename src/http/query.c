/* http/query.c - application/x-www-form-urlencoded, both ways. See query.h. */
#include "http/query.h"

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/utf8.h"
#include "http/headers.h"

/* Valid UTF-8 as it is, every other byte as %XX: what Werkzeug's "werkzeug.url_quote" does. */
static void keep_invalid_quoted(struct buf *out, struct slice bytes)
{
    while (bytes.len > 0) {
        uint32_t code;
        size_t n = utf8_decode(bytes, &code);
        if (code == UINT32_MAX)
            escape_url(out, slice_of(bytes.data, n), SLICE(""));
        else
            buf_append(out, bytes.data, n);
        bytes = slice_from(bytes, n);
    }
}

static struct slice decode_slow(struct slice text, struct arena *arena)
{
    struct buf bytes = {0};
    struct buf clean = {0};
    unescape_url(&bytes, text, true);
    struct slice decoded = buf_view(&bytes);
    if (!utf8_is_valid(decoded)) {
        keep_invalid_quoted(&clean, decoded);
        decoded = buf_view(&clean);
    }
    struct slice result = arena_dup(arena, decoded);
    buf_clear(&bytes);
    buf_clear(&clean);
    return result;
}

static struct slice decode(struct slice text, struct arena *arena)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '%' || c == '+' || c >= 0x80)
            return decode_slow(text, arena);
    }
    return text;
}

int query_parse(struct slice text, struct fields *out, size_t max_pairs)
{
    size_t pairs = 0;
    while (text.len > 0) {
        struct slice value = slice_split(&text, '&');
        if (value.len == 0)
            continue;
        if (pairs++ == max_pairs)
            return QLUA_ELIMIT;
        struct slice name = slice_split(&value, '=');
        fields_add(out, decode(name, out->arena), decode(value, out->arena));
    }
    return 0;
}
