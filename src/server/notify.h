/* server/notify.h - what a service manager is told: systemd's notification protocol.
 *
 * Place in the flow: the supervisor tells how the service is (ready, reloading, stopping, which
 * process is the main one) and keeps the watchdog quiet. One datagram a message to the Unix socket
 * that NOTIFY_SOCKET names (sd_notify(3)); without it nothing is sent. A send never waits, and what
 * cannot be sent is dropped. Knows neither workers nor reloads.
 */
#ifndef QLUA_SERVER_NOTIFY_H
#define QLUA_SERVER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct log;

struct notify {
    int fd; /* -1: nobody wants to be told */
    struct sockaddr_un at;
    socklen_t at_len;
    uint64_t every_ms; /* between two signs of life; 0: none are wanted */
    uint64_t due;      /* the next one, monotonic milliseconds */
    const struct log *log;
    bool silent;     /* nothing is sent: another process speaks for the service */
    bool complained; /* that nothing can be sent is said once */
};

/* Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that the programs
 * which an app starts do not speak for the service. What cannot be used is a line in the log. */
void notify_open(struct notify *notify, const struct log *log);
void notify_close(struct notify *notify);

/* Send lines as sd_notify(3) names them: "READY=1\nSTATUS=...". */
void notify_send(struct notify *notify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* RELOADING=1 and the time, which must come with it. */
void notify_reloading(struct notify *notify, const char *status);

/* A sign of life, when it is time for one. */
void notify_tick(struct notify *notify, uint64_t now);
/* Milliseconds until then, at most `most`. */
int notify_timeout(const struct notify *notify, uint64_t now, int most);

#endif
