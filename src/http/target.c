/* http/target.c - what a request asks for: the request target, and the host it asks.
 * See target.h. */
#include "http/target.h"

#include <arpa/inet.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/utf8.h"

/* What a byte of a target means. */
enum byte_class {
    PLAIN = 0,
    REFUSED = 1, /* controls, space, DEL and "#" (RFC 9112 3.2: no fragment in a target) */
    ENCODED = 2, /* "%", and bytes from 0x80 on, which must be checked to be UTF-8 */
    QUERY = 4    /* "?" */
};

static const uint8_t byte_classes[256] = {
    [0x00 ... 0x20] = REFUSED, ['#'] = REFUSED,           ['%'] = ENCODED, ['?'] = QUERY,
    [0x7f] = REFUSED,          [0x80 ... 0xff] = ENCODED,
};

/* The place of the first byte of a class in `stop`; *seen collects the classes before it. */
static size_t scan(struct slice s, unsigned stop, unsigned *seen)
{
    size_t i = 0;
    for (; i < s.len; i++) {
        unsigned class = byte_classes[(unsigned char)s.data[i]];
        if ((class & stop) != 0)
            break;
        *seen |= class;
    }
    return i;
}

/* Werkzeug's request.path has one leading slash however many were sent. */
static struct slice one_leading_slash(struct slice path)
{
    while (path.len > 1 && path.data[1] == '/')
        path = slice_from(path, 1);
    return path;
}

/* An encoded NUL stays: it is a name like any other to the router, and who opens files refuses
 * it. */
static struct slice decode_path(struct slice raw, struct arena *arena)
{
    struct buf bytes = {0};
    struct buf clean = {0};
    unescape_url(&bytes, raw, false);
    struct slice decoded = buf_view(&bytes);
    if (!utf8_is_valid(decoded)) {
        utf8_clean(&clean, decoded);
        decoded = buf_view(&clean);
    }
    struct slice path = arena_dup(arena, one_leading_slash(decoded));
    buf_clear(&bytes);
    buf_clear(&clean);
    return path;
}

/* "/path?query"; also what follows the authority of an absolute form, which may be empty or
 * begin with "?" (RFC 9112 3.2.2). */
static int parse_path(struct slice s, struct arena *arena, struct target *out)
{
    unsigned in_path = 0, in_query = 0;
    size_t path_end = scan(s, QUERY | REFUSED, &in_path);
    out->raw_path = slice_of(s.data, path_end);
    out->has_query = path_end < s.len && s.data[path_end] == '?';
    if (out->has_query) {
        out->query = slice_from(s, path_end + 1);
        if (scan(out->query, REFUSED, &in_query) < out->query.len)
            return QLUA_ESYNTAX;
    } else if (path_end < s.len) {
        return QLUA_ESYNTAX;
    }
    if (path_end == 0) {
        out->path = out->raw_path = SLICE("/");
        return 0;
    }
    if ((in_path & ENCODED) != 0)
        out->path = decode_path(out->raw_path, arena);
    else
        out->path = one_leading_slash(out->raw_path);
    return 0;
}

static int parse_absolute(struct slice raw, struct arena *arena, struct target *out)
{
    size_t scheme_end = slice_find(raw, ':');
    out->scheme = slice_of(raw.data, scheme_end);
    if (!slice_eq_nocase(out->scheme, SLICE("http")) &&
        !slice_eq_nocase(out->scheme, SLICE("https")))
        return QLUA_ESYNTAX;
    struct slice rest = slice_from(raw, scheme_end);
    if (!slice_starts_with(rest, SLICE("://")))
        return QLUA_ESYNTAX;
    rest = slice_from(rest, 3);
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    out->form = TARGET_ABSOLUTE;
    out->authority = slice_of(rest.data, end);
    if (!host_is_valid(out->authority))
        return QLUA_ESYNTAX;
    return parse_path(slice_from(rest, end), arena, out);
}

