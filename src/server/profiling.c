/* server/profiling.c - a worker's part in `qlua profile`. See profiling.h. */
#include "server/profiling.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "bind/generation.h"
#include "bind/profile.h"
#include "server/control.h"

/* Into memory: nothing waits. */
static void write_line(int fd, struct buf *text)
{
    buf_char(text, '\n');
    for (size_t at = 0; at < text->len;) {
        ssize_t n = write(fd, text->data + at, text->len - at);
        if (n < 0 && errno != EINTR)
            break; /* without its end the line does not count */
        at += n < 0 ? 0 : (size_t)n;
    }
    close(fd);
}

static void on_over(void *data)
{
    struct profiling *profiling = data;
    struct buf text = {0};
    generation_profile_write(profiling->generation, &text);
    write_line(profiling->fd, &text);
    buf_clear(&text);
}

void profiling_begin(struct profiling *profiling, struct generation *serving,
                     const struct control_message *message)
{
    int fd = message->fd < 0 ? -1 : fcntl(message->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return;
    const char *why = "this worker does not serve yet";
    if (serving != NULL && (serving->profile == NULL || !serving->profile->is_taken)) {
        *profiling = (struct profiling){.generation = serving, .fd = fd};
        why = generation_profile_begin(serving, message->value, on_over, profiling);
    } else if (serving != NULL) {
        why = "a profile is being taken already";
    }
    if (why == NULL)
        return;
    struct buf text = {0};
    buf_printf(&text, "{\"pid\":%d,\"error\":\"%s\"}", (int)getpid(), why);
    write_line(fd, &text);
    buf_clear(&text);
}
