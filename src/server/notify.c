/* server/notify.c - what a service manager is told. See notify.h. */
#include "server/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

/* Longer messages are cut: a status is one line. */
#define MESSAGE_MOST 1024

/* The socket's address: a path, or "@name" for one that has no file. 0 or a negative errno. */
static int address_of(const char *text, struct sockaddr_un *at, socklen_t *len)
{
    size_t n = strlen(text);
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((text[0] != '/' && text[0] != '@') || n < 2)
        return -EINVAL;
    if (n >= sizeof(at->sun_path))
        return -ENAMETOOLONG;
    memcpy(at->sun_path, text, n);
    if (text[0] == '@')
        at->sun_path[0] = '\0';
    /* an abstract name has no NUL at its end: each byte of the length counts */
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (text[0] == '/'));
    return 0;
}

static void complain(struct notify *notify, const char *name, int rc)
{
    bool abstract = notify->at.sun_path[0] == '\0';
    notify->complained = true;
    log_write(notify->log, LOG_WARNING,
              "the service manager cannot be told how the service is: NOTIFY_SOCKET=%s%.107s: %s",
              name == NULL && abstract ? "@" : "",
              name != NULL ? name : &notify->at.sun_path[abstract], err_text(rc));
}

/* Half of what the watchdog grants, in milliseconds: 0 when it does not mean this process. */
static uint64_t watchdog_ms(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    if (text == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    uint64_t ms = strtoull(text, NULL, 10) / 2000;
    return text[0] >= '1' && text[0] <= '9' && ms == 0 ? 1 : ms;
}

void notify_open(struct notify *notify, const struct log *log)
{
    const char *text = getenv("NOTIFY_SOCKET");
    *notify = (struct notify){.fd = -1, .log = log};
    if (text != NULL && text[0] != '\0') {
        int rc = address_of(text, &notify->at, &notify->at_len);
        if (rc == 0)
            notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (notify->fd >= 0)
            notify->every_ms = watchdog_ms();
        else
            complain(notify, text, rc != 0 ? rc : -errno);
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    *notify = (struct notify){.fd = -1};
}

void notify_send(struct notify *notify, const char *format, ...)
{
    char message[MESSAGE_MOST];
    va_list arguments;
    if (notify->fd < 0 || notify->silent)
        return;
    va_start(arguments, format);
    int len = vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (len >= (int)sizeof(message))
        len = sizeof(message) - 1;
    if (len <= 0)
        return;
    /* found by its name each time: a manager that starts anew makes it anew */
    ssize_t n = sendto(notify->fd, message, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
                       (struct sockaddr *)&notify->at, notify->at_len);
    if (n < 0 && !notify->complained)
        complain(notify, NULL, -errno);
}

void notify_reloading(struct notify *notify, const char *status)
{
    /* sd_notify(3): CLOCK_MONOTONIC, by which the manager knows which READY=1 belongs to it */
    notify_send(notify, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=%s",
                (unsigned long long)(clock_ns() / 1000), status);
}

void notify_tick(struct notify *notify, uint64_t now)
{
    if (notify->fd < 0 || notify->every_ms == 0 || now < notify->due)
        return;
    notify->due = now + notify->every_ms;
    notify_send(notify, "WATCHDOG=1");
}

int notify_timeout(const struct notify *notify, uint64_t now, int most)
{
    if (notify->fd < 0 || notify->every_ms == 0)
        return most;
    if (notify->due <= now)
        return 0;
    return notify->due - now < (uint64_t)most ? (int)(notify->due - now) : most;
}
