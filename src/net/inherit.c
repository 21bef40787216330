/* net/inherit.c - the sockets that a running server hands on. See inherit.h. */
#include "net/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define SOCKETS_MOST 1024

/* A descriptor's number at *at, up to `end`, which is passed over; or -1. */
static int read_fd(char **at, char end)
{
    char *after;
    long fd = strtol(*at, &after, 10);
    if (after == *at || **at < '0' || **at > '9' || fd > 1 << 20 || *after != end)
        return -1;
    *at = after + (end != '\0');
    return (int)fd;
}

/* Whether this is a socket that was handed to us, listening or not; from now on ours alone. */
static bool adopt(int fd, bool listens)
{
    int value = 0;
    socklen_t len = sizeof(value);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) != 0 || (value != 0) != listens)
        return false;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool is_listed(const struct inherited *inherited, int fd)
{
    for (size_t i = 0; i < inherited->count; i++)
        if (inherited->sockets[i].fd == fd)
            return true;
    return false;
}

static int read_sockets(struct inherited *inherited, char *at)
{
    while (*at != '\0') {
        size_t len = strcspn(at, ";");
        char *next = at + len + (at[len] == ';');
        at[len] = '\0';
        int fd = read_fd(&at, '=');
        if (inherited->count == SOCKETS_MOST || fd < 0 || is_listed(inherited, fd) ||
            !adopt(fd, true))
            return -EINVAL;
        inherited->sockets[inherited->count++] = (struct inherited_socket){.fd = fd, .address = at};
        at = next;
    }
    return 0;
}

int inherit_read(struct inherited *inherited, const char *value, struct err *err)
{
    *inherited = (struct inherited){.channel = -1};
    if (value == NULL)
        return 0;
    inherited->text = mem_strdup(value);
    inherited->sockets = mem_array(SOCKETS_MOST, sizeof(*inherited->sockets));
    char *at = inherited->text;
    size_t len = strcspn(at, ";");
    char *rest = at + len + (at[len] == ';');
    at[len] = '\0';
    int channel = read_fd(&at, '\0');
    if (channel >= 0 && adopt(channel, false)) {
        inherited->channel = channel;
        if (read_sockets(inherited, rest) == 0)
            return 0;
    }
    inherit_clear(inherited);
    return err_set(err, -EPROTO,
                   INHERIT_VARIABLE "=%.200s: not what a running server hands over; this "
                                    "variable is not to be set by hand",
                   value);
}

void inherit_clear(struct inherited *inherited)
{
    for (size_t i = 0; i < inherited->count; i++)
        if (inherited->sockets[i].fd >= 0)
            close(inherited->sockets[i].fd);
    if (inherited->channel >= 0)
        close(inherited->channel);
    free(inherited->sockets);
    free(inherited->text);
    *inherited = (struct inherited){.channel = -1};
}

void inherit_unlink_rest(const struct inherited *inherited)
{
    for (size_t i = 0; i < inherited->count; i++) {
        struct sockaddr_un at = {0};
        socklen_t len = sizeof(at) - 1;
        const struct inherited_socket *item = &inherited->sockets[i];
        bool has_file = strncmp(item->address, "unix:", 5) == 0 ||
                        strncmp(item->address, INHERIT_CONTROL, sizeof(INHERIT_CONTROL) - 1) == 0;
        if (item->fd >= 0 && has_file && getsockname(item->fd, (struct sockaddr *)&at, &len) == 0 &&
            at.sun_family == AF_UNIX && at.sun_path[0] != '\0')
            unlink(at.sun_path);
    }
}

static int take(struct inherited_socket *item)
{
    int fd = item->fd;
    item->fd = -1;
    return fd;
}

/* Whether `address` is how `text` is written in the list. */
static bool is_written(const char *address, const char *text)
{
    for (; *text != '\0'; text++) {
        size_t len = *text == ';' ? 3 : 1;
        if (strncmp(address, *text == ';' ? "%3B" : text, len) != 0)
            return false;
        address += len;
    }
    return *address == '\0';
}

int inherit_take(struct inherited *inherited, const char *prefix, const char *address)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < inherited->count; i++) {
        struct inherited_socket *item = &inherited->sockets[i];
        if (item->fd >= 0 && strncmp(item->address, prefix, len) == 0 &&
            is_written(item->address + len, address))
            return take(item);
    }
    return -1;
}

int inherit_take_manager(struct inherited *inherited)
{
    for (size_t i = 0; i < inherited->count; i++) {
        struct inherited_socket *item = &inherited->sockets[i];
        if (item->fd >= 0 &&
            strncmp(item->address, INHERIT_MANAGER, sizeof(INHERIT_MANAGER) - 1) == 0)
            return take(item);
    }
    return -1;
}

static bool is_bound_to(int fd, const struct sockaddr *at)
{
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof(own);
    if (getsockname(fd, (struct sockaddr *)&own, &len) != 0 || own.ss_family != at->sa_family)
        return false;
    if (at->sa_family == AF_INET) {
        const struct sockaddr_in *a = (const void *)at;
        const struct sockaddr_in *b = (const void *)&own;
        return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
    }
    if (at->sa_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const void *)at;
        const struct sockaddr_in6 *b = (const void *)&own;
        return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
               memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr)) == 0;
    }
    return false;
}

int inherit_take_bound(struct inherited *inherited, const struct sockaddr *at)
{
    for (size_t i = 0; i < inherited->count; i++)
        if (inherited->sockets[i].fd >= 0 && is_bound_to(inherited->sockets[i].fd, at))
            return take(&inherited->sockets[i]);
    return -1;
}

void inherit_write(struct buf *list, int fd, const char *prefix, const char *address)
{
    buf_printf(list, ";%d=%s", fd, prefix);
    for (; *address != '\0'; address++)
        if (*address == ';')
            buf_cstr(list, "%3B");
        else
            buf_char(list, *address);
}
