/* spec/fuzz/query_fuzz.c - form-encoded text: any bytes, and what was read written and read
 * again. */
#include <assert.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "http/headers.h"
#include "http/query.h"
#include "route/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_all(const struct fields *fields, struct buf *out)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        if (i > 0)
            buf_char(out, '&');
        route_quote_query(out, fields->items[i].name);
        buf_char(out, '=');
        route_quote_query(out, fields->items[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct fields first, second;
    struct buf text = {0};
    arena_init(&arena);
    fields_init(&first, &arena, false);
    fields_init(&second, &arena, false);
    query_parse(slice_of((const char *)data, size), &first, 1000);
    assert(first.count <= 1000);
    write_all(&first, &text);
    assert(query_parse(buf_view(&text), &second, 1000) == 0);
    assert(first.count == second.count);
    for (uint32_t i = 0; i < first.count; i++) {
        assert(utf8_is_valid(first.items[i].name) && utf8_is_valid(first.items[i].value));
        assert(slice_eq(first.items[i].name, second.items[i].name));
        assert(slice_eq(first.items[i].value, second.items[i].value));
    }
    buf_clear(&text);
    arena_clear(&arena);
    return 0;
}
