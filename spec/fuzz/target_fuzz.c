/* spec/fuzz/target_fuzz.c - request targets and hosts: any bytes. */
#include <assert.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_target(struct slice raw, enum target_method method)
{
    struct arena arena;
    struct target target;
    arena_init(&arena);
    if (target_parse(raw, method, &arena, &target) == 0) {
        assert(target.path.len > 0 && target.path.data[0] == '/');
        assert(target.path.len == 1 || target.path.data[1] != '/');
        assert(utf8_is_valid(target.path));
        assert(slice_find(target.query, '#') == target.query.len);
        assert(target.has_query || target.query.len == 0);
        assert(target.authority.len == 0 || host_is_valid(target.authority));
    }
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice raw = slice_of((const char *)data, size);
    check_target(raw, TARGET_METHOD_OTHER);
    check_target(raw, TARGET_METHOD_OPTIONS);
    check_target(raw, TARGET_METHOD_CONNECT);
    if (host_is_valid(raw)) {
        struct slice host = host_without_default_port(raw, size % 2 == 0);
        assert(host_is_valid(host));
    }
    return 0;
}
