/* server/control.c - messages between the supervisor and its workers. See control.h. */
#include "server/control.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

int control_pair(int fds[2])
{
    int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
    return socketpair(AF_UNIX, type, 0, fds) == 0 ? 0 : -errno;
}

int control_send(int fd, enum control_type type, uint32_t value)
{
    struct control_message message = {.type = type, .value = value};
    ssize_t n;
    do
        n = send(fd, &message, sizeof(message), MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int control_receive(int fd, struct control_message *message)
{
    ssize_t n;
    do
        n = recv(fd, message, sizeof(*message), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : (errno == ECONNRESET ? -EPIPE : -errno);
    return n == (ssize_t)sizeof(*message) ? 1 : (n == 0 ? -EPIPE : -EPROTO);
}
