/* server/profile_ask.c - `qlua profile`: the asker's end. See profile_ask.h. */
#include "server/profile_ask.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/config.h"
#include "server/control_socket.h"
#include "server/listen.h"

#define ASK_MS   5000
#define AGAIN_MS 100
/* /proc/net/unix: a socket that listens. */
#define LISTENS 0x10000

/* ---- whose control socket ---- */

/* Has the process a descriptor of the socket with this inode? */
static bool has_socket(int pid, unsigned long inode)
{
    char path[300], wanted[64], link[64];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder != NULL && !found && (entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
        ssize_t len = readlink(path, link, sizeof(link) - 1);
        link[len < 0 ? 0 : len] = '\0';
        found = strcmp(link, wanted) == 0;
    }
    if (folder != NULL)
        closedir(folder);
    return found;
}

/* Does a server of ours answer there? An app's own Unix socket may listen, too. */
static bool is_control(const char *path)
{
    struct buf answer = {0};
    enum control_answer kind = control_socket_fetch(path, "status", ASK_MS, &answer, NULL);
    buf_clear(&answer);
    return kind == CONTROL_OK || kind == CONTROL_DEGRADED;
}

/* The control socket that the process listens on. */
static bool find_control(int pid, char *path, size_t size)
{
    char line[512];
    bool found = false;
    FILE *file = fopen("/proc/net/unix", "re");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        unsigned flags;
        unsigned long inode;
        int at = 0;
        if (sscanf(line, "%*s %*s %*s %x %*s %*s %lu %n", &flags, &inode, &at) < 2 || at == 0 ||
            (flags & LISTENS) == 0 || line[at] != '/')
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(path, size, "%s", line + at);
        found = has_socket(pid, inode) && is_control(path);
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static int parent_of(int pid)
{
    char path[64], line[256];
    int parent = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "PPid: %d", &parent) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return parent;
}

/* The way to the server; *pid becomes 0 when it is the server itself. 0, or the exit code. */
static int find_server(const struct config *config, int *pid, char *path, size_t size)
{
    if (*pid == 0) {
        if (control_socket_path(config, listen_port(config), path, size) == 0)
            return 0;
        fprintf(stderr, "qlua: the path of the control socket is too long\n");
        return 1;
    }
    if (kill(*pid, 0) != 0 && errno == ESRCH) {
        fprintf(stderr, "qlua: there is no process %d\n", *pid);
        return 3;
    }
    if (find_control(*pid, path, size)) {
        *pid = 0;
        return 0;
    }
    int parent = parent_of(*pid);
    if (parent > 1 && find_control(parent, path, size))
        return 0;
    fprintf(stderr,
            "qlua: process %d is no server or worker of qlua with a control socket that you may "
            "ask; name the socket with --control\n",
            *pid);
    return 3;
}

/* ---- asking ---- */

static void sleep_ms(uint64_t milliseconds)
{
    struct timespec time = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

/* One command. 0, or the exit code. */
static int fetch(const char *path, const char *command, struct buf *answer)
{
    answer->len = 0;
    enum control_answer kind = control_socket_fetch(path, command, ASK_MS, answer, stderr);
    return kind == CONTROL_OK || kind == CONTROL_DEGRADED ? 0 : kind == CONTROL_NOBODY ? 3 : 4;
}

int profile_ask(const struct config *config, int pid, uint32_t milliseconds, struct buf *out)
{
    char path[4096], command[64];
    struct buf answer = {0};
    int code = find_server(config, &pid, path, sizeof(path));
    if (code != 0)
        return code;
    snprintf(command, sizeof(command), "profile begin %u %d", milliseconds, pid);
    code = fetch(path, command, &answer);
    if (code == 0)
        sleep_ms(milliseconds);
    while (code == 0 && (code = fetch(path, "profile take", &answer)) == 0 &&
           slice_eq(buf_view(&answer), SLICE("wait\n")))
        sleep_ms(AGAIN_MS);
    if (code == 0)
        buf_slice(out, buf_view(&answer));
    buf_clear(&answer);
    return code;
}
