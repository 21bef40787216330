/* server/pid_file.c - the file that names the server's process. See pid_file.h. */
#include "server/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

/* Another server may remove the file between our opening and locking it: look again. */
#define TRIES 10
/* No file of ours is longer. */
#define LONGEST 32

static int fail(struct err *err, const char *path, int rc)
{
    return err_set(err, rc, "pid_file %s cannot be written: %s", path, err_text(rc));
}

/* A process id and white space, or nothing: the file of a server, not something else's. */
static bool is_pid_file(int fd)
{
    char text[LONGEST + 1];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    if (n < 0 || n > LONGEST)
        return false;
    for (ssize_t i = 0; i < n; i++)
        if (strchr("0123456789 \r\n", text[i]) == NULL)
            return false;
    return true;
}

/* Lock the whole file. 0, the pid that has it, or a negative errno. */
static int lock(int fd)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &all) == 0)
        return 0;
    if (errno != EACCES && errno != EAGAIN)
        return errno == ENOLCK || errno == EOPNOTSUPP ? 0 : -errno; /* a file system without */
    if (fcntl(fd, F_GETLK, &all) != 0 || all.l_type == F_UNLCK)
        return -EAGAIN; /* gone since */
    return all.l_pid > 0 ? all.l_pid : 1;
}

static int put(int fd)
{
    char text[LONGEST];
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0)
        return -errno;
    return pwrite(fd, text, (size_t)len, 0) == len ? 0 : -errno;
}

static void keep(struct pid_file *file, const char *path, int fd)
{
    struct stat st = {0};
    fstat(fd, &st);
    *file = (struct pid_file){.path = path, .fd = fd, .device = st.st_dev, .inode = st.st_ino};
}

/* A FIFO or a device: somebody wants to read the pid from it. */
static int write_special(struct pid_file *file, const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        int rc = -errno;
        if (fd >= 0)
            close(fd);
        return fail(err, path, rc);
    }
    keep(file, path, fd);
    close(fd);
    file->fd = -1;
    return 0;
}

/* In the place of whatever is there: a name is at no moment without a pid. */
static int replace(struct pid_file *file, const char *path, struct err *err)
{
    char name[4096];
    int len = snprintf(name, sizeof(name), "%s.%d", path, (int)getpid());
    if (len < 0 || (size_t)len >= sizeof(name))
        return fail(err, path, -ENAMETOOLONG);
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(err, path, -errno);
    lock(fd);
    int rc = put(fd);
    if (rc == 0 && rename(name, path) != 0)
        rc = -errno;
    if (rc != 0) {
        unlink(name);
        close(fd);
        return fail(err, path, rc);
    }
    keep(file, path, fd);
    return 0;
}

/* One try to open and lock the file: 1 when it has vanished meanwhile. */
static int try_write(struct pid_file *file, const char *path, struct err *err)
{
    struct stat ours;
    struct stat named;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(err, path, -errno);
    int rc = lock(fd);
    if (rc > 0) {
        close(fd);
        return err_set(err, -EEXIST,
                       "pid_file %s is a running server's (pid %d); stop that one or choose "
                       "another file",
                       path, rc);
    }
    if (rc == 0 && (fstat(fd, &ours) != 0 || stat(path, &named) != 0 ||
                    ours.st_ino != named.st_ino || ours.st_dev != named.st_dev))
        rc = -EAGAIN;
    if (rc == 0 && !is_pid_file(fd)) {
        close(fd);
        return err_set(err, -EEXIST,
                       "pid_file %s holds something else than a process id; choose another file",
                       path);
    }
    if (rc == 0)
        rc = put(fd);
    if (rc == 0) {
        keep(file, path, fd);
        return 0;
    }
    close(fd);
    return rc == -EAGAIN ? 1 : fail(err, path, rc);
}

int pid_file_write(struct pid_file *file, const char *path, bool take_over, struct err *err)
{
    struct stat st;
    *file = (struct pid_file){.fd = -1};
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_special(file, path, err);
    if (take_over)
        return replace(file, path, err);
    int rc = 1;
    for (int i = 0; i < TRIES && rc == 1; i++)
        rc = try_write(file, path, err);
    return rc == 1 ? fail(err, path, -EAGAIN) : rc;
}

void pid_file_release(struct pid_file *file)
{
    if (file->path != NULL && file->fd >= 0)
        close(file->fd);
    *file = (struct pid_file){.fd = -1};
}

void pid_file_remove(struct pid_file *file)
{
    struct stat st;
    if (file->path != NULL && lstat(file->path, &st) == 0 && st.st_dev == file->device &&
        st.st_ino == file->inode)
        unlink(file->path);
    pid_file_release(file);
}
