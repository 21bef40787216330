/* base/block.h - the bytes of a text by eight or sixteen at once.
 *
 * Place in the flow: loops over text that look for few bytes among many (case, tags, ASCII).
 * Nothing is read beyond a text's end: what is left at its end is loaded with zeros behind it.
 */
#ifndef QLUA_BASE_BLOCK_H
#define QLUA_BASE_BLOCK_H

#ifdef __x86_64__
#include <emmintrin.h>
#endif

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

/* The four bytes from p on. */
static inline uint64_t block_load_half(const char *p)
{
    uint32_t half;
    memcpy(&half, p, sizeof(half));
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    half = __builtin_bswap32(half);
#endif
    return half;
}

static inline void block_store(char *p, uint64_t word)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(p, &word, sizeof(word));
}

/* The n bytes from p on, 0 to 8, and zeros behind them. */
static inline uint64_t block_load_some(const char *p, size_t n)
{
    if (n == 8)
        return block_load(p);
    if (n >= 4) /* the bytes that both have are the same */
        return block_load_half(p) | block_load_half(p + n - 4) << 8 * (n - 4);
    if (n == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)p;
    return bytes[0] | (uint64_t)bytes[n / 2] << 8 * (n / 2) | (uint64_t)bytes[n - 1] << 8 * (n - 1);
}

#ifdef __x86_64__
/* The first 16 bytes of the n from p on, when there are fewer with zeros behind them. */
static inline __m128i block_load_16(const char *p, size_t n)
{
    if (n >= 16)
        return _mm_loadu_si128((const __m128i *)(const void *)p);
    if (n <= 8)
        return _mm_cvtsi64_si128((long long)block_load_some(p, n));
    uint64_t high = block_load(p + n - 8) >> 8 * (16 - n);
    return _mm_set_epi64x((long long)high, (long long)block_load(p));
}

static inline void block_store_16(char *p, __m128i block)
{
    _mm_storeu_si128((__m128i *)(void *)p, block);
}

/* A bit for each byte that is not zero, after a comparison. */
static inline unsigned block_marks(__m128i compared)
{
    return (unsigned)_mm_movemask_epi8(compared);
}
#endif

#endif
