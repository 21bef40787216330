/* crypto/random.c - bytes nobody can guess. See random.h. */
#include "crypto/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "crypto/base64.h"

void random_bytes(void *dst, size_t len)
{
    unsigned char *at = dst;
    while (len > 0) {
        int n = len < INT_MAX ? (int)len : INT_MAX;
        if (RAND_bytes(at, n) != 1) {
            fputs("qlua: the system gives no random bytes; the process ends\n", stderr);
            abort();
        }
        at += n;
        len -= (size_t)n;
    }
}

struct slice random_token(struct arena *arena, size_t bytes)
{
    char *secret = arena_alloc(arena, bytes);
    char *text = arena_alloc(arena, BASE64_ENCODED_MAX(bytes));
    random_bytes(secret, bytes);
    return slice_of(text, base64_encode(BASE64_URL, slice_of(secret, bytes), text));
}
