/* server/supervisor_profile.c - the supervisor's part in `qlua profile`.
 *
 * Place in the flow: the control socket brings "profile begin MILLISECONDS PID" (0: all workers)
 * and later, again and again, "profile take"; each worker that is asked gets a file in memory to
 * write its profile into (profiling.h). Nothing here waits, and an asker that has gone leaves
 * nothing behind but a few descriptors, until the next one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/control.h"
#include "server/profiling.h"
#include "server/renewal.h"
#include "server/supervisor_internal.h"

/* A worker that has not written its profile so long after its end is not waited for. */
#define LATE_MS 5000

void supervisor_drop_profiles(struct supervisor *supervisor)
{
    struct profile_desk *desk = &supervisor->profiles;
    for (size_t i = 0; i < desk->count; i++)
        close(desk->files[i].fd);
    free(desk->files);
    *desk = (struct profile_desk){0};
}

/* Ask one process; `send` gives the message its way. */
static void ask(struct profile_desk *desk, pid_t pid, int control_fd, struct renewal *lone,
                uint32_t milliseconds)
{
    int fd = memfd_create("qlua-profile", MFD_CLOEXEC);
    if (fd < 0)
        return;
    if (lone != NULL) {
        struct control_message message = {.type = CONTROL_PROFILE, .value = milliseconds, .fd = fd};
        renewal_take(lone, &message);
    } else if (control_send_fd(control_fd, CONTROL_PROFILE, milliseconds, fd) != 0) {
        close(fd);
        return;
    }
    desk->files[desk->count++] = (struct profile_file){.pid = pid, .fd = fd};
}

static void begin(struct supervisor *supervisor, uint32_t milliseconds, pid_t wanted,
                  struct buf *out)
{
    struct profile_desk *desk = &supervisor->profiles;
    const struct crew *crew = &supervisor->crew;
    uint64_t now = clock_ms();
    if (desk->count > 0 && now < desk->until) {
        buf_cstr(out, "error: a profile is being taken already; try again when it is over\n");
        return;
    }
    supervisor_drop_profiles(supervisor);
    if (wanted == getpid())
        wanted = 0;
    desk->files = mem_array(crew->count + 1, sizeof(*desk->files));
    desk->until = now + milliseconds;
    if (supervisor->lone != NULL && wanted == 0)
        ask(desk, getpid(), -1, supervisor->lone, milliseconds);
    for (size_t i = 0; i < crew->count; i++) {
        const struct member *member = &crew->members[i];
        bool serves = member->state == MEMBER_READY || member->state == MEMBER_RETIRING;
        if (serves && (wanted == 0 || wanted == member->pid))
            ask(desk, member->pid, member->control_fd, NULL, milliseconds);
    }
    if (desk->count > 0)
        buf_printf(out, "ok\n%zu\n", desk->count);
    else if (wanted != 0)
        buf_printf(out, "error: no worker with the process id %d serves\n", (int)wanted);
    else
        buf_cstr(out, "error: no worker serves\n");
}

/* Its bytes, 0 when its end is missing. */
static size_t size_of(const struct profile_file *file)
{
    struct stat st;
    char last = '\0';
    if (fstat(file->fd, &st) != 0 || st.st_size <= 0)
        return 0;
    return pread(file->fd, &last, 1, st.st_size - 1) == 1 && last == '\n' ? (size_t)st.st_size : 0;
}

static bool is_awaited(const struct supervisor *supervisor, const struct profile_file *file)
{
    if (size_of(file) > 0 || clock_ms() > supervisor->profiles.until + LATE_MS)
        return false;
    for (size_t i = 0; i < supervisor->crew.count; i++)
        if (supervisor->crew.members[i].pid == file->pid)
            return true;
    return supervisor->lone != NULL;
}

static void take(struct supervisor *supervisor, struct buf *out)
{
    struct profile_desk *desk = &supervisor->profiles;
    for (size_t i = 0; i < desk->count; i++)
        if (is_awaited(supervisor, &desk->files[i])) {
            buf_cstr(out, "ok\nwait\n");
            return;
        }
    buf_cstr(out, "ok\n");
    for (size_t i = 0; i < desk->count; i++) {
        size_t size = size_of(&desk->files[i]);
        char *room = buf_reserve(out, size + 1);
        ssize_t n = pread(desk->files[i].fd, room, size, 0);
        out->len += n == (ssize_t)size ? size : 0;
    }
    supervisor_drop_profiles(supervisor);
}

void supervisor_profile(struct supervisor *supervisor, struct slice command, struct buf *out)
{
    char text[64];
    unsigned milliseconds;
    int pid;
    snprintf(text, sizeof(text), "%.*s", (int)command.len, command.data);
    if (slice_eq(command, SLICE("profile take")))
        take(supervisor, out);
    else if (sscanf(text, "profile begin %u %d", &milliseconds, &pid) == 2 && pid >= 0 &&
             milliseconds > 0 && milliseconds <= 600000)
        begin(supervisor, milliseconds, pid, out);
    else
        buf_cstr(out, "error: the server does not understand this profile command\n");
}
