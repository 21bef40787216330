/* http/spool.c - content in memory while small, then in a file without a name. See spool.h. */
#include "http/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void spool_init(struct spool *spool, uint64_t threshold, const char *folder)
{
    *spool = (struct spool){.fd = -1, .threshold = threshold, .folder = folder};
}

void spool_clear(struct spool *spool)
{
    buf_clear(&spool->memory);
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
}

/* A file that is in no folder. Not every file system knows O_TMPFILE: there a name is made and
 * removed at once. */
static int open_unnamed(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd >= 0 ? fd : -errno;
    char path[PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/qlua-upload-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof(path))
        return -ENAMETOOLONG;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    unlink(path);
    return fd;
}

static int write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            bytes = slice_from(bytes, (size_t)n);
    }
    return 0;
}

int spool_write(struct spool *spool, struct slice bytes)
{
    spool->size += bytes.len;
    if (spool->fd < 0 && spool->size <= spool->threshold) {
        buf_slice(&spool->memory, bytes);
        return 0;
    }
    if (spool->fd < 0) {
        int fd = open_unnamed(spool->folder);
        if (fd < 0)
            return fd;
        spool->fd = fd;
        int rc = write_all(fd, buf_view(&spool->memory));
        buf_clear(&spool->memory);
        if (rc != 0)
            return rc;
    }
    return write_all(spool->fd, bytes);
}

int spool_steal_fd(struct spool *spool)
{
    int fd = spool->fd;
    spool->fd = -1;
    return fd;
}
