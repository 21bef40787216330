/* server/control.c - messages between the supervisor and its workers. See control.h. */
#include "server/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int control_pair(int fds[2])
{
    int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
    return socketpair(AF_UNIX, type, 0, fds) == 0 ? 0 : -errno;
}

/* Room for one descriptor beside a packet. */
union passed {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
};

static int send_message(int fd, const struct control_message *message, size_t len, int passed)
{
    union passed beside = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
                                    .cmsg_level = SOL_SOCKET,
                                    .cmsg_type = SCM_RIGHTS}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)message,
                         .iov_len = offsetof(struct control_message, text) + len};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        memcpy(CMSG_DATA(&beside.head), &passed, sizeof(passed));
        packet.msg_control = &beside;
        packet.msg_controllen = sizeof(beside);
    }
    ssize_t n;
    do
        n = sendmsg(fd, &packet, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int control_send_text(int fd, enum control_type type, uint32_t value, const char *text)
{
    struct control_message message = {.type = type, .value = value};
    size_t len = strlen(text);
    if (len >= sizeof(message.text))
        len = sizeof(message.text) - 1;
    memcpy(message.text, text, len);
    return send_message(fd, &message, len, -1);
}

int control_send_fd(int fd, enum control_type type, uint32_t value, int passed)
{
    struct control_message message = {.type = type, .value = value};
    return send_message(fd, &message, 0, passed);
}

int control_send(int fd, enum control_type type, uint32_t value)
{
    return control_send_text(fd, type, value, "");
}

/* The descriptor that came beside a packet, or -1. */
static int passed_fd(struct msghdr *packet)
{
    int fd = -1;
    const struct cmsghdr *beside = CMSG_FIRSTHDR(packet);
    if (beside != NULL && beside->cmsg_level == SOL_SOCKET && beside->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(beside), sizeof(fd));
    return fd;
}

int control_receive(int fd, struct control_message *message)
{
    const size_t head = offsetof(struct control_message, text);
    union passed beside;
    struct iovec part = {.iov_base = message, .iov_len = head + sizeof(message->text) - 1};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &beside,
                            .msg_controllen = sizeof(beside)};
    ssize_t n;
    do
        n = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : (errno == ECONNRESET ? -EPIPE : -errno);
    message->fd = passed_fd(&packet);
    if (n < (ssize_t)head) {
        if (message->fd >= 0)
            close(message->fd);
        return n == 0 ? -EPIPE : -EPROTO;
    }
    message->text[(size_t)n - head] = '\0';
    return 1;
}
