/* spec/fuzz/redis_url_fuzz.c - any bytes as the URL of a Redis. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/redis_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_right(const struct redis_url *url)
{
    assert((url->host == NULL) != (url->path == NULL));
    assert(strlen(url->place) > 0);
    for (const char *c = url->place; *c != '\0'; c++)
        assert((unsigned char)*c >= ' ' && *c != 0x7f);
    if (url->host != NULL)
        assert(strlen(url->host) > 0 && url->port > 0 && url->port < 65536);
    else
        assert(url->path[0] == '/' && strlen(url->path) <= 106);
    assert(url->has_password == (url->password.len > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis_url url;
    struct err err = {0};
    struct arena arena;
    arena_init(&arena);
    int rc = redis_url_parse(&arena, slice_of((const char *)data, size), &url, &err);
    if (rc == 0)
        check_right(&url);
    else
        assert(rc == QLUA_ESYNTAX && err.code == rc && err.message[0] != '\0');
    arena_clear(&arena);
    return 0;
}
