/* bind/file_open.c - opening files, and never one outside of a folder. See file.h. */
#include "bind/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK: a FIFO without a writer would hold up the worker. */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

/* fd if it is a regular file, else it is closed and an error comes back. */
static int only_regular(int fd)
{
    struct stat st;
    if (fd < 0)
        return -errno;
    int code = fstat(fd, &st) != 0        ? -errno
               : S_ISREG(st.st_mode)      ? 0
               : S_ISDIR(st.st_mode) != 0 ? -EISDIR
                                          : -EINVAL;
    if (code == 0)
        return fd;
    close(fd);
    return code;
}

int file_open_path(const char *path)
{
    return only_regular(open(path, OPEN_FLAGS));
}

int file_normalise(const char *name, size_t len, char *dst)
{
    size_t used = 0;
    if (len >= PATH_MAX)
        return -ENAMETOOLONG;
    if (len > 0 && name[0] == '/')
        return -EXDEV;
    if (memchr(name, '\0', len) != NULL || memchr(name, '\\', len) != NULL)
        return -EINVAL;
    for (size_t at = 0; at < len;) {
        const char *slash = memchr(name + at, '/', len - at);
        size_t part = slash == NULL ? len - at : (size_t)(slash - name) - at;
        bool up = part == 2 && memcmp(name + at, "..", 2) == 0;
        if (up && used == 0)
            return -EXDEV;
        if (up) {
            while (used > 0 && dst[--used] != '/')
                ;
        } else if (part > 0 && !(part == 1 && name[at] == '.')) {
            if (used > 0)
                dst[used++] = '/';
            memcpy(dst + used, name + at, part);
            used += part;
        }
        at += part + 1;
    }
    dst[used] = '\0';
    return used == 0 ? -EISDIR : 0;
}

/* For kernels (and sandboxes) without openat2: resolve both and compare. */
static int open_resolved(const char *folder, const char *name)
{
    char joined[2 * PATH_MAX];
    char *root = realpath(folder, NULL);
    if (root == NULL)
        return -errno;
    size_t len = strlen(root);
    int written = snprintf(joined, sizeof(joined), "%s/%s", root, name);
    char *path = written < (int)sizeof(joined) ? realpath(joined, NULL) : NULL;
    int code = path == NULL ? -errno : 0;
    if (code == 0 && len > 1 && (strncmp(path, root, len) != 0 || path[len] != '/'))
        code = -EXDEV;
    if (code == 0)
        code = only_regular(open(path, OPEN_FLAGS | O_NOFOLLOW));
    free(path);
    free(root);
    return code;
}

int file_open_below(const char *folder, const char *name)
{
    int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    struct open_how how = {
        .flags = OPEN_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd;
    int tries = 0;
    do /* EAGAIN: something was renamed while a link with ".." was followed */
        fd = syscall(SYS_openat2, root, name, &how, sizeof(how));
    while (fd < 0 && (errno == EAGAIN || errno == EINTR) && ++tries < 8);
    int code = fd < 0 ? -errno : only_regular((int)fd);
    close(root);
    if (code == -ENOSYS || code == -EPERM || code == -E2BIG)
        return open_resolved(folder, name);
    return code;
}
