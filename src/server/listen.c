/* server/listen.c - the sockets of the service. See listen.h. */
#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/inherit.h"
#include "server/config.h"

/* systemd hands its sockets over from this descriptor on. */
#define SYSTEMD_FIRST_FD 3
#define SYSTEMD_MOST     256

/* "HOST:PORT" taken apart. */
struct address {
    char host[256]; /* "" or "*": every address */
    char port[8];
};

static struct listener *add(struct listeners *listeners, int fd, const char *asked)
{
    size_t count = listeners->count + 1;
    listeners->items = mem_realloc(listeners->items, count * sizeof(*listeners->items));
    listeners->fds = mem_realloc(listeners->fds, count * sizeof(*listeners->fds));
    listeners->fds[listeners->count] = fd;
    struct listener *listener = &listeners->items[listeners->count];
    *listener = (struct listener){.fd = fd};
    snprintf(listener->asked, sizeof(listener->asked), "%s", asked);
    listeners->count = count;
    return listener;
}

/* The port of a bound TCP socket, 0 for other kinds. */
static int port_of(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return 0;
    if (at.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)(void *)&at)->sin_port);
    if (at.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&at)->sin6_port);
    return 0;
}

/* Replace the port of an address, unless it is 0. */
static void set_port(struct sockaddr *at, int port)
{
    if (port != 0 && at->sa_family == AF_INET)
        ((struct sockaddr_in *)(void *)at)->sin_port = htons((uint16_t)port);
    else if (port != 0 && at->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)at)->sin6_port = htons((uint16_t)port);
}

/* Fill in the address that people are shown. */
static void describe(struct listener *listener, const char *scheme)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);
    char host[INET6_ADDRSTRLEN] = "?";
    getsockname(listener->fd, (struct sockaddr *)&at, &len);
    if (at.ss_family == AF_UNIX) {
        const struct sockaddr_un *name = (const struct sockaddr_un *)(const void *)&at;
        snprintf(listener->address, sizeof(listener->address), "unix:%.108s", name->sun_path);
        return;
    }
    getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
    bool v6 = at.ss_family == AF_INET6;
    snprintf(listener->address, sizeof(listener->address), "%s://%s%s%s:%d", scheme, v6 ? "[" : "",
             host, v6 ? "]" : "", port_of(listener->fd));
}

/* A socket that a former server opened; the backlog may be another one now. */
static void add_inherited(struct listeners *listeners, int fd, const char *asked,
                          const struct config *config)
{
    struct listener *listener = add(listeners, fd, asked);
    listener->is_inherited = true;
    listen(fd, (int)config->backlog);
    describe(listener, listeners->scheme);
}

/* A socket that the service manager opened: it goes by no address of the settings. */
static void describe_managers(struct listener *listener, const char *scheme)
{
    describe(listener, scheme);
    snprintf(listener->asked, sizeof(listener->asked), INHERIT_MANAGER "%s", listener->address);
}

/* Take all that a former server hands over for this address: whether there was something. */
static bool take_inherited(struct listeners *listeners, struct inherited *inherited,
                           const char *asked, const struct config *config)
{
    size_t before = listeners->count;
    int fd;
    while ((fd = inherit_take(inherited, "", asked)) >= 0)
        add_inherited(listeners, fd, asked, config);
    return listeners->count > before;
}

/* A listening TCP socket, or a negative errno. */
static int open_tcp(const struct addrinfo *at, const struct config *config)
{
    int one = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    /* Linux: SO_REUSEADDR passes over connections that linger from a former server, but not over
     * a socket that listens. SO_REUSEPORT would let a second server share the port in silence. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (config->reuse_port)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, (int)config->backlog) == 0)
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}

static int refuse(struct err *err, int rc, const char *shown)
{
    if (rc == -EADDRINUSE)
        return err_set(err, rc,
                       "%s: address already in use; stop the other server or choose "
                       "another --port",
                       shown);
    if (rc == -EACCES)
        return err_set(err, rc, "%s: permission denied; ports below 1024 need privileges", shown);
    return err_set(err, rc, "%s: cannot listen: %s", shown, err_text(rc));
}

/* Open every address that the name stands for; one that this machine lacks (::1 without IPv6) is
 * passed over while another one works. */
static int open_name(struct listeners *listeners, const struct address *address,
                     const struct config *config, struct inherited *inherited, struct err *err)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char shown[300];
    bool any = address->host[0] == '\0' || strcmp(address->host, "*") == 0;
    bool v6 = strchr(address->host, ':') != NULL;
    snprintf(shown, sizeof(shown), "%s%s%s:%s", v6 ? "[" : "", any ? "*" : address->host,
             v6 ? "]" : "", address->port);
    if (take_inherited(listeners, inherited, shown, config))
        return 0;
    int rc = getaddrinfo(any ? NULL : address->host, address->port, &hints, &found);
    if (rc != 0)
        return err_set(err, -EADDRNOTAVAIL, "%s: %s; name an address of this machine", shown,
                       gai_strerror(rc));
    size_t before = listeners->count;
    int last = 0;
    int chosen = 0;
    for (struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        set_port(at->ai_addr, chosen); /* port 0: the system chooses once for all of them */
        int fd = inherit_take_bound(inherited, at->ai_addr);
        if (fd >= 0) {
            add_inherited(listeners, fd, shown, config);
            continue;
        }
        fd = open_tcp(at, config);
        if (fd >= 0) {
            chosen = port_of(fd);
            describe(add(listeners, fd, shown), listeners->scheme);
        } else if (fd != -EADDRNOTAVAIL && fd != -EAFNOSUPPORT) {
            last = fd;
            break;
        } else if (last == 0 && at->ai_next == NULL && listeners->count == before) {
            last = fd;
        }
    }
    freeaddrinfo(found);
    return last == 0 ? 0 : refuse(err, last, shown);
}

