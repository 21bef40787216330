/* net/file.c - files that are not in memory must not stop the loop. See file.h. */
#include "net/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/net_internal.h"

#define PIECE (64 * 1024)

struct file_fetch {
    uv_work_t work;
    int fd;
    int64_t offset;
    size_t length;
    void (*fn)(void *data); /* NULL: cancelled */
    void *data;
};

static bool byte_is_warm(int fd, int64_t offset)
{
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    return preadv2(fd, &part, 1, offset, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

bool file_is_warm(int fd, int64_t offset, size_t length)
{
    if (length == 0)
        return true;
    return byte_is_warm(fd, offset) && byte_is_warm(fd, offset + (int64_t)length - 1);
}

/* In a thread of the pool. A failure is met again by who sends the file. */
static void read_all(uv_work_t *work)
{
    struct file_fetch *fetch = work->data;
    char *piece = mem_alloc(PIECE);
    while (fetch->length > 0) {
        size_t want = fetch->length < PIECE ? fetch->length : PIECE;
        ssize_t n = pread(fetch->fd, piece, want, fetch->offset);
        if (n <= 0)
            break;
        fetch->offset += n;
        fetch->length -= (size_t)n;
    }
    free(piece);
}

static void on_read(uv_work_t *work, int status)
{
    (void)status;
    struct file_fetch *fetch = work->data;
    close(fetch->fd);
    if (fetch->fn != NULL)
        fetch->fn(fetch->data);
    free(fetch);
}

struct file_fetch *file_fetch_new(struct loop *loop, int fd, int64_t offset, size_t length,
                                  void (*fn)(void *data), void *data)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return NULL;
    struct file_fetch *fetch = mem_alloc(sizeof(*fetch));
    *fetch =
        (struct file_fetch){.fd = own, .offset = offset, .length = length, .fn = fn, .data = data};
    fetch->work.data = fetch;
    if (uv_queue_work(&loop->uv, &fetch->work, read_all, on_read) == 0)
        return fetch;
    close(own);
    free(fetch);
    return NULL;
}

void file_fetch_cancel(struct file_fetch *fetch)
{
    if (fetch != NULL)
        fetch->fn = NULL;
}
