/* route/hash.h - a quick hash of short texts.
 *
 * Place in the flow: the trie finds fixed text by it. Only registered rules are ever stored, so
 * it need not withstand an attacker. Inside src/route only.
 */
#ifndef QLUA_ROUTE_HASH_H
#define QLUA_ROUTE_HASH_H

#include <stdint.h>
#include <string.h>

#include "base/slice.h"

/* Both halves of the 128-bit product, folded (as wyhash does). */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_read8(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

static inline uint64_t hash_read4(const char *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

/* The bytes are read eight at a time, the last ones overlapping those before. */
static inline uint32_t hash_text(struct slice s, uint64_t seed)
{
    const uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu;
    uint64_t a = 0, b = 0;
    uint64_t h = seed ^ k0;
    const char *p = s.data;
    size_t left = s.len;

    for (; left > 16; left -= 16, p += 16)
        h = hash_mix(hash_read8(p) ^ k1, hash_read8(p + 8) ^ h);
    if (left >= 8) {
        a = hash_read8(p);
        b = hash_read8(p + left - 8);
    } else if (left >= 4) {
        a = hash_read4(p);
        b = hash_read4(p + left - 4);
    } else if (left > 0) {
        a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[left / 2] << 8 |
            (unsigned char)p[left - 1];
    }
    h = hash_mix(a ^ k1 ^ s.len, b ^ h);
    return (uint32_t)(h ^ h >> 32);
}

#endif
