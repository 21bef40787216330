/* spec/fuzz/coding_fuzz.c - Accept-Encoding of any bytes, heads of compressed answers, and bodies
 * compressed in any pieces, which zlib must read back.
 *
 * The first byte is the length of the header's value; the next says how the body that follows is
 * cut, and how much room the compressor has.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/coding.h"
#include "http/compress.h"
#include "http/headers.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_head(struct slice value)
{
    static const char *const types[] = {"text/*", "*/x", "a/*+b"};
    static const struct coding_rules rules = {.types = types, .ntypes = 3, .min_size = 10};
    static struct request req;
    struct arena arena;
    struct fields fields;
    struct buf head = {0};
    arena_init(&arena);
    fields_init(&req.headers, &arena, true);
    fields_add_id(&req.headers, HEADER_ACCEPT_ENCODING, value);
    fields_init(&fields, &arena, true);
    fields_add_id(&fields, HEADER_VARY, value);
    fields_add_id(&fields, HEADER_ETAG, value);
    struct answer answer = {.status = 200, .content_type = value, .headers = &fields, .length = -1};
    assert(coding_of(&rules, &req, &answer) == CODING_NONE || memchr(value.data, '/', value.len));
    answer.content_type = SLICE("text/x");
    enum coding coding = coding_of(&rules, &req, &answer);
    assert(coding == (coding_accepts_gzip(&req.headers) ? CODING_GZIP : CODING_VARIES));
    struct coding_head said = coding_head_begin(coding, &fields);
    for (uint32_t i = 0; i < fields.count; i++)
        coding_head_field(&said, &fields.items[i], &head);
    coding_head_end(&said, 200, &head);
    buf_clear(&head);
    arena_clear(&arena);
}

static void check_inflates(struct slice packed, struct slice body)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.len};
    struct buf plain = {0};
    char *at = buf_reserve(&plain, body.len + 1);
    z.next_out = (Bytef *)at;
    z.avail_out = (uInt)body.len + 1;
    assert(inflateInit2(&z, 15 + 16) == Z_OK);
    assert(inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0);
    assert(z.total_out == body.len && (body.len == 0 || memcmp(at, body.data, body.len) == 0));
    inflateEnd(&z);
    buf_clear(&plain);
}

static void run(struct compressor *compressor, struct slice part, enum compress_mode mode,
                size_t room, struct buf *packed)
{
    size_t n;
    do {
        n = compressor_run(compressor, &part, mode, buf_reserve(packed, room), room);
        packed->len += n;
    } while (n == room);
    assert(part.len == 0);
}

static void check_body(uint8_t how, struct slice body)
{
    static struct compressors compressors;
    struct compressor *compressor = compressors_take(&compressors);
    struct buf packed = {0};
    size_t step = (size_t)1 << (how & 15), room = how & 128 ? 8 : 4096;
    assert(compressor != NULL);
    for (struct slice rest = body; rest.len > 0;) {
        struct slice part = slice_of(rest.data, rest.len < step ? rest.len : step);
        rest = slice_from(rest, part.len);
        run(compressor, part, how & 16 ? COMPRESS_FLUSH : COMPRESS_ON, room, &packed);
    }
    run(compressor, SLICE(""), COMPRESS_END, room, &packed);
    compressors_give(&compressors, &compressor);
    assert(compressors.busy == 0 && compressors.spares == 1);
    check_inflates(buf_view(&packed), body);
    buf_clear(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 100000)
        return 0;
    struct slice rest = slice_of((const char *)data + 2, size - 2);
    size_t len = data[0] < rest.len ? data[0] : rest.len;
    check_head(slice_of(rest.data, len));
    check_body(data[1], slice_from(rest, len));
    return 0;
}
