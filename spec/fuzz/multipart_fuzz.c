/* spec/fuzz/multipart_fuzz.c - bodies of any bytes under the boundary "b": whole, byte by byte
 * and in pieces of changing sizes, which must come to the same. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "http/headers.h"
#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was told, written down so that pieces of content do not show. */
static int on_part(void *data, const struct multipart_part *part)
{
    struct buf *story = data;
    assert(utf8_is_valid(part->name) && utf8_is_valid(part->filename));
    buf_cstr(story, "\n<part ");
    buf_slice(story, part->name);
    buf_cstr(story, part->filename.data == NULL ? " field " : " file ");
    buf_slice(story, part->filename);
    buf_char(story, ' ');
    buf_slice(story, part->content_type);
    buf_printf(story, " %u>", part->headers->count);
    return 0;
}

static int on_data(void *data, struct slice bytes)
{
    assert(bytes.len > 0);
    buf_slice(data, bytes);
    return 0;
}

static int on_part_end(void *data)
{
    buf_cstr(data, "<end>");
    return 0;
}

static int parse(struct slice body, uint32_t seed, struct buf *story)
{
    static const struct multipart_handler handler = {on_part, on_data, on_part_end};
    static const struct multipart_limits limits = {.max_parts = 10, .max_header_bytes = 300};
    struct multipart *m = multipart_new(SLICE("b"), &handler, story, &limits);
    while (body.len > 0) {
        size_t n = seed == 0 ? body.len : seed == 1 ? 1 : 1 + (seed >> 16) % 17;
        if (n > body.len)
            n = body.len;
        seed = seed <= 1 ? seed : seed * 1103515245u + 12345u;
        multipart_feed(m, slice_of(body.data, n));
        body = slice_from(body, n);
    }
    int rc = multipart_end(m);
    multipart_free(m);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice body = slice_of((const char *)data, size);
    struct buf whole = {0};
    int rc = parse(body, 0, &whole);
    for (uint32_t seed = 1; seed <= 3; seed++) {
        struct buf pieces = {0};
        int again = parse(body, seed, &pieces);
        assert(again == rc);
        assert(slice_eq(buf_view(&pieces), buf_view(&whole)));
        buf_clear(&pieces);
    }
    buf_clear(&whole);
    return 0;
}
