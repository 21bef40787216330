/* http/target.h - what a request asks for: the request target, and the host it asks.
 *
 * Place in the flow: request calls it once, when a request line is complete; routing, static
 * files and Lua's request.path see the result. Dot segments are kept, as Quart keeps them: who
 * opens files guards himself. Knows no methods but those that have a form of their own.
 */
#ifndef QLUA_HTTP_TARGET_H
#define QLUA_HTTP_TARGET_H

#include <stdbool.h>

#include "base/slice.h"

struct arena;

/* The forms of RFC 9112 3.2. */
enum target_form {
    TARGET_ORIGIN,   /* "/path?query" */
    TARGET_ABSOLUTE, /* "http://host/path?query" */
    TARGET_ASTERISK, /* "*": OPTIONS for the server as a whole; its path is "/" and the star */
    TARGET_AUTHORITY /* "host:port": CONNECT */
};

/* The methods that allow a form of their own. */
enum target_method { TARGET_METHOD_OTHER, TARGET_METHOD_OPTIONS, TARGET_METHOD_CONNECT };

struct target {
    enum target_form form;
    struct slice path;      /* decoded once, valid UTF-8, one leading "/" */
    struct slice raw_path;  /* as received */
    struct slice query;     /* as received, without "?" */
    bool has_query;         /* there was a "?" */
    struct slice authority; /* ABSOLUTE and AUTHORITY; else empty */
    struct slice scheme;    /* "http" or "https", in the sender's letter case; ABSOLUTE only */
};

/* Read a request target. *out borrows from raw; a path that had to be decoded lives in arena.
 * A "%" without two hex digits stays as text; bytes that are not UTF-8 become U+FFFD. Returns 0,
 * or QLUA_ESYNTAX: controls and space, a "#", a form the method does not allow, a scheme other
 * than http and https, an invalid authority. An encoded NUL stays in the path. */
int target_parse(struct slice raw, enum target_method method, struct arena *arena,
                 struct target *out);

/* Is this a host with an optional port, as RFC 9110 7.2 wants it in Host: a name, an IPv4
 * address or an IPv6 literal in brackets; no user, a port of at most 65535? Empty is not. */
bool host_is_valid(struct slice host);

/* host less ":80" (secure: ":443") or an empty port: the text of request.host. Borrows. */
struct slice host_without_default_port(struct slice host, bool secure);

#endif
