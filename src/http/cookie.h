/* http/cookie.h - the Cookie header read, Set-Cookie written.
 *
 * Place in the flow: request.cookies comes from here; response:set_cookie and session/ write
 * through here. The quoting is Werkzeug's and that of Python's http.cookies, so that cookies
 * set by a Quart app are read as it meant them. Knows no sessions and no signatures.
 */
#ifndef QLUA_HTTP_COOKIE_H
#define QLUA_HTTP_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct err;
struct fields;

/* Append the cookies of one Cookie header to *out (a case-sensitive list), in order, doubles
 * too. Quoted values are unquoted; bytes that are not UTF-8 become U+FFFD. Borrows from header
 * what needs no change; the rest lives in out's arena. */
void cookie_parse(struct slice header, struct fields *out);

/* A cookie to set. Zeroed, all but name and value is left out. */
struct cookie {
    struct slice name;
    struct slice value;
    struct slice domain; /* empty: none. A leading dot and a port are dropped */
    struct slice path;   /* data NULL: none; Quart's default is "/" */
    bool has_max_age;
    bool has_expires;
    int64_t max_age; /* seconds; without has_expires this also sets Expires */
    int64_t expires; /* seconds since 1970 */
    bool secure;
    bool httponly;
    bool partitioned;      /* implies secure */
    struct slice samesite; /* "Strict", "Lax" or "None" in any letter case; data NULL: none */
};

/* Append the value of a Set-Cookie header. now (seconds since 1970) is what max_age counts from.
 * Returns 0, or QLUA_ESYNTAX with a message in err (may be NULL) and nothing appended: a name
 * that is no token, a domain that is no ASCII host name, another samesite. */
int cookie_write(struct buf *out, const struct cookie *cookie, int64_t now, struct err *err);

#endif
