/* server/control.c - messages between the supervisor and its workers. See control.h. */
#include "server/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

int control_pair(int fds[2])
{
    int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
    return socketpair(AF_UNIX, type, 0, fds) == 0 ? 0 : -errno;
}

int control_send_text(int fd, enum control_type type, uint32_t value, const char *text)
{
    struct control_message message = {.type = type, .value = value};
    size_t len = strlen(text);
    if (len >= sizeof(message.text))
        len = sizeof(message.text) - 1;
    memcpy(message.text, text, len);
    ssize_t n;
    do
        n = send(fd, &message, offsetof(struct control_message, text) + len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int control_send(int fd, enum control_type type, uint32_t value)
{
    return control_send_text(fd, type, value, "");
}

int control_receive(int fd, struct control_message *message)
{
    const size_t head = offsetof(struct control_message, text);
    ssize_t n;
    do
        n = recv(fd, message, sizeof(*message) - 1, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : (errno == ECONNRESET ? -EPIPE : -errno);
    if (n < (ssize_t)head)
        return n == 0 ? -EPIPE : -EPROTO;
    message->text[(size_t)n - head] = '\0';
    return 1;
}