/* Whether somebody answers at a Unix socket's address. */
static bool answers(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true;
    int rc = connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 ? 0 : errno;
    close(fd);
    return rc != ECONNREFUSED && rc != ENOENT; /* EAGAIN: its backlog is full */
}

/* Make way for our socket: remove what a dead server left. */
static int clear_way(const char *path, const struct sockaddr_un *at, struct err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, -EEXIST,
                       "unix:%s: the file exists and is no socket; choose another "
                       "path",
                       path);
    if (answers(at))
        return err_set(err, -EADDRINUSE,
                       "unix:%s: address already in use; stop the other server "
                       "or choose another path",
                       path);
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set(err, -errno, "unix:%s: the former socket cannot be removed: %s", path,
                       err_text(-errno));
    return 0;
}

int listen_unix(const char *path, int mode, int backlog, struct listen_file *file, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(at.sun_path))
        return err_set(err, -ENAMETOOLONG, "unix:%s: the path must have 1 to 107 bytes", path);
    memcpy(at.sun_path, path, len + 1);
    int rc = clear_way(path, &at, err);
    if (rc != 0)
        return rc;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* the mode must hold from the first moment: chmod afterwards would leave a gap */
    mode_t former = mode >= 0 ? umask((mode_t)(~mode & 0777)) : 0;
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    rc = ok ? 0 : -errno;
    if (mode >= 0)
        umask(former);
    if (ok && (listen(fd, backlog) != 0 || stat(path, &st) != 0)) {
        rc = -errno;
        unlink(path);
    }
    if (rc != 0) {
        if (fd >= 0)
            close(fd);
        return err_set(err, rc, "unix:%s: cannot listen: %s", path, err_text(rc));
    }
    memcpy(file->path, path, len + 1);
    file->device = st.st_dev;
    file->inode = st.st_ino;
    return fd;
}

