/* http/access_format.h - the form of the access log's lines, compiled once.
 *
 * Place in the flow: server/access_log compiles the setting access_log_format when a worker starts
 * (server/config has checked it before) and appends a line for each answer. Fields are written as
 * Hypercorn and Quart have them, %(h)s, or as Apache has them, %h; the names common and combined
 * stand for Apache's two formats.
 */
#ifndef QLUA_HTTP_ACCESS_FORMAT_H
#define QLUA_HTTP_ACCESS_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct access_format;
struct buf;
struct err;
struct request;

/* What a line tells beside the request. */
struct access_moment {
    struct slice date; /* "31/Jan/2026:12:00:00 +0000" */
    uint64_t took_us;  /* from the first byte of the request to the end of the answer */
    int worker;        /* its id */
};

/* NULL and *err, which names the field, when the text has one that is not known. */
struct access_format *access_format_new(const char *text, struct err *err);
void access_format_free(struct access_format *format);

/* Does it show headers of answers? Then http_server->keep_heads must be set. */
bool access_format_needs_heads(const struct access_format *format);

/* Append a line without its line feed. Bytes of the client's that are no printable ASCII, quotes
 * and backslashes are written as \xNN. What a request lacks is "-". */
void access_format_append(const struct access_format *format, struct buf *out, struct request *req,
                          const struct access_moment *moment);

/* Append text of a client's, harmless to terminals and readers of lines; "-" for none. */
void access_format_clean(struct buf *out, struct slice text);

#endif
