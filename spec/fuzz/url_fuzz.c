/* spec/fuzz/url_fuzz.c - request.url of any path and query; base64 of any text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "crypto/base64.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_iri(struct arena *arena, struct slice text, enum url_part part)
{
    struct slice iri = url_iri(arena, text, part);
    assert(utf8_is_valid(iri));
    for (size_t i = 0; i < iri.len; i++)
        assert((unsigned char)iri.data[i] > 0x20 && iri.data[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct arena arena;
    arena_init(&arena);
    check_iri(&arena, input, URL_PATH);
    check_iri(&arena, input, URL_QUERY);
    arena_clear(&arena);

    size_t len = 0;
    char *dst = malloc(BASE64_DECODED_MAX(size)); /* exactly: the sanitizer guards its end */
    if (dst != NULL && base64_decode(input, dst, &len) == 0)
        assert(len <= size / 4 * 3);
    free(dst);
    return 0;
}