void listen_own_file(struct listen_file *file, const char *path)
{
    struct stat st;
    if (strlen(path) >= sizeof(file->path) || lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    snprintf(file->path, sizeof(file->path), "%s", path);
    file->device = st.st_dev;
    file->inode = st.st_ino;
}

void listen_unlink(struct listen_file *file)
{
    struct stat st;
    if (file->path[0] != '\0' && lstat(file->path, &st) == 0 && st.st_dev == file->device &&
        st.st_ino == file->inode)
        unlink(file->path);
    file->path[0] = '\0';
}

/* Take "HOST:PORT", "[V6]:PORT" or "HOST" apart; the port may come from the settings. */
static int split_address(struct slice text, int64_t port, struct address *address)
{
    struct slice host = text;
    struct slice number = {NULL, 0};
    snprintf(address->port, sizeof(address->port), "%d", (int)port);
    if (text.len > 0 && text.data[0] == '[') {
        struct slice rest = slice_from(text, 1);
        bool is_closed = slice_find(rest, ']') != rest.len;
        host = slice_split(&rest, ']');
        if (!is_closed || host.len == 0 || (rest.len > 0 && rest.data[0] != ':'))
            return -EINVAL;
        number = slice_from(rest, 1);
    } else {
        size_t colon = slice_find(text, ':');
        host.len = colon;
        number = slice_from(text, colon + 1);
        if (slice_find(number, ':') != number.len)
            return -EINVAL; /* an IPv6 address without brackets: the port would be a guess */
    }
    if (host.len >= sizeof(address->host) || number.len > 5)
        return -EINVAL;
    memcpy(address->host, host.data, host.len);
    address->host[host.len] = '\0';
    for (size_t i = 0; i < number.len; i++)
        if (number.data[i] < '0' || number.data[i] > '9')
            return -EINVAL;
    if (number.len > 0)
        snprintf(address->port, sizeof(address->port), "%.*s", (int)number.len, number.data);
    return atoi(address->port) > 65535 ? -EINVAL : 0;
}

bool listen_is_address(const char *text)
{
    struct address address = {0};
    return strncmp(text, "unix:", 5) == 0 ? text[5] != '\0'
                                          : split_address(slice_cstr(text), 0, &address) == 0;
}

int listen_port(const struct config *config)
{
    for (size_t i = 0; i < config->bind.count; i++) {
        struct address address;
        const char *text = config->bind.items[i];
        if (strncmp(text, "unix:", 5) != 0 &&
            split_address(slice_cstr(text), config->port, &address) == 0)
            return atoi(address.port);
    }
    return (int)config->port;
}

static int open_bind(struct listeners *listeners, const char *text, const struct config *config,
                     struct inherited *inherited, struct err *err)
{
    struct address address;
    if (strncmp(text, "unix:", 5) == 0) {
        struct listen_file file = {0};
        if (take_inherited(listeners, inherited, text, config))
            return 0;
        int fd = listen_unix(text + 5, -1, (int)config->backlog, &file, err);
        if (fd < 0)
            return fd;
        struct listener *listener = add(listeners, fd, text);
        listener->file = file;
        describe(listener, listeners->scheme);
        return 0;
    }
    if (split_address(slice_cstr(text), config->port, &address) != 0)
        return err_set(err, -EINVAL, "%s: no address to listen on", text); /* checked before */
    return open_name(listeners, &address, config, inherited, err);
}

/* Take the sockets systemd opened for us. Returns how many, or a negative code and err. */
static int take_systemd(struct listeners *listeners, struct err *err)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    char *end = NULL;
    bool ours = pid != NULL && count != NULL && strtol(pid, NULL, 10) == (long)getpid();
    long n = ours ? strtol(count, &end, 10) : 0;
    if (ours && (end == count || *end != '\0' || n < 0 || n > SYSTEMD_MOST))
        return err_set(err, -EINVAL, "LISTEN_FDS=%s: not a number of sockets", count);
    /* not for our children, whoever they were meant for */
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    for (int fd = SYSTEMD_FIRST_FD; fd < SYSTEMD_FIRST_FD + (int)n; fd++) {
        int listening = 0;
        socklen_t len = sizeof(listening);
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening)
            return err_set(err, -ENOTSOCK, "LISTEN_FDS: descriptor %d is no listening socket", fd);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        describe_managers(add(listeners, fd, ""), listeners->scheme);
    }
    listeners->managed = n > 0;
    return (int)n;
}

/* systemd's, by way of a former server. */
static bool take_managers(struct listeners *listeners, const struct config *config,
                          struct inherited *inherited)
{
    int fd;
    while ((fd = inherit_take_manager(inherited)) >= 0) {
        add_inherited(listeners, fd, "", config);
        describe_managers(&listeners->items[listeners->count - 1], listeners->scheme);
    }
    listeners->managed = listeners->count > 0;
    return listeners->managed;
}

static int open_all(struct listeners *listeners, const struct config *config,
                    struct inherited *inherited, struct err *err)
{
    if (take_managers(listeners, config, inherited))
        return 0;
    int taken = take_systemd(listeners, err);
    if (taken != 0)
        return taken < 0 ? taken : 0;
    int rc = 0;
    if (config->bind.count == 0) {
        struct address address;
        snprintf(address.host, sizeof(address.host), "%s", config->host);
        snprintf(address.port, sizeof(address.port), "%d", (int)config->port);
        return open_name(listeners, &address, config, inherited, err);
    }
    for (size_t i = 0; i < config->bind.count && rc == 0; i++)
        rc = open_bind(listeners, config->bind.items[i], config, inherited, err);
    return rc;
}

int listen_open(struct listeners *listeners, const struct config *config,
                struct inherited *inherited, struct err *err)
{
    *listeners = (struct listeners){
        .port = (int)config->port,
        .scheme = config->cert != NULL ? "https" : "http",
    };
    int rc = open_all(listeners, config, inherited, err);
    if (rc != 0) {
        listen_close(listeners);
        listen_clear(listeners);
        return rc;
    }
    for (size_t i = listeners->count; i > 0; i--) {
        int port = port_of(listeners->fds[i - 1]);
        if (port != 0)
            listeners->port = port;
    }
    return 0;
}

void listen_hand_over(const struct listeners *listeners, struct buf *list)
{
    for (size_t i = 0; i < listeners->count; i++)
        inherit_write(list, listeners->fds[i], "", listeners->items[i].asked);
}

void listen_disown(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        listeners->items[i].file.path[0] = '\0';
}

void listen_own(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *item = &listeners->items[i];
        if (item->is_inherited && strncmp(item->asked, "unix:", 5) == 0)
            listen_own_file(&item->file, item->asked + 5);
    }
}

void listen_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->fds[i] >= 0)
            close(listeners->fds[i]);
        listeners->fds[i] = listeners->items[i].fd = -1;
    }
}

void listen_clear(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        listen_unlink(&listeners->items[i].file);
    free(listeners->items);
    free(listeners->fds);
    *listeners = (struct listeners){0};
}
