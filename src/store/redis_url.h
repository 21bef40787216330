/* store/redis_url.h - where a Redis is and how it wants to be greeted, read from a URL.
 *
 * Place in the flow: store/redis reads SESSION_REDIS with it, once, when the store is opened.
 *
 *     redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]
 *     unix://[[USER]:PASSWORD@]/PATH[?db=DB]         also as redis+unix://
 *
 * User, password and path are percent-decoded. HOST is a name, an IPv4 address or an IPv6 address
 * in brackets; the port is 6379 and the database 0 unless given.
 */
#ifndef QLUA_STORE_REDIS_URL_H
#define QLUA_STORE_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct arena;
struct err;

struct redis_url {
    const char *host; /* NULL: a Unix socket */
    int port;
    bool is_numeric;  /* host is an address: there is nothing to look up */
    const char *path; /* of the Unix socket */
    uint32_t db;
    bool has_password;
    struct slice user; /* "": none */
    struct slice password;
    const char *place; /* "HOST:PORT" or "unix:PATH", for messages: nothing secret in it */
};

/* Read text into *url, whose texts live in arena. Returns 0, or QLUA_ESYNTAX and a message that
 * says what is wrong and what the form is, and quotes nothing: a mistake may stand in the password.
 */
int redis_url_parse(struct arena *arena, struct slice text, struct redis_url *url, struct err *err);

#endif
