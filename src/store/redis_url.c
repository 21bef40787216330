/* store/redis_url.c - where a Redis is and how it wants to be greeted. See redis_url.h. */
#include "store/redis_url.h"

#include <arpa/inet.h>
#include <limits.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define DEFAULT_PORT 6379
#define URL_MAX      4096
#define HOST_MAX     253 /* RFC 1035 3.1, as text */
/* hiredis copies no more than 107 bytes of a socket's path, and no NUL behind 107. */
#define PATH_MAX_LEN 106

static const char *const FORM =
    "the form is redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or unix://[[USER]:PASSWORD@]/PATH"
    "[?db=DB], with / ? # @ : % in user, password and path written as %XX";

static int wrong(struct err *err, const char *what)
{
    return err_set(err, QLUA_ESYNTAX, "%s; %s", what, FORM);
}

/* Cut `scheme` off, in any letter case (RFC 3986 3.1). */
static bool take_scheme(struct slice *text, struct slice scheme)
{
    if (text->len < scheme.len || !slice_eq_nocase(slice_of(text->data, scheme.len), scheme))
        return false;
    *text = slice_from(*text, scheme.len);
    return true;
}

static bool has_controls(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
            return true;
    return false;
}

/* A decimal number from 0 to max, without signs and spaces. */
static bool read_number(struct slice text, uint32_t max, uint32_t *number)
{
    uint64_t value = 0;
    if (text.len == 0 || text.len > 10)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *number = (uint32_t)value;
    return value <= max;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Strictly: a "%" that means itself would be a wrong password nobody sees. */
static bool decode(struct arena *arena, struct slice text, struct slice *decoded)
{
    char *dst = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '%') {
            dst[len++] = text.data[i];
            continue;
        }
        int high = i + 2 < text.len ? hex_value(text.data[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_value(text.data[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        dst[len++] = (char)(high * 16 + low);
        i += 2;
    }
    dst[len] = '\0';
    *decoded = slice_of(dst, len);
    return true;
}

/* "[USER]:PASSWORD" */
static int read_credentials(struct arena *arena, struct slice text, struct redis_url *url,
                            struct err *err)
{
    size_t colon = slice_find(text, ':');
    if (colon == text.len)
        return wrong(err, "it has a user but no password (a password alone is :PASSWORD@)");
    if (!decode(arena, slice_of(text.data, colon), &url->user) ||
        !decode(arena, slice_from(text, colon + 1), &url->password))
        return wrong(err, "a % in its user or password is not followed by two hex digits");
    if (url->password.len == 0)
        return wrong(err, "its password is empty");
    url->has_password = true;
    return 0;
}

/* Cut the "...@" that ends at `at` (NULL: there is none) off the front of text. */
static int take_credentials(struct arena *arena, struct slice *text, const char *at,
                            struct redis_url *url, struct err *err)
{
    if (at == NULL)
        return 0;
    struct slice credentials = slice_of(text->data, (size_t)(at - text->data));
    *text = slice_from(*text, credentials.len + 1);
    return read_credentials(arena, credentials, url, err);
}

static bool is_host_name(struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = ascii_lower(host.data[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
    }
    return host.len > 0 && host.len <= HOST_MAX;
}

/* "HOST[:PORT]" */
static int read_host(struct arena *arena, struct slice text, struct redis_url *url, struct err *err)
{
    struct in6_addr ignored;
    bool is_v6 = text.len > 0 && text.data[0] == '[';
    size_t len = is_v6 ? slice_find(text, ']') : slice_find(text, ':');
    struct slice host = is_v6 ? slice_of(text.data + 1, len - 1) : slice_of(text.data, len);
    struct slice rest = slice_from(text, is_v6 ? len + 1 : len);
    if (text.len == 0 || (!is_v6 && len == 0))
        return wrong(err, "it has no host");
    url->host = arena_cstr(arena, host);
    if (is_v6 && (len == text.len || inet_pton(AF_INET6, url->host, &ignored) != 1))
        return wrong(err, "what it has in brackets is no IPv6 address");
    if (!is_v6 && !is_host_name(host))
        return wrong(err, "its host is no name and no address");
    url->is_numeric = is_v6 || inet_pton(AF_INET, url->host, &ignored) == 1;
    url->port = DEFAULT_PORT;
    uint32_t port = 0;
    if (rest.len == 0)
        return 0;
    if (rest.data[0] != ':' || !read_number(slice_from(rest, 1), 65535, &port) || port == 0)
        return wrong(err, "its port is no number from 1 to 65535");
    url->port = (int)port;
    return 0;
}

static const char *place_of(struct arena *arena, const struct redis_url *url)
{
    struct buf text = {0};
    if (url->host == NULL)
        buf_printf(&text, "unix:%s", url->path);
    else if (strchr(url->host, ':') != NULL)
        buf_printf(&text, "[%s]:%d", url->host, url->port);
    else
        buf_printf(&text, "%s:%d", url->host, url->port);
    const char *place = arena_cstr(arena, buf_view(&text));
    buf_clear(&text);
    return place;
}

/* What follows redis:// */
static int parse_tcp(struct arena *arena, struct slice text, struct redis_url *url, struct err *err)
{
    size_t end = slice_find(text, '/');
    struct slice authority = slice_of(text.data, end);
    struct slice db = slice_from(text, end + 1);
    if (slice_find(db, '@') < db.len)
        return wrong(err, "a / stands before the @, where the password is");
    if (slice_find(db, '?') < db.len || slice_find(authority, '?') < authority.len)
        return wrong(err, "it has options (?...), which redis:// does not take");
    const char *at = authority.len == 0 ? NULL : memrchr(authority.data, '@', authority.len);
    int rc = take_credentials(arena, &authority, at, url, err);
    if (rc == 0)
        rc = read_host(arena, authority, url, err);
    if (rc == 0 && db.len > 0 && !read_number(db, INT_MAX, &url->db))
        return wrong(err, "its database, behind the host, is no number");
    return rc;
}

/* What follows unix:// */
static int parse_unix(struct arena *arena, struct slice text, struct redis_url *url,
                      struct err *err)
{
    size_t end = slice_find(text, '?');
    struct slice path = slice_of(text.data, end);
    struct slice options = slice_from(text, end + 1);
    struct slice decoded;
    bool is_bare = path.len == 0 || path.data[0] == '/'; /* an @ belongs to the path */
    int rc = take_credentials(arena, &path, is_bare ? NULL : memmem(path.data, path.len, "@/", 2),
                              url, err);
    if (rc != 0)
        return rc;
    if (path.len == 0 || path.data[0] != '/')
        return wrong(err, "its path does not begin with /");
    if (!decode(arena, path, &decoded))
        return wrong(err, "a % in its path is not followed by two hex digits");
    if (decoded.len > PATH_MAX_LEN)
        return wrong(err, "its path is longer than 106 bytes");
    if (has_controls(decoded))
        return wrong(err, "its path has a control character in it");
    url->path = decoded.data;
    if (options.len > 0 && (!slice_starts_with(options, SLICE("db=")) ||
                            !read_number(slice_from(options, 3), INT_MAX, &url->db)))
        return wrong(err, "behind its ? stands something else than db and a number");
    return 0;
}

int redis_url_parse(struct arena *arena, struct slice text, struct redis_url *url, struct err *err)
{
    int rc;
    *url = (struct redis_url){.user = SLICE(""), .password = SLICE("")};
    if (has_controls(text) || slice_find(text, ' ') < text.len || slice_find(text, '#') < text.len)
        return wrong(err, "it has a space, a control character or a # in it");
    if (text.len > URL_MAX)
        return wrong(err, "it is longer than 4096 bytes");
    if (take_scheme(&text, SLICE("redis://")))
        rc = parse_tcp(arena, text, url, err);
    else if (take_scheme(&text, SLICE("unix://")) || take_scheme(&text, SLICE("redis+unix://")))
        rc = parse_unix(arena, text, url, err);
    else if (take_scheme(&text, SLICE("rediss://")))
        return err_set(err, QLUA_ESYNTAX,
                       "rediss:// (Redis over TLS) is not in this version; use redis:// within a "
                       "private network, or to a TLS tunnel on this machine");
    else
        return wrong(err, "it begins with neither redis:// nor unix://");
    if (rc == 0)
        url->place = place_of(arena, url);
    return rc;
}
