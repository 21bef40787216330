/* spec/fuzz/cookie_fuzz.c - Cookie headers of any bytes; what was read is written and read
 * again; attributes of any bytes. */
#include <assert.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "http/cookie.h"
#include "http/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A cookie whose name can be written comes back as it was. */
static void check_round_trip(const struct field *item, struct arena *arena)
{
    struct buf text = {0};
    struct fields again;
    struct cookie cookie = {.name = item->name, .value = item->value};
    if (cookie_write(&text, &cookie, 0, NULL) == 0) {
        assert(header_value_is_valid(buf_view(&text)));
        fields_init(&again, arena, false);
        cookie_parse(buf_view(&text), &again);
        assert(again.count == 1);
        assert(slice_eq(again.items[0].name, item->name));
        assert(slice_eq(again.items[0].value, item->value));
    }
    buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct arena arena;
    struct fields fields;
    arena_init(&arena);
    fields_init(&fields, &arena, false);
    cookie_parse(input, &fields);
    for (uint32_t i = 0; i < fields.count && i < 50; i++) {
        assert(fields.items[i].name.len > 0 && utf8_is_valid(fields.items[i].name));
        assert(utf8_is_valid(fields.items[i].value));
        check_round_trip(&fields.items[i], &arena);
    }
    struct buf out = {0};
    struct cookie cookie = {.name = SLICE("n"), .value = input, .path = input};
    int rc = cookie_write(&out, &cookie, 0, NULL);
    assert(rc == 0 && header_value_is_valid(buf_view(&out)));
    cookie.domain = input;
    if (cookie_write(&out, &cookie, INT64_MAX, NULL) == 0)
        assert(header_value_is_valid(buf_view(&out)));
    buf_clear(&out);
    arena_clear(&arena);
    return 0;
}
