/* base/block.h - the bytes of a text by eight or sixteen at once.
 *
 * Place in the flow: loops over text that look for few bytes among many (case, tags, ASCII).
 * Nothing is read beyond a text's end: what is left at its end is loaded with zeros behind it.
 */
#ifndef QLUA_BASE_BLOCK_H
#define QLUA_BASE_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A byte in each of the eight places. */
#define BLOCK_EACH(byte) (~(uint64_t)0 / 255 * (uint64_t)(byte))

/* The eight bytes from p on; the first is the lowest. */
static inline uint64_t block_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void block_store(char *p, uint64_t word)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(p, &word, sizeof(word));
}

/* The same of n bytes, 0 to 8; behind them are zeros. */
static inline uint64_t block_load_some(const char *p, size_t n)
{
    if (n == 8)
        return block_load(p);
    uint64_t word = 0;
    if ((n & 4) != 0) {
        uint32_t four;
        memcpy(&four, p, sizeof(four));
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
        four = __builtin_bswap32(four);
#endif
        word = four;
        p += 4;
    }
    for (size_t at = n & 4; at < n; at++)
        word |= (uint64_t)(unsigned char)*p++ << (8 * at);
    return word;
}

#endif
