/* server/pid_file.h - the file that names the server's process.
 *
 * Place in the flow: supervisor.c writes it when the addresses are bound and removes it at the end;
 * after an upgrade the new server puts its own in the place of the former one's. The writer keeps
 * it locked (fcntl), so that a file left by a dead server is told from a living one's whatever
 * process has that number now.
 */
#ifndef QLUA_SERVER_PID_FILE_H
#define QLUA_SERVER_PID_FILE_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

struct pid_file {
    const char *path; /* NULL: not written; borrowed */
    int fd;           /* holds the lock; -1: none, the file is a FIFO or a device */
    dev_t device;
    ino_t inode;
};

/* Write our pid. With take_over a living server's file is replaced, else it is refused. 0, or err:
 * a file that holds something else than a pid is never overwritten. */
int pid_file_write(struct pid_file *file, const char *path, bool take_over, struct err *err);

/* Remove the file if it is still ours. */
void pid_file_remove(struct pid_file *file);
/* It is another process's: the one that was forked off us leaves it, a former server lets it go. */
void pid_file_release(struct pid_file *file);

#endif