/* CONNECT's "host:port" (RFC 9112 3.2.3); the port must be there. */
static int parse_authority(struct slice raw, struct target *out)
{
    if (!host_is_valid(raw) || raw.data[raw.len - 1] < '0' || raw.data[raw.len - 1] > '9')
        return QLUA_ESYNTAX;
    size_t host_end = raw.data[0] == '[' ? slice_find(raw, ']') : 0;
    if (slice_find(slice_from(raw, host_end), ':') == raw.len - host_end)
        return QLUA_ESYNTAX;
    out->form = TARGET_AUTHORITY;
    out->authority = out->raw_path = raw;
    out->path = SLICE("/");
    return 0;
}

int target_parse(struct slice raw, enum target_method method, struct arena *arena,
                 struct target *out)
{
    *out = (struct target){.form = TARGET_ORIGIN,
                           .path = SLICE("/"),
                           .raw_path = raw,
                           .query = SLICE(""),
                           .authority = SLICE(""),
                           .scheme = SLICE("")};
    if (method == TARGET_METHOD_CONNECT)
        return parse_authority(raw, out);
    if (raw.len > 0 && raw.data[0] == '/')
        return parse_path(raw, arena, out);
    if (method == TARGET_METHOD_OPTIONS && slice_eq(raw, SLICE("*"))) {
        out->form = TARGET_ASTERISK;
        out->path = SLICE("/*"); /* what Quart makes of it */
        return 0;
    }
    return parse_absolute(raw, arena, out);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

/* unreserved and sub-delims of RFC 3986 2. A table, as every request's Host is checked. */
static const bool name_chars[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true, ['.'] = true,
    ['_'] = true,         ['~'] = true,         ['!'] = true,         ['$'] = true, ['&'] = true,
    ['\''] = true,        ['('] = true,         [')'] = true,         ['*'] = true, ['+'] = true,
    [','] = true,         [';'] = true,         ['='] = true,
};

/* reg-name or IPv4address of RFC 3986 3.2.2, but not empty: the scheme http forbids that (RFC
 * 9110 4.2.1). */
static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '%') {
            if (name.len - i < 3 || !is_hex(name.data[i + 1]) || !is_hex(name.data[i + 2]))
                return false;
            i += 2;
        } else if (!name_chars[(unsigned char)name.data[i]]) {
            return false;
        }
    }
    return name.len > 0;
}

/* "v1.x": an address of a kind still to come (RFC 3986 3.2.2, IPvFuture). */
static bool is_future_address(struct slice s)
{
    size_t dot = slice_find(s, '.');
    if (s.len == 0 || ascii_lower(s.data[0]) != 'v' || dot < 2 || dot + 1 >= s.len)
        return false;
    for (size_t i = 1; i < dot; i++)
        if (!is_hex(s.data[i]))
            return false;
    for (size_t i = dot + 1; i < s.len; i++)
        if (!name_chars[(unsigned char)s.data[i]] && s.data[i] != ':')
            return false;
    return true;
}

/* What stands between the brackets. */
static bool is_address_literal(struct slice s)
{
    char cstr[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (is_future_address(s))
        return true;
    if (s.len >= sizeof(cstr) || slice_find(s, '\0') < s.len)
        return false;
    memcpy(cstr, s.data, s.len);
    cstr[s.len] = '\0';
    return inet_pton(AF_INET6, cstr, &address) == 1;
}

/* "" or ":" and a port, which may be empty (RFC 3986 3.2.3). */
static bool is_port_part(struct slice s)
{
    uint32_t port = 0;
    if (s.len == 0)
        return true;
    if (s.data[0] != ':')
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(s.data[i] - '0');
        if (port > 65535)
            return false;
    }
    return true;
}

bool host_is_valid(struct slice host)
{
    if (host.len > 0 && host.data[0] == '[') {
        size_t end = slice_find(host, ']');
        return end < host.len && is_address_literal(slice_of(host.data + 1, end - 1)) &&
               is_port_part(slice_from(host, end + 1));
    }
    size_t colon = slice_find(host, ':');
    return is_name(slice_of(host.data, colon)) && is_port_part(slice_from(host, colon));
}

struct slice host_without_default_port(struct slice host, bool secure)
{
    struct slice port = secure ? SLICE(":443") : SLICE(":80");
    /* An IPv6 literal's own colons stand before its "]", so a match here is always the port. */
    if (slice_ends_with(host, port))
        return slice_of(host.data, host.len - port.len);
    if (slice_ends_with(host, SLICE(":")))
        return slice_of(host.data, host.len - 1);
    return host;
}
