/* server/debug_guard.c - the secret and the PIN of a run in debug mode. See debug_guard.h. */
#include "server/debug_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void make(struct debug_guard *guard)
{
    uint64_t number;
    random_bytes(&number, sizeof(number));
    number %= PIN_NUMBERS;
    write_hex(guard->secret);
    write_hex(guard->token);
    snprintf(guard->pin, sizeof(guard->pin), "%03u-%03u-%03u", (unsigned)(number / 1000000),
             (unsigned)(number / 1000 % 1000), (unsigned)(number % 1000));
}

static bool is_text(const char *text, size_t len)
{
    return strnlen(text, len + 1) == len;
}

/* Another version's may be of another form: then there are new ones. */
static bool take(struct debug_guard *guard, int packed)
{
    struct debug_guard given;
    struct stat st;
    if (packed < 0 || fstat(packed, &st) != 0 || st.st_size != (off_t)sizeof(given) ||
        pread(packed, &given, sizeof(given), 0) != (ssize_t)sizeof(given) ||
        !is_text(given.secret, DEBUG_SECRET_LEN) || !is_text(given.token, DEBUG_SECRET_LEN) ||
        !is_text(given.pin, sizeof(given.pin) - 1))
        return false;
    *guard = given;
    return true;
}

struct debug_guard *debug_guard_new(int packed)
{
    struct debug_guard *guard =
        mmap(NULL, sizeof(*guard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (guard == MAP_FAILED)
        return NULL;
    if (!take(guard, packed))
        make(guard);
    return guard;
}

int debug_guard_pack(const struct debug_guard *guard)
{
    int fd = memfd_create("qlua-debug-guard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (write(fd, guard, sizeof(*guard)) == (ssize_t)sizeof(*guard) &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0)
        return fd;
    close(fd);
    return -EIO;
}

void debug_guard_free(struct debug_guard *guard)
{
    if (guard != NULL)
        munmap(guard, sizeof(*guard));
}
