/* server/control_socket.c - the Unix socket by which people ask a running supervisor. See
 * control_socket.h. */
#include "server/control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "server/config.h"

/* An asker sends its line at once; one that does not makes room. */
#define CLIENT_MS 5000

int control_socket_path(const struct config *config, int port, char *path, size_t size)
{
    int len;
    if (config->control != NULL) {
        len = snprintf(path, size, "%s", config->control);
    } else {
        const char *folder = getenv("XDG_RUNTIME_DIR");
        if (folder == NULL || folder[0] != '/')
            folder = getenv("TMPDIR");
        if (folder == NULL || folder[0] != '/')
            folder = "/tmp";
        len = snprintf(path, size, "%s/qlua-%d.sock", folder, port);
    }
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

void control_socket_init(struct control_socket *socket)
{
    *socket = (struct control_socket){.fd = -1, .poll_fd = -1};
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        socket->clients[i].fd = -1;
}

static void poll_for(const struct control_socket *socket, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(socket->poll_fd, operation, fd, &event);
}

static int start(struct control_socket *socket, int fd)
{
    socket->fd = fd;
    socket->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (socket->poll_fd < 0)
        return -errno;
    poll_for(socket, EPOLL_CTL_ADD, fd, EPOLLIN);
    return 0;
}

int control_socket_open(struct control_socket *socket, const char *path, struct err *err)
{
    int fd = listen_unix(path, 0600, CONTROL_CLIENTS, &socket->file, err);
    if (fd < 0)
        return fd;
    int rc = start(socket, fd);
    return rc == 0 ? 0 : err_set(err, rc, "epoll: %s", err_text(rc));
}

int control_socket_adopt(struct control_socket *socket, int fd, const char *path)
{
    int rc = start(socket, fd);
    if (rc != 0)
        control_socket_close(socket);
    else
        listen_own_file(&socket->file, path);
    return rc;
}

static void drop(struct control_socket *socket, struct control_client *client)
{
    if (client->fd < 0)
        return;
    /* a child that was forked meanwhile may hold the descriptor: closing would not be enough */
    poll_for(socket, EPOLL_CTL_DEL, client->fd, 0);
    close(client->fd);
    client->fd = -1;
    buf_clear(&client->out);
    poll_for(socket, EPOLL_CTL_MOD, socket->fd, EPOLLIN);
}

void control_socket_close(struct control_socket *socket)
{
    /* also called in forked children: the epoll set, which they share, must stay as it is */
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        if (socket->clients[i].fd >= 0)
            close(socket->clients[i].fd);
        buf_clear(&socket->clients[i].out);
        socket->clients[i].fd = -1;
    }
    if (socket->poll_fd >= 0)
        close(socket->poll_fd);
    if (socket->fd >= 0)
        close(socket->fd);
    socket->fd = socket->poll_fd = -1;
}

static struct control_client *free_client(struct control_socket *socket)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        if (socket->clients[i].fd < 0)
            return &socket->clients[i];
    return NULL;
}

