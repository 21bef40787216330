/* http/range.h - the Range header (RFC 9110 14).
 *
 * Place in the flow: static files and send_file ask which bytes to send, after condition.h has
 * said whether to send any and whether If-Range lets the range count.
 */
#ifndef QLUA_HTTP_RANGE_H
#define QLUA_HTTP_RANGE_H

#include <stdint.h>

#include "base/slice.h"

enum range_result {
    RANGE_IGNORED,      /* send the whole with 200: no single byte range, or an empty file */
    RANGE_SATISFIABLE,  /* 206 with *first..*last, both included */
    RANGE_UNSATISFIABLE /* 416 with "Content-Range: bytes *" and the size */
};

/* Read the value of Range for a representation of size bytes. Ranges in the plural are ignored
 * (RFC 9110 14.2 allows it): the answer to them, multipart/byteranges, is hardly asked for and a
 * known way to make servers work. */
enum range_result range_parse(struct slice value, uint64_t size, uint64_t *first, uint64_t *last);

#endif
