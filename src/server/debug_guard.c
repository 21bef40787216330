/* server/debug_guard.c - the secret and the PIN of a run in debug mode. See debug_guard.h. */
#include "server/debug_guard.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "bind/debug_desk.h"
#include "crypto/random.h"

#define PIN_NUMBERS 1000000000u /* of nine digits */

static void write_hex(char *dst)
{
    unsigned char bytes[DEBUG_SECRET_LEN / 2];
    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(dst + 2 * i, 3, "%02x", bytes[i]);
}

struct debug_guard *debug_guard_new(void)
{
    struct debug_guard *guard =
        mmap(NULL, sizeof(*guard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t number;
    if (guard == MAP_FAILED)
        return NULL;
    random_bytes(&number, sizeof(number));
    number %= PIN_NUMBERS;
    write_hex(guard->secret);
    write_hex(guard->token);
    snprintf(guard->pin, sizeof(guard->pin), "%03u-%03u-%03u", (unsigned)(number / 1000000),
             (unsigned)(number / 1000 % 1000), (unsigned)(number % 1000));
    return guard;
}

void debug_guard_free(struct debug_guard *guard)
{
    if (guard != NULL)
        munmap(guard, sizeof(*guard));
}