static void accept_clients(struct control_socket *socket, uint64_t now)
{
    struct control_client *client;
    while ((client = free_client(socket)) != NULL) {
        int fd = accept4(socket->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        *client = (struct control_client){.fd = fd, .started = now};
        poll_for(socket, EPOLL_CTL_ADD, fd, EPOLLIN);
    }
    poll_for(socket, EPOLL_CTL_MOD, socket->fd, 0); /* no room: the rest waits in the backlog */
}

/* Read what is there. Gives the length of the line when it is complete, -1 when there will be
 * none, 0 when more must come. */
static ssize_t read_line(struct control_client *client)
{
    ssize_t n = recv(client->fd, client->line + client->len, sizeof(client->line) - client->len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    client->len += (size_t)n;
    const char *end = memchr(client->line, '\n', client->len);
    if (end != NULL && end != client->line)
        return end - client->line;
    return end != NULL || client->len == sizeof(client->line) ? -1 : 0;
}

/* Give the asker what it takes of the answer. False: that was all, or it has gone. */
static bool push_out(struct control_socket *socket, struct control_client *client)
{
    struct buf *out = &client->out;
    ssize_t n = send(client->fd, out->data, out->len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    buf_shift(out, n < 0 ? 0 : (size_t)n);
    if (out->len > 0)
        poll_for(socket, EPOLL_CTL_MOD, client->fd, EPOLLOUT);
    return out->len > 0;
}

void control_socket_turn(struct control_socket *socket, uint64_t now,
                         void (*answer)(void *data, struct slice command, struct buf *out),
                         void *data)
{
    if (socket->fd < 0)
        return;
    accept_clients(socket, now);
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &socket->clients[i];
        if (client->fd < 0 || client->waiting)
            continue;
        ssize_t len = client->out.len > 0 ? 0 : read_line(client);
        if (len > 0) {
            struct buf out = {0};
            client->waiting = true;
            answer(data, slice_of(client->line, (size_t)len), &out);
            if (out.len == 0 || client->fd < 0)
                continue; /* later, or already in control_socket_reply */
            client->waiting = false;
            client->out = out;
        }
        bool over = client->out.len > 0 ? !push_out(socket, client) : len != 0;
        if (over || now - client->started > CLIENT_MS)
            drop(socket, client);
    }
}

void control_socket_reply(struct control_socket *socket, struct slice text)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &socket->clients[i];
        if (client->fd < 0 || !client->waiting)
            continue;
        ssize_t n = send(client->fd, text.data, text.len, MSG_NOSIGNAL);
        (void)n; /* who asked has gone: nobody needs to know */
        drop(socket, client);
    }
}

/* A connection to the supervisor, or a negative errno. */
static int connect_to(const char *path, uint64_t patience_ms)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = (time_t)(patience_ms / 1000)};
    size_t len = strlen(path);
    if (len >= sizeof(at.sun_path))
        return -ENAMETOOLONG;
    memcpy(at.sun_path, path, len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}

/* Send the command and read the whole answer. 0 or a negative errno. */
static int exchange(int fd, const char *command, struct buf *answer)
{
    struct buf line = {0};
    buf_printf(&line, "%s\n", command);
    ssize_t n = send(fd, line.data, line.len, MSG_NOSIGNAL);
    buf_clear(&line);
    while (n > 0 && (n = recv(fd, buf_reserve(answer, 4096), 4096, 0)) > 0)
        answer->len += (size_t)n;
    return n < 0 ? -errno : 0;
}

enum control_answer control_socket_fetch(const char *path, const char *command,
                                         uint64_t patience_ms, struct buf *out, FILE *complaints)
{
    struct buf answer = {0};
    int fd = connect_to(path, patience_ms);
    if (fd < 0) {
        if (complaints != NULL)
            fprintf(complaints,
                    "qlua: %s: no server answers there (%s); name its socket with --control\n",
                    path, err_text(fd));
        return CONTROL_NOBODY;
    }
    int rc = exchange(fd, command, &answer);
    close(fd);
    struct slice text = buf_view(&answer);
    struct slice first = slice_split(&text, '\n');
    enum control_answer result = CONTROL_BROKEN;
    if (rc == 0 && slice_eq(first, SLICE("ok")))
        result = CONTROL_OK;
    else if (rc == 0 && slice_eq(first, SLICE("degraded")))
        result = CONTROL_DEGRADED;
    else if (slice_starts_with(first, SLICE("error: ")))
        result = CONTROL_ERROR;
    if (result <= CONTROL_DEGRADED)
        buf_slice(out, text);
    else if (complaints != NULL && result == CONTROL_ERROR)
        fprintf(complaints, "qlua: %.*s", (int)answer.len - 7, answer.data + 7);
    else if (complaints != NULL)
        fprintf(complaints, "qlua: %s: the server gave no answer%s%s\n", path, rc != 0 ? ": " : "",
                rc != 0 ? err_text(rc) : "");
    buf_clear(&answer);
    return result;
}

enum control_answer control_socket_ask(const char *path, const char *command, uint64_t patience_ms)
{
    struct buf text = {0};
    enum control_answer result = control_socket_fetch(path, command, patience_ms, &text, stderr);
    if (text.len > 0)
        fwrite(text.data, 1, text.len, stdout);
    buf_clear(&text);
    return result;
}
