/* crypto/random.h - bytes nobody can guess.
 *
 * Place in the flow: ids of server-side sessions are made here. Knows neither HTTP nor Lua.
 */
#ifndef QLUA_CRYPTO_RANDOM_H
#define QLUA_CRYPTO_RANDOM_H

#include <stddef.h>

#include "base/slice.h"

struct arena;

/* Fill dst with len bytes of OpenSSL's generator (a new one after a fork). A system that has no
 * randomness ends the process: there is nothing safe to go on with. */
void random_bytes(void *dst, size_t len);

/* A token of `bytes` random bytes as url-safe base64 without padding. Lives in arena. */
struct slice random_token(struct arena *arena, size_t bytes);

#endif
